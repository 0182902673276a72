//! The seam between a call and the network: one attempt in, the head of an answer out. Retries nothing, knows no auth.

use std::fmt;

use agentcore_auth::BoxFuture;
use agentcore_transport::{Body, SendError, Transport};
use bytes::Bytes;
use http::{Request, Response};

/// Sends one request. The [`Transport`] does; so does a script in the tests.
pub(crate) trait Dispatch: fmt::Debug + Send + Sync {
    fn dispatch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>>;
}

impl Dispatch for Transport {
    fn dispatch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
        Box::pin(self.send(request))
    }
}
