//! The numbers of model calls, read by the names that dialects have for them and told once. Knows no dialect.

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use super::{
    json::{Json, Object},
    usage::Usage,
};

/// What has been told of each model call.
#[derive(Clone, Default)]
pub(super) struct Tally {
    calls: VecDeque<Call>,
    total: Usage,
    ids: RandomState,
}

#[derive(Clone)]
struct Call {
    /// The hash of its id, or of who made it where calls have no ids.
    key: u64,
    told: Usage,
    /// The shapes of events that have told it.
    shapes: u8,
}

/// How numbers are related to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// More of the same call.
    More,
    /// All of the call so far.
    SoFar,
    /// All of a call, so far or at its end. Without an id the next from the same shape of event, by its bit, is another call's.
    Whole(u8),
    /// All of the answer so far, whatever the call.
    Total,
}

impl Tally {
    /// The next numbers without an id belong to another call.
    pub(super) fn begin(&mut self, speaker: Option<&str>) {
        let key = self.key(None, speaker);
        self.calls.retain(|call| call.key != key);
    }

    /// Takes numbers of the call with the id, or of the only one that the speaker makes; returns what was not told before.
    pub(super) fn take(
        &mut self,
        id: Option<&str>,
        speaker: Option<&str>,
        report: Report,
        usage: &Usage,
    ) -> Option<Usage> {
        let new = match report {
            Report::Total => usage.beyond(&mut self.total.clone()),
            Report::More => {
                self.call(self.key(id, speaker)).told.add(usage);
                *usage
            }
            Report::SoFar => usage.beyond(&mut self.call(self.key(id, speaker)).told),
            Report::Whole(shape) => {
                let call = self.call(self.key(id, speaker));
                if id.is_none() && call.shapes & shape != 0 {
                    (call.told, call.shapes) = (Usage::default(), 0);
                }
                call.shapes |= shape;
                usage.beyond(&mut call.told)
            }
        };
        self.total.add(&new);
        (!new.is_unknown()).then_some(new)
    }

    fn key(&self, id: Option<&str>, speaker: Option<&str>) -> u64 {
        match id {
            Some(id) => self.ids.hash_one((0, id)),
            None => self.ids.hash_one((1, speaker)),
        }
    }

    fn call(&mut self, key: u64) -> &mut Call {
        let index = self.calls.iter().rposition(|call| call.key == key).unwrap_or_else(|| {
            if self.calls.len() == MOST_CALLS {
                self.calls.pop_front();
            }
            self.calls.push_back(Call { key, told: Usage::default(), shapes: 0 });
            self.calls.len() - 1
        });
        &mut self.calls[index]
    }
}

/// How many model calls are remembered, some hundred bytes each, before the oldest is forgotten.
const MOST_CALLS: usize = 1024;

/// The names that a dialect has for the numbers.
pub(super) struct Names {
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    /// Tokens read from a cache, and the object within which they stand, if they do.
    pub(super) cached: (Option<&'static str>, &'static str),
    /// Tokens written to a cache, where those of the cache are counted beside the input.
    pub(super) beside: Option<&'static str>,
    /// The sum of input and output, which says whether the cache's are beside the input.
    pub(super) total: Option<&'static str>,
}

impl Names {
    /// Reads the numbers; what is no count of tokens is unknown.
    pub(super) fn read(&self, usage: Object<'_>) -> Usage {
        let count = |key: &str| usage.get(key).and_then(count);
        let (mut input, output) = (count(self.input), count(self.output));
        let cached = match self.cached {
            (None, key) => count(key),
            (Some(details), key) => usage.get(details).and_then(|details| details.get(key)).and_then(self::count),
        };
        if let (Some(written), Some(read)) = (self.beside, &mut input) {
            let is_within = self.total.and_then(count).is_some_and(|total| total == *read + output.unwrap_or(0));
            if !is_within {
                *read += cached.unwrap_or(0) + count(written).unwrap_or(0);
            }
        }
        Usage { input_tokens: input, output_tokens: output, cached_tokens: cached, latency: None }
    }
}

/// A number of tokens: whole, not negative, and no larger than numbers are exact in JSON.
fn count(number: Json<'_>) -> Option<u64> {
    let digits = number.digits()?;
    let count = match digits.parse() {
        Ok(count) => count,
        Err(_) => whole(digits.parse().ok()?)?,
    };
    (count <= MOST_TOKENS).then_some(count)
}

/// Some agents write whole numbers as `12.0`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and within the bounds")]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number)).then_some(number as u64)
}

/// A duration in milliseconds, if it is one.
pub(super) fn millis(number: Json<'_>) -> Option<Duration> {
    let millis: f64 = number.digits()?.parse().ok()?;
    Duration::try_from_secs_f64(millis / 1000.0).ok()
}

