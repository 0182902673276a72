//! AG-UI: a run as events, each of which says its type. Its snapshots repeat what its other events have told.
//!
//! Shapes: the protocol's documentation, "Events", and its Python SDK.

use bytestring::ByteString;

use super::{
    Event, SseEvent, ToolResult,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match object.str("type")? {
        "TEXT_MESSAGE_START" => transcript.role(object.string("messageId").as_deref(), object.str("role")),
        "TEXT_MESSAGE_CONTENT" | "TEXT_MESSAGE_CHUNK" => {
            let (id, text) = (object.string("messageId"), object.words("delta")?);
            if object.has("role") {
                transcript.role(id.as_deref(), object.str("role"));
            }
            if transcript.is_answer(id.as_deref()) {
                transcript.text(id.as_deref(), TELLER, text);
            }
        }
        "REASONING_MESSAGE_CONTENT" | "REASONING_MESSAGE_CHUNK" | "THINKING_TEXT_MESSAGE_CONTENT" => {
            let text = object.words("delta")?;
            transcript.reasoning(object.string("messageId").as_deref(), TELLER, text);
        }
        "TOOL_CALL_START" | "TOOL_CALL_ARGS" | "TOOL_CALL_CHUNK" => {
            let id = object.string("toolCallId");
            if let (Some(id), Some(name)) = (&id, object.string("toolCallName")) {
                transcript.call(id.clone(), id.clone(), name);
            }
            transcript.input(id.as_deref(), object.string("delta").unwrap_or_default());
        }
        "TOOL_CALL_END" => {
            let id = object.string("toolCallId")?;
            transcript.end_calls(|slot| slot == &*id);
        }
        "TOOL_CALL_RESULT" => transcript.result(ToolResult {
            id: object.string("toolCallId")?,
            content: object.string("content")?,
            failed: false,
        }),
        "MESSAGES_SNAPSHOT" => snapshot(object.get("messages")?, transcript)?,
        "STATE_SNAPSHOT" | "STATE_DELTA" | "ACTIVITY_SNAPSHOT" | "ACTIVITY_DELTA" => {
            transcript.event(Event::State(event.clone()));
        }
        "RUN_STARTED" | "STEP_STARTED" | "STEP_FINISHED" => transcript.event(Event::Trace(event.clone())),
        "RUN_FINISHED" => {
            transcript.end_calls(|_| true);
            transcript.event(Event::Trace(event.clone()));
        }
        "RUN_ERROR" => transcript.error(object.get("message")?.plain(), object.get("code").map(Json::plain)),
        _ => return None,
    }
    Some(())
}

/// Reads the conversation as it stands; what was said before the user's last words belongs to earlier turns.
fn snapshot(messages: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let mut claimed = Vec::new();
    let messages: Option<Vec<_>> = messages.array()?.into_iter().map(Json::object).collect();
    let messages = messages?;
    let asked = messages.iter().rposition(|message| message.string("role").is_some_and(|role| role == "user"));
    for message in &messages[asked.map_or(0, |asked| asked + 1)..] {
        let id = message.string("id");
        let content = message.get("content");
        match &*message.string("role")? {
            "assistant" => {
                let mut blocks: Vec<_> = content.and_then(Json::string).map(Block::Text).into_iter().collect();
                blocks.extend(
                    message.get("toolCalls").and_then(Json::array).unwrap_or_default().into_iter().filter_map(call),
                );
                transcript.listed(id.as_deref(), TELLER, blocks, &mut claimed);
            }
            "reasoning" => {
                let blocks = content.and_then(Json::string).map(Block::Reasoning).into_iter().collect();
                transcript.message(id.as_deref(), TELLER, blocks);
            }
            "tool" => transcript.result(ToolResult {
                id: message.string("toolCallId")?,
                content: content?.plain(),
                failed: message.has("error"),
            }),
            _ => {}
        }
    }
    Some(())
}

