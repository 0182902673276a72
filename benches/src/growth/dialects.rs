//! Inputs that grow, for each dialect: a text that one event brings, and tool calls, one after the other.

use agentcore_client::{Event, Reader, SseEvent};

use super::{Read, Subject, inputs::equal};
use crate::Result;

/// What is read of each dialect.
pub(super) fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (name, text, call) in DIALECTS {
        subjects.push(Subject {
            title: format!("{name}: the text of one event"),
            least: 256 * 1024,
            unit: "bytes",
            read: Read::Here(Box::new(move |_, size| {
                let events = text.replace('@', &"x".repeat(size));
                equal(read([events].into_iter())?.0, size)
            })),
        });
        if !call.is_empty() {
            subjects.push(Subject {
                title: format!("{name}: tool calls"),
                least: 1_000,
                unit: "calls",
                read: Read::Here(Box::new(move |_, size| {
                    let call = move |number: usize| call.replace('#', &number.to_string());
                    let events =
                        (0..size).flat_map(|number| call(number).lines().map(str::to_owned).collect::<Vec<_>>());
                    equal(read(events)?.1, size)
                })),
            });
        }
    }
    subjects
}

/// The bytes of text, and how many calls there were.
fn read(events: impl Iterator<Item = String>) -> Result<(usize, usize)> {
    let (mut reader, mut text, mut calls) = (Reader::new(), 0, 0);
    let mut take = |reader: &mut Reader| -> Result<()> {
        while let Some(event) = reader.next_event() {
            match event? {
                Event::Text(piece) => text += piece.len(),
                Event::ToolUse(call) => calls += usize::from(call.last),
                _ => {}
            }
        }
        Ok(())
    };
    for event in events {
        reader.push(SseEvent::new(event));
        take(&mut reader)?;
    }
    reader.finish();
    take(&mut reader)?;
    Ok((text, calls))
}

