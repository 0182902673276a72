//! What an agent gives back: a status, headers and a body, or a broken connection. Adds none of the service's headers.

use std::fmt;

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// An agent's answer.
///
/// A constructor sets status 200 and the content type; [`with_status`](Self::with_status) and
/// [`with_header`](Self::with_header) change them.
pub struct AgentAnswer(Kind);

enum Kind {
    Response(Response<Body>),
    Reset,
}

impl AgentAnswer {
    /// An `application/json` answer.
    #[must_use]
    pub fn json(value: impl Into<Value>) -> Self {
        Self::whole("application/json", value.into().to_string())
    }

    /// A `text/plain` answer.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::whole("text/plain; charset=utf-8", text.into())
    }

    /// A `text/event-stream` answer, one event a value, at once.
    ///
    /// A JSON string is the common event of an agent: a piece of text.
    #[must_use]
    pub fn events<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        let text: String = values.into_iter().map(|value| event(&value.into())).collect();
        Self::whole("text/event-stream; charset=utf-8", text)
    }

    /// An answer of any content type whose body is a stream, each item a write of its own.
    ///
    /// An item that is an error breaks the answer off: over HTTP/1.1 the connection closes without the last chunk, over
    /// HTTP/2 the stream is reset.
    #[must_use]
    pub fn stream<S, E>(content_type: &'static str, body: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::with_body(content_type, Body::from_stream(body))
    }

    /// An error as the service reports one: the name in `x-amzn-ErrorType`, the message in a JSON body.
    ///
    /// With an empty name the header is left out, as in answers of what stands in front of the service.
    #[must_use]
    pub fn error(status: StatusCode, name: &'static str, message: &str) -> Self {
        let answer = Self::json(json!({ "message": message })).with_status(status);
        if name.is_empty() {
            return answer;
        }
        answer.with_header(agentcore_core::header::ERROR_TYPE, HeaderValue::from_static(name))
    }

    /// No answer: the connection is reset before a byte of it is sent, together with whatever else it carries.
    #[must_use]
    pub fn reset() -> Self {
        Self(Kind::Reset)
    }

    /// What the service says of an agent that does not serve what it was asked for.
    pub(crate) fn unserved(message: &str) -> Self {
        Self::error(StatusCode::FAILED_DEPENDENCY, "RuntimeClientError", message)
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        if let Kind::Response(response) = &mut self.0 {
            *response.status_mut() = status;
        }
        self
    }

    /// Sets a header, in place of one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Kind::Response(response) = &mut self.0 {
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
        Self(Kind::Response(response))
    }

    /// The response to send, or `None` to reset the connection.
    pub(crate) fn into_response(self) -> Option<Response<Body>> {
        match self.0 {
            Kind::Response(response) => Some(response),
            Kind::Reset => None,
        }
    }
}

impl fmt::Debug for AgentAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Response(response) => {
                f.debug_struct("AgentAnswer").field("status", &response.status()).finish_non_exhaustive()
            }
            Kind::Reset => f.write_str("AgentAnswer(reset)"),
        }
    }
}

/// A value as one server-sent event, as the official SDK's runtime writes it.
pub(crate) fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}
