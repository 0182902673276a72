//! LlamaIndex's adapter for AgentCore Runtime: pieces with the answer so far beside them, and the whole at the end.
//!
//! Shapes: `llama-index-runtimes-bedrock-agentcore`, `runtime/base.py`. The whole begins with the role of its message.

use super::{
    Event, SseEvent,
    json::Object,
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("event")? {
        "agent_stream" => match object.string("delta") {
            Some(text) => transcript.text(None, "", text),
            None => transcript.event(Event::Other(event.clone())),
        },
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
                    r#"{"event": "agent_stream", "delta": "Hel", "response": "Hel"}"#,
                    r#"{"event": "error", "message": "the model is gone"}"#,
                ],
                &["say Hel", "error : the model is gone"],
            ),
        ]);
    }
}
