//! OpenAI's chat-completion chunks, and the events of its Responses API, which servers of other models speak as well.
//!
//! Shapes: the API reference, "Chat Completions: streaming" and "Responses: streaming events".

use bytestring::ByteString;

use super::{
    Event, SseEvent,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let [choices, usage, id] = object.get_all(["choices", "usage", "id"]);
    if let Some(choices) = choices {
        choices.array()?;
        chunk(choices, transcript);
        let silent = transcript.is_silent();
        if let Some(numbers) = usage.and_then(Json::object) {
            // Usually in the last chunk alone; some servers send the numbers so far with each.
            let id = id.and_then(Json::string).filter(|id| !id.is_empty());
            transcript.usage(id.as_deref(), Report::Whole(1), &CHAT_USAGE.read(numbers));
        }
        if silent && usage.is_some() {
            transcript.event(Event::Trace(event.clone()));
        }
        return Some(());
    }
    let kind = object.str("type")?;
    match kind.strip_prefix("response.") {
        Some(kind) => response(event, kind, object, transcript),
        None => helper(event, kind, object, transcript),
    }
}

/// Reads what the Python SDK's `chat.completions.stream` yields: the chunks, and what it makes of each, which says it again.
fn helper(event: &SseEvent, kind: &str, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match kind {
        "chunk" => {
            let inner = object.get("chunk")?.object()?;
            inner.get("choices")?;
            read(event, inner, transcript)?;
        }
        "content.delta" | "refusal.delta" if object.has("snapshot") => {
            let text = object.words("delta")?;
            if !transcript.is_echo(&text) {
                transcript.text(None, "", text);
            }
        }
        "content.done" | "refusal.done" => {
            let text = object.string(if kind.starts_with("refusal") { "refusal" } else { "content" })?;
            transcript.message(None, "done", vec![Block::Text(text)]);
        }
        "tool_calls.function.arguments.delta" | "tool_calls.function.arguments.done" => {}
        _ => return None,
    }
    Some(())
}

/// Reads a chunk, or a whole completion. Of several choices the first is the answer.
fn chunk(choices: Json<'_>, transcript: &mut Transcript) {
    for choice in choices.items().filter_map(Json::object) {
        if choice.get("index").is_some_and(|index| &*index.text() != "0") {
            continue;
        }
        if let Some(delta) = choice.get("delta").and_then(Json::object) {
            transcript.within(delta.has("role"));
            if let Some(text) = ["reasoning_content", "reasoning"].iter().find_map(|key| delta.string(key)) {
                transcript.reasoning(None, "", text);
            }
            if let Some(text) = delta.words("content") {
                transcript.expect_echo(&text);
                transcript.text(None, "", text);
            }
            for call in delta.get("tool_calls").into_iter().flat_map(Json::items).filter_map(Json::object) {
                let slot = call.get("index").map(Json::text).unwrap_or_default();
                let function = call.get("function").and_then(Json::object);
                if let (Some(id), Some(name)) =
                    (call.string("id"), function.and_then(|function| function.string("name")))
                {
                    transcript.call(slot.clone(), id, name);
                }
                let input = function.and_then(|function| function.string("arguments")).unwrap_or_default();
                transcript.input(Some(&slot), input);
            }
        } else if let Some(message) = choice.get("message").and_then(Json::object) {
            let mut blocks: Vec<_> = message.string("content").map(Block::Text).into_iter().collect();
            blocks.extend(message.get("tool_calls").into_iter().flat_map(Json::items).filter_map(call));
            transcript.message(None, "message", blocks);
        } else if let Some(text) = choice.words("text") {
            transcript.within(false);
            transcript.text(None, "", text);
        }
        if let Some(reason) = choice.get("finish_reason") {
            transcript.end_calls(|_| true);
            // Where tools are called, the agent goes on; where it does not, `[DONE]` may be lost to a package on the way.
            let goes_on = ["tool_calls", "function_call"].iter().any(|other| reason.is(other));
            if choice.has("delta") && !goes_on {
                transcript.says_end();
            }
        }
    }
}

/// The API reference's `CompletionUsage`; cached tokens are within the input.
const CHAT_USAGE: Names = Names {
    input: "prompt_tokens",
    output: "completion_tokens",
    cached: (Some("prompt_tokens_details"), "cached_tokens"),
    beside: None,
    total: None,
};

/// The API reference's `ResponseUsage`; the same under other names.
const RESPONSE_USAGE: Names = Names {
    input: "input_tokens",
    output: "output_tokens",
    cached: (Some("input_tokens_details"), "cached_tokens"),
    beside: None,
    total: None,
};

