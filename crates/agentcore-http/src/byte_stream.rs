//! The body of an answer as a stream of bytes, within the call's idle and total time. Retries nothing.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
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
    /// Set only while no piece has arrived, so that a steady stream needs no timer.
    idle_timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    deadline: Option<Pin<Box<Sleep>>>,
    pub(crate) call: CallFacts,
}

/// The facts of a body's call, for errors.
#[derive(Clone, Debug)]
pub(crate) struct CallFacts {
    pub(crate) started: Instant,
    pub(crate) attempts: u32,
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) session: SessionId,
}

impl CallFacts {
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let response = ServiceResponse {
            status: self.status.as_u16(),
            request_id: self.request_id.clone(),
            ..ServiceResponse::default()
        };
        let error = Error::new(kind, message).with_response(response).possibly_run(true);
        error.with_attempts(self.attempts, self.started.elapsed())
    }
}

impl ByteStream {
    pub(crate) fn new(body: Body, idle: Option<Duration>, deadline: Option<Instant>, call: CallFacts) -> Self {
        let deadline = deadline.map(|at| Box::pin(sleep_until(at)));
        Self { body: Some(body), peeked: None, idle, idle_timer: None, waiting: false, deadline, call }
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
        // A bound beyond what the clock can hold is none.
        if let Some((idle, at)) = self.idle.and_then(|idle| Some((idle, Instant::now().checked_add(idle)?))) {
            let timer = self.idle_timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            if !self.waiting {
                timer.as_mut().reset(at);
                self.waiting = true;
            }
            if timer.as_mut().poll(cx).is_ready() {
                let message = format!("the answer stood still for {} s", idle.as_secs_f32());
                return Poll::Ready(self.call.error(ErrorKind::Timeout, message));
            }
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(
            self.call.error(ErrorKind::Timeout, "the answer was not complete when the call's total time ran out"),
        )
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
                    this.waiting = false;
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
