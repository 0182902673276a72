//! LangGraph and LangChain: messages as chunks or whole, by themselves, in the tuples and updates of `astream`, in whole states,
//! and in the events of `astream_events`. A message's id tells it wherever it comes again, and so does an interrupt's.
//!
//! Shapes: LangGraph 1.2, `types.py` and `pregel/_loop.py`; LangChain's `messages/ai.py`.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

/// Reads an object: a message, a state, an update, or an event of `astream_events`.
pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let Some(name) = object.string("event").filter(|name| name.starts_with("on_")) else {
        return match object.str("type").filter(|kind| MODES.contains(kind) && object.has("ns")) {
            Some(mode) => part(event, mode, object, transcript),
            None => value(object, transcript),
        };
    };
    let data = object.get("data")?.object()?;
    let key = match &*name {
        "on_chat_model_stream" | "on_chain_stream" => "chunk",
        "on_chat_model_end" | "on_chain_end" | "on_tool_end" => "output",
        _ => "",
    };
    // Strings in these are what a chat model has said already, on its way through the chain.
    data.get(key).and_then(|found| value(found.object()?, transcript));
    // The run itself is nobody's child.
    if name == "on_chain_end" && object.get("parent_ids").and_then(Json::array).is_some_and(|ids| ids.is_empty()) {
        transcript.says_end();
    }
    if transcript.is_silent() {
        transcript.event(Event::Trace(event.clone()));
    }
    Some(())
}

/// Reads an array: the server's list of messages under its event's name, or what `astream` yields as a tuple.
pub(super) fn list(event: &SseEvent, items: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    // The server adds the names of subgraphs.
    match event.event.split('|').next() {
        Some("messages/partial") => partial(items, transcript),
        Some("messages/complete") => {
            transcript.settle_calls(Dialect::LangGraph);
            state(items, transcript)
        }
        _ => tuple(event, &items.array()?, transcript),
    }
}

/// Reads messages as far as they have come. The input of their calls may not be complete before something else comes.
fn partial(items: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let messages: Option<Vec<_>> = items.items().map(Json::object).collect();
    let mut known = None;
    for object in messages? {
        let calls = object.get("tool_calls").and_then(Json::array).unwrap_or_default();
        if calls.is_empty() {
            transcript.settle_calls(Dialect::LangGraph);
        }
        for call in calls.into_iter().filter_map(Json::object) {
            if let (Some(id), Some(name), Some(args)) = (call.string("id"), call.string("name"), call.get("args")) {
                transcript.whole_function(Dialect::LangGraph, &id, &name, &args.text());
            }
        }
        known = message(object.str("type")?, object, Place::Partial, transcript).or(known);
    }
    known
}

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    /// In a list, where a chunk is the whole so far.
    Listed,
    /// In a list, and not complete.
    Partial,
}

