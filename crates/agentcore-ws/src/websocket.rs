//! An agent's WebSocket: its URL and its session. Knows neither credentials nor sockets.

use agentcore_core::{SessionId, Target, percent_encode};

/// The WebSocket of an agent, in one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocket {
    target: Target,
    session: SessionId,
}

impl WebSocket {
    /// The socket of the agent at `target`, in a new session.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, session: SessionId::random() }
    }

    /// Goes on in this session.
    #[must_use]
    pub fn session(mut self, session: &SessionId) -> Self {
        self.session = session.clone();
        self
    }

    /// The session, to be sent in the header [`SESSION_ID`](agentcore_core::header::SESSION_ID) along with [`url`](Self::url).
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// The URL, for clients that can send headers.
    #[must_use]
    pub fn url(&self) -> String {
        self.target.websocket()
    }

    /// The URL with the session in its query, for clients that cannot send headers, such as browsers.
    #[must_use]
    pub fn url_with_session(&self) -> String {
        let url = self.url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{SESSION_PARAMETER}={}", percent_encode(self.session.as_str()))
    }
}

const SESSION_PARAMETER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_session_joins_an_existing_query() {
        let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/r".parse().unwrap());
        let session = format!("{}+/", "s".repeat(33)).parse().unwrap();
        let socket = WebSocket::new(target.with_qualifier("my endpoint".parse().unwrap())).session(&session);
        assert_eq!(
            socket.url_with_session(),
            format!(
                "wss://bedrock-agentcore.us-west-2.amazonaws.com/runtimes/\
                 arn%3Aaws%3Abedrock-agentcore%3Aus-west-2%3A123456789012%3Aruntime%2Fr/ws?qualifier=my%20endpoint\
                 &X-Amzn-Bedrock-AgentCore-Runtime-Session-Id={}%2B%2F",
                "s".repeat(33)
            )
        );
        assert_eq!(socket.session_id(), &session);
    }
}
