//! An issuer that looks into a store first, and of all processes lets one ask. Stores nothing itself.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{LockOutcome, StoreLock, StoredToken, TokenStore, WriteOutcome};
use crate::{
    BoxFuture, Clock, Error, ErrorKind, SystemClock,
    clock::LEEWAY,
    sync::{self, Mutex, MutexGuard, PoisonError},
    token::{
        Token,
        cache::CachedToken,
        issuer::{DEFAULT_WINDOW, Issued, TokenIssuer, begun, longest_window},
    },
};

/// An issuer that shares its tokens through a store: a stored token that is still fresh is used in place of a new one, and
/// of all processes that need a new one only one asks for it.
///
/// A token is not taken from the store twice in a row: a second request means that it was refused. A failure of the store is an
/// error, but for saving: a new token is used even if it cannot be stored, or if the store refuses it as late because another
/// process has taken over meanwhile.
///
/// A store that is away ([`ErrorKind::Unavailable`]) holds nobody up: the issuer is asked without it, and so may be several times
/// by several processes. The token is stored when the store is back, by a task that tries for ten minutes, at growing intervals of 1
/// to 30 seconds.
///
/// A refresh token that rotates is good once. Where a renewal was cut short, because its process died after it had used the stored
/// one and before it stored the next, the next process tries the stored one, which the issuer may still take; if it is refused, the
/// error says that the login must be renewed. This needs a store that [notes renewals](TokenStore::mark_renewal).
///
/// ```
/// use std::sync::Arc;
/// use agentcore_auth::{FileStore, Issued, Stored, Token, TokenSource, token};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), agentcore_auth::Error> {
/// # let directory = std::env::temp_dir().join(format!("agentcore-auth-example-{}", std::process::id()));
/// let store = Arc::new(FileStore::new(&directory));
/// let issuer = token::from_fn(|| async { Ok(Issued::new(Token::parse("bought")?)) });
/// let source = Stored::new(issuer, store.clone(), "idp.example my-client").cached();
/// assert_eq!(source.token().await?.expose(), "bought");
///
/// // Another process, later.
/// let issuer = token::from_fn(|| async { unreachable!("the token in the store is still good") });
/// let source = Stored::new(issuer, store, "idp.example my-client").cached();
/// assert_eq!(source.token().await?.expose(), "bought");
/// # std::fs::remove_dir_all(directory).ok();
/// # Ok(()) }
/// ```
pub struct Stored<I> {
    issuer: I,
    store: Arc<dyn TokenStore>,
    key: String,
    window: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last token given out.
    given: Option<Token>,
    /// The last stored token that was passed over because it had been given out before, and so was refused.
    refused: Option<Token>,
    /// The stored refresh token that was used last. What came in its place is newer, even if it could not be stored.
    used: Option<SecretString>,
    /// When the last token was issued, if the store does not have it: what continues its login is newer than what is stored.
    unsaved: Option<SystemTime>,
}

impl<I: TokenIssuer> Stored<I> {
    /// Shares the issuer's tokens under this key; see [`TokenStore`] for what a key names.
    #[must_use]
    pub fn new(issuer: I, store: Arc<dyn TokenStore>, key: impl Into<String>) -> Self {
        let clock = Arc::new(SystemClock::default());
        Self { issuer, store, key: key.into(), window: DEFAULT_WINDOW, clock, state: Mutex::default() }
    }

    /// Uses a stored token only if more than this is left of its lifetime. Default: 120 seconds, and never more than a quarter
    /// of the lifetime. [`cached`](Self::cached) renews within the same window.
    #[must_use]
    pub fn refresh_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the clock. Default: the system's clocks.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns a source that keeps each token until it expires, with the same window and clock.
    #[must_use]
    pub fn cached(self) -> CachedToken<Self> {
        let (window, clock) = (self.window, Arc::clone(&self.clock));
        CachedToken::new(self).refresh_window(window).clock(clock)
    }

