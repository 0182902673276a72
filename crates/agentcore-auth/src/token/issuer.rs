//! Issuers of tokens, and what is known of a new token. Keeps nothing.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{Token, jwt, stored_token::StoredToken};
use crate::{
    BoxFuture, Error, ErrorKind,
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
    /// The issuer's `expires_in`, if it has one. Where the token has claims too, the shorter of the two lifetimes counts.
    pub expires_in: Option<Duration>,
    /// The age of the token already. Zero, unless it was stored.
    pub age: Duration,
    /// Whether it was found, and not issued just now.
    pub(crate) found: bool,
}

impl Issued {
    /// A token that was issued just now, whose lifetime is that of its claims, if they have one: from `iat` to `exp`, where `iat` is
    /// within five minutes of the clock, else until `exp`.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self { token, expires_in: None, age: Duration::ZERO, found: false }
    }

    /// A token that was found, such as one that a program or a file holds, and may be old: it lives until its `exp`.
    #[must_use]
    pub fn found(token: Token) -> Self {
        Self { found: true, ..Self::new(token) }
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

    /// Returns the lifetime from the moment `begun` at which the token's age begins, if that is known.
    fn lifetime(&self, begun: SystemTime) -> Option<Duration> {
        if let Some(expires_in) = self.expires_in {
            return Some(self.claimed_lifetime(begun).map_or(expires_in, |claimed| claimed.min(expires_in)));
        }
        let expiry = self.token.expires_at()?;
        if let Some(issued) = jwt::issued_at(self.token.expose()).filter(|_| !self.found) {
            let apart = begun.duration_since(issued).unwrap_or_else(|later| later.duration());
            if apart <= MOST_SKEW {
                // Both are by one clock, the issuer's, and ours need not agree with it.
                return Some(expiry.duration_since(issued).unwrap_or_default());
            }
            tracing::warn!(
                seconds = apart.as_secs(),
                "a new token was issued at another time: this clock is off, or the issuer's"
            );
        }
        Some(expiry.duration_since(begun).unwrap_or_default())
    }

    /// Returns the lifetime by the token's claims alone: of a new token from `iat` to `exp`, which are by one clock, whatever ours says;
    /// of one that was found until its `exp`.
    fn claimed_lifetime(&self, begun: SystemTime) -> Option<Duration> {
        let token = self.token.expose();
        let from = if self.found { begun } else { jwt::issued_at(token)? };
        Some(jwt::expiry(token)?.duration_since(from).unwrap_or_default())
    }

    /// Returns the token and the expiry that its lifetime gives.
    ///
    /// # Errors
    /// If it has expired.
    pub(super) fn alive(self, begun: SystemTime) -> Result<Self, Error> {
        let Some(lifetime) = self.lifetime(begun) else { return Ok(self) };
        if lifetime.is_zero() {
            return Err(Error::new(ErrorKind::ExpiredToken, "the issuer gave a token that has expired"));
        }
        let expiry = begun.checked_add(lifetime);
        let token = expiry.map_or_else(|| self.token.clone(), |at| self.token.clone().expiring_at(at));
        Ok(Self { token, expires_in: Some(lifetime), ..self })
    }

    /// Returns the token with its lifetime, to be renewed when less than `window` is left of it.
    ///
    /// # Errors
    /// If it has expired.
    pub(super) fn entry(self, begun: Moment, window: Duration) -> Result<Entry<Token>, Error> {
        let Self { token, expires_in, age, .. } = self.alive(begun.wall)?;
        let window = expires_in.map_or(window, |lifetime| longest_window(window, lifetime.saturating_add(age)));
        Ok(Entry::new(token, begun, expires_in, window))
    }
}

/// Returns the moment from which the age of a token is counted that was asked for at one moment and came at another: the issuer may have
/// counted from the request on. What took longer than a machine waits for a machine took a person, who was asked before the token was.
pub(super) fn begun(asked: Moment, received: Moment) -> Moment {
    let earliest = |received: SystemTime| received.checked_sub(LONGEST_EXCHANGE).unwrap_or(received);
    Moment {
        wall: asked.wall.clamp(earliest(received.wall), received.wall),
        monotonic: asked.monotonic.max(received.monotonic.saturating_sub(LONGEST_EXCHANGE)).min(received.monotonic),
    }
}

const LONGEST_EXCHANGE: Duration = DEFAULT_DEADLINE;

/// Clocks that agree are no farther apart than this.
const MOST_SKEW: Duration = Duration::from_secs(5 * 60);

/// A refresh window is never more than a fraction of the whole lifetime.
pub(super) fn longest_window(window: Duration, whole_life: Duration) -> Duration {
    window.min(whole_life / 4)
}

pub(super) const DEFAULT_WINDOW: Duration = Duration::from_secs(120);
