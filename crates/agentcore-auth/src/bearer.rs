//! Bearer tokens on requests: where they come from, and by which time they are judged. Fetches none itself.

use std::{sync::Arc, time::SystemTime};

use crate::{Error, Token, TokenSource, skew::Skew};

/// Sends the tokens of a source (RFC 6750). Clones share what they learn of the service's clock.
#[derive(Clone, Debug)]
pub struct Bearer {
    source: Arc<dyn TokenSource>,
    skew: Skew,
}

impl Bearer {
    /// Sends what `source` gives, asked once per attempt: a source that does IO should cache.
    #[must_use]
    pub fn new(source: Arc<dyn TokenSource>) -> Self {
        Self { source, skew: Skew::default() }
    }

    /// Returns where the tokens come from.
    #[must_use]
    pub fn source(&self) -> &Arc<dyn TokenSource> {
        &self.source
    }

    /// Returns the token to send now.
    ///
    /// # Errors
    /// If there is none, or it has expired by our clock, corrected by what was learned of the service's.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the source as it was.
    pub async fn token(&self, now: SystemTime) -> Result<Token, Error> {
        self.source.token().await?.alive_at(self.skew.corrected(now))
    }

    /// Reports a token that was refused, by an answer with this date, and returns whether another may do better.
    pub(crate) fn refused(&self, token: &Token, date: Option<SystemTime>, now: SystemTime) -> bool {
        // Our clock may be the one that is wrong: the next token is judged by the service's.
        if let Some(date) = date {
            self.skew.learn(self.skew.corrected(now), date, now);
        }
        self.source.reject(token)
    }
}
