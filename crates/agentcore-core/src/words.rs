//! Durations in words, for messages. Knows no clock.

use std::time::Duration;

/// Returns a duration in words, in the largest unit that leaves two or more of it: `90 s`, `45 min`, `30 h`, `12 days`.
#[must_use]
pub fn duration_in_words(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_that_leaves_two() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
            (u64::MAX, "213503982334601 days"),
        ] {
            assert_eq!(duration_in_words(Duration::from_secs(seconds)), words);
        }
        assert_eq!(duration_in_words(Duration::from_millis(1999)), "1 s");
    }
}
