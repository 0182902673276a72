//! Keeps one token fresh for all callers. Fetches nothing itself: an issuer does, one fetch at a time.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Token, TokenSource, TokenStatistics,
    issuer::{DEFAULT_WINDOW, TokenIssuer, begun},
};
use crate::{
    BoxFuture, Clock, Error, ErrorKind,
    clock::Moment,
    refresh::{Fetching, Policy, Refresh},
};

/// A source that keeps its issuer's token until it expires, and renews it before that.
///
/// | the token is | callers |
/// |---|---|
/// | fresh | get it, without a lock |
/// | in its refresh window | get it too; the first of them causes a fetch in the background, whose failure is a warning |
/// | expired, or was refused | wait for one fetch together, and share its outcome |
///
/// A token that the runtime refused is replaced, however young it is. If the replacement is refused within a minute of its fetch, and
/// before its refresh window, the issuer is not asked for a minute, and twice as long after each such refusal in a row, up to an hour;
/// callers get the failure at once.
///
/// After a failed fetch the issuer is not asked for a pause that grows from a quarter of a second to 30 seconds, with jitter.
/// During it callers get the token until it expires, and then the failure, at once.
///
/// A fetch is a task on the tokio runtime of the caller that causes it, and fails when it takes longer than the [deadline of its
/// issuer](TokenIssuer::deadline); the runtime needs its timer. Where there is no runtime, the caller does the fetch itself,
/// without a deadline.
///
/// The lifetime of a token is counted from the moment it was asked for, but no more than 30 seconds before it came, since a longer fetch
/// asks a person first. It is counted on the wall clock and on the monotonic one, and ends at the earlier of the two: neither a clock that
/// was set back nor a machine that slept makes it longer.
///
/// ```
/// use std::time::Duration;
/// use agentcore_auth::{BoxFuture, CachedToken, Error, Issued, Token, TokenIssuer, TokenSource};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl TokenIssuer for Vault {
///     fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
///         Box::pin(async { Ok(Issued::new(Token::parse("from-the-vault")?).expires_in(Duration::from_secs(3600))) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let source = CachedToken::new(Vault);
/// assert_eq!(source.token().await?, source.token().await?);
/// assert_eq!(source.statistics().fetches, 1);
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// A caller that drops the future of [`token`](TokenSource::token) drops its own wait and not the fetch, so that a slow login
/// completes and a refresh token that may be used once is not lost. A runtime that shuts down drops the fetches that run on
/// it; then a caller that waits on another runtime begins another, or else the next caller. Where there is no
/// runtime, dropping the future of the caller that does the fetch drops the fetch, and another caller begins one.
pub struct CachedToken<I> {
    issuer: Arc<I>,
    window: Duration,
    refresh: Refresh<Token>,
}

impl<I: TokenIssuer> CachedToken<I> {
    /// Returns a source that fetches its first token when it is first asked.
    #[must_use]
    pub fn new(issuer: I) -> Self {
        let policy = Policy {
            what: "a token",
            deadline: issuer.deadline(),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            random: fastrand::f64,
        };
        Self { issuer: Arc::new(issuer), window: DEFAULT_WINDOW, refresh: Refresh::new(policy) }
    }

    /// Renews a token when less than this is left of its lifetime. Default: 120 seconds, because AgentCore is reported to refuse
    /// tokens in their last minute; never more than a quarter of the lifetime, so that short-lived tokens work too. A longer
    /// window survives longer outages of the issuer and fetches more often.
    #[must_use]
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the clock. Default: the system's clocks.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.refresh.clock = Arc::new(clock);
        self
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn statistics(&self) -> TokenStatistics {
        let (counts, last, now) = (self.refresh.counts(), self.refresh.last(), self.refresh.clock.moment());
        TokenStatistics {
            fetches: counts.fetches,
            refreshes: counts.refreshes,
            failures: counts.failures,
            served_stale: counts.stale,
            rejected: counts.rejected,
            age: last.as_ref().map(|entry| entry.lived(now)),
            expires_in: last.as_ref().and_then(|entry| entry.left(now)),
        }
    }
}

impl<I: TokenIssuer + 'static> CachedToken<I> {
    fn fetch(&self, asked: Moment) -> Fetching<Token> {
        let (issuer, clock, window) = (Arc::clone(&self.issuer), Arc::clone(&self.refresh.clock), self.window);
        Box::pin(async move { issuer.issue().await?.entry(begun(asked, clock.moment()), window) })
    }
}

impl<I: TokenIssuer + 'static> TokenSource for CachedToken<I> {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        if let Some(token) = self.refresh.fresh(Token::clone) {
            return Box::pin(std::future::ready(Ok(token)));
        }
        Box::pin(async { Ok(self.refresh.get(|asked| self.fetch(asked)).await?.value.clone()) })
    }

    /// Forgets this token and no other; a newer one stays. Where it took the place of a refused one less than a minute ago, no other
    /// is fetched for a minute, and for twice as long after each in a row, up to an hour.
    fn reject(&self, token: &Token) -> bool {
        let message = "the runtime refuses what the issuer gives: a new token was refused too, and for a while no other is fetched";
        self.refresh.evict(|held| held == token, || Error::new(ErrorKind::Authentication, message))
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.refresh.settled())
    }

    fn token_statistics(&self) -> Option<TokenStatistics> {
        Some(self.statistics())
    }
}

impl<I: fmt::Debug> fmt::Debug for CachedToken<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken")
            .field("issuer", &self.issuer)
            .field("held", &self.refresh.last())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
