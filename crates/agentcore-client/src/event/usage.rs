//! What an agent says its model calls took. Plain data; reads no event.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// What model calls took, as far as the agent says it.
///
/// Each [`Event::Usage`](crate::Event::Usage) has what was not told before, whether the agent reports running totals or repeats
/// itself: the sum of all events is the answer's. A number that is missing, negative, a fraction or above 2⁵³ − 1 is `None`.
///
/// In JSON the latency is `latency_ms`, in milliseconds, and what is unknown is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens that models read, those from a cache and those written to one included.
    pub input_tokens: Option<u64>,
    /// Tokens that models wrote, reasoning included.
    pub output_tokens: Option<u64>,
    /// How many of the tokens that models read came from a cache.
    pub cached_tokens: Option<u64>,
    /// How long the model calls took, one after the other.
    #[serde(rename = "latency_ms", serialize_with = "millis")]
    pub latency: Option<Duration>,
}

impl Usage {
    /// Adds another one. What neither of them knows stays unknown; sums end at the largest number.
    pub fn add(&mut self, other: &Self) {
        let Self { input_tokens, output_tokens, cached_tokens, latency } = other;
        merge(&mut self.input_tokens, *input_tokens, u64::saturating_add);
        merge(&mut self.output_tokens, *output_tokens, u64::saturating_add);
        merge(&mut self.cached_tokens, *cached_tokens, u64::saturating_add);
        merge(&mut self.latency, *latency, Duration::saturating_add);
    }

    /// Returns whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what this running total has beyond what was told before, and takes it for told.
    pub(super) fn beyond(&self, told: &mut Self) -> Self {
        Self {
            input_tokens: beyond(self.input_tokens, &mut told.input_tokens, u64::saturating_sub),
            output_tokens: beyond(self.output_tokens, &mut told.output_tokens, u64::saturating_sub),
            cached_tokens: beyond(self.cached_tokens, &mut told.cached_tokens, u64::saturating_sub),
            latency: beyond(self.latency, &mut told.latency, Duration::saturating_sub),
        }
    }
}

fn merge<T: Copy>(sum: &mut Option<T>, other: Option<T>, add: impl Fn(T, T) -> T) {
    if let Some(other) = other {
        *sum = Some(sum.map_or(other, |sum| add(sum, other)));
    }
}

/// A total that falls has nothing new, and the highest counts.
fn beyond<T: Copy + Ord>(total: Option<T>, told: &mut Option<T>, subtract: impl Fn(T, T) -> T) -> Option<T> {
    let total = total?;
    match *told {
        Some(before) if total <= before => None,
        before => {
            *told = Some(total);
            Some(before.map_or(total, |before| subtract(total, before)))
        }
    }
}

fn millis<S: Serializer>(latency: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: Option<u64>, output: Option<u64>) -> Usage {
        Usage { input_tokens: input, output_tokens: output, ..Usage::default() }
    }

    #[test]
    fn sums() {
        let mut sum = Usage::default();
        assert!(sum.is_unknown());
        for (more, expected) in [
            (usage(None, None), usage(None, None)),
            (usage(Some(0), None), usage(Some(0), None)),
            (usage(Some(3), Some(1)), usage(Some(3), Some(1))),
            (usage(None, Some(2)), usage(Some(3), Some(3))),
            (usage(Some(u64::MAX), None), usage(Some(u64::MAX), Some(3))),
        ] {
            sum.add(&more);
            assert_eq!(sum, expected);
        }
        assert!(!sum.is_unknown());
    }

    #[test]
    fn running_totals() {
        let mut told = Usage::default();
        for (total, new) in [
            (usage(Some(10), Some(1)), usage(Some(10), Some(1))),
            (usage(Some(10), Some(15)), usage(None, Some(14))),
            (usage(Some(7), None), usage(None, None)),
            (usage(Some(11), Some(14)), usage(Some(1), None)),
        ] {
            assert_eq!(total.beyond(&mut told), new, "{total:?}");
        }
        assert_eq!(told, usage(Some(11), Some(15)));
    }

    #[test]
    fn as_json() {
        let usage = Usage { output_tokens: Some(2), latency: Some(Duration::from_micros(4500)), ..Usage::default() };
        let json = serde_json::to_string(&usage).unwrap_or_default();
        assert_eq!(json, r#"{"input_tokens":null,"output_tokens":2,"cached_tokens":null,"latency_ms":4}"#);
    }
}
