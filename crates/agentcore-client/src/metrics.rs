//! The metrics of a client: its calls, their outcomes and durations. Sends them nowhere.

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
use crate::{Done, Error, Usage};

/// The metrics of a client at one moment; see [`Client::metrics`](crate::Client::metrics).
///
/// They can be written as JSON, and [merged](Self::merge) with those of other clients. Invocations that the cache answered are no
/// calls.
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
    /// Calls whose answer was complete and had no error of the agent.
    pub succeeded: u64,
    /// Calls that failed, errors within an answer included.
    pub failed: u64,
    /// Calls whose future or stream was dropped before its end.
    pub cancelled: u64,
    /// Failed calls by [`ErrorKind`], in small letters. An error within an answer is `agent`.
    pub errors: BTreeMap<&'static str, u64>,
    /// Attempts beyond the first of each call.
    pub retries: u64,
    /// Events of complete answers. An answer that is not a stream has one.
    pub events: u64,
    /// Bytes of data in these events.
    pub bytes: u64,
    /// What agents said that their model calls took, in answers that were not complete too.
    pub usage: Usage,
    /// Questions that agents asked ([`Event::Interrupt`](crate::Event::Interrupt)).
    pub interrupts: u64,
    /// Times from the beginning of a call to its first event, of complete answers.
    pub first_event: Histogram,
    /// Times from the beginning of a call to the end of its answer, of complete answers.
    pub duration: Histogram,
    /// Connections of all who share the client's transport.
    pub connections: ConnectionMetrics,
    /// Answers of the cache.
    pub cache: CacheMetrics,
    /// Tokens, if the client's source counts them.
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

/// Lookups and entries of a cache; all zero without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheMetrics {
    /// Calls that a kept answer has answered.
    pub hits: u64,
    /// Calls that had to be made.
    pub misses: u64,
    /// Calls that waited for the answer to an equal one.
    pub shared: u64,
    /// Answers that are kept now.
    pub entries: u64,
    /// The approximate size of these answers, in bytes.
    pub bytes: u64,
}

/// Fetches and uses of a source's tokens; see [`TokenStatistics`].
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
    /// Adds the metrics of another client.
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
        self.usage.add(&other.usage);
        self.interrupts += other.interrupts;
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

/// The counters that all clones of a client share.
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

    /// Counts a call that was throttled, and is sent again by its batch, as a retry of the one that follows.
    pub(crate) fn sent_again(&self) {
        let mut metrics = self.lock();
        let kind = name(ErrorKind::Throttled);
        // Whoever reset the metrics meanwhile has counted it.
        if let Some(throttled) = metrics.errors.get_mut(kind) {
            *throttled -= 1;
            if *throttled == 0 {
                metrics.errors.remove(kind);
            }
            metrics.calls = metrics.calls.saturating_sub(1);
            metrics.failed = metrics.failed.saturating_sub(1);
            metrics.retries += 1;
        }
    }

    /// Counts what the cache did.
    #[cfg(feature = "cache")]
    pub(crate) fn cached(&self, count: impl FnOnce(&mut CacheMetrics)) {
        count(&mut self.lock().cache);
    }

    pub(crate) fn snapshot(&self) -> Metrics {
        self.lock().clone()
    }

    /// Sets all counters but `in_flight` to zero, and returns what they were.
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
    /// Counts a complete answer, with an error of the agent or not.
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

    /// Counts what model calls took.
    pub(crate) fn used(&self, usage: &Usage) {
        self.meter.lock().usage.add(usage);
    }

    /// Counts a question.
    pub(crate) fn interrupted(&self) {
        self.meter.lock().interrupts += 1;
    }

    /// Counts an answer whose body is left to the caller.
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
    /// Returns the metrics of the mechanism's token source.
    pub(crate) fn of(auth: &Auth) -> Self {
        let Auth::Bearer(bearer) = auth else { return Self::default() };
        bearer.source().token_statistics().map(Self::from).unwrap_or_default()
    }
}

impl From<TokenStatistics> for TokenMetrics {
    fn from(statistics: TokenStatistics) -> Self {
        let TokenStatistics { fetches, refreshes, failures, served_stale, rejected, .. } = statistics;
        Self { fetches, refreshes, failures, served_stale, rejected }
    }
}

/// Returns the kind's name in small letters, for spans and metrics.
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
        ErrorKind::SessionLost => "session_lost",
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
