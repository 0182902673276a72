//! The seam between a call and the network: one attempt in, the head of an answer out. Retries nothing, knows no auth.

use std::fmt;

use agentcore_auth::{BoxError, BoxFuture};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use crate::ErrorKind;

/// The body of an answer, whatever carries it.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Sends one request. The [`Transport`](crate::Transport) does; so does a script in the tests.
pub(crate) trait Dispatch: fmt::Debug + Send + Sync {
    fn dispatch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, Undelivered>>;
}

/// No head of an answer came.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Whether any of the request may have left this machine.
    pub(crate) sent: bool,
    /// Whether the next attempt would fail the same way.
    pub(crate) lasting: bool,
    pub(crate) source: Option<BoxError>,
}
