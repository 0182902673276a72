//! The one port through which this crate uses HTTP. agentcore-transport implements it; nothing here opens a socket.

#[cfg(any(feature = "cognito", feature = "jwks", feature = "oauth"))]
use std::error::Error as StdError;
use std::{fmt, future::Future, pin::Pin};

use agentcore_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};

#[cfg(any(feature = "cognito", feature = "jwks", feature = "oauth"))]
use crate::{Error, ErrorKind};

/// A future of whatever type, fit to cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one small request and reads the whole answer.
///
/// Implementations bound the answer's size and the time that the exchange takes, and follow no redirect. They may send the request
/// again as far as its [`Repeat`] allows. The request may carry a secret: it must not be logged.
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends the request.
    ///
    /// # Errors
    /// If no whole answer came; an answer of any status is not an error.
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>>;
}

/// Whether an exchange may be repeated after an outage; an extension of its request ([`http::Extensions`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// Never: the caller repeats by itself.
    Never,
    /// Where the request cannot have been processed: it was not sent, or was answered with 429 or 503.
    WhereNotAccepted,
    /// After 408, 500, 502, 504 and a lost connection too: processing it twice does no harm.
    Always,
}

impl Repeat {
    /// Returns the rule of a request: its extension, else [`Always`](Self::Always) for a `GET` (RFC 9110 section 9.2.2),
    /// else [`WhereNotAccepted`](Self::WhereNotAccepted).
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Self {
        let by_method = if request.method().is_idempotent() { Self::Always } else { Self::WhereNotAccepted };
        request.extensions().get().copied().unwrap_or(by_method)
    }
}

/// Makes the error of an exchange without an answer: a timeout where time ran out, else [`ErrorKind::Unavailable`].
#[cfg(any(feature = "cognito", feature = "jwks", feature = "oauth"))]
pub(crate) fn unanswered(message: impl Into<String>, cause: BoxError) -> Error {
    let timed_out = std::iter::successors(Some(&*cause as &(dyn StdError + 'static)), |layer| (*layer).source())
        .any(|layer| layer.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::Timeout));
    let kind = if timed_out { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    Error::new(kind, message).with_source(cause)
}

/// Returns the kind of a status by which an issuer says that it serves nobody now: 408 and 504 are timeouts, as those of the service,
/// 429 and every other 5xx are not; none for a status that is about the request.
#[cfg(any(feature = "cognito", feature = "jwks", feature = "oauth"))]
pub(crate) fn outage(status: u16) -> Option<ErrorKind> {
    match status {
        408 | 504 => Some(ErrorKind::Timeout),
        429 | 500..=599 => Some(ErrorKind::Unavailable),
        _ => None,
    }
}

#[cfg(all(test, feature = "oauth"))]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_takes_too_long_is_a_timeout() {
        let kind = |cause: BoxError| unanswered("no answer", cause).kind();
        let late = || Error::new(ErrorKind::Timeout, "late");
        assert_eq!(kind(late().into()), ErrorKind::Timeout);
        assert_eq!(kind(Error::new(ErrorKind::Service, "outer").with_source(late()).into()), ErrorKind::Timeout);
        assert_eq!(kind(Error::new(ErrorKind::BrokenOff, "lost").into()), ErrorKind::Unavailable);
        assert_eq!(kind("no route".into()), ErrorKind::Unavailable);
    }
}
