//! Pydantic AI: the events of `Agent.run_stream_events`, each of which says its kind, and the messages of a run. Parts come in
//! pieces and then whole, and the end of a run repeats the last.
//!
//! Shapes: `pydantic-ai` 2.68, `messages.py`, `run.py` and `usage.py`.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("event_kind")? {
        "part_start" => start(slot(object), object.get("part")?.object()?, transcript),
        "part_delta" => delta(&slot(object), object.get("delta")?.object()?, transcript)?,
        "part_end" => {
            let slot = slot(object);
            whole(object.get("part")?.object()?, "part", transcript);
            transcript.end_calls(|other| other == &*slot);
        }
        "function_tool_call" | "builtin_tool_call" | "output_tool_call" => {
            whole(object.get("part")?.object()?, "call", transcript);
        }
        "function_tool_result" | "builtin_tool_result" | "output_tool_result" => {
            let [part, result] = object.get_all(["part", "result"]);
            whole(part.or(result)?.object()?, "result", transcript);
        }
        "deferred_tool_requests" => requests(object.get("requests")?.object()?, transcript),
        "agent_run_result" => run(object.get("result")?.object()?, transcript),
        "final_result" => transcript.event(Event::Trace(event.clone())),
        _ => return None,
    }
    Some(())
}

/// Reads the messages of a run, as `new_messages` and `all_messages` give them.
pub(super) fn list(items: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let messages: Option<Vec<_>> = items.items().map(Json::object).collect();
    let messages = messages.filter(|messages| {
        !messages.is_empty()
            && messages.iter().all(|message| {
                message.has("parts") && message.str("kind").is_some_and(|kind| matches!(kind, "request" | "response"))
            })
    })?;
    for message in messages {
        transcript.begin();
        let parts = || message.get("parts").into_iter().flat_map(Json::items).filter_map(Json::object);
        transcript.message(None, "message", parts().filter_map(block).collect());
        parts().filter_map(result).for_each(|result| transcript.result(result));
        if let Some(numbers) = message.get("usage").and_then(Json::object) {
            transcript.usage(None, Report::Whole(1), &USAGE.read(numbers));
        }
    }
    Some(())
}

fn slot(object: Object<'_>) -> ByteString {
    object.get("index").map(Json::text).unwrap_or_default()
}

fn start(slot: ByteString, part: Object<'_>, transcript: &mut Transcript) {
    match block(part) {
        Some(Block::Text(text)) => transcript.text(None, "", text),
        Some(Block::Reasoning(text)) => transcript.reasoning(None, "", text),
        Some(Block::Call { id, name, input }) => {
            transcript.call(slot.clone(), id, name);
            transcript.input(Some(&slot), input);
        }
        _ => whole(part, "part", transcript),
    }
}

fn delta(slot: &str, delta: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match delta.str("part_delta_kind")? {
        "text" => transcript.text(None, "", delta.words("content_delta")?),
        "thinking" => transcript.reasoning(None, "", delta.words("content_delta").unwrap_or_default()),
        "tool_call" => {
            if let Some(input) = delta.get("args_delta") {
                transcript.input(Some(slot), input.plain());
            }
        }
        _ => return None,
    }
    Some(())
}

/// Tells a whole part, of which pieces may have been told before.
fn whole(part: Object<'_>, shape: &'static str, transcript: &mut Transcript) {
    if let Some(result) = result(part) {
        transcript.result(result);
    } else if let Some(block) = block(part) {
        transcript.message(None, shape, vec![block]);
    }
}

/// A part that the model wrote.
fn block(part: Object<'_>) -> Option<Block> {
    Some(match part.str("part_kind")? {
        "text" => Block::Text(part.string("content")?),
        "thinking" => Block::Reasoning(part.string("content")?),
        "tool-call" | "builtin-tool-call" => {
            let input = part.get("args").map(Json::plain).unwrap_or_default();
            Block::Call { id: part.string("tool_call_id")?, name: part.string("tool_name")?, input }
        }
        _ => return None,
    })
}

/// A part that a tool wrote, or that asks the model to try again.
fn result(part: Object<'_>) -> Option<ToolResult> {
    let failed = match part.str("part_kind")? {
        "tool-return" | "builtin-tool-return" => {
            part.str("outcome").is_some_and(|outcome| matches!(outcome, "failed" | "denied" | "retried"))
        }
        "retry-prompt" => true,
        _ => return None,
    };
    let content = part.get("content").map(Json::plain).unwrap_or_default();
    Some(ToolResult { id: part.string("tool_call_id")?, content, failed })
}

/// Tells which calls wait: for an approval, or for a result from outside.
fn requests(requests: Object<'_>, transcript: &mut Transcript) {
    for key in ["approvals", "calls"] {
        for call in requests.get(key).into_iter().flat_map(Json::items).filter_map(Json::object) {
            if let Some(Block::Call { id, name, input }) = block(call) {
                let interrupt = Interrupt::of(Dialect::PydanticAi, Some(id.clone()), input).named(Some(name));
                transcript.interrupt(Some(&id), interrupt);
            }
        }
    }
}