    /// Returns the stored token, if it can be given out now.
    fn usable(&self, stored: Option<&StoredToken>) -> Option<Issued> {
        let issued = self.fresh(stored?)?;
        let mut state = self.state();
        let is = |token: &Option<Token>| token.as_ref().is_some_and(|token| token.header() == issued.token.header());
        if is(&state.given) || is(&state.refused) {
            state.refused = Some(issued.token);
            return None;
        }
        state.given = Some(issued.token.clone());
        drop(state);
        Some(issued)
    }

    /// Returns whether what is stored continues the login that is in memory, and not an earlier state of it.
    fn is_news(&self, stored: &StoredToken) -> bool {
        let state = self.state();
        let was_used = state.used.as_ref().zip(stored.refresh_token.as_ref());
        state.unsaved.is_none_or(|ours| ours < stored.issued_at)
            && was_used.is_none_or(|(used, stored)| used.expose_secret() != stored.expose_secret())
    }

    /// Returns the token with what is left of its lifetime, if that is more than its refresh window.
    fn fresh(&self, stored: &StoredToken) -> Option<Issued> {
        let mut now = self.clock.now();
        if now < stored.issued_at && now + LEEWAY >= stored.issued_at {
            // The clocks of two machines differ a little.
            now = stored.issued_at;
        }
        // Another token of the future was stored before the clock was set back: its age is not known.
        let age = now.duration_since(stored.issued_at).ok()?;
        let issued = Issued::new(stored.token.clone()).aged(age);
        let Some(death) = stored.token.expires_at() else { return Some(issued) };
        let left = death.duration_since(now).ok()?;
        (left > longest_window(self.window, left + age)).then(|| issued.expires_in(left))
    }

    fn give(&self, issued: Issued) -> Issued {
        self.state().given = Some(issued.token.clone());
        issued
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find_or_fetch(&self) -> Result<Issued, Error> {
        match self.find_or_fetch_one().await {
            Err(FetchError::StoreIsAway) => self.fetch_alone().await,
            Err(FetchError::Failed(error)) => Err(error),
            Ok(issued) => Ok(issued),
        }
    }

    /// Returns the token that is stored, or else fetches the one that all processes will use.
    async fn find_or_fetch_one(&self) -> Result<Issued, FetchError> {
        loop {
            if let Some(issued) = self.usable(self.store.load(&self.key).await.map_err(by_store)?.as_ref()) {
                return Ok(issued);
            }
            let LockOutcome::Acquired(lock) = self.store.lock(&self.key).await.map_err(by_store)? else { continue };
            let outcome = self.fetch_under(&lock).await;
            self.store.unlock(&self.key, lock).await;
            if let Some(issued) = outcome? {
                return Ok(issued);
            }
        }
    }

    /// Fetches a token and stores it. Returns none if the lock was lost before the issuer was asked.
    async fn fetch_under(&self, lock: &StoreLock) -> Result<Option<Issued>, FetchError> {
        // The last holder of the lock may have stored a token.
        let stored = self.store.load(&self.key).await.map_err(by_store)?;
        if let Some(issued) = self.usable(stored.as_ref()) {
            return Ok(Some(issued));
        }
        let resumed = stored.filter(|stored| self.is_news(stored));
        if let Some(stored) = &resumed {
            self.issuer.resume(stored);
        }
        let continued = resumed.and_then(|stored| stored.refresh_token);
        if continued.is_some() {
            let marked = self.store.mark_renewal(&self.key, lock, true).await.map_err(by_store)?;
            if marked == WriteOutcome::Superseded {
                return Ok(None);
            }
        }
        let (issued, stored) = match self.fetch().await {
            Ok(fetched) => fetched,
            Err(error) if continued.is_some() => {
                return Err(FetchError::Failed(self.failed_renewal(error, lock).await));
            }
            Err(error) => return Err(FetchError::Failed(error)),
        };
        if continued.is_some() {
            // Before the first wait: the fetch may be dropped while it stores the token.
            self.state().used = continued;
        }
        match self.store.save(&self.key, &stored, lock).await {
            Ok(WriteOutcome::Written) => self.state().unsaved = None,
            Ok(WriteOutcome::Superseded) => {
                tracing::warn!("a new token was not stored: another process has taken over, and its token is kept");
            }
            Err(error) if is_away(&error) => self.store_later(stored),
            Err(error) => tracing::warn!(kind = ?error.kind(), %error, "a new token could not be stored"),
        }
        Ok(Some(issued))
    }

    async fn fetch(&self) -> Result<(Issued, StoredToken), Error> {
        let asked = self.clock.moment();
        let issued = self.issuer.issue().await?;
        let begun = begun(asked, self.clock.moment()).wall;
        let issued = issued.alive(begun)?;
        let stored = self.issuer.remember(StoredToken::new(issued.token.clone(), begun));
        Ok((self.give(issued), stored))
    }

    async fn fetch_alone(&self) -> Result<Issued, Error> {
        let (issued, stored) = self.fetch().await?;
        self.store_later(stored);
        Ok(issued)
    }

    /// Says what the failure means for the login, and takes the mark away where the refresh token was not used up.
    async fn failed_renewal(&self, error: Error, lock: &StoreLock) -> Error {
        if lock.was_interrupted() {
            return if error.kind() == ErrorKind::Authentication { lost_login(error) } else { error };
        }
        // Where nothing is known of the issuer's answer, the refresh token may have been used up.
        let unknown = matches!(
            error.kind(),
            ErrorKind::BrokenOff | ErrorKind::Service | ErrorKind::Timeout | ErrorKind::Unavailable
        );
        if !unknown && let Err(error) = self.store.mark_renewal(&self.key, lock, false).await {
            tracing::debug!(kind = ?error.kind(), "the end of a renewal could not be noted");
        }
        error
    }

    /// Stores the token when the store is back, unless there is no runtime to do so.
    fn store_later(&self, token: StoredToken) {
        self.state().unsaved = Some(token.issued_at);
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        // Without a runtime the next fetch stores its own token.
        let _ = sync::spawn(Box::pin(async move { keep_trying(&*store, &key, &token).await }));
    }
}

impl<I: TokenIssuer> TokenIssuer for Stored<I> {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(self.find_or_fetch())
    }

