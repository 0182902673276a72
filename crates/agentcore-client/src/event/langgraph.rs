//! LangGraph and LangChain: messages as chunks or whole, by themselves, in the tuples and updates of `astream`, in whole states,
//! and in the events of `astream_events`. A message's id tells it wherever it comes again.

use bytestring::ByteString;

use super::{
    Event, SseEvent, ToolResult,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

/// Reads an object: a message, a state, an update, or an event of `astream_events`.
pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let Some(name) = object.string("event").filter(|name| name.starts_with("on_")) else {
        return value(object, transcript);
    };
    let data = object.get("data")?.object()?;
    let key = match &*name {
        "on_chat_model_stream" | "on_chain_stream" => "chunk",
        "on_chat_model_end" | "on_chain_end" | "on_tool_end" => "output",
        _ => "",
    };
    // Strings in these are what a chat model has said already, on its way through the chain.
    data.get(key).and_then(|found| value(found.object()?, transcript));
    if transcript.is_silent() {
        transcript.event(Event::Trace(event.clone()));
    }
    Some(())
}

/// Reads an array: the server's list of messages under its event's name, or what `astream` yields as a tuple.
pub(super) fn list(event: &SseEvent, items: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    // The server adds the names of subgraphs.
    match event.event.split('|').next() {
        Some("messages/partial" | "messages/complete") => state(items, transcript),
        _ => tuple(event, &items.array()?, transcript),
    }
}

/// Reads what `astream` yields as a tuple: a message and its metadata, or the mode and its value, after a namespace or not.
fn tuple(event: &SseEvent, items: &[Json<'_>], transcript: &mut Transcript) -> Option<()> {
    let items = match items {
        [namespace, rest @ ..] if namespace.array().is_some() => rest,
        items => items,
    };
    match items {
        [mode, chunk] if let Some(mode) = mode.str() => match mode {
            "messages" => with_metadata(&chunk.array()?, transcript),
            "updates" | "values" => value(chunk.object()?, transcript),
            "checkpoints" | "debug" | "tasks" => {
                transcript.event(Event::Trace(event.clone()));
                Some(())
            }
            _ => None,
        },
        [chunk] => match chunk.array() {
            Some(pair) => with_metadata(&pair, transcript),
            None => value(chunk.object()?, transcript),
        },
        pair => with_metadata(pair, transcript),
    }
}

fn with_metadata(pair: &[Json<'_>], transcript: &mut Transcript) -> Option<()> {
    let [message, _] = pair else { return None };
    value(message.object()?, transcript)
}

fn value(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let object = constructed(object).unwrap_or(object);
    if let Some(kind) = object.str("type") {
        return message(kind, object, false, transcript);
    }
    if let Some(messages) = object.get("messages") {
        return state(messages, transcript);
    }
    let messages: Vec<_> = object.values().filter_map(|update| update.get("messages")).collect();
    // Not `all`, which would stop at the first that is none.
    messages.into_iter().filter_map(|messages| state(messages, transcript)).reduce(|(), ()| ())
}

/// What LangChain's own serialization wraps up.
fn constructed<'a>(object: Object<'a>) -> Option<Object<'a>> {
    object.get("lc")?;
    object.get("kwargs")?.object()
}

/// Reads the messages of a state, or of an update to it, which may be a single one. Those before the user's last belong to
/// earlier turns.
fn state(messages: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let messages = messages.array().unwrap_or_else(|| vec![messages]);
    let messages: Option<Vec<_>> = messages
        .into_iter()
        .map(|message| {
            let object = message.object()?;
            let object = constructed(object).unwrap_or(object);
            Some((object.str("type")?, object))
        })
        .collect();
    let messages = messages?;
    let asked = messages.iter().rposition(|(kind, _)| matches!(*kind, "human" | "HumanMessage"));
    messages[asked.map_or(0, |asked| asked + 1)..]
        .iter()
        .try_for_each(|(kind, object)| message(kind, *object, true, transcript))
}

