//! The one port through which this crate does HTTP. Whoever owns the sockets implements it; nothing here opens one.

use std::{fmt, future::Future, pin::Pin};

use agentcore_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};

/// A future of whatever type, fit to cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one small request and reads the whole answer.
///
/// Implementations bound the answer's size and the time it may take, follow no redirect, and retry nothing. The request may
/// carry a secret: it must not be logged.
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends the request.
    ///
    /// # Errors
    /// If no whole answer came; an answer of any status is not an error.
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>>;
}
