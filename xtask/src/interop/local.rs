//! `acore --local` against the official SDK's own server: whole answers, streams, failures and odd SSE.

use serde_json::{Value, json};

use super::Bench;
use super::case::{Case, Tally};
use crate::Outcome;

/// Starts the agent and runs every case against it.
pub(super) fn run(bench: &Bench, tally: &mut Tally) -> Outcome {
    let agent = bench.serve("agent_app", &bench.script("agent_app.py"))?;
    let local = ["--local", agent.url.as_str()];
    let ping = Case::new("ping", &["ping"]).object(&[("/status", json!("Healthy"))]);
    let cases = [vec![ping], answers(), streams(), failures(), odd_sse()];
    let cases = cases.into_iter().flatten().map(|case| case.args(&local)).collect();
    tally.run("the official SDK's agent", bench, cases)
}

/// `acore invoke` with a payload that asks the agent for one of its modes.
pub(super) fn mode(name: &'static str, mode: &str) -> Case {
    Case::new(name, &["invoke", "--payload", &json!({ "mode": mode }).to_string()])
}

fn answers() -> Vec<Case> {
    vec![
        Case::new("a JSON answer", &["invoke", "--payload", r#"{"mode":"echo","n":1}"#])
            .args(&["--session-id", SESSION])
            .json(&[
                ("/json", json!({"echo": {"mode": "echo", "n": 1}, "session_id": SESSION})),
                ("/status", json!(200)),
            ]),
        Case::new("the default payload", &["invoke", "Hello", "--session-id", SESSION]).json(&[
            ("/json/echo", json!({"prompt": "Hello", "sessionId": SESSION, "enableTrace": true})),
            ("/json/session_id", json!(SESSION)),
        ]),
        mode("a JSON string is text", "text").text("plain string result"),
        mode("a number", "number").json(&[("/json", json!(42))]),
        mode("null", "none").json(&[("/json", Value::Null), ("/status", json!(200))]),
        mode("an object", "obj").json(&[("/json", json!({"a": 1, "b": "x"}))]),
        mode("Unicode and escapes", "unicode").json(&[("/json/s", json!("é😀\u{2028}\"\\\n"))]),
        mode("a megabyte of JSON", "big").json(&[("/json/x", json!("y".repeat(1_000_000)))]),
        mode("plain text with 202", "resp_text").json(&[("/text", json!("just text")), ("/status", json!(202))]),
        mode("every byte there is", "resp_bin").raw((0..=255).collect::<Vec<u8>>()),
        mode("a body is one event", "text").events(&[event("\"plain string result\"")]),
        mode("custom headers arrive", "headers")
            .args(&["--session-id", SESSION, "--header", "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Colour=blue"])
            .json(&[
                ("/json/session_id", json!(SESSION)),
                ("/json/forwarded/x-amzn-bedrock-agentcore-runtime-custom-colour", json!("blue")),
            ]),
    ]
}

fn streams() -> Vec<Case> {
    vec![
        mode("streamed strings", "stream_str").text("Hello world!"),
        mode("streamed objects", "stream").events(&[
            event(r#"{"event": {"i": 0, "text": "chunk 0"}}"#),
            event(r#"{"event": {"i": 1, "text": "chunk 1"}}"#),
            event(r#"{"event": {"i": 2, "text": "chunk 2"}}"#),
        ]),
        mode("a synchronous generator", "stream_sync").events(&[event(r#"{"i": 0}"#), event(r#"{"i": 1}"#)]),
        mode("everything that Python streams, NaN too", "stream_mixed").events(&[
            event("1"),
            event("null"),
            event("true"),
            event("\"s\""),
            event(r#"["l", 1]"#),
            event(r#"{"k": "v"}"#),
            event(r#""b'\\xff\\x00'""#),
            event(r#"{"a": 1, "b": "x"}"#),
            event("[1]"),
            event("NaN"),
            event("\"é😀\u{2028}\""),
        ]),
        mode("a stream without events", "stream_empty").json(&[("/text", json!("")), ("/events", json!(0))]),
        mode("line ends inside a string", "stream_nl")
            .events(&[event(r#""line1\nline2\r\nline3\rend""#), event(r#"{"data": "a\n\ndata: injected\n\n"}"#)]),
        mode("an event of a megabyte", "stream_big").text(format!("{}after", "x".repeat(1_000_000))),
    ]
}

fn failures() -> Vec<Case> {
    vec![
        mode("an agent that fails", "raise").fails(6, &["error:", "entrypoint boom"]),
        mode("an error after some text", "stream_raise_text")
            .text("Hello world")
            .fails(6, &["error:", "boom after text"]),
        mode("an error in mid-stream", "stream_raise")
            .events(&[
                event(r#"{"i": 0}"#),
                event(r#"{"i": 1}"#),
                event(concat!(
                    r#"{"error": "boom mid-stream\nsecond line \"quoted\" é", "error_type": "ValueError", "#,
                    r#""message": "An error occurred during streaming"}"#,
                )),
            ])
            .fails(6, &["error:", "boom mid-stream"]),
        mode("an error before any text", "stream_raise_first").fails(6, &["error:"]),
        mode("404", "http404").fails(6, &["error:"]),
        mode("503", "http503").args(&["--no-retry"]).fails(4, &["error:"]),
        Case::new("an agent slower than we wait", &["invoke", "--payload", r#"{"mode":"slow","delay":5}"#])
            .args(&["--timeout", "1"])
            .fails(5, &["error:"]),
    ]
}

/// The SDK's agent sends every liberty that a stream may take; what must come of it is read off the HTML standard.
fn odd_sse() -> Vec<Case> {
    let odd = |event: &str, data: &str, id: &str, retry: Value| json!({"event": event, "data": data, "id": id, "retry": retry});
    let strict = [
        odd("start", r#"{"a":1}"#, "1", json!(100)),
        odd("message", "line1\nline2", "1", Value::Null),
        odd("message", r#"{"split": true}"#, "1", Value::Null),
        // A byte order mark in the middle makes `data` another, unknown field: no event.
        odd("message", "nospace", "1", Value::Null),
        odd("message", "", "1", Value::Null),
        odd("done", "[DONE]", "1", Value::Null),
    ];
    let lenient = [&strict[..], &[odd("message", "unterminated", "1", Value::Null)]].concat();
    vec![
        mode("odd SSE, by the standard", "resp_sse_custom").events(&strict),
        mode("odd SSE, leniently", "resp_sse_custom").args(&["--lenient-sse"]).events(&lenient),
        mode("odd SSE, byte for byte", "resp_sse_custom").raw(ODD_SSE),
    ]
}

/// A line of `--output events` for an event that is nothing but data.
pub(super) fn event(data: &str) -> Value {
    json!({"event": "message", "data": data, "id": "", "retry": null})
}

pub(super) const SESSION: &str = "interop-session-0123456789-0123456789";

/// The body of `resp_sse_custom`, as captured from the wire without the chunk sizes.
const ODD_SSE: &[u8] = b": comment\n\nevent: start\nid: 1\nretry: 100\ndata: {\"a\":1}\n\n\
    data: line1\ndata: line2\r\n\r\n\
    data: {\"split\": true}\n\n\
    \xef\xbb\xbfdata: bom-mid\n\n\
    data:nospace\n\ndata\n\n\
    event: done\ndata: [DONE]\n\n\
    data: unterminated";
