//! A client bound to one runtime. Sends nothing itself but what has one answer: pings and cards.

use std::sync::Arc;

use agentcore_core::{Qualifier, SessionId, Target};
use agentcore_http::{Health, Payload};

use crate::{Error, Invoke, Run, WebSocketRequest, shared::Shared};

/// An agent: a client and a target. Cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
    pub(crate) target: Target,
}

impl Runtime {
    /// Sets the runtime's endpoint. Default: the ARN's, else `DEFAULT`.
    #[must_use]
    pub fn qualifier(mut self, qualifier: Qualifier) -> Self {
        self.target = self.target.with_qualifier(qualifier);
        self
    }

    /// Names the runtime by its id and account, in place of its ARN; see [`Target::by_account`].
    #[must_use]
    pub fn by_account(mut self) -> Self {
        self.target = self.target.by_account();
        self
    }

    /// Returns the target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns an invocation: `.await` it for the whole reply, or [`stream`](Invoke::stream) it.
    #[doc(alias = "invoke_agent")]
    #[doc(alias = "invoke_agent_runtime")]
    pub fn invoke(&self, payload: impl Into<Payload>) -> Invoke {
        Invoke::new(self.shared.clone(), self.target.clone(), payload.into())
    }

    /// Returns a request for the agent's WebSocket.
    #[doc(alias = "generate_ws_connection")]
    #[doc(alias = "generate_ws_connection_oauth")]
    pub fn websocket(&self) -> WebSocketRequest {
        WebSocketRequest::new(&self.shared, self.target.clone())
    }

    /// Returns a request for a shell in the microVM of a session.
    #[cfg(feature = "connect")]
    pub fn shell(&self) -> crate::ShellRequest {
        crate::ShellRequest::new(&self.shared, self.target.clone())
    }

    /// Returns a command to run in the microVM of a session: `.await` it for the whole output, or [`stream`](Run::stream) it.
    #[doc(alias = "invoke_agent_runtime_command")]
    pub fn run(&self, command: impl Into<String>) -> Run {
        Run::new(self.shared.clone(), self.target.clone(), command.into())
    }

    /// Requests the card of an A2A agent, as JSON (A2A protocol, "Agent Card").
    ///
    /// # Errors
    /// If the agent has none, if the service refused it, or if no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    #[doc(alias = "get_agent_card")]
    pub async fn card(&self) -> Result<serde_json::Value, Error> {
        self.card_in(None).await
    }

    pub(crate) async fn card_in(&self, session: Option<&SessionId>) -> Result<serde_json::Value, Error> {
        self.shared.lifecycle.check_open()?;
        self.shared.http.card(&self.target, session).await?.json().await
    }

    /// Authorizes a request of the caller's own by the client's mechanism, as its own requests are: with a token, or signed for this
    /// target's region. It is for what is behind [`Response::session_endpoint_url`](crate::Response::session_endpoint_url), whose paths
    /// are the session's; send it by any HTTP client, soon: a signature is good for minutes.
    ///
    /// Whoever receives the request has the credential: check that the host is the one you expect.
    ///
    /// # Errors
    /// If there is no credential, if the token has expired, if the URL is plain and not on this machine, or if this is a local
    /// container, which takes no credential.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the request without a new credential.
    pub async fn authorize(&self, request: &mut http::Request<bytes::Bytes>) -> Result<(), Error> {
        if self.target.is_local() {
            return Err(Error::input("a local container takes no credential"));
        }
        self.shared.auth.authorize(request, self.target.region(), self.shared.clock.now()).await.map(drop)
    }

    /// Requests the health of a local container.
    ///
    /// # Errors
    /// If this is not a local container, or if it does not answer with a health report.
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    pub async fn ping(&self) -> Result<Health, Error> {
        self.shared.lifecycle.check_open()?;
        self.shared.http.ping(&self.target).await
    }
}
