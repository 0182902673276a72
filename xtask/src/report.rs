//! What a person reads: headings, lines and durations. It is the only file of this program that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's output is its purpose")]

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

/// Announces a step.
pub(crate) fn heading(text: impl Display) {
    println!("\n== {text}");
}

/// Prints one line.
pub(crate) fn line(text: impl Display) {
    println!("{text}");
}

/// Prints an error and its causes.
pub(crate) fn failure(error: &dyn Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

/// Writes a duration as a person says it.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let cases =
            [(0, "0.0 s"), (1_234, "1.2 s"), (59_900, "59.9 s"), (60_000, "1 min 00 s"), (754_000, "12 min 34 s")];
        for (milliseconds, expected) in cases {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
