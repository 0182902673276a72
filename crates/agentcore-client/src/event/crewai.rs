//! CrewAI: the chunks of a crew that streams, the frames of a flow that streams, and the output of both.
//!
//! Shapes: `crewai` 1.15, `types/streaming.py`, `utilities/streaming.py`, `events/types/` and `crews/crew_output.py`.

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(kind) = object.str("chunk_type") {
        return chunk(kind, object, transcript);
    }
    if let Some(channel) = object.str("channel") {
        let data = object.get("data").and_then(Json::object).filter(|_| CHANNELS.contains(&channel))?;
        return frame(event, object, data, transcript);
    }
    object.get("tasks_output")?.array()?;
    output(object, transcript)
}

/// Reads a `StreamChunk`. The arguments of a tool may be those so far, so that its content is the piece.
fn chunk(kind: &str, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let content = object.words("content")?;
    match kind {
        "text" => transcript.text(None, "", content),
        "tool_call" => {
            let call = object.get("tool_call")?.object()?;
            let slot = call.get("index").map(Json::text).unwrap_or_default();
            if let Some(name) = call.string("tool_name") {
                transcript.call(slot.clone(), call.string("tool_id").unwrap_or_default(), name);
            }
            transcript.input(Some(&slot), content);
        }
        _ => return None,
    }
    Some(())
}

/// Reads a `StreamFrame`: an event of CrewAI's bus. Its tools are told as they run, which they do for models without calls too.
fn frame(event: &SseEvent, object: Object<'_>, data: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let model_call = data.string("call_id");
    match object.str("type")? {
        "llm_stream_chunk" if !data.has("tool_call") => {
            transcript.text(model_call.as_deref(), WHOLE, data.words("chunk")?);
        }
        "llm_thinking_chunk" => transcript.reasoning(model_call.as_deref(), WHOLE, data.words("chunk")?),
        "llm_call_completed" => {
            if let Some(text) = data.string("response") {
                transcript.message(model_call.as_deref(), WHOLE, vec![Block::Text(text)]);
            }
            if let Some(numbers) = data.get("usage").and_then(Json::object) {
                transcript.usage(model_call.as_deref(), Report::Whole(1), &USAGE.read(numbers));
            }
        }
        "tool_usage_started" => {
            let input = data.get("tool_args").map(Json::plain).unwrap_or_default();
            let call = Block::Call { id: object.string("id")?, name: data.string("tool_name")?, input };
            transcript.message(None, "tool", vec![call]);
        }
        kind @ ("tool_usage_finished" | "tool_usage_error") => {
            let failed = kind == "tool_usage_error";
            let content = data.get(if failed { "error" } else { "output" }).map(Json::plain).unwrap_or_default();
            transcript.result(ToolResult { id: data.string("started_event_id")?, content, failed });
        }
        "human_feedback_requested" => {
            let id = data.string("request_id").or_else(|| object.string("id"));
            let reason = data.get("message").map(Json::plain).unwrap_or_default();
            let interrupt = Interrupt::of(Dialect::CrewAi, id.clone(), reason).named(data.string("method_name"));
            transcript.interrupt(id.as_deref(), interrupt);
        }
        "flow_finished" if !object.has("parent_id") => {
            transcript.says_end();
            transcript.event(Event::Trace(event.clone()));
        }
        // A flow that ends here, and goes on when it is given the feedback (`Flow.resume`).
        "flow_paused" => {
            let id = data.string("flow_id");
            let reason = data.get("message").map(Json::plain).unwrap_or_default();
            let interrupt = Interrupt::of(Dialect::CrewAi, id.clone(), reason).named(data.string("method_name"));
            transcript.interrupt(id.as_deref(), interrupt);
        }
        // What fails within another flow or crew is its to judge.
        "flow_failed" | "crew_kickoff_failed" if !object.has("parent_id") => {
            transcript.error(data.get("error").map(Json::plain).unwrap_or_default().to_string(), None);
        }
        _ => transcript.event(Event::Trace(event.clone())),
    }
    Some(())
}

/// Reads a `CrewOutput`.
fn output(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    transcript.end_calls(|_| true);
    transcript.message(None, "output", vec![Block::Text(object.string("raw")?)]);
    if let Some(numbers) = object.get("token_usage").and_then(Json::object) {
        transcript.usage(None, Report::Total, &USAGE.read(numbers));
    }
    Some(())
}

