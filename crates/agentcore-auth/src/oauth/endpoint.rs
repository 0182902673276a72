//! Where tokens are given out: a token endpoint's URL. Asks nobody for it; an [`Issuer`](super::Issuer) can tell.

use std::str::FromStr;

use crate::{Error, issuer::safe_url};

/// The URL of a token endpoint (RFC 6749 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEndpoint(String);

impl TokenEndpoint {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenEndpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        safe_url("token endpoint", text).map(Self)
    }
}