/// Reads a message. In a list, a chunk is the whole so far.
fn message(kind: &str, object: Object<'_>, listed: bool, transcript: &mut Transcript) -> Option<()> {
    let content = object.get("content")?;
    let id = object.string("id");
    let id = id.as_deref();
    match kind {
        "AIMessageChunk" if !listed || id.is_none() => {
            for block in blocks(content) {
                match block {
                    Block::Text(text) => transcript.text(id, TELLER, text),
                    Block::Reasoning(text) => transcript.reasoning(id, TELLER, text),
                    Block::Call { .. } | Block::Result(_) => {}
                }
            }
            calls(id.unwrap_or_default(), object, transcript);
        }
        "AIMessageChunk" | "ai" | "AIMessage" => {
            let mut blocks = blocks(content);
            for call in object.get("tool_calls").and_then(Json::array).unwrap_or_default() {
                let call = call.object()?;
                let (id, name) = (call.string("id").unwrap_or_default(), call.string("name")?);
                blocks.push(Block::Call { id, name, input: call.get("args")?.text() });
            }
            transcript.message(id, TELLER, blocks);
        }
        "tool" | "ToolMessage" => transcript.result(ToolResult {
            id: object.string("tool_call_id")?,
            content: content.plain(),
            failed: object.string("status").is_some_and(|status| status == "error"),
        }),
        "human" | "HumanMessage" | "HumanMessageChunk" | "system" | "SystemMessage" | "remove" => {}
        _ => return None,
    }
    Some(())
}

/// The calls in a chunk. Several messages may come at a time, so that an index alone does not tell a call.
fn calls(message: &str, object: Object<'_>, transcript: &mut Transcript) {
    for call in object.get("tool_call_chunks").and_then(Json::array).unwrap_or_default() {
        let Some(call) = call.object() else { continue };
        let index = call.get("index").map(Json::plain).unwrap_or_default();
        let slot = format!("{message}/{index}");
        if let (Some(id), Some(name)) = (call.string("id"), call.string("name")) {
            transcript.call(ByteString::from(slot.as_str()), id, name);
        }
        transcript.input(Some(&slot), call.string("args").unwrap_or_default());
    }
    if object.string("chunk_position").is_some_and(|position| position == "last") {
        transcript.end_calls(|slot| slot.strip_prefix(message).is_some_and(|rest| rest.starts_with('/')));
    }
}

/// The text and the reasoning of a content, which is a string or blocks in the manner of the model's maker.
fn blocks(content: Json<'_>) -> Vec<Block> {
    if let Some(text) = content.string() {
        return vec![Block::Text(text)];
    }
    let block = |block: Json<'_>| {
        if let Some(text) = block.string() {
            return Some(Block::Text(text));
        }
        let block = block.object()?;
        match &*block.string("type")? {
            "text" => block.string("text").map(Block::Text),
            kind @ ("reasoning" | "thinking") => block.string(kind).map(Block::Reasoning),
            "reasoning_content" => block.get("reasoning_content")?.get("text")?.string().map(Block::Reasoning),
            _ => None,
        }
    };
    content.array().unwrap_or_default().into_iter().filter_map(block).collect()
}

