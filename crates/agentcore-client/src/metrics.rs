//! The numbers of a client: what was called, how it went, how long it took. Counts always, and cheaply; sends them nowhere.

mod histogram;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agentcore_auth::{Auth, TokenStatistics};
use agentcore_http::{Connections, ErrorKind};
use serde::Serialize;

pub use self::histogram::Histogram;
use crate::{Done, Error};

/// What a client has done so far, at one moment; see [`Client::metrics`](crate::Client::metrics).
///
/// It is plain data: to be written as JSON, or [merged](Self::merge) with that of other clients. Calls are invocations that
/// were sent or tried to be; one answered from the cache is none.
///
/// ```
/// # async fn example(client: agentcore_client::Client) -> serde_json::Result<()> {
/// let metrics = client.metrics();
/// println!("{} calls, {} failed", metrics.calls, metrics.failed);
/// println!("half of them began to answer within {:?}", metrics.first_event.quantile(0.5));
/// println!("{}", serde_json::to_string(&metrics)?);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Calls that were begun.
    pub calls: u64,
    /// Calls that have not ended; [`reset_metrics`](crate::Client::reset_metrics) leaves them in.
    pub in_flight: u64,
    /// Calls whose answer came whole, and in which the agent reported no error.
    pub succeeded: u64,
    /// Calls that failed, the agents' own errors included.
    pub failed: u64,
    /// Calls whose future or stream was dropped before its end.
    pub cancelled: u64,
    /// The failed calls by what went wrong: an [`ErrorKind`] in small letters, or `agent` for an error within an answer.
    pub errors: BTreeMap<&'static str, u64>,
    /// Attempts beyond the first of each call.
    pub retries: u64,
    /// Events of complete answers; one that is not a stream counts as one.
    pub events: u64,
    /// Bytes of data in them.
    pub bytes: u64,
    /// From the beginning of a call to its first event, of complete answers.
    pub first_event: Histogram,
    /// From the beginning of a call to the end of its answer, of complete answers.
    pub duration: Histogram,
    /// Connections of all who share the client's transport.
    pub connections: ConnectionMetrics,
    /// Answers that were cache.
    pub cache: CacheMetrics,
    /// Tokens, where the client has a source that counts them.
    pub tokens: TokenMetrics,
}

/// Connections, counted since the transport was built: those of the pool, and those that became WebSockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionMetrics {
    /// Connections that were made.
    pub made: u64,
    /// Connections that are open, idle ones included.
    pub open: u64,
}

/// What a cache has done so far; all zero without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheMetrics {
    /// Calls that were answered by a kept answer.
    pub hits: u64,
    /// Calls that had to be made.
    pub misses: u64,
    /// Calls that were answered by another's answer, for which they waited.
    pub shared: u64,
    /// Answers that are kept now.
    pub entries: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
}

/// What a token source has done so far; see [`TokenStatistics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenMetrics {
    /// Fetches that were begun.
    pub fetches: u64,
    /// How many of them were begun early.
    pub refreshes: u64,
    /// Fetches that failed.
    pub failures: u64,
    /// Tokens given out within their refresh window.
    pub served_stale: u64,
    /// Tokens that the service refused.
    pub rejected: u64,
}

impl Metrics {
    /// Adds those of another client.
    pub fn merge(&mut self, other: &Self) {
        let Self { calls, in_flight, succeeded, failed, cancelled, errors, retries, events, bytes, .. } = other;
        self.calls += calls;
        self.in_flight += in_flight;
        self.succeeded += succeeded;
        self.failed += failed;
        self.cancelled += cancelled;
        for (kind, count) in errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.retries += retries;
        self.events += events;
        self.bytes += bytes;
        self.first_event.merge(&other.first_event);
        self.duration.merge(&other.duration);
        let ConnectionMetrics { made, open } = other.connections;
        self.connections.made += made;
        self.connections.open += open;
        let CacheMetrics { hits, misses, shared, entries, bytes } = other.cache;
        self.cache.hits += hits;
        self.cache.misses += misses;
        self.cache.shared += shared;
        self.cache.entries += entries;
        self.cache.bytes += bytes;
        let TokenMetrics { fetches, refreshes, failures, served_stale, rejected } = other.tokens;
        self.tokens.fetches += fetches;
        self.tokens.refreshes += refreshes;
        self.tokens.failures += failures;
        self.tokens.served_stale += served_stale;
        self.tokens.rejected += rejected;
    }

