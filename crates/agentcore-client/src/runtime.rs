//! A client bound to one runtime. Holds nothing of its own but the address.

use std::sync::Arc;

use agentcore_core::{Qualifier, Target};
use agentcore_http::{Health, Payload};

use crate::{Error, Invoke, WebSocketRequest, shared::Shared};

/// An agent that can be talked to. Cheap to clone, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
    pub(crate) target: Target,
}

impl Runtime {
    /// Uses this endpoint of the runtime. Default: the one the ARN names, else `DEFAULT`.
    #[must_use]
    pub fn qualifier(mut self, qualifier: Qualifier) -> Self {
        self.target = self.target.with_qualifier(qualifier);
        self
    }

    /// Names the runtime by its id and account in the place of its ARN; see [`Target::by_account`].
    #[must_use]
    pub fn by_account(mut self) -> Self {
        self.target = self.target.by_account();
        self
    }

    /// Where requests go.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Begins an invocation: `.await` it for the whole reply, or [`stream`](Invoke::stream) it.
    #[doc(alias = "invoke_agent")]
    #[doc(alias = "invoke_agent_runtime")]
    pub fn invoke(&self, payload: impl Into<Payload>) -> Invoke {
        Invoke::new(self.shared.clone(), self.target.clone(), payload.into())
    }

    /// Begins to open the agent's WebSocket.
    #[doc(alias = "generate_ws_connection")]
    #[doc(alias = "generate_ws_connection_oauth")]
    pub fn websocket(&self) -> WebSocketRequest {
        WebSocketRequest::new(&self.shared, self.target.clone())
    }

    /// Asks a local container for its health.
    ///
    /// # Errors
    /// If this is not a local container, or it does not answer, or with something else than its health.
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    pub async fn ping(&self) -> Result<Health, Error> {
        self.shared.http.ping(&self.target).await
    }
}
