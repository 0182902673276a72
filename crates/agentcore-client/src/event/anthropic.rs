//! Anthropic's Messages API: a message in blocks, each event with its type.
//!
//! Shapes: the API's documentation, "Streaming Messages". Errors are read for all dialects alike.

use super::{
    Event, SseEvent,
    json::{Json, Object},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("type")? {
        "message_start" => {
            object.get("message")?.object()?;
            transcript.end_calls(|_| true);
            transcript.begin();
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
                "text_delta" => transcript.text(None, "", delta.words("text")?),
                "thinking_delta" => transcript.reasoning(None, "", delta.words("thinking")?),
                "input_json_delta" => transcript.input(Some(&slot(object)), delta.string("partial_json")?),
                _ => {}
            }
        }
        "content_block_stop" => {
            let stopped = slot(object);
            transcript.end_calls(|slot| slot == &*stopped);
        }
        "message_delta" | "message_stop" => {
            transcript.end_calls(|_| true);
            transcript.event(Event::Trace(event.clone()));
        }
        _ => return None,
    }
    Some(())
}

fn slot(object: Object<'_>) -> bytestring::ByteString {
    object.get("index").map(Json::text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

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
                "trace",
                "trace",
                "error overloaded_error: Overloaded",
            ],
        )]);
    }
}
