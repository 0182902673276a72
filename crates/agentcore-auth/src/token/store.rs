//! Tokens that outlive a process and are shared by several: a store, and an issuer that looks there first. Nothing is
//! written unless a store was given.

mod file;

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use self::file::FileStore;
use super::{
    Token,
    cache::CachedToken,
    issuer::{DEFAULT_WINDOW, Issued, TokenIssuer, longest_window},
    stored_token::StoredToken,
};
use crate::{BoxFuture, Clock, Error, SystemClock};

/// A store that keeps tokens from one process to the next.
///
/// A key identifies a token: it names everything in which tokens differ, such as issuer, client, user and scopes. It is no
/// secret, and may have any length.
///
/// Loading, saving and clearing are done on the thread that fetches a token, so they should take no longer than a small
/// local file does. Only [`lock`](Self::lock) may wait.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Returns what is stored under the key. What cannot be understood counts as nothing.
    ///
    /// # Errors
    /// If the store cannot be read, or others can read it; the error must contain no secret.
    fn load(&self, key: &str) -> Result<Option<StoredToken>, Error>;

    /// Stores a token in place of what is there, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written; what was there before is still there then.
    fn save(&self, key: &str, token: &StoredToken) -> Result<(), Error>;

    /// Forgets what is stored under the key, if anything is.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn clear(&self, key: &str) -> Result<(), Error>;

    /// Waits until no other process fetches a token for this key, and keeps others from it until the lock is dropped.
    ///
    /// The default locks nothing, for stores that cannot: then several processes may ask the issuer at once.
    ///
    /// # Errors
    /// If the lock cannot be taken.
    ///
    /// # Cancel safety
    /// Dropping the future gives the lock up.
    fn lock<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<StoreLock, Error>> {
        let _ = key;
        Box::pin(std::future::ready(Ok(StoreLock::new(()))))
    }
}

/// A lock on one key of a store, held until it is dropped.
pub struct StoreLock(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send + Sync>);

impl StoreLock {
    /// Wraps a value that releases the lock when it is dropped.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock(…)")
    }
}

/// An issuer that shares its tokens through a store: a stored token that is still fresh is used in place of a new one, and
/// of all processes that need a new one only one asks for it.
///
/// A token is not taken from the store twice in a row: a second request means that it was refused. A failure of the store is an
/// error, but for saving: a new token is used even if it cannot be stored.
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
    /// The last token given out.
    given: Mutex<Option<Token>>,
}

impl<I: TokenIssuer> Stored<I> {
    /// Shares the issuer's tokens under this key; see [`TokenStore`] for what a key names.
    #[must_use]
    pub fn new(issuer: I, store: Arc<dyn TokenStore>, key: impl Into<String>) -> Self {
        let clock = Arc::new(SystemClock::default());
        Self { issuer, store, key: key.into(), window: DEFAULT_WINDOW, clock, given: Mutex::default() }
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
        let refused = self.given().as_ref().is_some_and(|given| given.header() == issued.token.header());
        (!refused).then(|| self.give(issued))
    }

    /// Returns the token with what is left of its lifetime, if that is more than its refresh window.
    fn fresh(&self, stored: &StoredToken) -> Option<Issued> {
        let now = self.clock.now();
        // A token of the future was stored before the clock was set back: its age is not known.
        let age = now.duration_since(stored.issued_at).ok()?;
        let issued = Issued::new(stored.token.clone()).aged(age);
        let Some(death) = stored.token.expires_at() else { return Some(issued) };
        let left = death.duration_since(now).ok()?;
        (left > longest_window(self.window, left + age)).then(|| issued.expires_in(left))
    }

    fn give(&self, issued: Issued) -> Issued {
        *self.given() = Some(issued.token.clone());
        issued
    }

    fn given(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find_or_fetch(&self) -> Result<Issued, Error> {
        if let Some(issued) = self.usable(self.store.load(&self.key)?.as_ref()) {
            return Ok(issued);
        }
        let _lock = self.store.lock(&self.key).await?;
        // The last holder of the lock may have stored a token.
        let stored = self.store.load(&self.key)?;
        if let Some(issued) = self.usable(stored.as_ref()) {
            return Ok(issued);
        }
        if let Some(stored) = &stored {
            self.issuer.resume(stored);
        }
        let issued = self.issuer.issue().await?;
        let received = self.clock.now();
        let issued = issued.alive(received)?;
        let stored = self.issuer.remember(StoredToken::new(issued.token.clone(), received));
        if let Err(error) = self.store.save(&self.key, &stored) {
            tracing::warn!(kind = ?error.kind(), %error, "a new token could not be stored");
        }
        Ok(self.give(issued))
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

const LOCK_WAIT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
