//! An agent in one session. Holds the session's id, and keeps no state of the conversation.

use agentcore_core::SessionId;
use agentcore_http::Payload;

use crate::{Invoke, Runtime, WebSocketRequest};

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
}
