//! OpenAI's chat-completion chunks, and the events of its Responses API, which servers of other models speak as well.
//!
//! Shapes: the API reference, "Chat Completions: streaming" and "Responses: streaming events".

use bytestring::ByteString;

use super::{
    Event, SseEvent,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(choices) = object.get("choices") {
        choices.array()?;
        return chunk(event, object, choices, transcript);
    }
    response(event, object.str("type")?.strip_prefix("response.")?, object, transcript)
}

/// Reads a chunk, or a whole completion. Of several choices the first is the answer.
fn chunk(event: &SseEvent, object: Object<'_>, choices: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    for choice in choices.items().filter_map(Json::object) {
        if choice.get("index").is_some_and(|index| &*index.text() != "0") {
            continue;
        }
        if let Some(delta) = choice.get("delta").and_then(Json::object) {
            if let Some(text) = ["reasoning_content", "reasoning"].iter().find_map(|key| delta.string(key)) {
                transcript.reasoning(None, "", text);
            }
            if let Some(text) = delta.words("content") {
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
            transcript.text(None, "", text);
        }
        if choice.has("finish_reason") {
            transcript.end_calls(|_| true);
        }
    }
    if transcript.is_silent() && object.has("usage") {
        transcript.event(Event::Trace(event.clone()));
    }
    Some(())
}

fn call(call: Json<'_>) -> Option<Block> {
    let call = call.object()?;
    let function = call.get("function")?.object()?;
    Some(Block::Call { id: call.string("id")?, name: function.string("name")?, input: function.string("arguments")? })
}

/// Reads an event of the Responses API, by its type's name behind `response.`.
fn response(event: &SseEvent, kind: &str, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
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
            let output = object.get("response")?.get("output")?;
            let mut claimed = Vec::new();
            for item in output.items().filter_map(Json::object).filter(|item| item.is("type", "message")) {
                let blocks = texts(item).into_iter().map(Block::Text).collect();
                transcript.listed(item.string("id").as_deref(), "item", blocks, &mut claimed);
            }
            if transcript.is_silent() {
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
    use crate::event::tests::check;

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
}
