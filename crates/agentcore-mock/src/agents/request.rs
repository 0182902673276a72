//! What an agent is given. Holds no credential: they end at the mock's door, as at the service's.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

/// An invocation as it reaches an agent.
#[derive(Clone)]
#[non_exhaustive]
pub struct AgentRequest {
    /// The name the agent was found by.
    pub agent: String,
    /// The payload's bytes, up to 100 MB.
    pub payload: Bytes,
    /// The session id: the one sent, else the one the mock made; `None` only where a local container was sent none.
    pub session_id: Option<String>,
    /// The user id, if one was sent.
    pub user_id: Option<String>,
    /// The endpoint's name, by query or by an endpoint's ARN, if one was sent.
    pub qualifier: Option<String>,
    /// The headers, of which `authorization`, `x-amz-security-token` and `sec-websocket-protocol` hold only `…`.
    pub headers: HeaderMap,
    /// Which call this is to this agent in this session, counted from 1.
    ///
    /// Requests without a session id are counted together.
    pub attempt: u64,
}

impl AgentRequest {
    /// The payload as JSON, or as a string of its text where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&self.payload)))
    }

    /// The payload's `prompt`, or the payload itself where it is one JSON string.
    #[must_use]
    pub fn prompt(&self) -> Option<String> {
        match serde_json::from_slice(&self.payload).ok()? {
            Value::String(prompt) => Some(prompt),
            value => value.get("prompt")?.as_str().map(str::to_owned),
        }
    }

    /// Takes what an agent may see of a request's headers.
    pub(crate) fn visible(headers: &HeaderMap) -> HeaderMap {
        let mut visible = headers.clone();
        for (name, value) in &mut visible {
            if is_credential(name) {
                *value = HeaderValue::from_bytes(HIDDEN.as_bytes()).unwrap_or(HeaderValue::from_static("..."));
            }
        }
        visible
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

/// Whether a header of this name holds a credential, or may: a browser puts a token into the subprotocols.
pub(crate) fn is_credential(name: &HeaderName) -> bool {
    [header::AUTHORIZATION.as_str(), SECURITY_TOKEN, header::SEC_WEBSOCKET_PROTOCOL.as_str()].contains(&name.as_str())
}

/// What stands in a credential's place.
pub(crate) const HIDDEN: &str = "…";

/// The session token of temporary AWS credentials.
pub(crate) const SECURITY_TOKEN: &str = "x-amz-security-token";
