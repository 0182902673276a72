//! An agent in one session. Holds the session's id, and keeps no state of the conversation.

use agentcore_core::SessionId;
use agentcore_http::Payload;

use crate::{Error, Invoke, Run, Runtime, WebSocketRequest};

/// An agent in one session: the conversation that equal session ids lead to. Cheap to clone, `Send` and `Sync`.
///
/// The service keeps a session's machine for up to 8 hours, and ends it after 15 idle minutes (AgentCore Runtime quotas).
/// Dropping this ends nothing.
#[derive(Clone, Debug)]
pub struct Session {
    runtime: Runtime,
    id: SessionId,
}

impl Runtime {
    /// Returns this agent in one session, so that calls need not name it again.
    ///
    /// ```
    /// # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
    /// let session = agent.new_session();
    /// session.invoke("My name is Ada.").await?;
    /// println!("{}", session.invoke("What is my name?").await?.text);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn session(&self, id: SessionId) -> Session {
        Session { runtime: self.clone(), id }
    }

    /// Returns this agent in a new session with a random id.
    #[must_use]
    pub fn new_session(&self) -> Session {
        self.session(SessionId::random())
    }
}

impl Session {
    /// Returns the session's id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns the agent.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns an invocation in this session; see [`Runtime::invoke`].
    pub fn invoke(&self, payload: impl Into<Payload>) -> Invoke {
        self.runtime.invoke(payload).session(&self.id)
    }

    /// Returns a request for the agent's WebSocket in this session; see [`Runtime::websocket`].
    pub fn websocket(&self) -> WebSocketRequest {
        self.runtime.websocket().session(&self.id)
    }

    /// Returns a request for a shell in this session; see [`Runtime::shell`].
    #[cfg(feature = "connect")]
    pub fn shell(&self) -> crate::ShellRequest {
        self.runtime.shell().session(&self.id)
    }

    /// Returns a command to run in this session; see [`Runtime::run`].
    pub fn run(&self, command: impl Into<String>) -> Run {
        self.runtime.run(command).session(&self.id)
    }

    /// Requests the card of the A2A agent in this session; see [`Runtime::card`].
    ///
    /// # Errors
    /// As [`Runtime::card`].
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    pub async fn card(&self) -> Result<serde_json::Value, Error> {
        self.runtime.card_in(Some(&self.id)).await
    }

    /// Ends the session: its microVM, and with it the agent's work, commands and shells. A session that has ended, or never began, is
    /// none to end, and that is no error. It is requested with a client token, so that it may be repeated.
    ///
    /// # Errors
    /// If the target has no sessions to end (a local container), if the service refused it, or if no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. The session may have been ended.
    #[doc(alias = "stop_runtime_session")]
    pub async fn stop(&self) -> Result<(), Error> {
        self.runtime.shared.lifecycle.check_open()?;
        self.runtime.shared.http.stop(&self.runtime.target, &self.id).await
    }
}
