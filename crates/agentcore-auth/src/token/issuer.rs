//! Issuers of tokens, and what is known of a new token. Keeps nothing.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{Token, jwt, stored_token::StoredToken};
use crate::{
    BoxFuture, Error,
    clock::Moment,
    refresh::{DEFAULT_DEADLINE, Entry},
};

/// An issuer of new tokens: a token endpoint, a login, a helper program.
pub trait TokenIssuer: fmt::Debug + Send + Sync {
    /// Fetches a new token. A [`CachedToken`](crate::CachedToken) has one fetch under way at a time.
    ///
    /// # Errors
    /// If none is given; the error must contain no secret.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await: at the [deadline](Self::deadline), or when the tokio runtime shuts down. The
    /// next call starts afresh.
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>>;

    /// Returns how long a fetch may take. Default: 30 seconds. A longer deadline allows a slower issuer; meanwhile all callers
    /// without a token wait. None is for an issuer that asks a person, or that has its own limit.
    fn deadline(&self) -> Option<Duration> {
        Some(DEFAULT_DEADLINE)
    }

    /// Continues a login that another process stored in a [`TokenStore`](crate::TokenStore), before a token is asked for. The
    /// default does nothing: most issuers have no refresh tokens.
    fn resume(&self, stored: &StoredToken) {
        let _ = stored;
    }

    /// Adds what another process needs to continue this login, before it is stored: the refresh token and its user. The default
    /// adds nothing.
    fn remember(&self, stored: StoredToken) -> StoredToken {
        stored
    }
}

/// A new token, and its lifetime by its issuer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// The issuer's `expires_in`, if it has one. It takes the place of the token's `exp`, which is by the issuer's clock.
    pub expires_in: Option<Duration>,
    /// The age of the token already. Zero, unless it was stored.
    pub age: Duration,
}

impl Issued {
    /// A new token whose lifetime is that of its claims, if they have one.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self { token, expires_in: None, age: Duration::ZERO }
    }

    /// Sets the lifetime (RFC 6749 §5.1 `expires_in`).
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in = Some(life);
        self
    }

    /// Sets the age of the token: its refresh window is a part of its whole lifetime, not of what is left of it.
    #[must_use]
    pub fn aged(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Returns the lifetime from the moment the token was asked for, if that is known.
    fn lifetime(&self, asked: SystemTime) -> Option<Duration> {
        // `exp` minus `iat` is by one clock, the issuer's; `exp` alone needs ours to agree with it.
        self.expires_in
            .or_else(|| jwt::lifetime(self.token.expose()))
            .or_else(|| Some(self.token.expires_at()?.duration_since(asked).unwrap_or_default()))
    }

    /// Returns the token with the expiry that its lifetime gives.
    pub(super) fn dated(&self, asked: SystemTime) -> Token {
        let death = self.lifetime(asked).and_then(|lifetime| asked.checked_add(lifetime));
        death.map_or_else(|| self.token.clone(), |death| self.token.clone().expiring_at(death))
    }

    /// Returns the token with its lifetime, to be renewed when less than `window` is left of it.
    pub(super) fn entry(&self, asked: Moment, window: Duration) -> Entry<Token> {
        let lifetime = self.lifetime(asked.wall);
        let window = lifetime.map_or(window, |lifetime| longest_window(window, lifetime.saturating_add(self.age)));
        Entry::new(self.dated(asked.wall), asked, lifetime, window)
    }
}

/// A refresh window is never more than a fraction of the whole lifetime.
pub(super) fn longest_window(window: Duration, whole_life: Duration) -> Duration {
    window.min(whole_life / 4)
}

pub(super) const DEFAULT_WINDOW: Duration = Duration::from_secs(120);
