//! Keeps one token fresh for everybody who asks. Fetches nothing itself: an issuer does, one call at a time.

mod lifetime;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

pub(super) use self::lifetime::longest_window;
use self::lifetime::{Entry, Freshness};
use super::{jwt, store::StoredToken};
use crate::{BoxFuture, Clock, Error, ErrorKind, SystemClock, Token, TokenSource, clock::Moment};

/// Whoever gives out new tokens: a token endpoint, a login, a helper program.
pub trait TokenIssuer: fmt::Debug + Send + Sync {
    /// Fetches a new token. Called by one caller at a time.
    ///
    /// # Errors
    /// If none is given; the error must contain no secret.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await; the next call starts afresh.
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>>;

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
}

/// A source that keeps the token its issuer gave while it is good, and has it renewed before it is not.
///
/// | the token is | callers |
/// |---|---|
/// | fresh | get it, without a lock |
/// | in its refresh window | get it too, but for one, who has it renewed; a failure of that is a warning |
/// | expired, or was refused | wait for one fetch together, and share its outcome |
///
/// After a failed fetch the issuer is left alone for a while that grows from a quarter of a second to 30 seconds, scattered by
/// jitter. Meanwhile callers go on with the token while it lives; when it is dead they get the failure at once.
///
/// The life of a token is counted from the moment it was asked for, on the wall clock and on the monotonic one, and ends
/// when the first of them says so: a clock that was set back does not keep a dead token alive, nor does a machine that slept.
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
pub struct CachedToken<I> {
    issuer: I,
    clock: Arc<dyn Clock>,
    window: Duration,
    random: fn() -> f64,
    held: ArcSwapOption<Entry>,
    /// Entry while fetching; whoever waits for it waits for a token.
    gate: Mutex<Gate>,
    counters: Counters,
}

/// What is known of the issuer's troubles.
#[derive(Debug, Default)]
struct Gate {
    failures_in_a_row: u32,
    /// The last failure, and until when it spares the issuer another call.
    last: Option<(Error, Moment)>,
}

#[derive(Debug, Default)]
struct Counters {
    fetches: AtomicU64,
    refreshes: AtomicU64,
    failures: AtomicU64,
    stale: AtomicU64,
    rejected: AtomicU64,
}

/// What a source has done so far. Contains no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenStatistics {
    /// Fetches that were begun.
    pub fetches: u64,
    /// How many of them were begun early, while the token before was still good.
    pub refreshes: u64,
    /// Fetches that failed.
    pub failures: u64,
    /// Tokens given out within their refresh window, while another caller renewed them or the issuer failed.
    pub served_stale: u64,
    /// Tokens given back because the service refused them.
    pub rejected: u64,
    /// The age of the current token, if there is one.
    pub age: Option<Duration>,
    /// What is left of the current token's life, if that is known.
    pub expires_in: Option<Duration>,
}

impl<I: TokenIssuer> CachedToken<I> {
    /// A source that has no token yet and fetches one when it is first asked.
    #[must_use]
    pub fn new(issuer: I) -> Self {
        Self {
            issuer,
            clock: Arc::new(SystemClock::default()),
            window: DEFAULT_WINDOW,
            random: fastrand::f64,
            held: ArcSwapOption::empty(),
            gate: Mutex::default(),
            counters: Counters::default(),
        }
    }

    /// Renews a token when less than this is left of its life. Default: 120 seconds, because AgentCore is reported to refuse
    /// tokens in their last minute; never more than a quarter of the life, so that short-lived tokens work too. A longer window
    /// rides out longer outages of the issuer and fetches more often.
    #[must_use]
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Tells the time. Default: the system's clocks.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A snapshot of what was done so far.
    #[must_use]
    pub fn statistics(&self) -> TokenStatistics {
        let now = self.clock.moment();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let held = self.held.load();
        TokenStatistics {
            fetches: count(&self.counters.fetches),
            refreshes: count(&self.counters.refreshes),
            failures: count(&self.counters.failures),
            served_stale: count(&self.counters.stale),
            rejected: count(&self.counters.rejected),
            age: held.as_ref().map(|held| held.lived(now)),
            expires_in: held.as_ref().and_then(|held| held.left(now)),
        }
    }

    /// The current token if it can still be sent.
    fn alive(&self) -> Option<Arc<Entry>> {
        let now = self.clock.moment();
        self.held.load_full().filter(|held| held.age(now) != Freshness::Dead)
    }

