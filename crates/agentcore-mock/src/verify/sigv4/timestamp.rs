//! The timestamp of SigV4, in the basic format of ISO 8601: `YYYYMMDD'T'HHMMSS'Z'`. Knows UTC and whole seconds only, from
//! 1970 on.

use std::time::SystemTime;

/// Parses a timestamp, or returns `None` for another format or a date that does not exist.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let part = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
    let month = MONTHS.get(part(4, 6).parse::<usize>().ok()?.checked_sub(1)?)?;
    let (day, year, time) = (part(6, 8), part(0, 4), [part(9, 11), part(11, 13), part(13, 15)].join(":"));
    // A timestamp has no day of the week, and the parser accepts only the right one.
    let mut candidates = DAYS.iter().map(|weekday| format!("{weekday}, {day} {month} {year} {time} GMT"));
    candidates.find_map(|date| httpdate::parse_http_date(&date).ok()).filter(|time| format(*time) == text)
}

/// Formats a time.
pub(super) fn format(time: SystemTime) -> String {
    // `Fri, 15 Aug 2025 12:34:56 GMT`
    let date = httpdate::fmt_http_date(time);
    let month = MONTHS.iter().position(|month| *month == &date[8..11]).unwrap_or_default() + 1;
    format!("{}{month:02}{}T{}Z", &date[12..16], &date[5..7], date[17..25].replace(':', ""))
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

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
