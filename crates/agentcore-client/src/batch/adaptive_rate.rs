//! The rate at which calls are sent, learnt from those that the service throttles. Waits for nothing and reads no clock.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// A rate that adapts to a quota nobody states. What it does is in the documentation of [`RateLimiter`](crate::RateLimiter).
#[derive(Debug)]
pub(super) struct AdaptiveRate {
    /// Calls a second.
    rate: f64,
    /// The highest rate that the caller allows.
    most: f64,
    /// The calls that the service accepted in a second when it throttled others, raised by each probe.
    limit: Option<f64>,
    /// How much unused time may be made up for at once.
    allowance: Duration,
    /// When the next call may be sent.
    next: Option<Instant>,
    /// When the rate last changed, or begins to be used after a pause.
    changed: Option<Instant>,
    /// The latest calls that were permitted and, as far as is known, not throttled; the oldest first.
    sent: VecDeque<Instant>,
    cut: Option<Cut>,
    /// The part by which the next probe raises the limit.
    step: f64,
    /// How often the limit was met since a probe last went well.
    misses: u32,
    throttled: u64,
}

/// The last lowering of the rate. Calls that were permitted before it say nothing of the rate after it.
#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Instant,
    /// The rate and the limit before it.
    before: (f64, Option<f64>),
    /// The fewest calls that were accepted in a second, by those that were throttled at that time.
    accepted: Option<usize>,
}

/// The permission to send one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit(Instant);

impl AdaptiveRate {
    /// Begins below the service's quota of new sessions.
    pub(super) fn new() -> Self {
        Self {
            rate: FIRST_RATE,
            most: f64::INFINITY,
            limit: None,
            allowance: FIRST_ALLOWANCE,
            next: None,
            changed: None,
            sent: VecDeque::new(),
            cut: None,
            step: FIRST_STEP,
            misses: 0,
            throttled: 0,
        }
    }

    /// Begins at this rate, evenly spaced, and never exceeds it.
    pub(super) fn at_most(rate: f64) -> Self {
        let rate = rate.min(HIGHEST_RATE);
        Self { rate, most: rate, allowance: LATENESS, ..Self::new() }
    }

    pub(super) fn calls_per_second(&self) -> f64 {
        self.rate
    }

    pub(super) fn throttled(&self) -> u64 {
        self.throttled
    }

