//! Describes an agent's WebSocket, or a shell's: its URL, its session and the caller's parameters. Authenticates nothing, opens nothing.

use std::sync::Arc;

use agentcore_auth::{Clock, SystemClock};
use agentcore_core::{Operation, SessionId, ShellId, Target, operation};

use crate::{
    Error,
    parameter::{self, Parameter},
};

/// The WebSocket of an agent, in one session.
///
/// It is a description: [`handshake`](Self::handshake), [`presign`](Self::presign) and [`subprotocol`](Self::subprotocol) each
/// make a fresh credential for it, as often as called. The agent's region is that of its ARN.
///
/// ```
/// # use agentcore_ws::{Auth, Target, WebSocket};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), agentcore_ws::Error> {
/// let handshake = WebSocket::new(Target::local("http://127.0.0.1:8080")?).handshake(&Auth::None).await?;
/// assert_eq!(handshake.uri, "ws://127.0.0.1:8080/ws");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct WebSocket {
    pub(crate) target: Target,
    pub(crate) clock: Arc<dyn Clock>,
    session: SessionId,
    /// The shell that it is the socket of, if it is one's.
    shell: Option<ShellId>,
    parameters: Vec<Parameter>,
}

impl WebSocket {
    /// Returns the socket of the agent at `target`, in a new session with a random id.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            clock: Arc::new(SystemClock::default()),
            session: SessionId::random(),
            shell: None,
            parameters: Vec::new(),
        }
    }

    /// Returns the socket of a shell in a session's microVM: a new shell, or the one that has this id already. The same session and
    /// the same id lead to it again.
    #[must_use]
    pub fn shell(target: Target, id: &ShellId) -> Self {
        Self::new(target).shell_of(id)
    }

    /// Makes it the socket of this shell, in the same session.
    #[must_use]
    pub fn shell_of(mut self, id: &ShellId) -> Self {
        self.shell = Some(id.clone());
        self
    }

    /// Returns the shell's id, if it is the socket of one.
    #[must_use]
    pub fn shell_id(&self) -> Option<&ShellId> {
        self.shell.as_ref()
    }

    /// Returns the operation that opens it.
    pub(crate) fn operation(&self) -> &'static Operation {
        if self.shell.is_some() { &operation::SHELL } else { &operation::WEBSOCKET }
    }

    /// Uses this session.
    #[must_use]
    pub fn session(mut self, session: &SessionId) -> Self {
        self.session = session.clone();
        self
    }

    /// Adds a query parameter. Parameters stay in the order they were added; a name may come more than once.
    ///
    /// The agent gets those that begin with `X-Amzn-Bedrock-AgentCore-Runtime-Custom-` as headers (AWS developer guide, "Get
    /// started with bidirectional streaming using WebSocket"): a browser cannot send headers.
    ///
    /// # Errors
    /// If the name is empty or reserved: `qualifier`, `accountId`, `shellId`, and everything that begins with `X-Amz-` or
    /// `X-Amzn-` except `X-Amzn-Bedrock-AgentCore-Runtime-Custom-`; in any letter case.
    pub fn param(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.parameters.push(Parameter::new(name, value)?);
        Ok(self)
    }

    /// Uses this clock for expiry and signatures. Default: the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Returns the URL, for clients that send the session in the header
    /// [`SESSION_ID`](agentcore_core::header::SESSION_ID).
    ///
    /// # Errors
    /// If the target has no WebSocket, such as a harness.
    pub fn url(&self) -> Result<String, Error> {
        let mut url = self.target.url(self.operation())?.to_string();
        if let Some(shell) = &self.shell {
            parameter::append(&mut url, parameter::SHELL_ID, shell.as_str());
        }
        for parameter in &self.parameters {
            parameter.append_to(&mut url);
        }
        Ok(url)
    }

    /// Returns the URL with the session in its query, for clients that cannot send headers, such as browsers.
    ///
    /// # Errors
    /// As [`url`](Self::url).
    pub fn url_with_session(&self) -> Result<String, Error> {
        let mut url = self.url()?;
        parameter::append(&mut url, parameter::SESSION_ID, self.session.as_str());
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn target() -> Target {
        Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/r".parse().unwrap())
    }

    const URL: &str = "wss://bedrock-agentcore.us-west-2.amazonaws.com/runtimes/\
                       arn%3Aaws%3Abedrock-agentcore%3Aus-west-2%3A123456789012%3Aruntime%2Fr/ws";

    #[test]
    fn parameters_stand_between_qualifier_and_session() {
        let session = format!("{}+/", "s".repeat(33)).parse().unwrap();
        let socket = WebSocket::new(target().with_qualifier("my endpoint".parse().unwrap())).session(&session);
        let tail = format!("&X-Amzn-Bedrock-AgentCore-Runtime-Session-Id={}%2B%2F", "s".repeat(33));
        assert_eq!(socket.url_with_session().unwrap(), format!("{URL}?qualifier=my%20endpoint{tail}"));
        let socket = socket.param("z", "1 +&=").unwrap().param("a", "").unwrap().param("z", "é").unwrap();
        let query = "?qualifier=my%20endpoint&z=1%20%2B%26%3D&a=&z=%C3%A9";
        assert_eq!(socket.url().unwrap(), format!("{URL}{query}"));
        assert_eq!(socket.url_with_session().unwrap(), format!("{URL}{query}{tail}"));
        assert_eq!(socket.session_id(), &session);
    }

    #[test]
    fn a_shell_has_a_path_and_a_parameter_of_its_own() {
        let session = "s".repeat(33).parse().unwrap();
        let shell = WebSocket::shell(target(), &"my-shell".parse().unwrap()).session(&session);
        assert_eq!(shell.url().unwrap(), format!("{URL}/shells?shellId=my-shell"));
        let harness = "arn:aws:bedrock-agentcore:us-west-2:123456789012:harness/h".parse().unwrap();
        let shell = WebSocket::shell(Target::new(harness), &"s1".parse().unwrap());
        assert!(shell.url().unwrap().ends_with("%3Aharness%2Fh/ws/shells?shellId=s1"));
        let local = WebSocket::shell(Target::local("http://127.0.0.1:8080").unwrap(), &ShellId::random());
        assert_eq!(local.url().unwrap_err().to_string(), "a local container offers no shell");
    }

    #[test]
    fn a_session_nobody_named_is_a_new_one() {
        let (one, other) = (WebSocket::new(target()), WebSocket::new(target()));
        assert_ne!(one.session_id(), other.session_id());
        assert_eq!(one.clone().session_id(), one.session_id());
        assert_eq!(one.url().unwrap(), URL);
    }
}
