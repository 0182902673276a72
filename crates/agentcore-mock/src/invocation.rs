//! An invocation: what an agent receives, and what it returns. Holds no credential: the mock removes them, as the service does.

use std::fmt;

use agentcore_core::header::ERROR_TYPE;
use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{event_stream, service_error::ServiceError, verify::is_credential_header};

/// An invocation or a handshake as an agent receives it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AgentRequest {
    /// The name of the agent, without the suffix of the service.
    pub agent: String,
    /// The payload's bytes, up to 100 MB.
    pub payload: Bytes,
    /// The session id: the one that was sent, else one that the mock made; `None` only in a local container without one.
    pub session_id: Option<String>,
    /// The user id, if one was sent.
    pub user_id: Option<String>,
    /// The endpoint's name, from the query or an endpoint's ARN, if one was sent.
    pub qualifier: Option<String>,
    /// The headers, of which `authorization`, `x-amz-security-token` and `sec-websocket-protocol` are redacted to `…`.
    pub headers: HeaderMap,
    /// The number of this call to this agent in this session, counted from 1.
    ///
    /// Requests without a session id are counted together.
    pub attempt: u64,
}

impl AgentRequest {
    /// Returns the payload as JSON, or as a string of its text where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&self.payload)))
    }

    /// Returns the payload's `prompt`, or the payload itself where it is one JSON string.
    #[must_use]
    pub fn prompt(&self) -> Option<String> {
        match serde_json::from_slice(&self.payload).ok()? {
            Value::String(prompt) => Some(prompt),
            value => value.get("prompt")?.as_str().map(str::to_owned),
        }
    }

    /// Returns the headers with the credentials redacted.
    pub(crate) fn redact(headers: &HeaderMap) -> HeaderMap {
        let mut redacted = headers.clone();
        for (_, value) in redacted.iter_mut().filter(|(name, _)| is_credential_header(name)) {
            *value = HeaderValue::from_bytes(REDACTED.as_bytes()).unwrap_or(HeaderValue::from_static("..."));
        }
        redacted
    }

    /// Returns the headers as pairs of JSON, because a header may come twice and the order matters.
    pub(crate) fn header_pairs(&self) -> Value {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers.iter().map(|(name, value)| json!([name.as_str(), text(value)])).collect()
    }
}

impl fmt::Debug for AgentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentRequest")
            .field("agent", &self.agent)
            .field("payload_bytes", &self.payload.len())
            .field("session_id", &self.session_id)
            .field("user_id", &self.user_id)
            .field("qualifier", &self.qualifier)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// An agent's response.
///
/// A constructor sets status 200 and the content type; [`with_status`](Self::with_status) and
/// [`with_header`](Self::with_header) change them.
pub struct AgentResponse(Option<Response<Body>>);

impl AgentResponse {
    /// Makes an `application/json` response.
    #[must_use]
    pub fn json(value: impl Into<Value>) -> Self {
        Self::whole("application/json", value.into().to_string())
    }

    /// Makes a `text/plain` response.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::whole("text/plain; charset=utf-8", text.into())
    }

    /// Makes a `text/event-stream` response of one event for each value, sent at once.
    ///
    /// A JSON string is the common event of an agent: a piece of text.
    #[must_use]
    pub fn events<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        let text: String = values.into_iter().map(|value| event(&value.into())).collect();
        Self::whole(EVENT_STREAM, text)
    }

    /// Makes the response to a command: an AWS event stream with a `chunk` for each value, such as
    /// `{"contentDelta": {"stdout": "text"}}`.
    #[must_use]
    pub fn command(chunks: impl IntoIterator<Item = Value>) -> Self {
        let frames = chunks.into_iter().map(|chunk| event_stream::event("chunk", &chunk));
        Self::whole(event_stream::EVENT_STREAM, frames.collect::<Vec<_>>().concat())
    }

    /// Makes a response of any content type whose body is a stream, each item a write of its own.
    ///
    /// An item that is an error aborts the response: over HTTP/1.1 the connection closes without the last chunk, over
    /// HTTP/2 the stream is reset.
    #[must_use]
    pub fn stream<S, E>(content_type: &'static str, body: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::with_body(content_type, Body::from_stream(body))
    }

    /// Makes a `text/event-stream` response whose body is a stream.
    pub(crate) fn event_stream<E>(body: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::stream(EVENT_STREAM, body)
    }

    /// Makes an error as the service reports one: the name in `x-amzn-ErrorType`, the message in a JSON body.
    ///
    /// Leaves the header out if the name is empty, as a proxy in front of the service does.
    #[must_use]
    pub fn error(status: StatusCode, name: &'static str, message: &str) -> Self {
        let response = Self::json(json!({ "message": message })).with_status(status);
        if name.is_empty() {
            return response;
        }
        response.with_header(ERROR_TYPE, HeaderValue::from_static(name))
    }

    /// Makes no response: the connection is reset before a byte is sent, and with it every other stream that it carries.
    #[must_use]
    pub fn reset() -> Self {
        Self(None)
    }

    /// Makes the error of the service for an agent that does not support the protocol of the request.
    pub(crate) fn unsupported(message: &str) -> Self {
        Self::error(StatusCode::FAILED_DEPENDENCY, "RuntimeClientError", message)
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        if let Some(response) = &mut self.0 {
            *response.status_mut() = status;
        }
        self
    }

    /// Sets a header, in place of one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Some(response) = &mut self.0 {
            response.headers_mut().insert(name, value);
        }
        self
    }

    pub(crate) fn whole(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::with_body(content_type, Body::from(body.into()))
    }

    fn with_body(content_type: &'static str, body: Body) -> Self {
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self(Some(response))
    }

    /// Returns the response to send, or `None` to reset the connection.
    pub(crate) fn into_response(self) -> Option<Response<Body>> {
        self.0
    }
}

impl fmt::Debug for AgentResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(response) => {
                f.debug_struct("AgentResponse").field("status", &response.status()).finish_non_exhaustive()
            }
            None => f.write_str("AgentResponse(reset)"),
        }
    }
}

impl From<ServiceError> for AgentResponse {
    fn from(error: ServiceError) -> Self {
        Self::error(error.status, error.name, &error.message)
    }
}

/// Formats a value as one server-sent event, as the official SDK's runtime writes it.
pub(crate) fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// What replaces a credential.
pub(crate) const REDACTED: &str = "…";