/// Reads what `astream` yields as a tuple: a message and its metadata, or the mode and its value, after a namespace or not.
fn tuple(event: &SseEvent, items: &[Json<'_>], transcript: &mut Transcript) -> Option<()> {
    let items = match items {
        [namespace, rest @ ..] if namespace.array().is_some() => rest,
        items => items,
    };
    match items {
        [mode, chunk] if let Some(mode) = mode.str() => in_mode(event, mode, *chunk, transcript),
        [chunk] => match chunk.array() {
            Some(pair) => with_metadata(&pair, transcript),
            None => value(chunk.object()?, transcript),
        },
        pair => with_metadata(pair, transcript),
    }
}

/// Reads what `astream` yields in its second version: an object that names the mode, with the interrupts beside the values.
fn part(event: &SseEvent, mode: &str, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let told = in_mode(event, mode, object.get("data")?, transcript);
    let asked = object.get("interrupts").and_then(|asked| interrupts(asked, transcript));
    told.or(asked)
}

fn in_mode(event: &SseEvent, mode: &str, chunk: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    match mode {
        "messages" => with_metadata(&chunk.array()?, transcript),
        "updates" | "values" => value(chunk.object()?, transcript),
        "checkpoints" | "debug" | "tasks" => {
            transcript.event(Event::Trace(event.clone()));
            Some(())
        }
        _ => None,
    }
}

fn with_metadata(pair: &[Json<'_>], transcript: &mut Transcript) -> Option<()> {
    let [message, _] = pair else { return None };
    value(message.object()?, transcript)
}

fn value(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let object = constructed(object).unwrap_or(object);
    let [kind, messages, asked] = object.get_all(["type", "messages", "__interrupt__"]);
    if let Some(kind) = kind.and_then(Json::str) {
        return message(kind, object, Place::Alone, transcript);
    }
    let told = match messages {
        Some(messages) => state(messages, transcript),
        None => {
            let messages: Vec<_> = object.values().filter_map(|update| update.get("messages")).collect();
            // Not `all`, which would stop at the first that is none.
            messages.into_iter().filter_map(|messages| state(messages, transcript)).reduce(|(), ()| ())
        }
    };
    told.or(asked.and_then(|asked| interrupts(asked, transcript)))
}

/// Reads interrupts, which come with the updates and with the values alike.
fn interrupts(interrupts: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    for interrupt in interrupts.array()?.into_iter().filter_map(Json::object) {
        let [value, id, schema, namespace] = interrupt.get_all(["value", "id", "response_schema", "ns"]);
        let id = id.and_then(Json::string);
        // Before 0.6 they had no id, and were known by where they came up.
        let key = id.clone().or_else(|| namespace.map(Json::text));
        let reason = value.map(Json::plain).unwrap_or_default();
        let asked = Interrupt::of(Dialect::LangGraph, id, reason).with_schema(schema.map(Json::text));
        transcript.interrupt(key.as_deref(), asked);
    }
    Some(())
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
        .try_for_each(|(kind, object)| message(kind, *object, Place::Listed, transcript))
}

/// Reads a message.
fn message(kind: &str, object: Object<'_>, place: Place, transcript: &mut Transcript) -> Option<()> {
    let listed = place != Place::Alone;
    let [content, id, numbers] = object.get_all(["content", "id", "usage_metadata"]);
    let content = content?;
    let id = id.and_then(Json::string);
    let id = id.as_deref();
    let usage = numbers.and_then(Json::object).map(|numbers| USAGE.read(numbers));
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
            if let Some(usage) = usage {
                // Chunks add up (`add_ai_message_chunks`).
                transcript.usage(id, Report::More, &usage);
            }
        }
        "AIMessageChunk" | "ai" | "AIMessage" => {
            let mut blocks = blocks(content);
            let calls = object.get("tool_calls").filter(|_| place != Place::Partial).and_then(Json::array);
            for call in calls.unwrap_or_default() {
                let call = call.object()?;
                let (id, name) = (call.string("id").unwrap_or_default(), call.string("name")?);
                blocks.push(Block::Call { id, name, input: call.get("args")?.text() });
            }
            transcript.message(id, TELLER, blocks);
            // In a list, what has no id cannot be told from its repetition.
            if let Some(usage) = usage.filter(|_| id.is_some() || !listed) {
                transcript.usage(id, Report::Whole(1), &usage);
            }
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

/// The modes of `astream` that are read.
const MODES: &[&str] = &["messages", "updates", "values", "checkpoints", "debug", "tasks"];

/// LangChain's `UsageMetadata`, whose input is the sum of all kinds of input.
const USAGE: Names = Names {
    input: "input_tokens",
    output: "output_tokens",
    cached: (Some("input_token_details"), "cache_read"),
    beside: None,
    total: None,
};

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

    /// The server's partial messages, of which the calls grow too.
    #[test]
    fn calls_that_are_not_complete() {
        use crate::event::tests::check_named;

        let partial = |args: &str| {
            format!(
                r#"[{{"content": "Hi", "type": "ai", "id": "m1", "tool_calls": [{{"name": "add", "args": {args}, "id": "t1"}}]}}]"#
            )
        };
        let (one, two, result) = (partial(r#"{"a": 1}"#), partial(r#"{"a": 1, "b": 2}"#), format!("[{RESULT}]"));
        let next = r#"[{"content": "3", "type": "ai", "id": "m2", "tool_calls": []}]"#;
        let called = r#"use t1 add {"a": 1, "b": 2}."#;
        let (growing, complete) = ("messages/partial", "messages/complete");
        check_named(&[
            (&[(growing, &one), (growing, &two), (complete, &result)], &["say Hi", "other", called, "result t1 3"]),
            (&[(growing, &one), (growing, &two), (growing, next)], &["say Hi", "other", called, "say 3"]),
            (&[("messages/partial|sub", &two)], &["say Hi", called]),
        ]);
    }

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

    #[test]
    fn interrupts_wherever_they_stand() {
        let one = r#"{"value": {"question": "May I?"}, "id": "i1", "response_schema": null}"#;
        let told = r#"ask i1  {"question": "May I?"}"#;
        for shape in [
            r#"{"__interrupt__": [@]}"#,
            r#"["updates", {"__interrupt__": [@]}]"#,
            r#"[["sub:1"], "updates", {"__interrupt__": [@]}]"#,
            r#"[[], {"__interrupt__": [@]}]"#,
            r#"{"messages": [], "__interrupt__": [@]}"#,
            r#"["values", {"messages": [{"type": "human", "content": "x"}], "__interrupt__": [@]}]"#,
            r#"{"event": "on_chain_stream", "data": {"chunk": {"__interrupt__": [@]}}}"#,
            r#"{"type": "updates", "ns": [], "data": {"__interrupt__": [@]}}"#,
            r#"{"type": "values", "ns": [], "data": {"messages": []}, "interrupts": [@]}"#,
            r#"{"type": "values", "ns": [], "data": {"a": 1}, "interrupts": [@]}"#,
        ] {
            let event = shape.replace('@', one);
            check(&[(&[&event, &event], &[told, if shape.contains("on_chain") { "trace" } else { "other" }])]);
        }
        let updates = |interrupts: &str| format!(r#"["updates", {{"__interrupt__": [{interrupts}]}}]"#);
        let values =
            |interrupts: &str| format!(r#"["values", {{"messages": [{WHOLE}], "__interrupt__": [{interrupts}]}}]"#);
        let schema = r#"{"value": "plain", "id": "i2", "response_schema": {"type": "boolean"}}"#;
        let old =
            |place: &str| format!(r#"{{"value": "plain", "resumable": true, "ns": ["{place}"], "when": "during"}}"#);
        check(&[
            // Text before it is told, and what comes again is not.
            (&[&updates(one), &values(one)], &[told, "say Hello"]),
            (&[&values(&format!("{one}, {schema}"))], &["say Hello", told, r#"ask i2  plain {"type": "boolean"}"#]),
            (
                &[&updates(&old("a")), &values(&old("a")), &updates(&old("b"))],
                &["ask   plain", "say Hello", "ask   plain"],
            ),
            (&[&updates(r#"{"value": null}, {}, {"value": [1]}, "x""#)], &["ask   ", "ask   ", "ask   [1]"]),
            (
                &[&updates(""), r#"{"__interrupt__": "x"}"#, r#"{"interrupts": [{"value": 1, "id": "i1"}]}"#],
                &["other", "other", "other"],
            ),
            (&[r#"{"__interrupt__": [{"value": {"error": "boom"}, "id": "i1"}]}"#], &[r#"ask i1  {"error": "boom"}"#]),
        ]);
    }

    /// Chunks add up to their message; a message that comes again is counted by what it has more.
    #[test]
    fn numbers() {
        let usage = r#", "usage_metadata": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "input_token_details": {"cache_read": 2}}}"#;
        let with = |message: &str, usage: &str| format!("{}{usage}", &message[..message.len() - 1]);
        let (chunk, whole) = (with(CHUNK, usage), with(WHOLE, usage));
        let more = with(CHUNK, &usage.replace(": 7", ": 0").replace("2}", "0}"));
        let values = format!(r#"["values", {{"messages": [{ASKED}, {whole}]}}]"#);
        let end = format!(r#"{{"event": "on_chat_model_end", "data": {{"output": {}}}}}"#, whole.replace(": 3", ": 6"));
        let nameless = whole.replace(r#", "id": "m1""#, "");
        check(&[
            (&[&chunk, &more, &end], &["say Hel", "used 7 3 2 -", "say Hel", "used 0 3 0 -", "say Hello"][..]),
            (&[&chunk, &values, &values], &["say Hel", "used 7 3 2 -", "say lo", "other"]),
            (&[&values, &end], &["say Hello", "used 7 3 2 -", "used - 3 - -"]),
            (&[&whole, &whole.replace("m1", "m2")], &["say Hello", "used 7 3 2 -", "say Hello", "used 7 3 2 -"]),
            (&[&nameless, &nameless], &["say Hello", "used 7 3 2 -", "say Hello", "used 7 3 2 -"]),
            (&[&format!(r#"{{"messages": [{nameless}]}}"#)], &["say Hello"]),
            (
                &[
                    &with(
                        WHOLE,
                        r#", "usage_metadata": {"input_tokens": -7, "output_tokens": 1.5, "input_token_details": null}}"#,
                    ),
                    &with(CHUNK, r#", "usage_metadata": [7]}"#),
                    &with(CHUNK, r#", "usage_metadata": null}"#),
                ],
                &["say Hello", "say Hel", "say Hel"],
            ),
        ]);
    }
}