/// The name, an event with `@`, and the events of the call with the number `#`: a line each.
const DIALECTS: &[(&str, &str, &str)] = &[
    ("strings", r#""@""#, ""),
    (
        "strands",
        r#"{"data": "@"}"#,
        r##"{"event": {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t#", "name": "add"}}}}}
{"event": {"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}}}
{"event": {"contentBlockStop": {}}}"##,
    ),
    (
        "converse",
        r#"{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "@"}}}"#,
        r##"{"contentBlockStart": {"contentBlockIndex": #, "start": {"toolUse": {"toolUseId": "t#", "name": "add"}}}}
{"contentBlockDelta": {"contentBlockIndex": #, "delta": {"toolUse": {"input": "{}"}}}}
{"contentBlockStop": {"contentBlockIndex": #}}"##,
    ),
    (
        "openai",
        r#"{"id": "c", "choices": [{"delta": {"content": "@"}, "index": 0}], "object": "chat.completion.chunk"}"#,
        r##"{"id": "c", "choices": [{"delta": {"tool_calls": [{"index": #, "id": "t#", "function": {"arguments": "", "name": "add"}, "type": "function"}]}, "index": 0}], "object": "chat.completion.chunk"}
{"id": "c", "choices": [{"delta": {"tool_calls": [{"index": #, "function": {"arguments": "{}"}}]}, "index": 0}], "object": "chat.completion.chunk"}
{"id": "c", "choices": [{"delta": {}, "index": 0, "finish_reason": "tool_calls"}], "object": "chat.completion.chunk"}"##,
    ),
    (
        "anthropic",
        r#"{"delta": {"text": "@", "type": "text_delta"}, "index": 1, "type": "content_block_delta"}"#,
        r##"{"content_block": {"id": "t#", "input": {}, "name": "add", "type": "tool_use"}, "index": #, "type": "content_block_start"}
{"delta": {"partial_json": "{}", "type": "input_json_delta"}, "index": #, "type": "content_block_delta"}
{"index": #, "type": "content_block_stop"}"##,
    ),
    (
        "ag-ui",
        r#"{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "@"}"#,
        r##"{"type": "TOOL_CALL_START", "toolCallId": "t#", "toolCallName": "add"}
{"type": "TOOL_CALL_ARGS", "toolCallId": "t#", "delta": "{}"}
{"type": "TOOL_CALL_END", "toolCallId": "t#"}
{"type": "TOOL_CALL_RESULT", "messageId": "r#", "toolCallId": "t#", "content": "3", "role": "tool"}"##,
    ),
    (
        "vercel",
        r#"{"type": "text-delta", "id": "t", "delta": "@"}"#,
        r##"{"type": "tool-input-start", "toolCallId": "t#", "toolName": "add"}
{"type": "tool-input-delta", "toolCallId": "t#", "inputTextDelta": "{}"}
{"type": "tool-input-available", "toolCallId": "t#", "toolName": "add", "input": {}}
{"type": "tool-output-available", "toolCallId": "t#", "output": 3}"##,
    ),
    (
        "langgraph",
        r#"[{"type": "AIMessageChunk", "id": "m", "content": "@"}, {"langgraph_node": "model"}]"#,
        r##"{"model": {"messages": [{"content": "", "type": "ai", "id": "m#", "tool_calls": [{"name": "add", "args": {}, "id": "t#", "type": "tool_call"}]}]}}
{"tools": {"messages": [{"content": "3", "type": "tool", "id": "r#", "tool_call_id": "t#", "name": "add"}]}}"##,
    ),
    (
        "google-adk",
        r#"{"content": {"parts": [{"text": "@"}], "role": "model"}, "invocationId": "e", "author": "adder"}"#,
        r##"{"content": {"parts": [{"functionCall": {"id": "t#", "args": {}, "name": "add"}}], "role": "model"}, "invocationId": "e", "author": "adder", "id": "m#"}
{"content": {"parts": [{"functionResponse": {"id": "t#", "name": "add", "response": {"result": 3}}}], "role": "user"}, "invocationId": "e", "author": "adder", "id": "r#"}"##,
    ),
    (
        "pydantic-ai",
        r#"{"index": 1, "part": {"content": "@", "part_kind": "text"}, "event_kind": "part_start"}"#,
        r##"{"index": #, "part": {"tool_name": "add", "args": "{", "tool_call_id": "t#", "part_kind": "tool-call"}, "event_kind": "part_start"}
{"index": #, "delta": {"args_delta": "}", "tool_call_id": "t#", "part_delta_kind": "tool_call"}, "event_kind": "part_delta"}
{"index": #, "part": {"tool_name": "add", "args": "{}", "tool_call_id": "t#", "part_kind": "tool-call"}, "event_kind": "part_end"}"##,
    ),
    (
        "autogen",
        r#"{"id": "m", "source": "adder", "models_usage": null, "content": "@", "type": "ModelClientStreamingChunkEvent"}"#,
        r##"{"id": "m#", "source": "adder", "models_usage": null, "content": [{"id": "t#", "arguments": "{}", "name": "add"}], "type": "ToolCallRequestEvent"}
{"id": "r#", "source": "adder", "models_usage": null, "content": [{"content": "3", "name": "add", "call_id": "t#", "is_error": false}], "type": "ToolCallExecutionEvent"}"##,
    ),
    (
        "crewai",
        r#"{"content": "@", "chunk_type": "text", "task_index": 0, "agent_role": "adder", "tool_call": null}"#,
        r##"{"content": "{", "chunk_type": "tool_call", "task_index": 0, "agent_role": "adder", "tool_call": {"tool_id": "t#", "tool_name": "add", "arguments": "{", "index": 0}}
{"content": "}", "chunk_type": "tool_call", "task_index": 0, "agent_role": "adder", "tool_call": {"tool_id": "t#", "tool_name": "add", "arguments": "}", "index": 0}}
{"raw": "It is #", "tasks_output": [], "token_usage": null}"##,
    ),
    (
        "llama-index",
        r#"{"event": "agent_stream", "delta": "@", "response": "@"}"#,
        r##"{"event": "tool_call", "tool_name": "add", "tool_kwargs": {"number": #}}
{"event": "tool_result", "tool_name": "add", "tool_output": "#"}"##,
    ),
    (
        "a2a",
        r#"{"jsonrpc": "2.0", "id": 1, "result": {"kind": "artifact-update", "taskId": "t", "contextId": "c", "artifact": {"artifactId": "a", "parts": [{"kind": "text", "text": "@"}]}}}"#,
        "",
    ),
];
