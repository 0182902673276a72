//! Anthropic's Messages API: a message in blocks, each event with its type.
//!
//! Shapes: the API's documentation, "Streaming Messages"; its Python SDK, `types/usage.py` and `types/message_delta_usage.py`. Errors are read for all dialects alike.

use super::{
    Event, SseEvent,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("type")? {
        "message_start" => {
            let message = object.get("message")?.object()?;
            transcript.end_calls(|_| true);
            transcript.begin();
            transcript.within(true);
            usage(message, transcript);
            transcript.event(Event::Trace(event.clone()));
        }
        "content_block_start" => {
            let block = object.get("content_block")?.object()?;
            match block.str("type")? {
                "tool_use" | "server_tool_use" => {
                    transcript.call(slot(object), block.string("id")?, block.string("name")?);
                }
                "text" => transcript.text(None, "", block.string("text")?),
                _ => {}
            }
        }
        "content_block_delta" => {
            let delta = object.get("delta")?.object()?;
            match delta.str("type")? {
                "text_delta" => {
                    let text = delta.words("text")?;
                    transcript.expect_echo(&text);
                    transcript.text(None, "", text);
                }
                "thinking_delta" => transcript.reasoning(None, "", delta.words("thinking")?),
                "input_json_delta" => transcript.input(Some(&slot(object)), delta.string("partial_json")?),
                _ => {}
            }
        }
        "content_block_stop" => {
            let stopped = slot(object);
            transcript.end_calls(|slot| slot == &*stopped);
        }
        "message_delta" => {
            transcript.end_calls(|_| true);
            usage(object, transcript);
            transcript.event(Event::Trace(event.clone()));
        }
        // What the SDK's `messages.stream` makes of each delta, which says it again.
        "text" if object.has("snapshot") => {
            let text = object.words("text")?;
            if !transcript.is_echo(&text) {
                transcript.text(None, "", text);
            }
        }
        "thinking" | "input_json" if object.has("snapshot") => {}
        "signature" | "citation" if object.len() <= 3 => {}
        "message_stop" => {
            transcript.end_calls(|_| true);
            transcript.says_end();
            transcript.event(Event::Trace(event.clone()));
        }
        _ => return None,
    }
    Some(())
}

/// Reads the numbers, which a message begins with and its deltas go on counting from there.
fn usage(parent: Object<'_>, transcript: &mut Transcript) {
    if let Some(numbers) = parent.get("usage").and_then(Json::object) {
        transcript.usage(None, Report::SoFar, &USAGE.read(numbers));
    }
}

/// Tokens of the cache are beside the input ("Prompt caching", "Tracking cache performance").
const USAGE: Names = Names {
    input: "input_tokens",
    output: "output_tokens",
    cached: (None, "cache_read_input_tokens"),
    beside: Some("cache_creation_input_tokens"),
    total: None,
};

fn slot(object: Object<'_>) -> bytestring::ByteString {
    object.get("index").map(Json::text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::event::{
        EndMark,
        tests::{check, end_mark},
    };

    #[test]
    fn a_message() {
        check(&[(
            &[
                r#"{"type": "message_start", "message": {"id": "m", "role": "assistant", "content": []}}"#,
                r#"{"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}"#,
                r#"{"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}"#,
                r#"{"type": "content_block_stop", "index": 0}"#,
                r#"{"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}"#,
                r#"{"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}}"#,
                r#"{"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}}"#,
                r#"{"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "add", "input": {}}}"#,
                r#"{"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{}"}}"#,
                r#"{"type": "content_block_stop", "index": 2}"#,
                r#"{"type": "ping"}"#,
                r#"{"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}"#,
                r#"{"type": "message_stop"}"#,
                r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#,
            ],
            &[
                "trace",
                "other",
                "think hm",
                "other",
                "other",
                "say Hel",
                "say lo",
                "use t1 add ",
                "use t1 add {}",
                "use t1 add .",
                "other",
                "used - 2 - -",
                "trace",
                "trace",
                "error overloaded_error: Overloaded",
            ],
        )]);
    }

    /// The numbers are totals of a message so far; those of the cache stand beside the input.
    #[test]
    fn numbers() {
        let start = |usage: &str| format!(r#"{{"type": "message_start", "message": {{"id": "m", "usage": {usage}}}}}"#);
        let delta = |usage: &str| format!(r#"{{"type": "message_delta", "delta": {{}}, "usage": {usage}}}"#);
        let stop = r#"{"type": "message_stop"}"#;
        let text = r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}"#;
        let first = r#"{"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2}"#;
        check(&[
            (
                &[&start(first), text, &delta(r#"{"output_tokens": 9}"#), &delta(r#"{"output_tokens": 15}"#), stop],
                &["used 17 1 5 -", "trace", "say Hi", "used - 8 - -", "trace", "used - 6 - -", "trace", "trace"],
            ),
            // The delta counts everything once more.
            (
                &[&start(first), &delta(&first.replace(": 1,", ": 15,")), stop],
                &["used 17 1 5 -", "trace", "used - 14 - -", "trace", "trace"],
            ),
            // Two messages in a stream.
            (
                &[&start(r#"{"output_tokens": 3}"#), stop, &start(r#"{"output_tokens": 3}"#), stop],
                &["used - 3 - -", "trace", "trace", "used - 3 - -", "trace", "trace"],
            ),
            (
                &[
                    &start("null"),
                    &start("{}"),
                    &start("[1]"),
                    &start(r#"{"input_tokens": null, "cache_read_input_tokens": null, "output_tokens": -1}"#),
                    &delta(r#"{"input_tokens": "7", "output_tokens": 1.5}"#),
                ],
                &["trace", "trace", "trace", "trace", "trace"],
            ),
        ]);
    }

    #[test]
    fn the_end() {
        let start = r#"{"type": "message_start", "message": {}}"#;
        let stop = r#"{"type": "message_stop"}"#;
        for (events, expected) in [
            (&[start][..], EndMark::Missing),
            (&[start, stop], EndMark::Seen),
            (&[start, stop, r#"{"type": "ping"}"#], EndMark::Seen),
            (&[start, stop, start], EndMark::Missing),
        ] {
            assert_eq!(end_mark(events), expected, "{events:?}");
        }
    }
}