fn call(call: Json<'_>) -> Option<Block> {
    let call = call.object()?;
    let function = call.get("function")?.object()?;
    let input: ByteString = function.string("arguments")?;
    Some(Block::Call { id: call.string("id")?, name: function.string("name")?, input })
}

const TELLER: &str = "agui";

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn a_run() {
        check(&[(
            &[
                r#"{"type":"RUN_STARTED","threadId":"th1","runId":"r1"}"#,
                r#"{"type":"THINKING_TEXT_MESSAGE_CONTENT","delta":"h"}"#,
                r#"{"type":"REASONING_MESSAGE_CONTENT","messageId":"r","delta":"m"}"#,
                r#"{"type":"TEXT_MESSAGE_START","messageId":"m1","role":"assistant"}"#,
                r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"Hel"}"#,
                r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"lo"}"#,
                r#"{"type":"TEXT_MESSAGE_CHUNK","messageId":"m2","delta":"lo"}"#,
                r#"{"type":"TOOL_CALL_START","toolCallId":"t1","toolCallName":"search"}"#,
                r#"{"type":"TOOL_CALL_START","toolCallId":"t2","toolCallName":"find"}"#,
                r#"{"type":"TOOL_CALL_ARGS","toolCallId":"t1","delta":"{\"q\":\"x\"}"}"#,
                r#"{"type":"TOOL_CALL_END","toolCallId":"t1"}"#,
                r#"{"type":"TOOL_CALL_RESULT","messageId":"m3","toolCallId":"t1","content":"found"}"#,
                r#"{"type":"TOOL_CALL_CHUNK","toolCallId":"t3","toolCallName":"look","delta":"{"}"#,
                r#"{"type":"TOOL_CALL_CHUNK","delta":"}"}"#,
                r#"{"type":"STATE_SNAPSHOT","snapshot":{"text":"no words"}}"#,
                r#"{"type":"STATE_DELTA","delta":[{"op":"replace","path":"/a","value":2}]}"#,
                r#"{"type":"CUSTOM","name":"c","value":{"k":"v"}}"#,
                r#"{"type":"RUN_FINISHED","message":"over"}"#,
            ],
            &[
                "trace",
                "think h",
                "think m",
                "other",
                "say Hel",
                "say lo",
                "say lo",
                "use t1 search ",
                "use t2 find ",
                r#"use t1 search {"q":"x"}"#,
                "use t1 search .",
                "result t1 found",
                "use t3 look ",
                "use t3 look {",
                "use t3 look }",
                "state",
                "state",
                "other",
                "use t2 find .",
                "use t3 look .",
                "trace",
            ],
        )]);
    }

    #[test]
    fn snapshots_of_messages() {
        let snapshot = r#"{"type":"MESSAGES_SNAPSHOT","messages":[
            {"id":"u0","role":"user","content":"before"},{"id":"m0","role":"assistant","content":"earlier"},
            {"id":"u1","role":"user","content":"now"},{"id":"r1","role":"reasoning","content":"hm"},
            {"id":"m1","role":"assistant","content":"Hello","toolCalls":[
                {"id":"t1","type":"function","function":{"name":"search","arguments":"{}"}}]},
            {"id":"m2","role":"tool","toolCallId":"t1","content":"found"}
        ]}"#;
        let piece = r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"Hello"}"#;
        check(&[
            (&[snapshot, snapshot], &["think hm", "say Hello", "use t1 search {}.", "result t1 found", "other"]),
            (&[piece, snapshot], &["say Hello", "think hm", "use t1 search {}.", "result t1 found"]),
        ]);
    }

    #[test]
    fn errors() {
        check(&[
            (&[r#"{"type":"RUN_ERROR","message":"agui boom","code":"X"}"#], &["error X: agui boom"]),
            (&[r#"{"type":"RUN_ERROR","message":"agui boom"}"#], &["error : agui boom"]),
        ]);
    }
}