fn call(call: Json<'_>) -> Option<Block> {
    let call = call.object()?;
    let function = call.get("function")?.object()?;
    Some(Block::Call { id: call.string("id")?, name: function.string("name")?, input: function.string("arguments")? })
}

/// Reads an event of the Responses API, by its type's name behind `response.`.
fn response(event: &SseEvent, kind: &str, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    transcript.within(kind == "created");
    let item = || object.string("item_id").or_else(|| object.get("output_index").map(Json::text));
    match kind {
        "output_text.delta" | "refusal.delta" => transcript.text(item().as_deref(), "item", object.words("delta")?),
        "output_text.done" | "refusal.done" => {
            let text = object.string(if kind.starts_with("refusal") { "refusal" } else { "text" })?;
            transcript.message(item().as_deref(), "item", vec![Block::Text(text)]);
        }
        "reasoning_summary_text.delta" | "reasoning_text.delta" => {
            transcript.reasoning(item().as_deref(), "item", object.words("delta")?);
        }
        "output_item.added" | "output_item.done" => {
            let item = object.get("item")?.object()?;
            if item.is("type", "function_call") {
                let id = item.string("call_id")?;
                transcript.call(item.string("id").unwrap_or_else(|| id.clone()), id, item.string("name")?);
            }
        }
        "function_call_arguments.delta" => transcript.input(item().as_deref(), object.string("delta")?),
        "function_call_arguments.done" => {
            let done = item()?;
            transcript.end_calls(|slot| slot == &*done);
        }
        "completed" | "incomplete" => {
            transcript.end_calls(|_| true);
            transcript.says_end();
            let response = object.get("response")?.object()?;
            let output = response.get("output")?;
            let mut claimed = Vec::new();
            for item in output.items().filter_map(Json::object).filter(|item| item.is("type", "message")) {
                let blocks = texts(item).into_iter().map(Block::Text).collect();
                transcript.listed(item.string("id").as_deref(), "item", blocks, &mut claimed);
            }
            let silent = transcript.is_silent();
            if let Some(numbers) = response.get("usage").and_then(Json::object) {
                let id = response.string("id");
                transcript.usage(id.as_deref(), Report::Whole(1), &RESPONSE_USAGE.read(numbers));
            }
            if silent {
                transcript.event(Event::Trace(event.clone()));
            }
        }
        "failed" => {
            let error = object.get("response")?.get("error");
            let message = error.and_then(|error| error.get("message")?.words());
            let code = error.and_then(|error| error.get("code")?.words());
            transcript.error(message.as_deref().unwrap_or("the response failed"), code);
        }
        _ => transcript.event(Event::Trace(event.clone())),
    }
    Some(())
}

fn texts(item: Object<'_>) -> Vec<ByteString> {
    let parts = item.get("content").into_iter().flat_map(Json::items).filter_map(Json::object);
    parts.filter_map(|part| part.string("text").or_else(|| part.string("refusal"))).collect()
}

#[cfg(test)]
mod tests {
    use crate::event::{
        EndMark,
        tests::{check, end_mark},
    };