    /// Permits a call, which has waited for it or not.
    ///
    /// # Errors
    /// If it is too early; the error is when to ask again.
    pub(super) fn permit(&mut self, now: Instant, waited: bool) -> Result<Permit, Instant> {
        let earliest = now.checked_sub(self.allowance).unwrap_or(now);
        let slot = self.next.map_or(earliest, |next| next.max(earliest));
        if slot > now {
            return Err(slot);
        }
        // A rate that nobody waits for is not shown to be too low, and one at which nothing was accepted not to be right.
        let changed = *self.changed.get_or_insert(now);
        if waited && self.sent.back().is_some_and(|sent| *sent >= changed) {
            self.raise(now, now.saturating_duration_since(changed));
        }
        self.next = slot.checked_add(interval(self.rate));
        while self.sent.front().is_some_and(|sent| now.saturating_duration_since(*sent) > KEPT)
            || self.sent.len() >= MOST_SENT
        {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
        Ok(Permit(now))
    }

    /// Raises the rate where it has been used for long enough and no call was throttled.
    fn raise(&mut self, now: Instant, unchanged: Duration) {
        let target = self.limit.map_or(f64::INFINITY, |limit| limit * USED);
        if self.rate < target.min(self.most) {
            if unchanged >= SECOND {
                self.rate = (self.rate * 2.0).min(target).min(self.most);
                self.changed = Some(now);
            }
        } else if let Some(limit) = self.limit.filter(|_| self.rate < self.most)
            && unchanged >= self.probe_after()
        {
            if self.probe_went_well() {
                self.misses = 0;
            }
            self.set_limit(limit * (1.0 + self.step));
            self.step = (self.step * 2.0).min(1.0);
            self.changed = Some(now);
        }
    }

    /// Returns whether the limit was raised since it was last met.
    fn probe_went_well(&self) -> bool {
        self.step > FIRST_STEP
    }

    /// Returns how long the rate is used before a higher one is tried.
    fn probe_after(&self) -> Duration {
        let misses = if self.probe_went_well() { 0 } else { self.misses };
        (PROBE_AFTER * 2_u32.pow(misses)).min(LONGEST_PROBE_AFTER)
    }

    /// Learns that a call was throttled, and for how long the service asks to wait.
    pub(super) fn refused(&mut self, Permit(sent): Permit, retry_after: Option<Duration>, now: Instant) {
        self.throttled += 1;
        if let Ok(place) = self.sent.binary_search(&sent) {
            self.sent.remove(place);
        }
        let resume = now + retry_after.unwrap_or(SECOND).min(LONGEST_PAUSE);
        self.next = self.next.max(Some(resume));
        self.changed = self.changed.max(Some(resume));
        self.allowance = LATENESS;
        let accepted = self.accepted_before(sent, now);
        match &mut self.cut {
            Some(cut) if sent <= cut.at => cut.accepted = cut.accepted.into_iter().chain(accepted).min(),
            _ => {
                self.cut = Some(Cut { at: now, before: (self.rate, self.limit), accepted });
                if self.limit.is_some() && accepted.is_some_and(|calls| calls > 0) {
                    self.misses = (self.misses + 1).min(MOST_MISSES);
                }
                self.step = FIRST_STEP;
            }
        }
        self.lower();
    }

    /// Returns how many calls the service accepted in the second that ended when this one was sent, if that is still known.
    fn accepted_before(&self, sent: Instant, now: Instant) -> Option<usize> {
        if now.saturating_duration_since(sent) + SECOND > KEPT {
            return None;
        }
        let until = self.sent.partition_point(|other| *other <= sent);
        let from = sent.checked_sub(SECOND).map_or(0, |from| self.sent.partition_point(|other| *other <= from));
        Some(until - from)
    }

    /// Sets the rate by what is known of the last cut.
    fn lower(&mut self) {
        let Some(Cut { before: (rate, limit), accepted, .. }) = self.cut else { return };
        match accepted {
            // Nothing was accepted, which says that it was too much, and not how much would have been right.
            None | Some(0) => {
                self.limit = limit;
                self.rate = (rate / 2.0).max(LEAST_RATE).min(self.most);
            }
            Some(calls) => {
                // `calls` is far below what a double counts exactly.
                let accepted = u32::try_from(calls).map_or(f64::INFINITY, f64::from);
                self.set_limit(accepted.min(rate));
            }
        }
    }

    fn set_limit(&mut self, limit: f64) {
        self.limit = Some(limit);
        self.rate = (limit * USED).max(LEAST_RATE).min(self.most);
    }
}

/// Returns the time between two calls.
fn interval(rate: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX)
}

const SECOND: Duration = Duration::from_secs(1);

/// With as many at once, 24 calls in the first second: the quota is 25 new sessions a second (AgentCore Runtime quotas).
const FIRST_RATE: f64 = 12.0;
/// The time of eleven calls at that rate, before the twelfth.
const FIRST_ALLOWANCE: Duration = Duration::from_micros(916_667);

/// No machine sends as much.
const HIGHEST_RATE: f64 = 1e6;

/// The part of the limit that is used. The rest is for clocks that differ and answers that overtake one another.
const USED: f64 = 0.9;

/// One call in ten seconds finds out soon enough that an outage is over.
const LEAST_RATE: f64 = 0.1;

/// A sixth more than the limit, of which nine tenths are used: 5 % above it, enough to meet it if it still holds.
const FIRST_STEP: f64 = 1.0 / 6.0;

const PROBE_AFTER: Duration = Duration::from_secs(30);
const LONGEST_PROBE_AFTER: Duration = Duration::from_secs(600);
/// Enough for the longest.
const MOST_MISSES: u32 = 5;

/// A longer `Retry-After` is taken for this; the next refusal says the rest.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// As much as a timer and a busy thread are late. Without it the rate would fall short by every delay.
const LATENESS: Duration = Duration::from_millis(20);

/// How long calls are remembered: the second before a call, and the time that its refusal takes.
const KEPT: Duration = Duration::from_secs(5);
/// More than a machine sends in that time at the service's quota of 1,000 requests a second.
const MOST_SENT: usize = 16 * 1024;

#[cfg(test)]
mod tests;