    fn fail(&mut self, kind: &'static str) {
        self.failed += 1;
        *self.errors.entry(kind).or_default() += 1;
    }
}

/// The counting itself, shared by all clones of a client.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Metrics>);

impl Meter {
    /// Counts a call from here on.
    pub(crate) fn begin(self: &Arc<Self>) -> Measured {
        let mut metrics = self.lock();
        metrics.calls += 1;
        metrics.in_flight += 1;
        Measured { meter: self.clone(), ended: false }
    }

    /// Counts what the cache did.
    #[cfg(feature = "cache")]
    pub(crate) fn cached(&self, count: impl FnOnce(&mut CacheMetrics)) {
        count(&mut self.lock().cache);
    }

    pub(crate) fn snapshot(&self) -> Metrics {
        self.lock().clone()
    }

    /// Begins anew, but for the calls that go on, and tells what was.
    pub(crate) fn reset(&self) -> Metrics {
        let mut metrics = self.lock();
        let fresh = Metrics { in_flight: metrics.in_flight, ..Metrics::default() };
        std::mem::replace(&mut *metrics, fresh)
    }

    fn lock(&self) -> MutexGuard<'_, Metrics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is counted. Dropped before its end, it counts as cancelled.
#[derive(Debug)]
pub(crate) struct Measured {
    meter: Arc<Meter>,
    ended: bool,
}

impl Measured {
    /// The answer came whole, and the agent was fine or was not.
    pub(crate) fn done(&mut self, done: &Done, attempts: u32, agent_failed: bool) {
        self.end(|metrics| {
            metrics.retries += u64::from(attempts.saturating_sub(1));
            metrics.events += done.events;
            metrics.bytes += done.bytes;
            metrics.duration.record(done.duration);
            if let Some(first_event) = done.first_event {
                metrics.first_event.record(first_event);
            }
            if agent_failed { metrics.fail("agent") } else { metrics.succeeded += 1 }
        });
    }

    /// The head of an answer came, and what becomes of it is the caller's own affair.
    pub(crate) fn handed_over(&mut self, attempts: u32, elapsed: Duration) {
        self.end(|metrics| {
            metrics.retries += u64::from(attempts.saturating_sub(1));
            metrics.duration.record(elapsed);
            metrics.succeeded += 1;
        });
    }

    pub(crate) fn failed(&mut self, error: &Error) {
        self.end(|metrics| {
            metrics.retries += u64::from(error.attempts().saturating_sub(1));
            metrics.fail(name(error.kind()));
        });
    }

    fn end(&mut self, count: impl FnOnce(&mut Metrics)) {
        if !std::mem::replace(&mut self.ended, true) {
            let mut metrics = self.meter.lock();
            metrics.in_flight = metrics.in_flight.saturating_sub(1);
            count(&mut metrics);
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.end(|metrics| metrics.cancelled += 1);
    }
}

impl From<Connections> for ConnectionMetrics {
    fn from(connections: Connections) -> Self {
        Self { made: connections.made, open: connections.open }
    }
}

impl TokenMetrics {
    /// Those of whatever source the mechanism has.
    pub(crate) fn of(auth: &Auth) -> Self {
        let Auth::Bearer(source) = auth else { return Self::default() };
        source.token_statistics().map(Self::from).unwrap_or_default()
    }
}

impl From<TokenStatistics> for TokenMetrics {
    fn from(statistics: TokenStatistics) -> Self {
        Self {
            fetches: statistics.fetches,
            refreshes: statistics.refreshes,
            failures: statistics.failures,
            served_stale: statistics.served_stale,
            rejected: statistics.rejected,
        }
    }
}

/// The kind's name in small letters, as spans and metrics have it.
pub(crate) fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Input => "input",
        ErrorKind::Authentication => "authentication",
        ErrorKind::ExpiredToken => "expired_token",
        ErrorKind::UntrustedToken => "untrusted_token",
        ErrorKind::Challenge => "challenge",
        ErrorKind::Authorization => "authorization",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Quota => "quota",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Agent => "agent",
        ErrorKind::Refused => "refused",
        ErrorKind::Service => "service",
        ErrorKind::BrokenOff => "broken_off",
        _ => "other",
    }
}