    #[test]
    fn chunks() {
        let chunk = |delta: &str, finish: &str| {
            format!(
                r#"{{"object": "chat.completion.chunk", "choices": [{{"index": 0, "delta": {delta}, "finish_reason": {finish}}}]}}"#
            )
        };
        let events = [
            chunk(r#"{"role": "assistant", "content": ""}"#, "null"),
            chunk(r#"{"reasoning_content": "hm"}"#, "null"),
            chunk(r#"{"content": "Hel"}"#, "null"),
            chunk(r#"{"content": "lo"}"#, "null"),
            chunk(
                r#"{"tool_calls": [{"index": 0, "id": "t1", "function": {"name": "add", "arguments": ""}}]}"#,
                "null",
            ),
            chunk(r#"{"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}"#, "null"),
            chunk("{}", "\"tool_calls\""),
            r#"{"choices": [], "usage": {"total_tokens": 3}}"#.to_owned(),
            "[DONE]".to_owned(),
        ];
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        check(&[
            (
                &events,
                &[
                    "other",
                    "think hm",
                    "say Hel",
                    "say lo",
                    "use t1 add ",
                    "use t1 add {}",
                    "use t1 add .",
                    "trace",
                    "other",
                ],
            ),
            (
                &[
                    r#"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}, {"index": 1, "message": {"content": "Ho"}}]}"#,
                ],
                &["say Hi"],
            ),
        ]);
    }

    #[test]
    fn responses() {
        check(&[
            (
                &[
                    r#"{"type": "response.created", "response": {"error": null}}"#,
                    r#"{"type": "response.output_text.delta", "item_id": "i1", "delta": "Hel"}"#,
                    r#"{"type": "response.output_text.delta", "item_id": "i1", "delta": "lo"}"#,
                    r#"{"type": "response.output_text.done", "item_id": "i1", "text": "Hello"}"#,
                    r#"{"type": "response.output_item.added", "item": {"type": "function_call", "id": "f1", "call_id": "t1", "name": "add"}}"#,
                    r#"{"type": "response.function_call_arguments.delta", "item_id": "f1", "delta": "{}"}"#,
                    r#"{"type": "response.function_call_arguments.done", "item_id": "f1", "arguments": "{}"}"#,
                    r#"{"type": "response.completed", "response": {"output": [{"type": "message", "id": "other", "content": [{"type": "output_text", "text": "Hello"}]}]}}"#,
                ],
                &["trace", "say Hel", "say lo", "other", "use t1 add ", "use t1 add {}", "use t1 add .", "trace"],
            ),
            (
                &[r#"{"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}}"#],
                &["error server_error: boom"],
            ),
        ]);
    }

    #[test]
    fn numbers() {
        let chunk = |id: &str, content: &str, usage: &str| {
            format!(
                r#"{{"id": {id}, "choices": [{{"index": 0, "delta": {{"content": "{content}"}}}}], "usage": {usage}}}"#
            )
        };
        let last = |id: &str, usage: &str| format!(r#"{{"id": {id}, "choices": [], "usage": {usage}}}"#);
        let three = r#"{"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4}}"#;
        let two = r#"{"prompt_tokens": 9, "completion_tokens": 2}"#;
        let response = |usage: &str| {
            format!(r#"{{"type": "response.completed", "response": {{"id": "r", "output": [], "usage": {usage}}}}}"#)
        };
        check(&[
            (&[&chunk("\"c1\"", "Hi", "null"), &last("\"c1\"", three)], &["say Hi", "used 9 3 4 -", "trace"]),
            // The numbers so far with each chunk, and once more at the end.
            (
                &[
                    &chunk("\"c1\"", "a", r#"{"prompt_tokens": 9, "completion_tokens": 1}"#),
                    &chunk("\"c1\"", "b", two),
                    &last("\"c1\"", two),
                ],
                &["say a", "used 9 1 - -", "say b", "used - 1 - -", "trace"],
            ),
            // Two completions, by their ids and without.
            (&[&last("\"c1\"", two), &last("\"c2\"", two)], &["used 9 2 - -", "trace", "used 9 2 - -", "trace"]),
            (&[&last("null", two), &last("\"\"", two)], &["used 9 2 - -", "trace", "used 9 2 - -", "trace"]),
            (&[&last("\"\"", two), &last("\"\"", two)], &["used 9 2 - -", "trace", "used 9 2 - -", "trace"]),
            (&[&last("null", r#"{"prompt_tokens": null, "completion_tokens": 1.5}"#)], &["trace"]),
            (&[&last("null", "[]")], &["trace"]),
            (
                &[
                    r#"{"id": "c1", "choices": [{"message": {"role": "assistant", "content": "Hi"}}], "usage": {"prompt_tokens": 1}}"#,
                ],
                &["say Hi", "used 1 - - -"],
            ),
            (
                &[&response(
                    r#"{"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}}"#,
                )],
                &["used 9 3 4 -", "trace"],
            ),
            (&[&response("null")], &["trace"]),
            // Not every object with such a member is a chunk.
            (&[r#"{"usage": {"prompt_tokens": 9}, "text": "Hi"}"#], &["say Hi"]),
            (&[r#"{"usage": {"prompt_tokens": 9, "input_tokens": 9, "inputTokens": 9}}"#], &["other"]),
        ]);
    }

    #[test]
    fn the_end() {
        let chunk = r#"{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}"#;
        let stop = r#"{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}"#;
        let begin = r#"{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}"#;
        let whole = r#"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]}"#;
        let created = r#"{"type": "response.created", "response": {}}"#;
        for (events, expected) in [
            (&[chunk][..], EndMark::Missing),
            (&[chunk, "[DONE]"], EndMark::Seen),
            (&[chunk, stop], EndMark::Seen),
            (&[chunk, &stop.replace("stop", "tool_calls")], EndMark::Missing),
            (&[begin, chunk, stop, begin, chunk], EndMark::Missing),
            (&[whole], EndMark::None),
            (&[created], EndMark::Missing),
            (&[created, r#"{"type": "response.incomplete", "response": {"output": []}}"#], EndMark::Seen),
            (&[r#""Hi""#, "[DONE]"], EndMark::Seen),
            (&[r#""Hi""#], EndMark::None),
        ] {
            assert_eq!(end_mark(events), expected, "{events:?}");
        }
    }
}
