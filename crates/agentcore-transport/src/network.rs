//! The trait between calls and the network: one attempt, and the head of its answer. Retries nothing, knows no credentials.

use std::fmt;

use agentcore_auth::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};

use crate::{Body, SendError, Transport, Upgrade};

/// Sends single requests: a [`Transport`], or a script in tests.
pub trait Network: fmt::Debug + Send + Sync {
    /// Sends a request and returns its answer, whose head has arrived; see [`Transport::send`].
    ///
    /// # Errors
    /// If no answer came.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>>;

    /// Requests another protocol; see [`Transport::upgrade`].
    ///
    /// # Errors
    /// If no answer came.
    fn upgrade(&self, request: Request<()>) -> BoxFuture<'_, Result<Upgrade, SendError>>;
}

impl Network for Transport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
        Box::pin(Self::send(self, request))
    }

    fn upgrade(&self, request: Request<()>) -> BoxFuture<'_, Result<Upgrade, SendError>> {
        Box::pin(Self::upgrade(self, request))
    }
}
