//! Whoever gives out tokens, and what is known of a new one. Keeps nothing.

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

/// Whoever gives out new tokens: a token endpoint, a login, a helper program.
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

    /// How long a fetch may take before it has failed. Default: 30 seconds. A longer deadline rides out a slow issuer; meanwhile
    /// all callers without a token wait. None is for an issuer that asks a person, or that has a limit of its own.
    fn deadline(&self) -> Option<Duration> {
        Some(DEFAULT_DEADLINE)
    }

    /// Takes up a login that another process left in a [`TokenStore`](crate::TokenStore), before a token is asked for.
    ///
    /// The default does nothing: most issuers have no refresh tokens.
    fn resume(&self, stored: &StoredToken) {
        let _ = stored;
    }

    /// Adds to what is about to be stored whatever lets another process go on with this login: the refresh token, and whose
    /// it is. The default adds nothing.
    fn remember(&self, stored: StoredToken) -> StoredToken {
        stored
    }
}

/// A new token, and how long its issuer says it will live.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// The issuer's `expires_in`, if it tells. It beats the token's own `exp`, which is by the issuer's clock.
    pub expires_in: Option<Duration>,
    /// How old the token is already. Nothing, unless it was kept somewhere in between.
    pub age: Duration,
}

impl Issued {
    /// A new token whose life is what its own claims say, if they say anything.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self { token, expires_in: None, age: Duration::ZERO }
    }

    /// The life the issuer told (RFC 6749 §5.1 `expires_in`).
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in = Some(life);
        self
    }

    /// How old the token is already: its refresh window is a part of its whole life, not of what is left of it.
    #[must_use]
    pub fn aged(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// How long the token lives from the moment it was asked for, if that is known.
    pub(super) fn lifetime(&self, asked: SystemTime) -> Option<Duration> {
        // `exp` minus `iat` is a life by one clock, the issuer's; `exp` alone needs ours to agree with it.
        self.expires_in
            .or_else(|| jwt::lifetime(self.token.expose()))
            .or_else(|| Some(self.token.expires_at()?.duration_since(asked).unwrap_or_default()))
    }
    /// The token with its lifetime, to be renewed when less than `window` is left of it.
    pub(super) fn into_entry(self, asked: Moment, window: Duration) -> Entry<Token> {
        let lifetime = self.lifetime(asked.wall);
        let Self { token, age, .. } = self;
        let token = match lifetime.and_then(|lifetime| asked.wall.checked_add(lifetime)) {
            Some(death) => token.expiring_at(death),
            None => token,
        };
        let window = lifetime.map_or(window, |lifetime| longest_window(window, lifetime.saturating_add(age)));
        Entry::new(token, asked, lifetime, window)
    }
}

/// A refresh window is never more than a fraction of the whole lifetime.
pub(super) fn longest_window(window: Duration, whole_life: Duration) -> Duration {
    window.min(whole_life / 4)
}

pub(super) const DEFAULT_WINDOW: Duration = Duration::from_secs(120);
