//! A client bound to one runtime. Sends nothing itself but pings.

use std::sync::Arc;

use agentcore_core::{Qualifier, Target};
use agentcore_http::{Health, Payload};

use crate::{Error, Invoke, WebSocketRequest, shared::Shared};

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