    /// Returns the issuer's deadline, and two minutes more to wait for the login of another process.
    fn deadline(&self) -> Option<Duration> {
        Some(self.issuer.deadline()?.saturating_add(LOCK_WAIT))
    }
}

impl<I: fmt::Debug> fmt::Debug for Stored<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("issuer", &self.issuer)
            .field("store", &self.store)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Why no token came by way of the store.
enum FetchError {
    StoreIsAway,
    Failed(Error),
}

fn by_store(error: Error) -> FetchError {
    if is_away(&error) { FetchError::StoreIsAway } else { FetchError::Failed(error) }
}

fn is_away(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
}

fn lost_login(refused: Error) -> Error {
    let message =
        "the login must be renewed: a renewal that was cut short used its refresh token, which is refused now";
    Error::new(ErrorKind::Authentication, message).with_source(refused)
}

/// Stores the token in a store that was away, unless a newer one is there by then.
async fn keep_trying(store: &dyn TokenStore, key: &str, token: &StoredToken) {
    let mut pause = FIRST_PAUSE;
    for _ in 0..ATTEMPTS {
        sync::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match store_unless_older(store, key, token).await {
            Err(error) if is_away(&error) => {}
            Err(error) => return tracing::warn!(kind = ?error.kind(), %error, "a new token could not be stored"),
            Ok(()) => return,
        }
    }
}

async fn store_unless_older(store: &dyn TokenStore, key: &str, token: &StoredToken) -> Result<(), Error> {
    // What others stored meanwhile is newer.
    let LockOutcome::Acquired(lock) = store.lock(key).await? else { return Ok(()) };
    let stored = async {
        if store.load(key).await?.is_none_or(|stored| stored.issued_at < token.issued_at) {
            // Superseded is as good: then another process is at it.
            store.save(key, token, &lock).await?;
        }
        Ok(())
    };
    let outcome = stored.await;
    store.unlock(key, lock).await;
    outcome
}

const LOCK_WAIT: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Ten minutes in all.
const ATTEMPTS: u32 = 24;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
