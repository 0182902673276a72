//! What the service writes around every answer: its ids, the echo of the caller's, and the challenge of a 401.

use agentcore_core::header::{
    BAGGAGE, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, REQUEST_ID, SESSION_ID, TRACE_ID, TRACEPARENT, TRACESTATE,
};
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use uuid::Uuid;

use super::target::Target;
use crate::RecordedRequest;

/// The headers of an answer to one request.
pub(super) struct Envelope {
    headers: HeaderMap,
    challenge: HeaderValue,
}

impl Envelope {
    /// Prepares the headers. `url` is the mock's own.
    pub(super) fn of(request: &RecordedRequest, url: &str) -> Self {
        let mut headers = HeaderMap::new();
        let id = || HeaderValue::try_from(Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("0"));
        headers.insert(REQUEST_ID, id());
        headers.insert(SESSION_ID, id());
        for name in &ECHOED {
            if let Some(value) = request.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        // A runtime whose name cannot be read has no metadata to point at.
        let challenge = Target::of(request)
            .ok()
            .map(|target| target.url(url, METADATA))
            .and_then(|metadata| HeaderValue::try_from(format!("Bearer resource_metadata=\"{metadata}\"")).ok())
            .unwrap_or(HeaderValue::from_static("Bearer"));
        Self { headers, challenge }
    }

    /// Sets the session the answer belongs to, where it was not sent as a header.
    pub(super) fn set_session_id(&mut self, id: &str) {
        if let Ok(id) = HeaderValue::from_str(id) {
            self.headers.insert(SESSION_ID, id);
        }
    }

    /// The session the answer belongs to: the one sent, else a new one.
    pub(super) fn session_id(&self) -> String {
        self.headers.get(SESSION_ID).map_or_else(String::new, |id| String::from_utf8_lossy(id.as_bytes()).into_owned())
    }

    /// Puts the headers on an answer; those an agent set itself stay.
    pub(super) fn around(self, mut response: Response<Body>) -> Response<Body> {
        let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if is_unauthorized {
            headers.entry(header::WWW_AUTHENTICATE).or_insert(self.challenge);
        }
        response
    }
}

/// What comes back as it was sent.
const ECHOED: [HeaderName; 7] =
    [SESSION_ID, MCP_SESSION_ID, MCP_PROTOCOL_VERSION, TRACE_ID, TRACEPARENT, TRACESTATE, BAGGAGE];

/// RFC 9728 puts the name elsewhere in the path; this is where the service has it.
const METADATA: &str = "/.well-known/oauth-protected-resource";
