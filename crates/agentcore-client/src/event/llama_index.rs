//! LlamaIndex's adapter for AgentCore Runtime: pieces with the answer so far beside them, and the whole at the end.
//!
//! Shapes: `llama-index-tools-aws-bedrock-agentcore` 0.4, `runtime/base.py`. The whole begins with the role of its message.

use super::{
    Event, SseEvent, ToolResult,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("event")? {
        "agent_stream" => {
            transcript.reasoning(None, "", object.string("thinking_delta").unwrap_or_default());
            transcript.text(None, "", object.string("delta").unwrap_or_default());
        }
        // Neither has an id.
        "tool_call" if object.has("tool_name") => {
            let input = object.get("tool_kwargs").map(Json::plain).unwrap_or_default();
            let call = Block::Call { id: "".into(), name: object.string("tool_name")?, input };
            transcript.message(None, "tool", vec![call]);
        }
        "tool_result" => {
            let content = object.get("tool_output")?.plain();
            transcript.result(ToolResult { id: "".into(), content, failed: false });
        }
        "done" if object.has("response") => {
            let whole = object.string("response")?;
            let text = whole.strip_prefix("assistant: ").map_or_else(|| whole.clone(), |text| whole.slice_ref(text));
            transcript.message(None, "response", vec![Block::Text(text)]);
        }
        "tool_call" | "tool_call_result" | "agent_input" | "agent_output" => {
            transcript.event(Event::Trace(event.clone()))
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn a_run() {
        check(&[
            (
                &[
                    r#"{"event": "agent_stream", "delta": "Hel", "response": "Hel"}"#,
                    r#"{"event": "agent_stream", "delta": "lo", "response": "Hello"}"#,
                    r#"{"event": "done", "response": "assistant: Hello"}"#,
                ],
                &["say Hel", "say lo", "other"],
            ),
            (&[r#"{"event": "done", "response": "assistant: Hello"}"#], &["say Hello"]),
            (
                &[
                    r#"{"event": "agent_stream", "delta": "", "response": "", "thinking_delta": "hm"}"#,
                    r#"{"event": "tool_call", "tool_name": "add", "tool_kwargs": {"a": 1}}"#,
                    r#"{"event": "tool_result", "tool_name": "add", "tool_output": "3"}"#,
                    r#"{"event": "agent_stream", "delta": "", "response": ""}"#,
                ],
                &["think hm", r#"use  add {"a": 1}."#, "result  3", "other"],
            ),
            (
                &[
                    r#"{"event": "agent_stream", "delta": "Hel", "response": "Hel"}"#,
                    r#"{"event": "error", "message": "the model is gone"}"#,
                ],
                &["say Hel", "error : the model is gone"],
            ),
        ]);
    }
}
