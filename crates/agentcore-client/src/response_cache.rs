//! A cache of answers, for invocations that are repeated. Keeps no errors and no streams.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use agentcore_auth::Principal;
use agentcore_core::{Arn, SessionId, Target, operation};
use agentcore_http::CacheKey;
use http::Uri;
use moka::{Expiry, future::Cache as Store};
use tokio::time::Instant;

use crate::{Dialect, Error, ErrorKind, Reply, metrics::Meter};

/// The settings of a client's cache of answers; see [`ClientBuilder::cache`](crate::ClientBuilder::cache).
///
/// Invocations share an answer if caller, session, agent and qualifier, payload, user, custom and MCP headers and the named dialect
/// are equal. Who the caller is, says [`TokenSource::cache_identity`](crate::TokenSource::cache_identity), or the access key id. The
/// first is sent and the others wait for its answer, each within its own total timeout. If it fails, all of them fail, and nothing
/// is kept. An invocation in no named session, or with a dialect of the caller's own, asks the agent and keeps nothing.
///
/// A kept answer has the caller's session id, the time that the caller waited, no time to the first event, no usage and no attempts.
/// An answer that asks something ([`Reply::interrupts`]) is not kept.
///
/// A cache is not for agents with side effects, or whose answers depend on earlier invocations.
///
/// ```
/// use std::time::Duration;
/// use agentcore_client::{CacheSettings, Client};
///
/// let cache = CacheSettings::default().ttl(Duration::from_secs(3600)).max_bytes(16 * 1024 * 1024);
/// let client = Client::builder().bearer_token("eyJhbGciOiJSUzI1NiIs.e30.c2ln").cache(cache).build()?;
/// # Ok::<(), agentcore_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    ttl: Duration,
    max_bytes: u64,
    across_sessions: bool,
}

agentcore_core::setters! {
    impl CacheSettings:

    /// Sets how long an answer is kept, unless the invocation sets its own time. Default: 5 minutes.
    ttl(ttl: Duration) => ttl = ttl;

    /// Bounds the approximate size of all answers, in bytes. Default: 64 MiB. Beyond it the least used are dropped first, and a
    /// larger answer is not kept.
    max_bytes(bytes: u64) => max_bytes = bytes;

    /// Sets whether sessions share answers, new ones included. Default: no, because a session is an agent's memory.
    across_sessions(across: bool) => across_sessions = across;
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(5 * 60), max_bytes: 64 * 1024 * 1024, across_sessions: false }
    }
}

/// The cache of one client.
#[derive(Clone, Debug)]
pub(crate) struct ResponseCache {
    store: Store<Key, Answer>,
    settings: CacheSettings,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    principal: Principal,
    dialect: Option<Dialect>,
    /// The URL of the invocation, with the qualifier.
    url: Uri,
    arn: Option<String>,
    cache_key: CacheKey,
}

#[derive(Clone, Debug)]
struct Answer {
    reply: Arc<Reply>,
    /// The approximate size, with the key.
    bytes: u64,
    ttl: Duration,
}

/// An invocation, as far as the cache reads it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) policy: CachePolicy,
    pub(crate) target: Target,
    pub(crate) cache_key: CacheKey,
    /// The named dialect; none if nobody else reads the answer as the caller does.
    pub(crate) dialect: Option<Option<Dialect>>,
    pub(crate) session: SessionId,
    pub(crate) started: Instant,
    pub(crate) deadline: Option<Instant>,
}

/// How an invocation uses the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CachePolicy {
    #[default]
    Usual,
    /// It is neither looked up nor kept.
    Bypass,
    /// Its answer is kept so long.
    For(Duration),
}

impl ResponseCache {
    pub(crate) fn new(settings: CacheSettings) -> Self {
        let store = Store::builder()
            .max_capacity(settings.max_bytes)
            .weigher(|_, answer: &Answer| u32::try_from(answer.bytes).unwrap_or(u32::MAX))
            .expire_after(OwnTtl)
            .support_invalidation_closures()
            .build();
        Self { store, settings }
    }

