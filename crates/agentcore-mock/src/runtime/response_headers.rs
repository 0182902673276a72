//! The headers that the service adds to every response: its ids, the caller's ids, and the challenge of a 401. Replaces none
//! of an agent's.

use agentcore_core::header::{
    BAGGAGE, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, REQUEST_ID, SESSION_ID, SHELL_ID, TRACE_ID, TRACEPARENT, TRACESTATE,
};
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use uuid::Uuid;

use super::target::Target;
use crate::record::RecordedRequest;

/// The headers of the response to one request.
pub(super) struct ResponseHeaders {
    headers: HeaderMap,
    challenge: HeaderValue,
}

impl ResponseHeaders {
    /// Makes the headers. `url` is the URL of the mock.
    pub(super) fn new(request: &RecordedRequest, url: &str) -> Self {
        let mut headers = HeaderMap::new();
        let id = || HeaderValue::try_from(Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("0"));
        headers.insert(REQUEST_ID, id());
        headers.insert(SESSION_ID, id());
        for name in &ECHOED {
            if let Some(value) = request.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        // A runtime whose name cannot be parsed has no metadata.
        let challenge = Target::parse(request)
            .ok()
            .map(|target| target.url(url, METADATA))
            .and_then(|metadata| HeaderValue::try_from(format!("Bearer resource_metadata=\"{metadata}\"")).ok())
            .unwrap_or(HeaderValue::from_static("Bearer"));
        Self { headers, challenge }
    }

    /// Sets the session id, if it was not sent as a header.
    pub(super) fn set_session_id(&mut self, id: &str) {
        if let Ok(id) = HeaderValue::from_str(id) {
            self.headers.insert(SESSION_ID, id);
        }
    }

    /// Sets the shell's id.
    pub(super) fn set_shell_id(&mut self, id: &str) {
        if let Ok(id) = HeaderValue::from_str(id) {
            self.headers.insert(SHELL_ID, id);
        }
    }

    /// Returns the session id: the one that was sent, else a new one.
    pub(super) fn session_id(&self) -> String {
        self.headers.get(SESSION_ID).map_or_else(String::new, |id| String::from_utf8_lossy(id.as_bytes()).into_owned())
    }

    /// Adds the headers to a response; those of the agent stay.
    pub(super) fn apply(self, mut response: Response<Body>) -> Response<Body> {
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

/// The request headers that the response repeats.
const ECHOED: [HeaderName; 7] =
    [SESSION_ID, MCP_SESSION_ID, MCP_PROTOCOL_VERSION, TRACE_ID, TRACEPARENT, TRACESTATE, BAGGAGE];

/// RFC 9728 puts the name elsewhere in the path; this is where the service has it.
const METADATA: &str = "/.well-known/oauth-protected-resource";
