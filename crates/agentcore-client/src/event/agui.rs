//! AG-UI: a run as events, each of which says its type. Its snapshots repeat what its other events have told.
//!
//! Shapes: the protocol's documentation, "Events" and "Interrupts", and its Python SDK 1.0. LangGraph's adapter (`ag-ui-langgraph`)
//! tells an interrupt by a `CUSTOM` event named `on_interrupt`, and only if it is told to by the outcome of the run.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult, Usage,
    interrupt::Origin,
    json::{Json, Object},
    tally::{Names, Report},
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
        "CUSTOM" if object.is("name", "on_interrupt") => {
            let reason = object.get("value").map(Json::plain).unwrap_or_default();
            transcript.vague_interrupt(Interrupt::of(Dialect::AgUi, None, reason));
        }
        "STEP_STARTED" | "STEP_FINISHED" => transcript.event(Event::Trace(event.clone())),
        "RUN_STARTED" => {
            transcript.within(true);
            transcript.event(Event::Trace(event.clone()));
        }
        "RUN_FINISHED" => {
            transcript.end_calls(|_| true);
            interrupts(object, transcript);
            usage(object, transcript);
            transcript.says_end();
            transcript.event(Event::Trace(event.clone()));
        }
        "RUN_ERROR" => {
            usage(object, transcript);
            transcript.says_end();
            transcript.error(object.get("message")?.plain(), object.get("code").map(Json::plain));
        }
        _ => return None,
    }
    transcript.within(false);
    Some(())
}

/// Reads what a run that has finished waits for.
fn interrupts(object: Object<'_>, transcript: &mut Transcript) {
    let thread = object.string("threadId").unwrap_or_default();
    let outcome = object.get("outcome").and_then(Json::object).filter(|outcome| outcome.is("type", "interrupt"));
    let Some(outcome) = outcome else {
        return transcript.tell_vague(|interrupt| interrupt.from(Origin::NamelessThread(thread.clone())));
    };
    transcript.forget_vague();
    for interrupt in outcome.get("interrupts").into_iter().flat_map(Json::items).filter_map(Json::object) {
        let (id, kind) = (interrupt.string("id"), interrupt.get("reason").map(Json::plain));
        let reason = interrupt.get("message").map(Json::plain).or_else(|| kind.clone()).unwrap_or_default();
        let asked = Interrupt::of(Dialect::AgUi, id.clone(), reason)
            .named(kind)
            .with_schema(interrupt.get("responseSchema").map(Json::text))
            .from(Origin::Thread(thread.clone()));
        transcript.interrupt(id.as_deref(), asked);
    }
}

/// Reads the numbers of a run, an entry for each model.
fn usage(object: Object<'_>, transcript: &mut Transcript) {
    let mut usage = Usage::default();
    for numbers in object.get("usage").into_iter().flat_map(Json::items).filter_map(Json::object) {
        usage.add(&USAGE.read(numbers));
    }
    transcript.usage(None, Report::More, &usage);
}

