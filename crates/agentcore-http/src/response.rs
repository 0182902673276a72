//! The answer to an invocation: its head, and its body as bytes, text, JSON or server-sent events. Retries nothing.

use std::{future::poll_fn, mem, pin::Pin, time::Duration};

use agentcore_core::{SessionId, endpoint::is_loopback, header, service_error};
use agentcore_transport::{Body, Called};
use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use http::{HeaderMap, Uri, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::{
    ByteStream, Error, ErrorKind,
    byte_stream::CallFacts,
    event_stream::{self, FrameStream},
    sse::{Decoder, EventStream},
};

/// An answer whose head has arrived. The methods that take `self` read its body.
///
/// Dropping it before the body's end closes the connection, or resets the HTTP/2 stream. The agent is not informed otherwise.
///
/// ```no_run
/// # use agentcore_http::{Error, HttpClient, Invocation, Target};
/// # async fn example(client: HttpClient, target: Target) -> Result<(), Error> {
/// let response = client.invoke(&target, &Invocation::new("Hello, world!")).await?;
/// println!("request {:?} in session {}", response.request_id(), response.session_id());
/// let answer: serde_json::Value = response.json().await?;
/// println!("{answer:#}");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Response {
    headers: HeaderMap,
    media: Media,
    limits: Limits,
    /// The host that answered, if it was not a local container.
    host: Option<String>,
    answered: Option<SessionId>,
    bytes: ByteStream,
}

/// What a body is, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Events,
    AwsEvents,
    Json,
    JsonLines,
    Other,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // Without its parameters, in whatever letters (RFC 9110 §8.3.1).
        let essence = kind.split_once(';').map_or(kind, |(essence, _)| essence).trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("text/event-stream") {
            Self::Events
        } else if is("application/json") {
            Self::Json
        } else if is("application/vnd.amazon.eventstream") {
            Self::AwsEvents
        } else if JSON_LINES.iter().any(|name| is(name)) {
            Self::JsonLines
        } else if essence.to_ascii_lowercase().ends_with("+json") {
            Self::Json
        } else {
            Self::Other
        }
    }
}

const JSON_LINES: &[&str] = &[
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
    "application/stream+json",
    "text/x-ndjson",
    "text/jsonl",
];

/// The limits and settings of reading an answer.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) answer_bytes: usize,
    pub(crate) event_bytes: usize,
    pub(crate) lenient: bool,
}

impl Response {
    pub(crate) fn new(
        called: Called<Body>,
        sent: Option<&SessionId>,
        limits: Limits,
        idle: Option<Duration>,
        host: Option<&str>,
    ) -> Self {
        let Called { response, attempts, started, deadline, .. } = called;
        let (head, body) = response.into_parts();
        let request_id = service_error::request_id(&head.headers).map(str::to_owned);
        let answered = head.headers.get(header::SESSION_ID).and_then(|id| SessionId::from_answer(id.to_str().ok()?));
        if sent.zip(answered.as_ref()).is_some_and(|(sent, answered)| sent != answered) {
            // Ids are not logged: whoever knows one can join the conversation.
            tracing::warn!("the answer came from another session than the one that was named");
        }
        // A call without a session, whose answer names none, belongs to no session that anybody could go on in.
        let session = answered.clone().or_else(|| sent.cloned()).unwrap_or_else(SessionId::random);
        let trace_id = head.headers.get(header::TRACE_ID).and_then(|id| Some(id.to_str().ok()?.to_owned()));
        let total = deadline.map(|deadline| deadline.saturating_duration_since(started));
        let call = CallFacts { started, attempts, status: head.status, request_id, trace_id, total, session };
        let bytes = ByteStream::new(body, idle, deadline, call);
        let (media, host) = (Media::of(&head.headers), host.map(str::to_owned));
        Self { media, headers: head.headers, limits, host, answered, bytes }
    }