const TELLER: &str = "langgraph";

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    const CHUNK: &str =
        r#"{"content": "Hel", "type": "AIMessageChunk", "id": "m1", "tool_calls": [], "tool_call_chunks": []}"#;
    const WHOLE: &str = r#"{"content": "Hello", "type": "ai", "id": "m1", "tool_calls": []}"#;
    const ASKED: &str = r#"{"content": "1+2?", "type": "human", "id": "u1"}"#;
    const CALL: &str = r#"{"content": "", "type": "ai", "id": "m2", "tool_calls": [{"name": "add", "args": {"a": 1}, "id": "t1", "type": "tool_call"}]}"#;
    const RESULT: &str =
        r#"{"content": "3", "type": "tool", "name": "add", "id": "r1", "tool_call_id": "t1", "status": "success"}"#;

    #[test]
    fn shapes_that_hold_a_message() {
        for shape in [
            "@",
            r#"[@, {"langgraph_node": "model"}]"#,
            r#"[["sub:1"], [@, {}]]"#,
            r#"["messages", [@, {}]]"#,
            r#"[["sub:1"], "messages", [@, {}]]"#,
            r#"["updates", {"model": {"messages": [@]}}]"#,
            r#"["values", {"messages": [@]}]"#,
            r#"{"model": {"messages": [@]}, "other": null}"#,
            r#"{"model": {"messages": @}}"#,
            r#"{"messages": [{"content": "?", "type": "human"}, @]}"#,
            r#"{"event": "on_chat_model_stream", "data": {"chunk": @}}"#,
            r#"{"event": "on_chat_model_end", "data": {"output": @}}"#,
            r#"{"event": "on_chain_stream", "data": {"chunk": {"model": {"messages": [@]}}}}"#,
            r#"{"event": "on_chain_end", "data": {"output": {"messages": [@]}}}"#,
            r#"{"lc": 1, "type": "constructor", "id": ["langchain"], "kwargs": @}"#,
        ] {
            for (message, expected) in [(CHUNK, "say Hel"), (WHOLE, "say Hello")] {
                check(&[(&[&shape.replace('@', message)], &[expected])]);
            }
        }
    }

    #[test]
    fn a_message_counts_once_wherever_it_comes_again() {
        let update = format!(r#"["updates", {{"model": {{"messages": [{WHOLE}]}}}}]"#);
        let end = format!(r#"{{"event": "on_chain_end", "data": {{"output": {{"messages": [{ASKED}, {WHOLE}]}}}}}}"#);
        let first = format!(r#"{{"messages": [{ASKED}, {CALL}]}}"#);
        let second = format!(r#"{{"messages": [{ASKED}, {CALL}, {RESULT}]}}"#);
        let third = format!(r#"{{"messages": [{ASKED}, {CALL}, {RESULT}, {WHOLE}]}}"#);
        let later = format!(r#"{{"messages": [{WHOLE}, {ASKED}]}}"#);
        let same_words = WHOLE.replace("m1", "m3");
        check(&[
            (&[CHUNK, &update, &end], &["say Hel", "say lo", "trace"]),
            (&[&first, &second, &third, &third], &[r#"use t1 add {"a": 1}."#, "result t1 3", "say Hello", "other"]),
            (&[&later], &["other"]),
            (&[WHOLE, &same_words, WHOLE], &["say Hello", "say Hello", "other"]),
            (&[CHUNK, CHUNK], &["say Hel", "say Hel"]),
        ]);
    }

    #[test]
    fn blocks() {
        let content = r#"{"type": "AIMessageChunk", "id": "m1", "content": [
            {"type": "reasoning_content", "reasoning_content": {"text": "h", "type": "text"}, "index": 0},
            {"type": "reasoning", "reasoning": "m"}, {"type": "thinking", "thinking": "!"}, {"type": "text", "text": "a", "index": 1},
            "b", {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
        ]}"#;
        check(&[(&[content], &["think h", "think m", "think !", "say a", "say b"])]);
    }

    /// Two messages at a time, whose calls have the same index.
    #[test]
    fn calls_in_chunks() {
        let chunk = |message: &str, call: &str, position: &str| {
            format!(
                r#"{{"content": "", "type": "AIMessageChunk", "id": "{message}", "tool_call_chunks": [{call}], "chunk_position": {position}}}"#
            )
        };
        let begin = |id: &str| format!(r#"{{"name": "add", "args": "", "id": "{id}", "index": 0}}"#);
        let more = |args: &str| format!(r#"{{"name": null, "args": "{args}", "id": null, "index": 0}}"#);
        let story = [
            chunk("m1", &begin("t1"), "null"),
            chunk("m10", &begin("t2"), "null"),
            chunk("m1", &more("{"), "null"),
            chunk("m10", &more("[]"), "null"),
            chunk("m1", &more("}"), "null"),
            chunk("m1", "", "\"last\""),
            chunk("m10", &more("!"), "null"),
            RESULT.replace("t1", "t2"),
        ];
        let story: Vec<&str> = story.iter().map(String::as_str).collect();
        check(&[(
            &story,
            &[
                "use t1 add ",
                "use t2 add ",
                "use t1 add {",
                "use t2 add []",
                "use t1 add }",
                "use t1 add .",
                "use t2 add !",
                "use t2 add .",
                "result t2 3",
            ],
        )]);
    }

    #[test]
    fn the_rest() {
        check(&[
            (
                &[
                    r#"{"event": "on_chain_stream", "data": {"chunk": "Hel"}, "name": "parser"}"#,
                    r#"{"event": "on_tool_start", "data": {"input": {"messages": [{"type": "ai", "content": "x"}]}}}"#,
                    r#"["tasks", {"id": "1"}]"#,
                    r#"["custom", {"step": 1}]"#,
                    ASKED,
                ],
                &["trace", "trace", "trace", "other", "other"],
            ),
            (
                &[&CALL.replace(r#""t1""#, "null"), &CALL.replace(r#""t1""#, "null").replace("m2", "m3")],
                &[r#"use  add {"a": 1}."#, r#"use  add {"a": 1}."#],
            ),
            (&[&RESULT.replace("success", "error").replace(r#""3""#, r#"[{"x": 1}]"#)], &[r#"failed t1 [{"x": 1}]"#]),
        ]);
    }
}
