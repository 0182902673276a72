//! The length of pauses between attempts: decorrelated jitter, with randomness passed in. Sleeps nowhere.

use std::time::Duration;

/// Random pauses that grow, so that clients which failed together do not retry together.
///
/// Each pause is drawn between `base` and three times the pause before it, and never longer than `cap` ("decorrelated
/// jitter", AWS Architecture Blog, "Exponential Backoff And Jitter").
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    previous: Duration,
}

impl Backoff {
    /// Makes pauses between `base` and `cap`.
    #[must_use]
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, previous: base }
    }

    /// Returns the next pause, for a random number in `0.0..1.0`.
    pub fn next(&mut self, random: f64) -> Duration {
        let low = self.base.min(self.cap);
        let high = self.previous.saturating_mul(3).clamp(low, self.cap);
        let jitter = (high - low).as_secs_f64() * random.clamp(0.0, 1.0);
        // A jitter that no `Duration` holds is as long as the bounds allow.
        self.previous = Duration::try_from_secs_f64(jitter).map_or(high, |jitter| low.saturating_add(jitter).min(high));
        self.previous
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_within_its_bounds() {
        let ms = Duration::from_millis;
        for (random, pauses) in
            [(0.0, [100, 100, 100, 100]), (0.5, [200, 350, 550, 550]), (1.0, [300, 900, 1000, 1000])]
        {
            let mut backoff = Backoff::new(ms(100), ms(1000));
            assert_eq!(pauses.map(|_| backoff.next(random)), pauses.map(ms));
        }
    }

    #[test]
    fn odd_settings_do_no_harm() {
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO).next(0.7), Duration::ZERO);
        assert_eq!(Backoff::new(Duration::from_secs(9), Duration::from_secs(1)).next(1.0), Duration::from_secs(1));
        assert_eq!(Backoff::new(Duration::MAX, Duration::MAX).next(2.0), Duration::MAX);
        assert_eq!(Backoff::new(Duration::from_secs(u64::MAX / 2), Duration::MAX).next(1.0).as_secs(), u64::MAX);
        assert_eq!(Backoff::new(Duration::ZERO, Duration::MAX).next(f64::NAN), Duration::ZERO);
    }
}