const WHOLE: &str = "crewai";

const CHANNELS: &[&str] = &["llm", "flow", "tools", "messages", "lifecycle", "custom"];

/// `UsageMetrics`: what came from the cache is within the prompt.
const USAGE: Names = Names {
    input: "prompt_tokens",
    output: "completion_tokens",
    cached: (None, "cached_prompt_tokens"),
    beside: None,
    total: None,
};

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn chunks_and_the_output() {
        let text = |text: &str| {
            format!(r#"{{"content": "{text}", "chunk_type": "text", "agent_role": "a", "tool_call": null}}"#)
        };
        let tool = |piece: &str, all: &str| {
            format!(
                r#"{{"content": "{piece}", "chunk_type": "tool_call", "tool_call": {{"tool_id": "t1", "tool_name": "add", "arguments": "{all}", "index": 0}}}}"#
            )
        };
        let output = r#"{"raw": "Hello", "tasks_output": [{"raw": "Hello"}], "token_usage": {"prompt_tokens": 5, "completion_tokens": 2, "cached_prompt_tokens": 1}}"#;
        let (hel, lo, open, close) = (text("Hel"), text("lo"), tool("{", "{"), tool("}", "{}"));
        check(&[
            (
                &[&text("So "), &open, &close, &hel, &lo, output],
                &[
                    "say So ",
                    "use t1 add ",
                    "use t1 add {",
                    "use t1 add }",
                    "say Hel",
                    "say lo",
                    "use t1 add .",
                    "used 5 2 1 -",
                ],
            ),
            (&[output], &["say Hello", "used 5 2 1 -"]),
            (&[r#"{"raw": "x", "tasks_output": 1}"#, r#"{"content": "x", "chunk_type": "new"}"#], &["other", "say x"]),
        ]);
    }

    fn frame(kind: &str, channel: &str, data: &str) -> String {
        format!(r#"{{"id": "{kind}", "type": "{kind}", "channel": "{channel}", "parent_id": "p", "data": {data}}}"#)
    }

    #[test]
    fn frames() {
        let llm = |kind: &str, data: &str| frame(kind, "llm", data);
        let started = frame("tool_usage_started", "tools", r#"{"tool_name": "add", "tool_args": {"a": 1}}"#);
        let error = frame("tool_usage_error", "tools", r#"{"started_event_id": "tool_usage_started", "error": "no"}"#);
        check(&[
            (
                &[
                    &llm("llm_call_started", "{}"),
                    &llm("llm_thinking_chunk", r#"{"call_id": "c", "chunk": "hm"}"#),
                    &llm("llm_stream_chunk", r#"{"call_id": "c", "chunk": "Hel"}"#),
                    &llm("llm_stream_chunk", r#"{"call_id": "c", "chunk": "{", "tool_call": {"id": "t1"}}"#),
                    &llm(
                        "llm_call_completed",
                        r#"{"call_id": "c", "response": "Hello", "usage": {"prompt_tokens": 5}}"#,
                    ),
                ],
                &["trace", "think hm", "say Hel", "trace", "say lo", "used 5 - - -"],
            ),
            (
                &[
                    &started,
                    &frame(
                        "tool_usage_finished",
                        "tools",
                        r#"{"started_event_id": "tool_usage_started", "output": 3}"#,
                    ),
                ],
                &[r#"use tool_usage_started add {"a": 1}."#, "result tool_usage_started 3"],
            ),
            (&[&started, &error], &[r#"use tool_usage_started add {"a": 1}."#, "failed tool_usage_started no"]),
            (
                &[&frame(
                    "human_feedback_requested",
                    "flow",
                    r#"{"method_name": "draft", "message": "Good?", "request_id": "r1"}"#,
                )],
                &["ask r1 draft Good?"],
            ),
            (
                &[&frame("flow_paused", "flow", r#"{"flow_id": "f1", "method_name": "draft", "message": "Good?"}"#)],
                &["ask f1 draft Good?"],
            ),
            (&[&frame("flow_failed", "flow", r#"{"error": "boom"}"#)], &["trace"]),
            (&[&frame("flow_failed", "flow", r#"{"error": "boom"}"#).replace(r#""p""#, "null")], &["error : boom"]),
            (&[&frame("flow_started", "news", "{}")], &["other"]),
        ]);
    }
}
