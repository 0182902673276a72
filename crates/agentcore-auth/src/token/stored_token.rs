//! A token as it is stored, with what it takes to go on with its login. Reads and writes nothing.

use std::time::SystemTime;

use secrecy::SecretString;

use super::Token;

/// A token as it is stored, and what it takes to go on with the login it came of. Blind in `Debug`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredToken {
    /// The token that is sent. It knows when it expires, if anybody does.
    pub token: Token,
    /// When it was asked for.
    pub issued_at: SystemTime,
    /// What gets the next token without a password.
    pub refresh_token: Option<SecretString>,
    /// Whose refresh token it is.
    pub username: Option<String>,
}

impl StoredToken {
    /// A token alone. Times are stored in whole seconds, rounded down.
    #[must_use]
    pub fn new(token: Token, issued_at: SystemTime) -> Self {
        Self { token, issued_at, refresh_token: None, username: None }
    }

    /// Adds the refresh token.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(token.into());
        self
    }

    /// Adds whose refresh token it is.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }
}
