//! The answer to an invocation: its head, and then its body as bytes, text, JSON or server-sent events. Retries nothing.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use agentcore_core::{ServiceResponse, SessionId, header, service_error};
use agentcore_transport::{Body, Called};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use http_body::Body as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    Error, ErrorKind,
    sse::{Decoder, EventStream},
};

/// An answer whose head has arrived; its body is read by one of the methods that take `self`.
///
/// Dropping it closes the connection, or resets the HTTP/2 stream, if the body was not read to its end. The agent is not
/// told in any other way.
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    limits: Limits,
    bytes: ByteStream,
}

/// How much of an answer is taken in.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) answer_bytes: usize,
    pub(crate) event_bytes: usize,
    pub(crate) lenient: bool,
}

impl Response {
    pub(crate) fn new(called: Called<Body>, sent: &SessionId, limits: Limits, idle: Option<Duration>) -> Self {
        let Called { response, attempts, started, deadline, .. } = called;
        let (head, body) = response.into_parts();
        let request_id = service_error::request_id(&head.headers).map(str::to_owned);
        let answered = head.headers.get(header::SESSION_ID).and_then(|id| SessionId::from_answer(id.to_str().ok()?));
        let session = answered.unwrap_or_else(|| sent.clone());
        let call = CallFacts { started, attempts, status: head.status, request_id, session };
        let bytes = ByteStream::new(body, idle, deadline, call);
        Self { status: head.status, headers: head.headers, limits, bytes }
    }

    /// The HTTP status, always 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The session to go on in: the one the service answered with, else the one that was sent.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.bytes.call.session
    }

    /// The id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        service_error::request_id(&self.headers)
    }

    /// The X-Ray trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.header(header::TRACE_ID.as_str())
    }

    /// The body's media type, with its parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())
    }

    /// Any header that is text; `traceparent` and `mcp-session-id`, for example.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the agent streams server-sent events.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.has_media_type(|kind| kind.eq_ignore_ascii_case("text/event-stream"))
    }

    /// Whether the body is JSON: `application/json` or another type that ends in `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.has_media_type(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind == "application/json" || kind.ends_with("+json")
        })
    }

    /// How many times the request was sent until this answer came.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.bytes.call.attempts
    }

    /// The time since the call began, its attempts and pauses included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.bytes.call.started.elapsed()
    }

    /// The body piece by piece, as it arrives.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        self.bytes
    }

    /// The body as server-sent events, whatever its media type says.
    #[must_use]
    pub fn events(self) -> EventStream {
        let decoder = Decoder::new().lenient(self.limits.lenient).max_event_bytes(self.limits.event_bytes);
        EventStream::new(self.bytes, decoder)
    }

    /// The whole body.
    ///
    /// # Errors
    /// If it breaks off, is longer than the client's limit (100 MB by default), or takes longer than the call's timeouts.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer; what was read is lost.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut self.bytes).poll_next(cx)).await {
            let piece = piece?;
            if first.len() + rest.len() + piece.len() > self.limits.answer_bytes {
                let message = format!("the answer is longer than {} bytes", self.limits.answer_bytes);
                return Err(self.bytes.error(ErrorKind::TooLarge, message));
            }
            match (first.is_empty(), rest.is_empty()) {
                // An answer that comes in one piece is not copied.
                (true, true) => first = piece,
                (_, true) => {
                    rest.reserve(first.len() + piece.len());
                    rest.extend_from_slice(&first);
                    rest.extend_from_slice(&piece);
                    first = Bytes::new();
                }
                _ => rest.extend_from_slice(&piece),
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// The whole body as text; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and if it is not the JSON of a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let call = self.bytes.call.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| call.error(ErrorKind::Service, "the answer is not the JSON expected").with_source(error))
    }

    fn has_media_type(&self, is: impl Fn(&str) -> bool) -> bool {
        let essence = self.content_type().and_then(|kind| kind.split(';').next());
        essence.is_some_and(|kind| is(kind.trim()))
    }
}

/// The body of an answer, piece by piece as it arrives.
///
/// It ends after the first error. What arrived before the error has been delivered.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no piece is lost.
pub struct ByteStream {
    body: Option<Body>,
    idle: Option<Duration>,
    /// Armed while waiting for a piece, so that a stream which flows costs no timer.
    idle_timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    deadline: Option<Pin<Box<Sleep>>>,
    call: CallFacts,
}

/// The call a body belongs to, for its errors.
#[derive(Clone, Debug)]
struct CallFacts {
    started: Instant,
    attempts: u32,
    status: StatusCode,
    request_id: Option<String>,
    session: SessionId,
}

impl CallFacts {
    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let refusal = ServiceResponse {
            status: self.status.as_u16(),
            request_id: self.request_id.clone(),
            ..ServiceResponse::default()
        };
        let error = Error::new(kind, message).with_response(refusal).possibly_run(true);
        error.with_attempts(self.attempts, self.started.elapsed())
    }
}

impl ByteStream {
    fn new(body: Body, idle: Option<Duration>, deadline: Option<Instant>, call: CallFacts) -> Self {
        let deadline = deadline.map(|at| Box::pin(sleep_until(at)));
        Self { body: Some(body), idle, idle_timer: None, waiting: false, deadline, call }
    }

    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.call.error(kind, message)
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Bytes, Error>>> {
        self.body = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Whether one of the two clocks has run out while no piece is there.
    fn poll_clocks(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if let Some(idle) = self.idle {
            let at = Instant::now() + idle;
            let timer = self.idle_timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            if !self.waiting {
                timer.as_mut().reset(at);
                self.waiting = true;
            }
            if timer.as_mut().poll(cx).is_ready() {
                let message = format!("the answer stood still for {} s", idle.as_secs_f32());
                return Poll::Ready(self.error(ErrorKind::Timeout, message));
            }
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(self.error(ErrorKind::Timeout, "the answer was not complete when the call's total time ran out"))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.waiting = false;
                    // Trailers carry nothing the contract knows of; an empty piece says nothing.
                    match frame.into_data() {
                        Ok(piece) if !piece.is_empty() => return Poll::Ready(Some(Ok(piece))),
                        _ => continue,
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let broken = this.error(ErrorKind::BrokenOff, "the answer broke off midway").with_source(error);
                    return this.end(broken);
                }
                Poll::Ready(None) => {
                    this.body = None;
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let error = ready!(this.poll_clocks(cx));
                    return this.end(error);
                }
            }
        }
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").field("call", &self.call).finish_non_exhaustive()
    }
}
