//! Medians and ratios, and how they are written. Knows nothing of what was measured.

use std::fmt;

/// A ratio that was measured several times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio {
    median: f64,
    least: f64,
    most: f64,
}

impl Ratio {
    /// Sums up what was measured.
    pub(crate) fn of(values: &[f64]) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { median: median(values), least, most }
    }

    /// Whether it can be the ratio of two times that work took.
    pub(crate) fn is_sane(self) -> bool {
        self.least > 0.0 && self.most.is_finite()
    }
}

impl fmt::Display for Ratio {
    /// Writes the median, and from where to where the values went.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}–{})", factor(self.median), factor(self.least), factor(self.most))
    }
}

/// The middle one, or between the two in the middle; of nothing it is not a number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (None, _) => f64::NAN,
        (Some(upper), 0) => f64::midpoint(sorted[middle - 1], *upper),
        (Some(value), _) => *value,
    }
}

/// Writes a ratio with three digits or more.
pub(crate) fn factor(value: f64) -> String {
    let decimals = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// Writes a time in seconds with its unit.
pub(crate) fn time(seconds: f64) -> String {
    match seconds * 1e6 {
        micros @ 1.0.. => format!("{} µs", factor(micros)),
        micros => format!("{} ns", factor(micros * 1e3)),
    }
}

/// Writes a row of a Markdown table.
pub(crate) fn cells<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    cells.into_iter().fold("|".to_owned(), |row, cell| row + " " + cell.as_ref() + " |") + "\n"
}

/// Writes the heading of a Markdown table.
pub(crate) fn heading(names: &[&str]) -> String {
    cells(names) + "|" + &"---|".repeat(names.len()) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let cases: [(&[f64], f64); 4] =
            [(&[7.0], 7.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 2.0, 9.0], 3.0), (&[1.0, 1.0, 5.0, 5.0, 5.0], 5.0)];
        for (values, expected) in cases {
            assert_eq!(median(values).to_bits(), expected.to_bits(), "{values:?}");
        }
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_read_well() {
        let cases: [(&[f64], &str); 4] = [
            (&[1.0], "1.00 (1.00–1.00)"),
            (&[1.234, 1.1, 1.359], "1.23 (1.10–1.36)"),
            (&[12.34, 9.994, 250.4], "12.3 (9.99–250)"),
            (&[12_345.6, 0.5, 99_999.5], "12346 (0.50–100000)"),
        ];
        for (values, expected) in cases {
            assert_eq!(Ratio::of(values).to_string(), expected, "{values:?}");
        }
    }

    #[test]
    fn times_have_units() {
        let cases = [(13.04e-6, "13.0 µs"), (1.0e-6, "1.00 µs"), (0.0714e-6, "71.4 ns"), (1.5e-3, "1500 µs")];
        for (seconds, expected) in cases {
            assert_eq!(time(seconds), expected);
        }
    }

    #[test]
    fn what_is_no_ratio_is_not_sane() {
        let cases: [(&[f64], bool); 6] = [
            (&[0.5, 2.0], true),
            (&[0.0, 2.0], false),
            (&[-1.0, 2.0], false),
            (&[f64::INFINITY, 1.0], false),
            (&[f64::NAN], false),
            (&[], false),
        ];
        for (values, sane) in cases {
            assert_eq!(Ratio::of(values).is_sane(), sane, "{values:?}");
        }
    }

    #[test]
    fn tables_are_markdown() {
        assert_eq!(heading(&["a", "b"]), "| a | b |\n|---|---|\n");
        assert_eq!(cells(["x", "1"]), "| x | 1 |\n");
    }
}