    /// Returns the HTTP status, 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.bytes.call.status.as_u16()
    }

    /// Returns the session of the answer, or the session that was sent if the answer has none.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.bytes.call.session
    }

    /// Returns the session that the answer names, if it names one: a local container may name none.
    #[must_use]
    pub fn answered_session(&self) -> Option<&SessionId> {
        self.answered.as_ref()
    }

    /// Returns the URL at which the session can be reached directly, if the answer has one that is fit for a credential: `https`, or
    /// plain to loopback. Its grammar is not public: what is behind it is requested by the caller, who
    /// [authorizes](agentcore_auth::Auth::authorize) the request.
    #[must_use]
    pub fn session_endpoint_url(&self) -> Option<Uri> {
        let url: Uri = self.header(header::SESSION_ENDPOINT_URL.as_str())?.parse().ok()?;
        let is_safe = match url.scheme_str() {
            Some("https") => true,
            Some("http") => url.host().is_some_and(is_loopback),
            _ => false,
        };
        // User info would be taken for the host by whoever reads the URL in a hurry.
        (is_safe && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))).then_some(url)
    }

    /// Lowers the limits of this answer, in bytes: of a body that is collected, and of an event. Larger values than the client's
    /// change nothing.
    #[must_use]
    pub fn limited_to(mut self, answer_bytes: usize, event_bytes: usize) -> Self {
        self.limits.answer_bytes = self.limits.answer_bytes.min(answer_bytes);
        self.limits.event_bytes = self.limits.event_bytes.min(event_bytes);
        self
    }

    /// Returns the id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.bytes.call.request_id.as_deref()
    }

    /// Returns the X-Ray trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.headers.get(header::TRACE_ID)?.to_str().ok()
    }

    /// Returns the body's media type, with its parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    /// Returns a header's value if it is text, such as `traceparent` or `mcp-session-id`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns whether the body is a stream of server-sent events.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.media == Media::Events
    }

    /// Returns whether the body is an AWS event stream, such as a harness's answer.
    #[must_use]
    pub fn is_aws_event_stream(&self) -> bool {
        self.media == Media::AwsEvents
    }

    /// Returns whether the body is JSON: `application/json`, or a type that ends in `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.media == Media::Json
    }

    /// Returns whether the body is JSON values, a line each: `application/x-ndjson`, `application/jsonl` and their kin.
    #[must_use]
    pub fn is_json_lines(&self) -> bool {
        self.media == Media::JsonLines
    }

    /// Returns an error if the body is a page that something between here and the service has answered with: HTML without one header of
    /// the service, such as a captive portal's. A local container's pages are its own.
    ///
    /// An answer that has no header of the service and is no event stream and no JSON is waited for until it begins. The body can be
    /// read nevertheless; who reads it as an agent's answer looks here first.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn page_of_another(&mut self) -> Option<Error> {
        let host = self.host.as_ref().filter(|_| !service_error::is_of_the_service(&self.headers))?;
        let message = format!("a page came in place of an agent's answer: {host} or a proxy on the way to it wrote it");
        let typed = self.media != Media::Other;
        let page = service_error::is_page(&self.headers)
            || (!typed && self.bytes.peek().await.is_some_and(|text| service_error::begins_like_a_page(text)));
        page.then(|| self.bytes.call.error(ErrorKind::Service, message))
    }

    /// Returns how many bytes the body may have where it is collected; see [`HttpClientBuilder`](crate::HttpClientBuilder).
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.limits.answer_bytes
    }

    /// Returns how many bytes an event or line may have; see [`HttpClientBuilder`](crate::HttpClientBuilder).
    #[must_use]
    pub fn max_event_bytes(&self) -> usize {
        self.limits.event_bytes
    }

    /// Returns the number of attempts.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.bytes.call.attempts
    }

    /// Returns the time since the call began, attempts and pauses included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.bytes.call.started.elapsed()
    }

    /// Returns the body as a stream of its pieces.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        self.bytes
    }

    /// Returns the body as a stream of server-sent events, whatever its media type is.
    #[must_use]
    pub fn events(self) -> EventStream {
        let decoder = Decoder::new().lenient(self.limits.lenient).max_event_bytes(self.limits.event_bytes);
        EventStream::new(self.bytes, decoder)
    }

    /// Returns the body as a stream of the frames of an AWS event stream, whatever its media type is.
    #[must_use]
    pub fn frames(self) -> FrameStream {
        let decoder = event_stream::FrameDecoder::new().max_frame_bytes(self.limits.event_bytes);
        FrameStream::new(self.bytes, decoder)
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// If it ends too soon, is longer than the client's limit (100 MB by default), or takes longer than the call's timeouts.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer, and what was read is lost.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut self.bytes).poll_next(cx)).await {
            let piece = piece?;
            if first.len() + rest.len() + piece.len() > self.limits.answer_bytes {
                let message = format!("the answer is longer than {} bytes", self.limits.answer_bytes);
                return Err(self.bytes.call.error(ErrorKind::TooLarge, message));
            }
            if first.is_empty() && rest.is_empty() {
                // An answer in one piece is not copied.
                first = piece;
            } else {
                rest.extend_from_slice(&mem::take(&mut first));
                rest.extend_from_slice(&piece);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// Reads the whole body as text. U+FFFD replaces what is not UTF-8.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads the whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and if it is not the JSON of a `T`.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let call = self.bytes.call.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| call.error(ErrorKind::Service, "the answer is not the JSON expected").with_source(error))
    }
}

#[cfg(test)]
mod tests;
