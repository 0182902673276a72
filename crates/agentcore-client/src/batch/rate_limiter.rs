//! The rate that many calls share: whose turn it is, and when. Sends nothing itself.

use std::{
    fmt,
    sync::{Arc, Mutex as StateMutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use super::adaptive_rate::{AdaptiveRate, Permit};

/// The rate at which the calls of batches are sent, which adapts to the service's quota. Clones share it.
///
/// The calls of all batches of a client share one, unless [`Batch::rate_limiter`](crate::Batch::rate_limiter) sets another: what one
/// batch learns, the next one knows.
///
/// | when | what it does |
/// |---|---|
/// | at first | permits 12 calls at once and 12 a second: 24 in the first second, for the service's quota is 25 new sessions a second |
/// | after a second in which calls had to wait and none was throttled | doubles the rate |
/// | a call is throttled (429) | sends nothing for the time that the service asks for (`Retry-After`, 15 minutes at most), or for a second. Takes what was accepted in the second before that call as the limit, and then sends nine tenths of it, evenly spaced |
/// | nothing was accepted in that second | halves the rate, to one call in ten seconds at least |
/// | 30 seconds later, and twice as long after each time that the limit was met, up to 10 minutes | tries 5 % more than the limit; if that goes well, twice as far with each step |
///
/// Calls that were throttled come before new ones.
///
/// ```
/// use std::time::Duration;
/// use agentcore_client::RateLimiter;
///
/// // What is left of the account's quota for this program.
/// let limiter = RateLimiter::at_most(10, Duration::from_secs(1));
/// assert_eq!(limiter.calls_per_second(), 10.0);
/// ```
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

struct Shared {
    rate: StateMutex<AdaptiveRate>,
    /// New calls wait here for their turn to wait below, so that one of them at most is before a call that was throttled.
    new: Mutex<()>,
    /// Whoever holds it is the next to be sent.
    next: Mutex<()>,
}

impl RateLimiter {
    /// Makes one that finds out the service's quota.
    #[must_use]
    pub fn new() -> Self {
        Self::of(AdaptiveRate::new())
    }

    /// Makes one that sends at most so many calls in a time, evenly spaced, and fewer if they are throttled. No calls count as one,
    /// and in no time is without a bound.
    #[must_use]
    pub fn at_most(calls: u32, per: Duration) -> Self {
        Self::of(AdaptiveRate::at_most(f64::from(calls.max(1)) / per.as_secs_f64()))
    }

    fn of(rate: AdaptiveRate) -> Self {
        Self(Arc::new(Shared { rate: StateMutex::new(rate), new: Mutex::default(), next: Mutex::default() }))
    }

    /// Returns the rate that is permitted now.
    #[must_use]
    pub fn calls_per_second(&self) -> f64 {
        self.rate().calls_per_second()
    }

    /// Returns how often a call was throttled.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.rate().throttled()
    }

    /// Waits until a call may be sent, for the first time or again after it was throttled.
    ///
    /// # Cancel safety
    /// Dropping the future lets the next call wait.
    pub(super) async fn permit(&self, again: bool) -> Permit {
        let _new = if again { None } else { Some(locked(&self.0.new).await) };
        let _next = locked(&self.0.next).await;
        let mut waited = false;
        loop {
            let permit = self.rate().permit(Instant::now(), waited);
            match permit {
                Ok(permit) => return permit,
                Err(later) => sleep_until(later).await,
            }
            waited = true;
        }
    }

    /// Learns that a call was throttled.
    pub(super) fn refused(&self, permit: Permit, retry_after: Option<Duration>) {
        self.rate().refused(permit, retry_after, Instant::now());
    }

    fn rate(&self) -> MutexGuard<'_, AdaptiveRate> {
        self.0.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a lock. One that is free takes nothing of what the task may do before it lets others run, which is for the calls.
async fn locked(lock: &Mutex<()>) -> tokio::sync::MutexGuard<'_, ()> {
    match lock.try_lock() {
        Ok(guard) => guard,
        Err(_) => lock.lock().await,
    }
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate();
        f.debug_struct("RateLimiter")
            .field("calls_per_second", &rate.calls_per_second())
            .field("throttled", &rate.throttled())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls are permitted in the order in which they ask, but for those that were throttled: each of these waits for one new call at
    /// most.
    #[tokio::test(start_paused = true)]
    async fn throttled_calls_come_first() {
        let limiter = RateLimiter::at_most(1, Duration::from_secs(10));
        let begun = Instant::now();
        let first = limiter.permit(false).await;
        let order = Mutex::new(Vec::new());
        let wait = async |name: &'static str, again: bool| {
            limiter.permit(again).await;
            order.lock().await.push((name, begun.elapsed().as_secs()));
        };
        limiter.refused(first, Some(Duration::from_secs(60)));
        tokio::join!(
            wait("new 1", false),
            wait("new 2", false),
            wait("new 3", false),
            wait("again 1", true),
            wait("again 2", true),
        );
        let order = order.into_inner();
        let names: Vec<_> = order.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["new 1", "again 1", "again 2", "new 2", "new 3"]);
        // A call in ten seconds is the least that is sent; nothing was accepted, so that the rate is halved to a call in 20 seconds, but
        // not below the least.
        assert_eq!(order.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [60, 70, 80, 90, 100]);
        assert_eq!((limiter.throttled(), limiter.calls_per_second()), (1, 0.1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_is_not_waited_for() {
        let limiter = RateLimiter::at_most(1, Duration::from_secs(10));
        limiter.permit(false).await;
        let given_up = tokio::time::timeout(Duration::from_secs(3), limiter.permit(false));
        assert!(given_up.await.is_err());
        let begun = Instant::now();
        limiter.permit(false).await;
        assert_eq!(begun.elapsed().as_secs(), 6, "10 s after the first, less 3 s and what a timer may be late");
    }
}
