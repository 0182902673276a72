//! JSON by the standard, compared with another implementation; and what agents send instead, by hand.

use proptest::prelude::*;
use serde_json::Value;

use super::{scan::SHORT_TEXT, *};

/// What was read, as `serde_json` would have it.
fn value(json: Json<'_>) -> Value {
    match json.kind() {
        Kind::Object => {
            let member = |name: ByteString| (name.to_string(), json.get(&name).map_or(Value::Null, value));
            json.members().map(|(name, _)| member(name.plain())).collect()
        }
        Kind::Array => json.items().map(value).collect(),
        Kind::String | Kind::Escaped => json.plain().to_string().into(),
        Kind::Number => serde_json::from_str(json.raw()).unwrap_or_else(|_| format!("number {}", json.raw()).into()),
        Kind::True => true.into(),
        Kind::False => false.into(),
        Kind::Null => Value::Null,
        Kind::Large => "large".into(),
    }
}

fn read(text: &str) -> Option<Value> {
    Values::default().read(&text.into()).map(value)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_values_as_serde_json(expected in any_json()) {
        prop_assert_eq!(read(&expected.to_string()), Some(expected.clone()));
        prop_assert_eq!(read(&serde_json::to_string_pretty(&expected).unwrap_or_default()), Some(expected));
    }

    /// Whatever was read before, be it the same but for a few bytes.
    #[test]
    fn the_same_values_after_another_text(
        json in any_json(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..3_usize, "[a\"\\\\:,1é ]{0,3}"), 1..6),
    ) {
        let mut values = Values::default();
        let mut text = json.to_string();
        for (at, removed, added) in edits {
            let _ = values.read(&text.as_str().into());
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len() + 1);
            characters.splice(at..characters.len().min(at + removed), added.chars());
            text = characters.into_iter().collect();
            prop_assert_eq!(values.read(&text.as_str().into()).map(value), read(&text), "{}", text);
        }
    }

    /// Of what is no JSON, only what this module names is read.
    #[test]
    fn nothing_that_is_no_json(text in r#"[\[\]{}:," \\a1.eE+-]{0,12}"#) {
        let strict = serde_json::from_str::<Value>(&text).ok();
        if !text.contains('\\') {
            prop_assert_eq!(read(&text), strict);
        } else if let Some(strict) = strict {
            prop_assert_eq!(read(&text), Some(strict));
        }
    }

    #[test]
    fn halves_are_joined_wherever_a_text_is_cut(text in "[a\u{1F600}\u{10FFFF}é]{0,8}") {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\"\\u{unit:04x}\"")).collect();
        let (mut halves, mut joined) = (Halves::default(), String::new());
        for unit in &units {
            let piece = Values::default().read(&unit.as_str().into()).and_then(Json::string);
            let piece = piece.unwrap_or_default();
            joined.push_str(halves.join(&piece).as_deref().unwrap_or(&piece));
        }
        prop_assert_eq!(joined, text);
        prop_assert_eq!(halves.end(), None);
    }
}

#[test]
fn a_text_that_differs_in_one_string() {
    let long = "x".repeat(SHORT_TEXT);
    let mut values = Values::default();
    for text in [
        r#"{"a": {"b": "one"}, "c": [1, "two"]}"#,
        r#"{"a": {"b": "three"}, "c": [1, "two"]}"#,
        r#"{"a": {"b": ""}, "c": [1, "two"]}"#,
        r#"{"a": {"b": ""}, "c": [1, "2"]}"#,
        r#"{"a": {"b": "é\""}, "c": [1, "2"]}"#,
        r#"{"a": {"b": "é\" "}, "c": [1, "2"]}"#,
        r#"{"a": {"name": "é"}, "c": [1, "2"]}"#,
        r#"{"a": {"n": "é"}, "c": [1, "2"]}"#,
        r#"{"a": {"n": "é", "a": "é"}, "c": [1, "2"]}"#,
        r#"{"a": {"n": "e", "a": "é"}, "c": [1, "2"]}"#,
        &format!(r#"{{"a": {{"n": "{long}", "a": "é"}}, "c": [1, "2"]}}"#),
        r#"{"a": {"n": "e", "a": "é"}, "c": [1, "2"]}"#,
    ] {
        let expected: Option<Value> = serde_json::from_str(text).ok();
        assert!(expected.is_some(), "{text}");
        assert_eq!(values.read(&text.into()).map(value), expected, "{text}");
    }
    // What is broken is not taken for what was whole.
    for text in [r#"{"a": {"n": "e", "a": "é}, "c": [1, "2"]}"#, r#"{"a": {"n": "e", "a": "é"}, "c": [1, "2"]"#] {
        assert_eq!(values.read(&text.into()).map(value), None, "{text}");
    }
    assert_eq!(values.read(&r#"{"a": 1}"#.into()).map(value), Some(serde_json::json!({"a": 1})));
}

#[test]
fn more_than_the_standard_allows() {
    for (text, expected) in [
        (r#"{"a": NaN, "b": -Infinity}"#, r#"{"a": "number NaN", "b": "number -Infinity"}"#),
        ("\"tab\there\"", r#""tab\there""#),
        (r#""it\'s \x41 \u12""#, r#""it's \\x41 \\u12""#),
        (r#""nul \u0000""#, r#""nul \u0000""#),
    ] {
        assert_eq!(read(text), serde_json::from_str(expected).ok(), "{text}");
    }
    for text in [
        "", " ", "{", "[1,]", "{\"a\"}", "{a: 1}", "1 2", "01", "1.", ".5", "+1", "1e", "-", "tru", "[1}", "\"",
        r#""\"#,
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn halves_without_another() {
    let mut halves = Halves::default();
    let text = |raw: &str| unescape::unescape(raw);
    assert_eq!(halves.join("plain"), None);
    assert_eq!(halves.join(&text(r"a\ude00b")).as_deref(), Some("a\u{FFFD}b"));
    assert_eq!(halves.join(&text(r"a\ud83d")).as_deref(), Some("a"));
    assert_eq!(halves.join("b").as_deref(), Some("\u{FFFD}b"));
    assert_eq!(halves.join(&text(r"\ud83d")).as_deref(), Some(""));
    assert_eq!(halves.end(), Some("\u{FFFD}"));
}

/// The largest container is passed over, and what stands beside it is read.
#[test]
fn memory_is_bounded() {
    for unit in ["1,", "[1],", r#"{"":1},"#] {
        let large = format!(r#"{{"before": "b", "table": [{}1], "after": ["a"]}}"#, unit.repeat(1_000_000));
        let (data, mut values) = (large.as_str().into(), Values::default());
        let object = values.read(&data).and_then(Json::object).expect("it is an object");
        assert_eq!(object.string("before").as_deref(), Some("b"));
        assert_eq!(object.get("table").map(Json::kind), Some(Kind::Large));
        assert_eq!(object.get("after").map(value), Some(serde_json::json!(["a"])));
    }
    let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let depth = std::iter::successors(read(&deep), |value| value.get(0).cloned()).count();
    assert_eq!(depth, 128);
}

#[test]
fn values_that_say_nothing() {
    for (text, expected) in [
        ("null", true),
        ("false", true),
        ("0", true),
        ("-0.0", true),
        (r#"" ""#, true),
        (r#"[{"a": [""]}, 0]"#, true),
        ("true", false),
        ("1", false),
        (r#"["", "x"]"#, false),
        ("NaN", false),
    ] {
        assert_eq!(Values::default().read(&text.into()).map(Json::is_nothing), Some(expected), "{text}");
    }
}