    /// Returns the kept answer, or the one of `ask`, which is then kept. `ask` is told how much time is left.
    pub(crate) async fn answer<A: Future<Output = Result<Reply, Error>>>(
        &self,
        question: Question,
        principal: impl Future<Output = Result<Principal, Error>>,
        meter: &Meter,
        ask: impl FnOnce(Option<Duration>) -> A,
    ) -> Result<Reply, Error> {
        let Question { policy, target, cache_key, dialect, session, started, deadline } = question;
        let left = || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let across = self.settings.across_sessions;
        let (ttl, dialect) = match (policy, dialect) {
            (CachePolicy::Usual, Some(dialect)) if across || cache_key.session().is_some() => {
                (self.settings.ttl, dialect)
            }
            (CachePolicy::For(ttl), Some(dialect)) if across || cache_key.session().is_some() => (ttl, dialect),
            _ => return ask(left()).await,
        };
        let cache_key = if across { cache_key.in_any_session() } else { cache_key };
        let principal = by(deadline, principal).await?;
        let arn = target.arn().map(|arn| arn.as_str().to_owned());
        let key = Key { principal, dialect, url: target.url(&operation::INVOKE)?, arn, cache_key };
        let was_kept = self.store.contains_key(&key);
        let fixed = key.url.to_string().len() + key.cache_key.bytes();
        let (max_bytes, asks) = (self.settings.max_bytes, AtomicBool::new(false));
        let asked = async {
            asks.store(true, Ordering::Relaxed);
            let reply = ask(left()).await?;
            let bytes = u64::try_from(fixed + size(&reply)).unwrap_or(u64::MAX);
            // The store evicts some time later; an answer that never fits must not wait for that.
            // Nor is a question one that another session can answer.
            let ttl = if bytes > max_bytes || !reply.interrupts.is_empty() { Duration::ZERO } else { ttl };
            Ok(Answer { reply: Arc::new(reply), bytes, ttl })
        };
        let mut entry = pin!(self.store.entry(key).or_try_insert_with(asked));
        let entry = match by(deadline, async { Ok(entry.as_mut().await) }).await {
            Ok(entry) => entry,
            // The call has the same deadline, and knows more about how it failed.
            Err(_) if asks.load(Ordering::Relaxed) => entry.await,
            // The call that was waited for may run.
            Err(error) => return Err(error.possibly_run(true)),
        };
        let entry = entry.map_err(|error: Arc<Error>| Error::clone(&error))?;
        meter.cached(|cache| match (entry.is_fresh(), was_kept) {
            (true, _) => cache.misses += 1,
            (false, true) => cache.hits += 1,
            (false, false) => cache.shared += 1,
        });
        let fresh = entry.is_fresh();
        let mut reply = Reply::clone(&entry.into_value().reply);
        if !fresh {
            reply.kept(session, started.elapsed());
        }
        Ok(reply)
    }

    /// Removes the answers of an agent, by all its endpoint names.
    pub(crate) fn forget(&self, arn: &Arn) {
        let arn = arn.as_str().to_owned();
        // It fails only where the store was built without closures.
        let _ = self.store.invalidate_entries_if(move |key, _| key.arn.as_ref() == Some(&arn));
    }

    pub(crate) fn forget_all(&self) {
        self.store.invalidate_all();
    }

    /// Returns the number of answers and their approximate size in bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.store.entry_count(), self.store.weighted_size())
    }
}

/// Expires each answer by its own time.
struct OwnTtl;

impl Expiry<Key, Answer> for OwnTtl {
    fn expire_after_create(&self, _: &Key, answer: &Answer, _: std::time::Instant) -> Option<Duration> {
        Some(answer.ttl)
    }
}

/// Waits for another call's outcome, or a credential, until the deadline.
async fn by<T>(deadline: Option<Instant>, outcome: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let Some(deadline) = deadline else { return outcome.await };
    let late = || Error::new(ErrorKind::Timeout, "no answer came within the call's total time");
    tokio::time::timeout_at(deadline, outcome).await.unwrap_or_else(|_| Err(late()))
}

fn size(reply: &Reply) -> usize {
    let json = reply.json.as_ref().map_or(0, |json| json.text().len());
    // A parsed value takes about twice its text.
    reply.text.len() + 2 * json + size_of::<Reply>()
}