/// The SDK's `TokenUsage`, in which every count is a total or a part of one.
const USAGE: Names = Names {
    input: "inputTokens",
    output: "outputTokens",
    cached: (None, "cachedInputTokens"),
    beside: None,
    total: None,
};

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
    use crate::event::{
        EndMark,
        tests::{check, end_mark},
    };

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

    #[test]
    fn interrupts() {
        let finished = |more: &str| format!(r#"{{"type":"RUN_FINISHED","threadId":"th","runId":"r1"{more}}}"#);
        let outcome =
            |interrupts: &str| finished(&format!(r#","outcome":{{"type":"interrupt","interrupts":{interrupts}}}"#));
        let text = r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"Wait."}"#;
        let custom = r#"{"type":"CUSTOM","name":"on_interrupt","value":"{\"question\": \"May I?\"}"}"#;
        let approve = r#"{"id":"i1","reason":"tool_call","message":"May I?","toolCallId":"t1","responseSchema":{"type":"boolean"}}"#;
        let two = outcome(&format!(r#"[{approve},{{"id":"i2","reason":"input"}}]"#));
        check(&[
            (
                &[text, &two],
                &["say Wait.", r#"ask i1 tool_call May I? {"type":"boolean"}"#, "ask i2 input input", "trace"],
            ),
            (&[&two, &two], &[r#"ask i1 tool_call May I? {"type":"boolean"}"#, "ask i2 input input", "trace", "trace"]),
            (
                &[&outcome(r#"[{"reason":{"a":1}},{"id":null,"message":null},7]"#)],
                &[r#"ask  {"a":1} {"a":1}"#, "ask   ", "trace"],
            ),
            (
                &[&outcome("[]"), &outcome("null"), &finished(r#","outcome":{"type":"success"}"#)],
                &["trace", "trace", "trace"],
            ),
            // LangGraph's adapter tells it by an event of its own, and by the outcome only if it is asked to.
            (
                &[text, custom, custom, &finished("")],
                &[
                    "say Wait.",
                    "other",
                    "other",
                    r#"ask   {"question": "May I?"}"#,
                    r#"ask   {"question": "May I?"}"#,
                    "trace",
                ],
            ),
            (
                &[custom, &outcome(r#"[{"id":"i1","reason":"input","message":"May I?"}]"#)],
                &["other", "ask i1 input May I?", "trace"],
            ),
            (&[custom], &["other", r#"ask   {"question": "May I?"}"#]),
            (&[r#"{"type":"CUSTOM","name":"interrupt","value":"x"}"#], &["other"]),
        ]);
    }

    /// What does not fit does not wait, and is told at once.
    #[test]
    fn interrupts_that_wait_are_bounded() {
        let custom = format!(r#"{{"type":"CUSTOM","name":"on_interrupt","value":"{}"}}"#, "x".repeat(40_000));
        let told = format!("ask   {}", "x".repeat(40_000));
        check(&[(&[&custom, &custom], &["other", &told, &told])]);
    }

    #[test]
    fn numbers() {
        let finished =
            |usage: &str| format!(r#"{{"type":"RUN_FINISHED","threadId":"th","runId":"r1","usage":{usage}}}"#);
        let entry = r#"{"provider":"p","model":"m","inputTokens":10,"outputTokens":4,"cachedInputTokens":2}"#;
        let failed = format!(r#"{{"type":"RUN_ERROR","message":"no","usage":[{entry}]}}"#);
        check(&[
            (&[&finished(&format!(r#"[{entry},{{"inputTokens":1}}]"#))], &["used 11 4 2 -", "trace"]),
            (&[&finished(r#"[{"inputTokens":-1},{"outputTokens":1e300},{"outputTokens":"2"},null,7]"#)], &["trace"]),
            (&[&finished("[]"), &finished("null"), &finished("{}")], &["trace", "trace", "trace"]),
            (
                &[&finished(&format!("[{entry}]")), &finished(&format!("[{entry}]"))],
                &["used 10 4 2 -", "trace", "used 10 4 2 -", "trace"],
            ),
            (&[&failed], &["used 10 4 2 -", "error : no"]),
        ]);
    }

    #[test]
    fn the_end() {
        let started = r#"{"type":"RUN_STARTED","threadId":"th","runId":"r1"}"#;
        let text = r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"Hi"}"#;
        let finished = r#"{"type":"RUN_FINISHED","threadId":"th","runId":"r1"}"#;
        for (events, expected) in [
            (&[text][..], EndMark::Missing),
            (&[started, text, finished], EndMark::Seen),
            (&[started, finished, started, text], EndMark::Missing),
            (&[started, r#"{"type":"RUN_ERROR","message":"no"}"#], EndMark::Seen),
        ] {
            assert_eq!(end_mark(events), expected, "{events:?}");
        }
    }
}
