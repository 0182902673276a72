//! The body of an answer as a stream of bytes, within the call's idle and total time. Retries nothing.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use agentcore_core::{Error, ErrorKind, ServiceResponse, SessionId};
use agentcore_transport::Body;
use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use http_body::Body as _;
use tokio::time::{Instant, Sleep, sleep_until};

/// The body of an answer as a stream of its pieces.
///
/// It ends after the first error. What arrived before the error has been delivered.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no piece is lost.
pub struct ByteStream {
    body: Option<Body>,
    /// A piece that has been looked at, and not been delivered.
    peeked: Option<Result<Bytes, Error>>,
    idle: Option<Duration>,
    /// Set when no piece is there for the first time.
    idle_timer: Option<Timer>,
    /// Since when no piece is there.
    waiting_since: Option<Instant>,
    deadline: Option<Instant>,
    /// Set when no piece is there for the first time.
    total_timer: Option<Timer>,
    pub(crate) call: CallFacts,
}

/// The facts of a body's call, for errors.
#[derive(Clone, Debug)]
pub(crate) struct CallFacts {
    pub(crate) started: Instant,
    pub(crate) attempts: u32,
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) trace_id: Option<String>,
    /// The call's total time, if it has one.
    pub(crate) total: Option<Duration>,
    pub(crate) session: SessionId,
}

impl CallFacts {
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let response = ServiceResponse {
            status: self.status.as_u16(),
            request_id: self.request_id.clone(),
            trace_id: self.trace_id.clone(),
            ..ServiceResponse::default()
        };
        let error = Error::new(kind, message).with_response(response).possibly_run(true);
        error.with_attempts(self.attempts, self.started.elapsed()).with_call(None, Some(self.session.as_str()))
    }
}

impl ByteStream {
    pub(crate) fn new(body: Body, idle: Option<Duration>, deadline: Option<Instant>, call: CallFacts) -> Self {
        let body = Some(body);
        Self { body, peeked: None, idle, idle_timer: None, waiting_since: None, deadline, total_timer: None, call }
    }

    /// Waits for the first piece and returns it, without taking it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(crate) async fn peek(&mut self) -> Option<&Bytes> {
        if self.peeked.is_none() {
            self.peeked = poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await;
        }
        self.peeked.as_ref()?.as_ref().ok()
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Bytes, Error>>> {
        self.body = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Returns an error once the idle or the total time has passed.
    fn poll_timeouts(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        // A bound beyond what the clock can hold is none.
        if let Some((idle, due)) = self.idle.and_then(|idle| Some((idle, since.checked_add(idle)?))) {
            let timer = self.idle_timer.get_or_insert_with(|| Timer::new(due));
            while timer.poll(cx).is_ready() {
                if timer.due() >= due {
                    let message = format!("the answer stood still for {} s", idle.as_secs_f32());
                    return Poll::Ready(self.call.error(ErrorKind::Timeout, message));
                }
                // A piece has come since it was set.
                timer.set(due);
            }
        }
        let Some(deadline) = self.deadline else { return Poll::Pending };
        ready!(self.total_timer.get_or_insert_with(|| Timer::new(deadline)).poll(cx));
        let total = self.call.total.map(|total| format!(", after {} s", total.as_secs_f32())).unwrap_or_default();
        let message = format!("the answer was not complete when the call's total time ran out{total}");
        Poll::Ready(self.call.error(ErrorKind::Timeout, message))
    }
}

/// A timer that many pieces pass by: it is touched only where another task is to be woken, or when it has gone off.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// Whom it wakes.
    waker: Option<Waker>,
}

impl Timer {
    fn new(due: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(due)), waker: None }
    }

    fn due(&self) -> Instant {
        self.sleep.deadline()
    }

    fn set(&mut self, due: Instant) {
        self.sleep.as_mut().reset(due);
        self.waker = None;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // `will_wake` compares addresses of tables, of which a compiler may make several with the same entries.
        let is_same = |waker: &Waker| waker.data() == cx.waker().data() && waker.vtable() == cx.waker().vtable();
        if self.waker.as_ref().is_some_and(is_same) && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        let polled = self.sleep.as_mut().poll(cx);
        self.waker = polled.is_pending().then(|| cx.waker().clone());
        polled
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(peeked) = this.peeked.take() {
            return Poll::Ready(Some(peeked));
        }
        loop {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.waiting_since = None;
                    // The contract has no trailers, and an empty piece has no use.
                    match frame.into_data() {
                        Ok(piece) if !piece.is_empty() => return Poll::Ready(Some(Ok(piece))),
                        _ => continue,
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let broken =
                        this.call.error(ErrorKind::BrokenOff, "the answer broke off midway").with_source(error);
                    return this.end(broken);
                }
                Poll::Ready(None) => {
                    this.body = None;
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let error = ready!(this.poll_timeouts(cx));
                    return this.end(error);
                }
            }
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("call", &self.call).finish_non_exhaustive()
    }
}