/// Reads the end of a run.
fn run(result: Object<'_>, transcript: &mut Transcript) {
    let output = result.get("output");
    if let Some(text) = output.and_then(Json::string) {
        transcript.message(None, "run", vec![Block::Text(text)]);
    } else if let Some(output) = output.and_then(Json::object) {
        requests(output, transcript);
    }
    let state = result.get("_state").and_then(Json::object);
    if let Some(numbers) = state.and_then(|state| state.get("usage")?.object()) {
        transcript.usage(None, Report::Total, &USAGE.read(numbers));
    }
}

/// `RequestUsage` and `RunUsage`: what came from the cache is within the input.
const USAGE: Names = Names {
    input: "input_tokens",
    output: "output_tokens",
    cached: (None, "cache_read_tokens"),
    beside: None,
    total: None,
};

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn parts_and_their_ends() {
        let start = r#"{"index": 0, "part": {"content": "Hel", "part_kind": "text"}, "event_kind": "part_start"}"#;
        let delta =
            r#"{"index": 0, "delta": {"content_delta": "lo", "part_delta_kind": "text"}, "event_kind": "part_delta"}"#;
        let end = r#"{"index": 0, "part": {"content": "Hello", "part_kind": "text"}, "event_kind": "part_end"}"#;
        let run = r#"{"result": {"output": "Hello", "_state": {"usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_tokens": 0}}}, "event_kind": "agent_run_result"}"#;
        let thought = r#"{"index": 0, "part": {"content": "", "part_kind": "thinking"}, "event_kind": "part_start"}"#;
        let signature = r#"{"index": 0, "delta": {"content_delta": null, "signature_delta": "x", "part_delta_kind": "thinking"}, "event_kind": "part_delta"}"#;
        check(&[
            (&[start, delta, end, run], &["say Hel", "say lo", "other", "used 5 2 0 -"]),
            (&[start, delta, run], &["say Hel", "say lo", "used 5 2 0 -"]),
            (&[end, run], &["say Hello", "used 5 2 0 -"]),
            (&[run], &["say Hello", "used 5 2 0 -"]),
            (&[start, end, start, end], &["say Hel", "say lo", "say Hel", "say lo"]),
            (&[thought, signature], &["other", "other"]),
        ]);
    }

    #[test]
    fn tools() {
        let start = r#"{"index": 1, "part": {"tool_name": "add", "args": "{", "tool_call_id": "t1", "part_kind": "tool-call"}, "event_kind": "part_start"}"#;
        let delta =
            r#"{"index": 1, "delta": {"args_delta": "}", "part_delta_kind": "tool_call"}, "event_kind": "part_delta"}"#;
        let end = r#"{"index": 1, "part": {"tool_name": "add", "args": "{}", "tool_call_id": "t1", "part_kind": "tool-call"}, "event_kind": "part_end"}"#;
        let called = r#"{"part": {"tool_name": "add", "args": {"a": 1}, "tool_call_id": "t1", "part_kind": "tool-call"}, "event_kind": "function_tool_call"}"#;
        let result = r#"{"part": {"content": 3, "tool_call_id": "t1", "outcome": "success", "part_kind": "tool-return"}, "event_kind": "function_tool_result"}"#;
        let retry = r#"{"result": {"content": "no", "tool_call_id": "t1", "part_kind": "retry-prompt"}, "event_kind": "function_tool_result"}"#;
        check(&[
            (
                &[start, delta, end, called, result],
                &["use t1 add ", "use t1 add {", "use t1 add }", "use t1 add .", "other", "result t1 3"],
            ),
            (&[called, retry], &[r#"use t1 add {"a": 1}."#, "failed t1 no"]),
            (&[result.replace("success", "retried").as_str()], &["failed t1 3"]),
        ]);
    }

    #[test]
    fn questions_and_messages() {
        let asked = r#"{"requests": {"calls": [{"tool_name": "buy", "args": null, "tool_call_id": "t2", "part_kind": "tool-call"}],
            "approvals": [{"tool_name": "add", "args": "{}", "tool_call_id": "t1", "part_kind": "tool-call"}]}, "event_kind": "deferred_tool_requests"}"#;
        let messages = r#"[{"parts": [{"content": "1+2?", "part_kind": "user-prompt"}], "kind": "request"},
            {"parts": [{"content": "3", "part_kind": "text"}], "usage": {"input_tokens": 5, "output_tokens": 2}, "kind": "response"}]"#;
        check(&[
            (&[asked, asked], &["ask t1 add {}", "ask t2 buy ", "other"]),
            (&[messages], &["say 3", "used 5 2 - -"]),
            (&[r#"[{"parts": [], "kind": "request"}, {"kind": "other"}]"#], &["other"]),
            (&[r#"{"event_kind": "unknown", "text": "x"}"#], &["say x"]),
        ]);
    }
}
