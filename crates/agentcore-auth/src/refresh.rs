//! One refresh for everything that ages: tokens, an issuer's keys, AWS credentials. Knows neither what it keeps nor where it
//! comes from. [`CachedToken`](crate::CachedToken) has the table of what callers get.

mod single_flight;

use std::time::Duration;

pub(crate) use self::single_flight::{Fetching, Refresh};
use crate::clock::Moment;

/// A value with the times of its lifetime.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) value: T,
    asked: Moment,
    /// From the moment it was asked for to its death; none if that is not known.
    lifetime: Option<Duration>,
    window: Duration,
}

/// How old a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Still good, and to be renewed.
    Aging,
    Dead,
}

impl<T> Entry<T> {
    /// A value that is to be renewed when less than `window` is left of its lifetime.
    pub(crate) fn new(value: T, asked: Moment, lifetime: Option<Duration>, window: Duration) -> Self {
        // Near the end of a short lifetime the window shrinks to nothing, and the shortest interval keeps fetches apart.
        let longest = lifetime.map_or(Duration::ZERO, |lifetime| lifetime.saturating_sub(SHORTEST_INTERVAL));
        Self { value, asked, lifetime, window: window.min(longest) }
    }

    pub(crate) fn freshness(&self, now: Moment) -> Freshness {
        match self.left(now) {
            None => Freshness::Fresh,
            Some(Duration::ZERO) => Freshness::Dead,
            Some(left) if left <= self.window => Freshness::Aging,
            Some(_) => Freshness::Fresh,
        }
    }

    /// The time since it was asked for, by the clock that went further.
    pub(crate) fn lived(&self, now: Moment) -> Duration {
        let by_wall = now.wall.duration_since(self.asked.wall).unwrap_or_default();
        by_wall.max(now.monotonic.saturating_sub(self.asked.monotonic))
    }

    /// What is left of its lifetime, if that is known.
    pub(crate) fn left(&self, now: Moment) -> Option<Duration> {
        Some(self.lifetime?.saturating_sub(self.lived(now)))
    }
}

/// How values are fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// The name of what is fetched, for errors and warnings.
    pub(crate) what: &'static str,
    /// A fetch that takes longer has failed; none for one that may take any time.
    pub(crate) deadline: Option<Duration>,
    /// After a failure nothing is fetched for so long, twice as long after each in a row.
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
    /// A number in `0.0..=1.0`: half of each pause is left to it.
    pub(crate) random: fn() -> f64,
}

impl Policy {
    fn pause(&self, failures_before: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << failures_before.min(16)).min(self.longest_pause);
        doubled.mul_f64(0.5 + (self.random)() / 2.0)
    }
}

/// The limit of a fetch that waits for machines only.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// A value is not renewed sooner than this after it came, however short its lifetime.
pub(crate) const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
