//! Tables of what dialects read: stories of events, and what an agent means by them, a word and its content a line.

use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::{Value, json};

use super::*;

/// What was pushed, and what it becomes, in short:
///
/// | | |
/// |---|---|
/// | `say Hello` | text |
/// | `think hm` | reasoning |
/// | `use t1 add {"a"` | a piece of a call; with `.` at the end the last |
/// | `result t1 3` | a tool's; `failed t1 no` if it failed |
/// | `error KeyError: x` | an agent's error |
/// | `used 10 2 - 4` | tokens read, written, and read from a cache, and milliseconds; `-` for what is unknown |
/// | `ask i1 approve May I? {}` | an interrupt: id, name, reason, and the schema if there is one |
/// | `trace`, `state`, `other` | the event itself |
pub(super) type Story<'a> = (&'a [&'a str], &'a [&'a str]);

pub(super) fn check(stories: &[Story<'_>]) {
    for (pushed, expected) in stories {
        let mut reader = Reader::new();
        let mut found = Vec::new();
        for data in *pushed {
            let event = SseEvent::new(*data);
            reader.push(event.clone());
            while let Some(read) = reader.next_event() {
                found.push(told(read));
            }
        }
        reader.finish();
        found.extend(std::iter::from_fn(|| reader.next_event()).map(told));
        assert_eq!(found, *expected, "{pushed:#?}");
    }
}

/// A story of events with names: the name and the data of each.
pub(super) type NamedStory<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

pub(super) fn check_named(stories: &[NamedStory<'_>]) {
    for (pushed, expected) in stories {
        let mut reader = Reader::new();
        for (name, data) in *pushed {
            let mut event = SseEvent::new(*data);
            event.event = (*name).into();
            reader.push(event);
        }
        reader.finish();
        let found: Vec<_> = std::iter::from_fn(|| reader.next_event()).map(told).collect();
        assert_eq!(found, *expected, "{pushed:#?}");
    }
}

/// What the end of a stream of these events says of itself.
pub(super) fn end_mark(pushed: &[&str]) -> EndMark {
    let mut reader = Reader::new();
    pushed.iter().for_each(|data| reader.push(SseEvent::new(*data)));
    reader.finish();
    reader.end_mark()
}

pub(super) fn told(read: Result<Event, Error>) -> String {
    match read {
        Ok(Event::Text(text)) => format!("say {text}"),
        Ok(Event::Reasoning(text)) => format!("think {text}"),
        Ok(Event::ToolUse(ToolUse { id, name, input, last })) => {
            format!("use {id} {name} {input}{}", if last { "." } else { "" })
        }
        Ok(Event::ToolResult(ToolResult { id, content, failed })) => {
            format!("{} {id} {content}", if failed { "failed" } else { "result" })
        }
        Ok(Event::Usage(usage)) => {
            let numbers = [usage.input_tokens, usage.output_tokens, usage.cached_tokens];
            let latency = usage.latency.map(|latency| latency.as_millis().to_string());
            let numbers = numbers.map(|number| number.map(|number| number.to_string()));
            let all = numbers.into_iter().chain([latency]).map(|number| number.unwrap_or_else(|| "-".to_owned()));
            format!("used {}", all.collect::<Vec<_>>().join(" "))
        }
        Ok(Event::Interrupt(asked)) => {
            let schema = asked.schema.as_ref().map(|schema| format!(" {schema}")).unwrap_or_default();
            format!("ask {} {} {}{schema}", asked.id, asked.name, asked.reason)
        }
        Ok(Event::Done(_)) => "done".to_owned(),
        Ok(Event::Trace(_)) => "trace".to_owned(),
        Ok(Event::State(_)) => "state".to_owned(),
        Ok(Event::Other(_)) => "other".to_owned(),
        Err(error) => format!("error {}: {}", error.code().unwrap_or_default(), error.message()),
    }
}

/// What no dialect knows is the same event afterwards, and breaks nothing for the next one.
#[test]
fn unknown_shapes_pass() {
    for data in [
        "",
        "[DONE]",
        "NaN",
        "-Infinity",
        r#"{"x": NaN}"#,
        "{nope",
        "[",
        "{}",
        "[]",
        "1",
        "1.5e3",
        "true",
        "null",
        r#"["l", 1]"#,
        r#"["a"]"#,
        r#"["messages"]"#,
        r#"["messages", "x"]"#,
        r#"[["a"], ["b"]]"#,
        r#"{"i": 0}"#,
        r#"{"text": null}"#,
        r#"{"event": "x"}"#,
        r#"{"event": {"x": 1}}"#,
        r#"{"event": "on_x"}"#,
        r#"{"type": "unknown", "text": "x"}"#,
        r#"{"type": "TEXT_MESSAGE_CONTENT"}"#,
        r#"{"type": "ai"}"#,
        r#"{"jsonrpc": "2.0", "text": "x"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "result": {}}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "result": "x"}"#,
        r#"{"messages": []}"#,
        r#"{"messages": [1]}"#,
        r#"{"node": {"messages": "x"}}"#,
        r#"{"metadata": {"a": 1}}"#,
        r#"{"trace": "on"}"#,
        r#"{"completion": 1}"#,
        r#"{"contentBlockDelta": 1}"#,
        r#"{"message": {"role": "assistant"}}"#,
        r#"{"message": {"role": "assistant", "content": []}}"#,
    ] {
        check(&[(&[data, r#""next""#], &["other", "say next"])]);
    }
    for (open, close) in
        [(r#"{"result":"#, "}"), (r#"[[],"#, "]"), (r#"{"lc":1,"kwargs":"#, "}"), (r#"["messages","#, "]")]
    {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        check(&[(&[&deep, r#""next""#], &["other", "say next"])]);
    }
}

/// What a stream is decides what its events mean.
#[test]
fn words_and_json() {
    check(&[
        (
            &[
                "The price is ",
                "$",
                "0",
                ".",
                "005",
                " [",
                "1",
                "]",
                " and ",
                "true",
                "[see",
                " \"quoted\"",
                "{",
                "}",
                "null",
            ],
            &[
                "say The price is ",
                "say $",
                "say 0",
                "say .",
                "say 005",
                "say  [",
                "say 1",
                "say ]",
                "say  and ",
                "say true",
                "say [see",
                "say  \"quoted\"",
                "say {",
                "say }",
                "say null",
            ],
        ),
        (&["42", " apples"], &["say 42", "say  apples"]),
        (&["\"", "quoted", "\""], &["say \"", "say quoted", "say \""]),
        (&["[1]", "{", "}", "x"], &["say [1]", "say {", "say }", "say x"]),
        (&["42", "\"a\"", "42", "[1]"], &["other", "say a", "other", "other"]),
        (&["true", r#"{"text": "a"}"#, "false"], &["other", "say a", "other"]),
        (&["42"], &["say 42"]),
        (&["true", "7"], &["say true", "say 7"]),
        (&["null"], &["other"]),
        (&["{}", "[]"], &["other", "other"]),
        (&["[DONE]"], &["other"]),
        (&["a", "[DONE]"], &["say a", "other"]),
        (&["{nope"], &["say {nope"]),
        (&["a", r#"{"error": "boom"}"#], &["say a", "error : boom"]),
        (&["a", r#"{"x": 1}"#], &["say a", r#"say {"x": 1}"#]),
        (&[r#""a""#, "plain", r#""b""#], &["say a", "say plain", "say b"]),
    ]);
    let held: Vec<&str> = vec!["1"; 100];
    let said: Vec<&str> = vec!["say 1"; 100];
    check(&[(&held, &said)]);
}

#[test]
fn nothing_is_lost_to_one_bad_escape() {
    check(&[
        (&[r#""\ud800""#, r#""next""#], &["say ", "say \u{FFFD}next"]),
        (&[r#""a\ud83d""#, r#""\ude00b""#], &["say a", "say \u{1F600}b"]),
        (&[r#"{"text": "\ud83d"}"#, r#"{"text": "\ude00"}"#], &["say ", "say \u{1F600}"]),
        (&[r#""a\ud83d""#], &["say a", "say \u{FFFD}"]),
        (&[r#"{"data": "x", "score": NaN}"#], &["say x"]),
        (&[r#"{"text": "a\u0000b"}"#], &["say a\0b"]),
        (&[r#"{"text": "it\'s \x"}"#], &["say it's \\x"]),
        (&["{\"text\": \"a\tb\"}"], &["say a\tb"]),
        (&[r#"{"text": "Chapter "}"#, r#"{"text": 6}"#], &["say Chapter ", "say 6"]),
        (&[r#"{"text": "no", "text": "yes"}"#], &["say yes"]),
    ]);
}

/// Events that no empty line separates, as AWS's own page shows them.
#[test]
fn lines_that_are_events_of_their_own() {
    check(&[
        (&["\"Hel\"\n\"lo\""], &["say Hel", "say lo"]),
        (&["{\"data\": \"Hel\"}\n{\"data\": \"lo\"}"], &["say Hel", "say lo"]),
        (&["{\n\"data\": \"Hello\"\n}"], &["say Hello"]),
        (&["one line\nanother"], &["say one line\nanother"]),
        (&["\"a\"\nand more"], &["say \"a\"\nand more"]),
    ]);
}

#[test]
fn names_of_events() {
    check_named(&[
        (
            &[("ping", "2026-01-05 10:00:00"), ("message", r#""Hel""#), ("heartbeat", "{}"), ("message", r#""lo""#)],
            &["other", "say Hel", "other", "say lo"],
        ),
        (&[("start", "start"), ("token", "Hi"), ("done", "done")], &["trace", "say Hi", "trace"]),
        (&[("token", r#""Hi""#), ("end", r#""Hi""#)], &["say Hi", "other"]),
        (&[("message", "42"), ("error", "boom")], &["say 42", "error : boom"]),
    ]);
}

#[test]
fn text_without_escapes_is_a_slice_of_what_came() {
    for data in [
        r#""Hello, world""#,
        r#"{"text": "Hello, world"}"#,
        r#"{"event": {"contentBlockDelta": {"delta": {"text": "Hello, world"}}}}"#,
        r#"{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "Hello, world"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "Hello, world"}]}}"#,
    ] {
        let event = SseEvent::new(data);
        let came = event.data.as_bytes().as_ptr_range();
        let mut reader = Reader::new();
        reader.push(event);
        let Some(Ok(Event::Text(text))) = reader.next_event() else { panic!("it is text: {data}") };
        assert_eq!(text, "Hello, world");
        assert!(came.contains(&text.as_bytes().as_ptr()), "{data}");
    }
}

#[test]
fn a_dialect_of_ones_own_comes_first() {
    let mut reader = Reader::new()
        .own_dialect(|event| (event.event == "word").then(|| Ok(Event::Text(event.data.clone()))))
        .own_dialect(|event| (&*event.data == "2").then(|| Err(Error::agent("two", None))));
    let word = |data: &str| {
        let mut event = SseEvent::new(data);
        event.event = "word".into();
        event
    };
    for event in [word("2"), SseEvent::new("2"), SseEvent::new("3"), SseEvent::new(r#"{"result": "2"}"#)] {
        reader.push(event.clone());
    }
    let found: Vec<_> = std::iter::from_fn(|| reader.next_event()).map(told).collect();
    assert_eq!(found, ["say 2", "error : two", "other", "other"], "what it told counts once, too");
}

/// What is rare is boxed: every event is moved, and nearly all are a piece of text.
#[test]
fn events_are_no_larger_than_what_comes_often() {
    assert!(size_of::<Event>() <= size_of::<SseEvent>() + size_of::<u64>(), "{}", size_of::<Event>());
}

/// Events may be pushed before earlier ones are pulled.
#[test]
fn pushing_ahead_changes_nothing() {
    let mut reader = Reader::new();
    reader.push(SseEvent::new(r#""a""#));
    reader.push(SseEvent::new(r#"{"event": "on_chain_start", "data": {}}"#));
    reader.push(SseEvent::new("1"));
    let found: Vec<_> = std::iter::from_fn(|| reader.next_event()).map(told).collect();
    assert_eq!(found, ["say a", "trace", "other"]);
}

/// The joined text of what events become, which must be one at least each.
fn text(events: &[Value]) -> String {
    let mut reader = Reader::new();
    let mut text = String::new();
    for event in events {
        reader.push(SseEvent::new(event.to_string()));
        let read: Vec<Event> = std::iter::from_fn(|| reader.next_event()).filter_map(Result::ok).collect();
        assert!(!read.is_empty(), "{event}");
        read.iter().filter_map(Event::text).for_each(|piece| text.push_str(piece));
    }
    text
}

/// Pieces of text as models cut it, of few letters, so that they repeat each other.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    vec("[ab]{1,2} ?", 1..6)
}

/// The events of Strands for messages in pieces, in the order it yields them; the result comes last.
fn strands(messages: &[Vec<String>]) -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for pieces in messages {
        events.push(("event", json!({ "event": { "messageStart": { "role": "assistant" } } })));
        for piece in pieces {
            events.push(("event", json!({ "event": { "contentBlockDelta": { "delta": { "text": piece } } } })));
            events.push(("data", json!({ "data": piece, "delta": { "text": piece } })));
        }
        let whole = json!({ "role": "assistant", "content": [{ "text": pieces.concat() }] });
        events.push(("message", json!({ "message": whole })));
    }
    let last = messages.last().map(|pieces| pieces.concat()).unwrap_or_default();
    events.push(("result", json!({ "result": last + "\n" })));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces are never taken for repetitions, in no dialect that has them.
    #[test]
    fn pieces_count_each(pieces in pieces()) {
        for shape in [
            |piece: &str| json!(piece),
            |piece: &str| json!({ "data": piece }),
            |piece: &str| json!({ "completion": { "text": piece } }),
            |piece: &str| json!({ "contentBlockDelta": { "delta": { "text": piece } } }),
            |piece: &str| json!([{ "type": "AIMessageChunk", "id": "m", "content": piece }, {}]),
            |piece: &str| json!({ "type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": piece }),
            |piece: &str| json!({ "jsonrpc": "2.0", "result": { "artifactUpdate": {
                "append": true, "artifact": { "artifactId": "a", "parts": [{ "text": piece }] } } } }),
        ] {
            let events: Vec<Value> = pieces.iter().map(|piece| shape(piece)).collect();
            prop_assert_eq!(text(&events), pieces.concat());
        }
    }

    /// Whichever of its events an agent on Strands passes on, each message counts once; the result alone is the last message.
    #[test]
    fn strands_counts_once(
        messages in vec(pieces(), 1..4),
        shapes in subsequence(vec!["event", "data", "message", "result"], 1..=4),
    ) {
        let events = strands(&messages).into_iter().filter(|(shape, _)| shapes.contains(shape)).map(|(_, event)| event);
        let said = text(&events.collect::<Vec<_>>());
        let expected = if shapes == ["result"] { messages[messages.len() - 1].concat() } else { messages.concat().concat() };
        prop_assert_eq!(said.trim_end(), expected.trim_end());
    }

    /// Whatever comes breaks nothing, and is not lost.
    #[test]
    fn anything_passes(data in vec(any::<String>(), 0..4)) {
        let mut reader = Reader::new();
        for data in &data {
            reader.push(SseEvent::new(data.as_str()));
        }
        reader.finish();
        let read: Vec<_> = std::iter::from_fn(|| reader.next_event()).collect();
        prop_assert!(read.len() >= data.len());
        for event in read {
            match event {
                Ok(Event::Text(text)) => prop_assert!(data.iter().any(|data| *text == **data || data.contains('"'))),
                Ok(Event::Other(event)) => prop_assert!(data.iter().any(|data| data.contains(&*event.data))),
                other => prop_assert!(other.is_ok()),
            }
        }
    }
}
