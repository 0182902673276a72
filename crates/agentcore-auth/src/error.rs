//! Why a request could not be authenticated. Never holds a secret.

use std::{error::Error as StdError, fmt, sync::Arc};

use agentcore_core::BoxError;

/// A failure to come by a credential, or a refusal to send one.
///
/// It prints its own layer only; the cause, if there is one, is behind [`source`](StdError::source).
///
/// It is cheap enough to clone, so that callers who waited for one fetch together can share its failure.
#[derive(Clone)]
pub struct Error(Box<Failure>);

#[derive(Clone)]
struct Failure {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What went wrong, for a program to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not a bearer token.
    InvalidToken,
    /// The token has expired, by its own `exp` or its issuer's word; nothing was sent.
    ExpiredToken,
    /// The token is not what its issuer signed, or is not for whoever verified it.
    Untrusted,
    /// The issuer refused the caller's own credentials; asking again with the same ones will not help.
    Refused,
    /// The issuer wants an answer that only a person has, such as a one-time code, and none was given.
    Challenge,
    /// The source had no token or no credentials to give.
    Unavailable,
    /// The issuer could not be reached, or does not serve now; later it may.
    Unreachable,
    /// The credential would have left over plaintext, or without a region to sign for; nothing was sent.
    Misdirected,
    /// The request could not be signed.
    Signing,
}

impl Error {
    /// Makes an error, for implementors of [`TokenSource`](crate::TokenSource).
    ///
    /// The message is shown to people: it must not contain a secret.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Failure { kind, message: message.into(), source: None }))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The cause alone, for a layer above that tells the rest in its own error.
    #[must_use]
    pub fn into_source(self) -> Option<BoxError> {
        self.0.source.map(|source| Box::new(source) as BoxError)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message).field("source", &self.0.source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The authentication's own words become the call's message; only its cause is left to be the source.
impl From<Error> for agentcore_core::Error {
    fn from(error: Error) -> Self {
        use agentcore_core::ErrorKind as Call;
        let kind = match error.kind() {
            ErrorKind::InvalidToken | ErrorKind::Misdirected | ErrorKind::Signing => Call::Input,
            ErrorKind::Unreachable => Call::Unavailable,
            _ => Call::Authentication,
        };
        let failed = Self::new(kind, error.to_string());
        match error.into_source() {
            Some(source) => failed.with_source(source),
            None => failed,
        }
    }
}
