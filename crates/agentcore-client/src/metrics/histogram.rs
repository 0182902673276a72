//! A histogram of durations, in buckets that grow with the durations. Keeps no single duration.

use std::time::Duration;

use serde::{Serialize, ser::SerializeStruct};

/// A histogram of durations, from microseconds to days, in buckets a quarter of an octave wide.
///
/// Its quantiles are off by at most 9 % (half a bucket), and two histograms add up exactly. As JSON it is its `count`, and `min_ms`,
/// `mean_ms`, `p50_ms`, `p90_ms`, `p99_ms` and `max_ms` in milliseconds. Without durations all but the count are `None`, or null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    buckets: Box<[u64; BUCKETS]>,
    count: u64,
    sum: Duration,
    /// The longest possible duration while the histogram is empty.
    min: Duration,
    max: Duration,
}

impl Histogram {
    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the exact mean.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        (count > 0).then(|| self.sum / count)
    }

    /// Returns the shortest duration, exactly.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.min)
    }

    /// Returns the longest duration, exactly.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// Returns the duration that this share of all, 0 to 1, did not exceed.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let rank = ((self.count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let index = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(middle(index).clamp(self.min, self.max))
    }

    /// Adds a duration.
    pub(crate) fn record(&mut self, duration: Duration) {
        self.buckets[index(duration)] += 1;
        self.min = self.min.min(duration);
        self.max = self.max.max(duration);
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Adds all durations of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets.iter()) {
            *mine += theirs;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }
}

impl Default for Histogram {
    fn default() -> Self {
        let (sum, min, max) = (Duration::ZERO, Duration::MAX, Duration::ZERO);
        Self { buckets: Box::new([0; BUCKETS]), count: 0, sum, min, max }
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
        let millis = |duration: Option<Duration>| duration.map(|duration| duration.as_micros() as f64 / 1000.0);
        let mut fields = serializer.serialize_struct("Histogram", 7)?;
        fields.serialize_field("count", &self.count)?;
        fields.serialize_field("min_ms", &millis(self.min()))?;
        fields.serialize_field("mean_ms", &millis(self.mean()))?;
        fields.serialize_field("p50_ms", &millis(self.quantile(0.5)))?;
        fields.serialize_field("p90_ms", &millis(self.quantile(0.9)))?;
        fields.serialize_field("p99_ms", &millis(self.quantile(0.99)))?;
        fields.serialize_field("max_ms", &millis(self.max()))?;
        fields.end()
    }
}

/// Returns the bucket of a duration: four for each doubling of microseconds.
fn index(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1);
    let octave = micros.ilog2();
    // The two bits below the highest are the quarter.
    let quarter = if octave >= 2 { micros >> (octave - 2) } else { micros << (2 - octave) } & 3;
    let index = usize::try_from(u64::from(octave) * 4 + quarter).unwrap_or(usize::MAX);
    index.min(BUCKETS - 1)
}

/// Returns the middle of a bucket.
fn middle(index: usize) -> Duration {
    let (octave, quarter) = (index / 4, index % 4);
    #[expect(clippy::cast_precision_loss, reason = "at most 160")]
    let micros = (1.0 + (quarter as f64 + 0.5) / 4.0) * (octave as f64).exp2();
    Duration::from_secs_f64(micros / 1_000_000.0)
}

/// Up to 2^40 microseconds, 12 days.
const BUCKETS: usize = 160;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(durations: &[Duration]) -> Histogram {
        let mut histogram = Histogram::default();
        durations.iter().for_each(|duration| histogram.record(*duration));
        histogram
    }

    #[test]
    fn nothing() {
        let empty = Histogram::default();
        assert_eq!((empty.count(), empty.mean(), empty.min()), (0, None, None));
        assert_eq!((empty.max(), empty.quantile(0.5)), (None, None));
        let json = serde_json::json!({
            "count": 0, "min_ms": null, "mean_ms": null, "p50_ms": null, "p90_ms": null, "p99_ms": null, "max_ms": null
        });
        assert_eq!(serde_json::json!(empty), json);
    }

    #[test]
    fn one_hundred_known() {
        let ms = Duration::from_millis;
        let histogram = of(&(1..=100).map(ms).collect::<Vec<_>>());
        assert_eq!((histogram.count(), histogram.min(), histogram.max()), (100, Some(ms(1)), Some(ms(100))));
        assert_eq!(histogram.mean(), Some(Duration::from_micros(50_500)));
        for (share, exact) in [(0.0, 1.0), (0.5, 50.0), (0.9, 90.0), (0.99, 99.0), (1.0, 100.0)] {
            let found = histogram.quantile(share).unwrap_or_default().as_secs_f64() * 1000.0;
            assert!((found / exact - 1.0).abs() < 0.13, "{share}: {found}");
        }
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_place() {
        for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(of(&[duration]).quantile(0.5), Some(duration));
        }
    }

    proptest! {
        #[test]
        fn a_single_one_is_off_by_at_most_half_a_bucket(micros in 4_u64..1_u64 << 39) {
            let duration = Duration::from_micros(micros);
            let found = middle(index(duration)).as_secs_f64() / duration.as_secs_f64();
            prop_assert!((0.88..=1.13).contains(&found), "{found}");
        }

        #[test]
        fn two_add_up(one in prop::collection::vec(0_u64..1 << 41, 0..20), other in prop::collection::vec(0_u64..1 << 41, 0..20)) {
            let durations = |micros: &[u64]| micros.iter().map(|micros| Duration::from_micros(*micros)).collect::<Vec<_>>();
            let (one, other) = (durations(&one), durations(&other));
            let mut merged = of(&one);
            merged.merge(&of(&other));
            prop_assert_eq!(merged, of(&[one, other].concat()));
        }
    }
}