    /// The token is ageing: renews it unless somebody does, and goes on with it whatever comes of that.
    async fn renew_early(&self, held: Arc<Entry>) -> Result<Token, Error> {
        let Ok(mut gate) = self.gate.try_lock() else { return Ok(self.stale(&held)) };
        let renewed = self.held.load().as_ref().is_some_and(|current| !Arc::ptr_eq(current, &held));
        if renewed || gate.spares_the_issuer(self.clock.moment()) {
            drop(gate);
            return match self.alive() {
                Some(current) if renewed => Ok(current.token.clone()),
                Some(current) => Ok(self.stale(&current)),
                None => self.renew_now().await,
            };
        }
        self.counters.refreshes.fetch_add(1, Ordering::Relaxed);
        match self.fetch(&mut gate).await {
            Ok(token) => Ok(token),
            Err(error) => match self.alive() {
                Some(held) => {
                    tracing::warn!(kind = ?error.kind(), "a token could not be renewed early; the one in hand is still good");
                    Ok(self.stale(&held))
                }
                None => Err(error),
            },
        }
    }

    /// There is no token to send: waits for the one fetch, or does it.
    async fn renew_now(&self) -> Result<Token, Error> {
        let mut gate = self.gate.lock().await;
        if let Some(held) = self.alive() {
            return Ok(held.token.clone());
        }
        // Whoever waited for a fetch that failed shares its failure, and so does whoever comes soon after it.
        match &gate.last {
            Some((error, until)) if !until.is_past(self.clock.moment()) => Err(error.clone()),
            _ => self.fetch(&mut gate).await,
        }
    }

    async fn fetch(&self, gate: &mut Gate) -> Result<Token, Error> {
        self.counters.fetches.fetch_add(1, Ordering::Relaxed);
        let asked = self.clock.moment();
        let issued = self.issuer.issue().await;
        let held = issued.map(|issued| Entry::new(issued, asked, self.window));
        match held {
            Ok(held) if held.age(self.clock.moment()) != Freshness::Dead => {
                *gate = Gate::default();
                let token = held.token.clone();
                self.held.store(Some(Arc::new(held)));
                Ok(token)
            }
            Ok(_) => {
                Err(self.note(gate, Error::new(ErrorKind::ExpiredToken, "the issuer gave a token that has expired")))
            }
            Err(error) => Err(self.note(gate, error)),
        }
    }

    /// Remembers a failure, so that the issuer is left alone for a while.
    fn note(&self, gate: &mut Gate, error: Error) -> Error {
        let doubled = FIRST_PAUSE.saturating_mul(1 << gate.failures_in_a_row.min(16)).min(LONGEST_PAUSE);
        let pause = doubled.mul_f64(0.5 + (self.random)() / 2.0);
        gate.failures_in_a_row += 1;
        gate.last = Some((error.clone(), self.clock.moment().after(pause)));
        self.counters.failures.fetch_add(1, Ordering::Relaxed);
        error
    }

    fn stale(&self, held: &Entry) -> Token {
        self.counters.stale.fetch_add(1, Ordering::Relaxed);
        held.token.clone()
    }
}

impl Gate {
    fn spares_the_issuer(&self, now: Moment) -> bool {
        self.last.as_ref().is_some_and(|(_, until)| !until.is_past(now))
    }
}

impl<I: TokenIssuer> TokenSource for CachedToken<I> {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        let held = self.held.load();
        let age = held.as_ref().map(|held| held.age(self.clock.moment()));
        match (held.as_ref(), age) {
            (Some(held), Some(Freshness::Fresh)) => Box::pin(std::future::ready(Ok(held.token.clone()))),
            (Some(held), Some(Freshness::Aging)) => Box::pin(self.renew_early(Arc::clone(held))),
            _ => Box::pin(self.renew_now()),
        }
    }

    /// Forgets this token and no other; a newer one stays.
    fn reject(&self, token: &Token) -> bool {
        let held = self.held.load();
        if held.as_ref().is_some_and(|held| held.token == *token) {
            self.counters.rejected.fetch_add(1, Ordering::Relaxed);
            // If it was replaced in between, the replacement stays.
            self.held.compare_and_swap(&held, None);
        }
        true
    }

    fn token_statistics(&self) -> Option<TokenStatistics> {
        Some(self.statistics())
    }
}

impl<I: fmt::Debug> fmt::Debug for CachedToken<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken")
            .field("issuer", &self.issuer)
            .field("held", &self.held.load())
            .finish_non_exhaustive()
    }
}

pub(super) const DEFAULT_WINDOW: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