/// 2⁵³ − 1, the bound that AG-UI sets for its counts (`TokenUsage` of its Python SDK).
const MOST_TOKENS: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::{super::json::Values, *};

    const BESIDE: Names =
        Names { input: "in", output: "out", cached: (None, "read"), beside: Some("written"), total: Some("total") };
    const WITHIN: Names =
        Names { input: "in", output: "out", cached: (Some("details"), "read"), beside: None, total: None };

    fn read(names: &Names, json: &str) -> [Option<u64>; 3] {
        let (data, mut values) = (ByteString::from(json), Values::default());
        let Some(object) = values.read(&data).and_then(Json::object) else { panic!("it is an object: {json}") };
        let usage = names.read(object);
        [usage.input_tokens, usage.output_tokens, usage.cached_tokens]
    }

    #[test]
    fn numbers() {
        for (number, expected) in [
            ("null", None),
            ("-1", None),
            ("-0", Some(0)),
            ("0", Some(0)),
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("1e3", Some(1000)),
            ("1.5", None),
            ("-1.0", None),
            ("9007199254740991", Some(9_007_199_254_740_991)),
            ("9007199254740992", None),
            ("18446744073709551616", None),
            ("1e300", None),
            ("1e999", None),
            ("NaN", None),
            ("Infinity", None),
            ("-Infinity", None),
            ("\"12\"", None),
            ("true", None),
            ("{}", None),
            ("[12]", None),
        ] {
            assert_eq!(read(&WITHIN, &format!(r#"{{"in": {number}, "x": 1}}"#)), [expected, None, None], "{number}");
        }
    }

    #[test]
    fn caches() {
        for (names, json, expected) in [
            (&BESIDE, r#"{"in": 10, "out": 3, "read": 5, "written": 2}"#, [Some(17), Some(3), Some(5)]),
            (&BESIDE, r#"{"in": 10, "out": 3, "read": 5, "total": 18}"#, [Some(15), Some(3), Some(5)]),
            (&BESIDE, r#"{"in": 10, "out": 3, "read": 5, "total": 13}"#, [Some(10), Some(3), Some(5)]),
            (&BESIDE, r#"{"in": null, "read": 5, "written": null}"#, [None, None, Some(5)]),
            (&BESIDE, r#"{"in": 10, "read": -5, "written": 1.5}"#, [Some(10), None, None]),
            (&WITHIN, r#"{"in": 10, "details": {"read": 4}}"#, [Some(10), None, Some(4)]),
            (&WITHIN, r#"{"in": 10, "details": null}"#, [Some(10), None, None]),
            (&WITHIN, r#"{"in": 10, "details": 4}"#, [Some(10), None, None]),
            (&WITHIN, "{}", [None, None, None]),
        ] {
            assert_eq!(read(names, json), expected, "{json}");
        }
    }

    #[test]
    fn latencies() {
        for (number, expected) in [
            ("4", Some(Duration::from_millis(4))),
            ("0.5", Some(Duration::from_micros(500))),
            ("-1", None),
            ("1e300", None),
            ("NaN", None),
            ("null", None),
        ] {
            let (data, mut values) = (ByteString::from(number), Values::default());
            assert_eq!(values.read(&data).and_then(millis), expected, "{number}");
        }
    }

    fn usage(output: u64) -> Usage {
        Usage { output_tokens: Some(output), ..Usage::default() }
    }

    /// A step: the id, who speaks, the report, its output tokens, and how many of them are new; `None` begins another call.
    type Step = Option<(Option<&'static str>, Option<&'static str>, Report, u64, Option<u64>)>;

    #[test]
    fn what_is_new() {
        use Report::{More, SoFar, Total, Whole};
        let stories: &[(&str, &[Step])] = &[
            (
                "by id",
                &[
                    Some((Some("1"), None, More, 2, Some(2))),
                    Some((Some("1"), None, More, 2, Some(2))),
                    Some((Some("1"), None, Whole(1), 4, None)),
                    Some((Some("1"), None, Whole(1), 4, None)),
                    Some((Some("2"), None, Whole(1), 4, Some(4))),
                    Some((Some("2"), None, SoFar, 7, Some(3))),
                    Some((Some("2"), None, SoFar, 6, None)),
                ],
            ),
            (
                "told by two shapes, and another call",
                &[
                    Some((None, None, Whole(1), 4, Some(4))),
                    Some((None, None, Whole(2), 4, None)),
                    Some((None, None, Whole(4), 4, None)),
                    Some((None, None, Whole(2), 4, Some(4))),
                    Some((None, None, Whole(1), 4, None)),
                ],
            ),
            (
                "a beginning",
                &[
                    Some((None, None, SoFar, 1, Some(1))),
                    Some((None, None, SoFar, 5, Some(4))),
                    None,
                    Some((None, None, SoFar, 5, Some(5))),
                ],
            ),
            (
                "two who speak at a time",
                &[
                    Some((None, Some("a"), Whole(1), 3, Some(3))),
                    Some((None, Some("b"), Whole(1), 5, Some(5))),
                    Some((None, Some("a"), Whole(2), 3, None)),
                    Some((None, Some("b"), Whole(2), 5, None)),
                    Some((None, None, Total, 8, None)),
                    Some((None, None, Total, 9, Some(1))),
                    Some((None, None, Total, 9, None)),
                ],
            ),
        ];
        for (name, story) in stories {
            let mut tally = Tally::default();
            for (index, step) in story.iter().enumerate() {
                match step {
                    None => tally.begin(None),
                    Some((id, speaker, report, output, new)) => {
                        let told = tally.take(*id, *speaker, *report, &usage(*output));
                        assert_eq!(told, new.map(usage), "{name}: {index}");
                    }
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut tally = Tally::default();
        for number in 0..3 * MOST_CALLS {
            tally.take(Some(&number.to_string()), None, Report::More, &usage(1));
        }
        assert_eq!(tally.calls.len(), MOST_CALLS);
        assert_eq!(tally.total, usage(3 * MOST_CALLS as u64));
    }
}
