//! Limits how fast frames are sent: a token bucket over a time that is passed in. Never sleeps.

use std::time::Duration;

use tokio::time::Instant;

/// Limits the frames within any second.
///
/// The bucket holds a fifth of the limit and refills with the rest within a second, so that no second, wherever it begins, has
/// more frames than the limit.
#[derive(Debug)]
pub(crate) struct RateLimit {
    capacity: f64,
    per_second: f64,
    tokens: f64,
    at: Instant,
}

impl RateLimit {
    pub(crate) fn new(frames_per_second: u32, now: Instant) -> Self {
        let frames = f64::from(frames_per_second);
        let capacity = (frames / 5.0).max(1.0);
        Self { capacity, per_second: (frames - capacity).max(1.0), tokens: capacity, at: now }
    }

    /// Takes a token for one frame, or returns how long to wait before the next try.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.capacity);
        self.at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // A nanosecond more, so that rounding does not cause a second wait.
        Err(Duration::from_secs_f64((1.0 - self.tokens) / self.per_second + 1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of `frames` leaves, in milliseconds.
    fn departures(per_second: u32, frames: usize) -> Vec<u128> {
        let begin = Instant::now();
        let mut now = begin;
        let mut rate_limit = RateLimit::new(per_second, begin);
        let mut left = Vec::new();
        while left.len() < frames {
            match rate_limit.take(now) {
                Ok(()) => left.push((now - begin).as_millis()),
                Err(wait) => now += wait,
            }
        }
        left
    }

    #[test]
    fn no_second_sees_more_than_the_bound() {
        for per_second in [1, 5, 250] {
            let left = departures(per_second, 2000);
            let worst =
                left.iter().map(|from| left.iter().filter(|at| (*from..from + 1000).contains(at)).count()).max();
            let bound = usize::try_from(per_second).unwrap_or(usize::MAX);
            assert!(worst.is_some_and(|worst| worst <= bound), "{per_second}: {worst:?}");
        }
    }

    #[test]
    fn a_few_frames_leave_at_once_and_many_are_spread() {
        let left = departures(250, 250);
        assert_eq!(left[..50], [0; 50]);
        assert_eq!((left[50], left[249]), (5, 1000));
    }
}
