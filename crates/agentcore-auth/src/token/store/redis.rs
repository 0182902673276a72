//! Tokens on a server of Redis or Valkey, which a fleet of machines shares. Stores nothing that is not encrypted, and trusts no
//! clock but the server's.

mod address;
mod cipher;
mod connection;
mod lease;
mod script;

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

pub use self::cipher::EncryptionKey;
use self::{
    address::Address,
    cipher::Keyring,
    connection::Connection,
    lease::Lease,
    script::{Acquired, EntryNames},
};
use super::{LockOutcome, StoreLock, StoredToken, TokenStore, WriteOutcome, record};
use crate::{BoxFuture, Clock, Error, ErrorKind, SystemClock};

/// A store on a server of Redis or Valkey: one fetch for a whole fleet. Feature `redis`.
///
/// - **One fetch.** Who fetches holds a lease, which it prolongs until it is done. The others wait, and take the token as
///   soon as it is there. One that dies or stops is replaced when its lease ends.
/// - **No late writer.** Each holder of the lease has a fencing token, and the server refuses a writer with an older one: a process
///   that was paused, and comes back after another took over, uses its token and overwrites nothing.
/// - **Encrypted.** An entry is encrypted and authenticated (AES-256-GCM) with a key that the server does not have, and is bound to
///   its key, so that nobody can put it in another's place. An older entry in the place of a newer one is not recognised.
/// - **Bounded.** Connecting and each command have a deadline, an entry a size (64 KiB), and a lifetime: that of the longest-lived
///   thing in it. What cannot be decrypted or read counts as nothing, with a warning.
/// - **Going on alone.** A server that is away, or cannot serve, holds nobody up longer than the deadline. One warning says so in each
///   outage. After a failure nothing is tried for a second. A server that refuses the user or the password is an error.
///
/// A second key on the server remembers the lease, for a day or as long as the entry if that is longer. The server must not evict
/// entries at will (`maxmemory-policy noeviction` or `volatile-ttl`): an evicted lease refuses nobody. Where a server fails over to
/// a replica that lacks the last writes, a token may be fetched twice. A cluster is not supported.
///
/// A user of the server needs the commands `AUTH`, `SELECT`, `EVAL`, `GETRANGE`, and within scripts `TIME`, `HMGET`, `HGET`,
/// `HSET`, `HDEL`, `SET`, `DEL`, `PTTL` and `PEXPIRE`, on keys with the prefix.
///
/// It needs a tokio runtime with its timer and its network. Checked against: Redis 7.0. Nothing is used that Redis 5 or Valkey does
/// not document.
///
/// ```no_run
/// use std::sync::Arc;
/// use agentcore_auth::{EncryptionKey, Issued, RedisStore, Stored, Token, token};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = EncryptionKey::from_base64(&std::env::var("TOKEN_STORE_KEY")?)?;
/// let store = Arc::new(RedisStore::builder(&std::env::var("TOKEN_STORE")?, key).prefix("my-fleet:").build()?);
/// let issuer = token::from_fn(|| async { Ok(Issued::new(Token::parse("bought")?)) });
/// let source = Stored::new(issuer, store, "idp.example my-client").cached();
/// # Ok(()) }
/// ```
pub struct RedisStore {
    server: Arc<Connection>,
    keys: Keyring,
    prefix: String,
    lease: Duration,
    patience: Duration,
    refresh_token_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

impl RedisStore {
    /// A store at this URL, `redis[s]://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, whose entries are encrypted with this key.
    ///
    /// `rediss://` is TLS 1.2 or 1.3. The user and the password are percent-encoded, and a password goes over TLS or to loopback
    /// only. Default port: 6379, default database: 0.
    pub fn builder(url: &str, key: EncryptionKey) -> RedisStoreBuilder {
        RedisStoreBuilder {
            address: Address::parse(url),
            keys: Keyring { current: key, others: Vec::new() },
            roots: Vec::new(),
            prefix: DEFAULT_PREFIX.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            lease: DEFAULT_LEASE,
            patience: DEFAULT_PATIENCE,
            refresh_token_lifetime: DEFAULT_REFRESH_TOKEN_LIFETIME,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// Returns whether a URL has a password, which belongs on no command line.
    ///
    /// # Errors
    /// If it is no URL of a store; the error does not quote it.
    pub fn has_password(url: &str) -> Result<bool, Error> {
        Address::parse(url).map(|address| address.has_password())
    }

    fn names(&self, key: &str) -> EntryNames {
        EntryNames::of(&self.prefix, key)
    }

    async fn read(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        // What is larger is cut off, and cannot be opened.
        let entry: Vec<u8> = self.server.run(&self.names(key).read(MAX_ENTRY_BYTES)).await?;
        if entry.is_empty() {
            return Ok(None);
        }
        let stored = self.keys.open(key, &entry).and_then(|plain| record::decode(&plain));
        if stored.is_none() {
            let entry = self.names(key).entry;
            tracing::warn!(entry, "a stored token is damaged, or encrypted with another key; it is ignored");
        }
        Ok(stored)
    }

    async fn write(&self, key: &str, token: &StoredToken, fence: u64) -> Result<WriteOutcome, Error> {
        let unwritten = |why: &str| Error::new(ErrorKind::TooLarge, format!("a token cannot be stored: {why}"));
        let plain = record::encode(token).map_err(|error| unwritten("it has no form").with_source(error))?;
        let entry = self.keys.seal(key, plain)?;
        if entry.len() > MAX_ENTRY_BYTES {
            return Err(unwritten("it has more than 64 KiB"));
        }
        let Some(lifetime) = self.lifetime(token).filter(|left| !left.is_zero()) else {
            return Ok(WriteOutcome::Written);
        };
        self.server.run(&self.names(key).save(fence, &entry, lifetime)).await.map(outcome)
    }

    /// Returns how long something in the token may be of use; none if it has expired.
    fn lifetime(&self, token: &StoredToken) -> Option<Duration> {
        let of_token = token.token.expires_at().map(|expiry| expiry.duration_since(self.clock.now()));
        match of_token {
            None => Some(self.refresh_token_lifetime),
            Some(left) if token.refresh_token.is_some() || token.device.is_some() => {
                Some(left.unwrap_or_default().max(self.refresh_token_lifetime))
            }
            Some(left) => left.ok(),
        }
    }

    async fn take(&self, key: &str) -> Result<LockOutcome, Error> {
        let (names, owner) = (self.names(key), format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)));
        let command = names.acquire(&owner, self.lease);
        let begun = Instant::now();
        let (mut seen, mut pause) = (None, SHORTEST_PAUSE);
        loop {
            let (fence, interrupted, saved): Acquired = self.server.run(&command).await?;
            if fence > 0 {
                let lease = Lease::keep(Arc::clone(&self.server), names, owner, self.lease);
                let lock = StoreLock::new(lease).with_fence(fence).with_interruption(interrupted == 1);
                return Ok(LockOutcome::Acquired(lock));
            }
            if *seen.get_or_insert(saved) != saved {
                return Ok(LockOutcome::Changed);
            }
            if begun.elapsed() >= self.patience {
                let seconds = self.patience.as_secs();
                let what = format!("another process has been getting this token for more than {seconds} s");
                return Err(Error::new(ErrorKind::Authentication, format!("{what}; end it, or try again later")));
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl TokenStore for RedisStore {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>> {
        Box::pin(self.read(key))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        token: &'a StoredToken,
        lock: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(self.write(key, token, lock.fence()))
    }

    fn clear<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { self.server.run::<u8>(&self.names(key).clear()).await.map(|_| ()) })
    }

    /// # Cancel safety
    /// A future that is dropped while the server answers may leave a lease that nobody holds, until it ends by itself.
    fn lock<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<LockOutcome, Error>> {
        Box::pin(self.take(key))
    }

    fn mark_renewal<'a>(
        &'a self,
        key: &'a str,
        lock: &'a StoreLock,
        under_way: bool,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(async move { self.server.run(&self.names(key).mark(lock.fence(), under_way)).await.map(outcome) })
    }

    fn unlock<'a>(&'a self, _: &'a str, lock: StoreLock) -> BoxFuture<'a, ()> {
        Box::pin(async {
            if let Ok(lease) = lock.into_held::<Lease>() {
                lease.release().await;
            }
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", &self.server).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn outcome(written: u8) -> WriteOutcome {
    if written == 1 { WriteOutcome::Written } else { WriteOutcome::Superseded }
}

/// The settings of a [`RedisStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisStoreBuilder {
    address: Result<Address, Error>,
    keys: Keyring,
    roots: Vec<Vec<u8>>,
    prefix: String,
    timeout: Duration,
    lease: Duration,
    patience: Duration,
    refresh_token_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

impl RedisStoreBuilder {
    /// Adds a key that opens entries and makes none.
    ///
    /// For a rotation, first give the new key to the whole fleet in this place; then make it the current one, and the old one this;
    /// then, after the longest lifetime of an entry, leave the old one away. Otherwise those who lack a key take the others' entries
    /// for damaged and fetch tokens of their own.
    pub fn other_key(mut self, key: EncryptionKey) -> Self {
        self.keys.others.push(key);
        self
    }

    /// Sets what the names on the server begin with, to keep fleets apart on one server. Default: `agentcore:token:`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Trusts the certificates in this PEM text, and no others. Default: those of the system, or of `SSL_CERT_FILE`.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Bounds connecting, TLS and the password included, and each command. Default: 2 seconds. A shorter one finds a server that is
    /// away sooner, and takes a slow one for that.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a lease lasts if its holder dies, and for what pause of a process nobody takes over. Default: 10 seconds, at
    /// least 1. A shorter one replaces a dead process sooner, and is lost sooner to a slow network: it is prolonged at every third
    /// of it.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(SHORTEST_LEASE);
        self
    }

    /// Sets how long to wait while another process gets a token. Default: 120 seconds, for logins may wait for a person. A shorter
    /// wait finds a process that hangs sooner.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how long an entry is kept that has a refresh token, or a token without an expiry: neither says when it ends. Default:
    /// 30 days, as Amazon Cognito's refresh tokens live. A shorter time forgets logins sooner, a longer one keeps dead ones.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_token_lifetime = lifetime;
        self
    }

    /// Sets the clock by which tokens expire. Default: the system's clocks.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the store. Nothing is connected yet.
    ///
    /// # Errors
    /// If the URL is none of a store, would send a password over plaintext to another machine, or a certificate is not PEM.
    pub fn build(self) -> Result<RedisStore, Error> {
        Ok(RedisStore {
            server: Arc::new(Connection::new(self.address?, &self.roots, self.timeout)?),
            keys: self.keys,
            prefix: self.prefix,
            lease: self.lease,
            patience: self.patience,
            refresh_token_lifetime: self.refresh_token_lifetime,
            clock: self.clock,
        })
    }
}

const DEFAULT_PREFIX: &str = "agentcore:token:";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_LEASE: Duration = Duration::from_secs(10);
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const DEFAULT_PATIENCE: Duration = Duration::from_secs(120);
const DEFAULT_REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Far more than a token and a refresh token have.
const MAX_ENTRY_BYTES: usize = 64 * 1024;
/// Between two attempts to take the lease; half of it is chance.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

#[cfg(test)]
mod tests;
