//! The format in which SigV4 writes a moment, ISO 8601's basic one: `YYYYMMDD'T'HHMMSS'Z'`. UTC, whole seconds, from
//! 1970 on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::identity::unix_seconds;

/// Reads a moment, or `None` if it is written in any other way or names a day that never was.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &bytes[range];
        let is_number = digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    let days = days(year, month, day)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    UNIX_EPOCH.checked_add(Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// Writes a moment.
pub(super) fn format(time: SystemTime) -> String {
    let seconds = unix_seconds(time);
    let (mut days, second) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z", days + 1)
}

/// The days from 1970 to a date.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(days_of_year).sum();
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    Some(years + months + day - 1)
}

fn days_of_year(year: u64) -> u64 {
    (1..=12).map(|month| days_of_month(year, month)).sum()
}

fn days_of_month(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const SECONDS_A_DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds are those of GNU date.
    #[test]
    fn moments() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("19700101T235959Z", 86_399),
            ("20000229T120000Z", 951_825_600),
            ("20240229T000000Z", 1_709_164_800),
            ("20250815T123456Z", 1_755_261_296),
            ("20251231T235959Z", 1_767_225_599),
            ("20260101T000000Z", 1_767_225_600),
            ("21000228T235959Z", 4_107_542_399),
            ("21000301T000000Z", 4_107_542_400),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(parse(text), Some(time), "{text}");
            assert_eq!(format(time), text);
        }
    }

    #[test]
    fn no_moments() {
        for text in [
            "",
            "20250815T123456",
            "20250815T123456z",
            "20250815 123456Z",
            "2025-08-15T12:34:56Z",
            "20250015T123456Z",
            "20251315T123456Z",
            "20250800T123456Z",
            "20250832T123456Z",
            "20250229T000000Z",
            "21000229T000000Z",
            "20250815T243456Z",
            "20250815T126056Z",
            "20250815T123460Z",
            "19691231T235959Z",
            "+0250815T123456Z",
            "20250815T1234560Z",
            "2025081éT12345Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
