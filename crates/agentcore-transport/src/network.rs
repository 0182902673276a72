//! The seam between a call and the network: one attempt in, the head of an answer out. Retries nothing, knows no credentials.

use std::fmt;

use agentcore_auth::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};

use crate::{Body, SendError, Transport, Upgrade};

/// Sends single requests. [`Transport`] does over sockets; tests do by a script.
pub trait Network: fmt::Debug + Send + Sync {
    /// Sends a request and waits for the head of its answer; see [`Transport::send`].
    ///
    /// # Errors
    /// If no answer came.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>>;

    /// Asks for another protocol; see [`Transport::upgrade`].
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
