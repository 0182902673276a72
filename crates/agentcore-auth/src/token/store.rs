//! Tokens that outlive a process and are shared by several: what a store is, and its locks. Nothing is written unless a store
//! was given.

mod file;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod stored;

use std::{any::Any, fmt};

#[cfg(feature = "redis")]
pub use self::redis::{EncryptionKey, RedisStore, RedisStoreBuilder};
pub use self::{file::FileStore, stored::Stored};
use super::stored_token::StoredToken;
use crate::{BoxFuture, Error};

/// A store that keeps tokens from one process to the next.
///
/// A key identifies a token: it names everything in which tokens differ, such as issuer, client, user and scopes. It is no
/// secret, and may have any length.
///
/// [`Stored`] calls a store in this order: [`load`](Self::load); if that finds nothing of use [`lock`](Self::lock) and `load`
/// again; [`mark_renewal`](Self::mark_renewal) if a refresh token is about to be used; then, with the new token,
/// [`save`](Self::save); and [`unlock`](Self::unlock) in any case.
///
/// An error of the kind [`Unavailable`](crate::ErrorKind::Unavailable) says that the store is away: then [`Stored`] asks the issuer
/// without it, and stores the token when the store is back. A store that can be away bounds its waits and logs the outage, once.
/// Every other error is the caller's.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Returns what is stored under the key. What cannot be understood counts as nothing.
    ///
    /// # Errors
    /// If the store cannot be read, or others can read it; the error must contain no secret.
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>>;

    /// Stores a token in place of what is there, whole or not at all. `lock` is the lock on this key; a store with fencing tokens
    /// refuses the writer whose lock somebody else has taken over since.
    ///
    /// # Errors
    /// If it cannot be written; what was there before is still there then.
    fn save<'a>(
        &'a self,
        key: &'a str,
        token: &'a StoredToken,
        lock: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>>;

    /// Forgets what is stored under the key, if anything is. A store with fencing tokens also refuses what those write who hold
    /// the lock now.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn clear<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// Waits until no other process fetches a token for this key, and keeps others from it until the lock is given back. A store
    /// that sees another process store a token meanwhile need not wait for the lock.
    ///
    /// The default locks nothing, for stores that cannot: then several processes may ask the issuer at once.
    ///
    /// # Errors
    /// If the lock cannot be taken.
    ///
    /// # Cancel safety
    /// Dropping the future gives the lock up.
    fn lock<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<LockOutcome, Error>> {
        let _ = key;
        Box::pin(std::future::ready(Ok(LockOutcome::Acquired(StoreLock::new(())))))
    }

    /// Notes that the stored refresh token is about to be used (`under_way`), or that it was not used up after all.
    ///
    /// A refresh token that rotates may be used once. If its user dies before [`save`](Self::save), which takes the note away, the
    /// next lock [says so](StoreLock::was_interrupted). The default notes nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    fn mark_renewal<'a>(
        &'a self,
        key: &'a str,
        lock: &'a StoreLock,
        under_way: bool,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        let _ = (key, lock, under_way);
        Box::pin(std::future::ready(Ok(WriteOutcome::Written)))
    }

    /// Gives the lock back and returns when others can take it. The default drops it. A failure is not reported: such locks end
    /// by themselves.
    fn unlock<'a>(&'a self, key: &'a str, lock: StoreLock) -> BoxFuture<'a, ()> {
        let _ = key;
        drop(lock);
        Box::pin(std::future::ready(()))
    }
}

/// What came of waiting for a lock.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockOutcome {
    /// The lock was taken.
    Acquired(StoreLock),
    /// Another process stored a token, and the lock was not taken: look again.
    Changed,
}

/// What came of a write under a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// It is stored.
    Written,
    /// It was refused as late: somebody else has taken the lock since. Nothing was changed.
    Superseded,
}

/// A lock on one key of a store, held until it is dropped or [given back](TokenStore::unlock).
pub struct StoreLock {
    held: Box<dyn Any + Send + Sync>,
    fence: u64,
    interrupted: bool,
}

impl StoreLock {
    /// Wraps a value that releases the lock when it is dropped.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self { held: Box::new(held), fence: 0, interrupted: false }
    }

    /// Sets the fencing token. Default: 0, for locks that nobody can lose.
    #[must_use]
    pub fn with_fence(mut self, fence: u64) -> Self {
        self.fence = fence;
        self
    }

    /// Sets whether an earlier holder began a renewal and did not end it. Default: it did not.
    #[must_use]
    pub fn with_interruption(mut self, interrupted: bool) -> Self {
        self.interrupted = interrupted;
        self
    }

    /// Returns the fencing token: a number that is larger for each later holder of the lock. A store refuses a writer with a
    /// smaller one than the largest it has given out.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Returns whether an earlier holder [began to use](TokenStore::mark_renewal) the refresh token and has stored nothing since.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Returns the value that releases the lock.
    ///
    /// # Errors
    /// If it is of another type; then the lock is returned, and still held.
    pub fn into_held<T: Any>(self) -> Result<T, Self> {
        let Self { held, fence, interrupted } = self;
        held.downcast().map(|held| *held).map_err(|held| Self { held, fence, interrupted })
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLock").field("fence", &self.fence).finish_non_exhaustive()
    }
}
