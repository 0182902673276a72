//! The UI message streams of Vercel's AI SDK: parts, each with its type in words joined by hyphens, from `start` to `finish`.
//!
//! Shapes: `ai` 6.0, `src/ui-message-stream/ui-message-chunks.ts`, and its documentation, "Stream Protocols". Pydantic AI and
//! others write the same.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let id = || object.string("toolCallId");
    match object.str("type")? {
        "text-delta" => transcript.text(None, "", object.words("delta")?),
        "reasoning-delta" => transcript.reasoning(None, "", object.words("delta")?),
        "text-start" | "text-end" | "reasoning-start" | "reasoning-end" => {
            object.get("id")?;
        }
        "tool-input-start" => {
            let (id, name) = (id()?, object.string("toolName")?);
            transcript.function(Dialect::Vercel, id.clone(), id.clone(), name.clone());
            transcript.call(id.clone(), id, name);
        }
        "tool-input-delta" => {
            let piece = object.string("inputTextDelta")?;
            transcript.function_input(&id()?, &piece);
            transcript.input(id().as_deref(), piece);
        }
        "tool-input-available" => {
            let (id, name, input) = (id()?, object.string("toolName")?, object.get("input")?.text());
            transcript.whole_function(Dialect::Vercel, &id, &name, &input);
            transcript.message(None, "tool", vec![Block::Call { id, name, input }]);
        }
        "tool-input-error" => {
            let (id, name) = (id()?, object.string("toolName")?);
            let input = object.get("input").map(Json::text).unwrap_or_default();
            transcript.message(None, "tool", vec![Block::Call { id: id.clone(), name, input }]);
            result(id, object.get("errorText")?.plain(), true, transcript);
        }
        "tool-output-available" if object.get("preliminary").is_some_and(Json::is_true) => {
            transcript.event(Event::Trace(event.clone()));
        }
        "tool-output-available" => {
            result(id()?, object.get("output").map(Json::plain).unwrap_or_default(), false, transcript)
        }
        "tool-output-error" => result(id()?, object.get("errorText")?.plain(), true, transcript),
        "tool-output-denied" => result(id()?, "".into(), true, transcript),
        "tool-approval-request" => {
            let (asked, call) = (object.string("approvalId")?, id()?);
            let (name, input) = transcript.take_function(&call).unwrap_or_default();
            let reason = if input.is_empty() { call } else { input };
            let interrupt = Interrupt::of(Dialect::Vercel, Some(asked.clone()), reason).named(Some(name));
            transcript.interrupt(Some(&asked), interrupt);
        }
        "start" if has_only(object, &["type", "messageId", "messageMetadata"]) => {
            transcript.within(true);
            transcript.event(Event::Trace(event.clone()));
        }
        "finish" if has_only(object, &["type", "finishReason", "messageMetadata"]) => {
            transcript.end_calls(|_| true);
            transcript.tell_functions(Dialect::Vercel);
            usage(object, transcript);
            transcript.says_end();
            transcript.event(Event::Trace(event.clone()));
        }
        "abort" if has_only(object, &["type", "reason"]) => {
            transcript.says_end();
            let reason = object.string("reason");
            transcript.error(reason.as_deref().unwrap_or("the answer was aborted"), Some("abort".into()));
        }
        "start-step" | "finish-step" | "message-metadata" | "source-url" | "source-document" => {
            transcript.event(Event::Trace(event.clone()));
        }
        "file" => {
            object.get("mediaType")?;
            transcript.event(Event::Trace(event.clone()));
        }
        kind if kind.starts_with("data-") && object.has("data") => transcript.event(Event::Trace(event.clone())),
        _ => return None,
    }
    transcript.within(false);
    Some(())
}

fn result(id: ByteString, content: ByteString, failed: bool, transcript: &mut Transcript) {
    transcript.take_function(&id);
    transcript.result(ToolResult { id, content, failed });
}

/// Whether an object whose type is a common word is one of these parts.
fn has_only(object: Object<'_>, keys: &[&str]) -> bool {
    object.entries().all(|(name, _)| keys.iter().any(|key| name.is(key)))
}

/// Reads the numbers that agents put into the metadata of a message: the format has no place of its own for them.
fn usage(object: Object<'_>, transcript: &mut Transcript) {
    let metadata = object.get("messageMetadata").and_then(Json::object);
    let numbers = ["usage", "totalUsage"].iter().find_map(|key| metadata?.get(key)?.object());
    if let Some(numbers) = numbers {
        transcript.usage(None, Report::Total, &USAGE.read(numbers));
    }
}

/// The SDK's `LanguageModelUsage`: what came from the cache is within the input.
const USAGE: Names = Names {
    input: "inputTokens",
    output: "outputTokens",
    cached: (None, "cachedInputTokens"),
    beside: None,
    total: None,
};

#[cfg(test)]
mod tests {
    use crate::event::{
        EndMark,
        tests::{check, end_mark},
    };

    const START: &str = r#"{"type":"tool-input-start","toolCallId":"t1","toolName":"add"}"#;
    const DELTA: &str = r#"{"type":"tool-input-delta","toolCallId":"t1","inputTextDelta":"{\"a\":1}"}"#;
    const AVAILABLE: &str = r#"{"type":"tool-input-available","toolCallId":"t1","toolName":"add","input":{"a":1}}"#;
    const FINISH: &str = r#"{"type":"finish","finishReason":"tool-calls"}"#;

    #[test]
    fn text_and_steps() {
        check(&[(
            &[
                r#"{"type":"start","messageId":"m1"}"#,
                r#"{"type":"start-step"}"#,
                r#"{"type":"reasoning-start","id":"r"}"#,
                r#"{"type":"reasoning-delta","id":"r","delta":"hm"}"#,
                r#"{"type":"text-start","id":"t"}"#,
                r#"{"type":"text-delta","id":"t","delta":"Hel"}"#,
                r#"{"type":"text-delta","id":"t","delta":"Hel"}"#,
                r#"{"type":"data-weather","data":{"text":"no words"}}"#,
                r#"{"type":"finish","messageMetadata":{"usage":{"inputTokens":10,"outputTokens":4,"cachedInputTokens":3}}}"#,
                "[DONE]",
            ],
            &[
                "trace",
                "trace",
                "other",
                "think hm",
                "other",
                "say Hel",
                "say Hel",
                "trace",
                "used 10 4 3 -",
                "trace",
                "other",
            ],
        )]);
    }

    #[test]
    fn tools() {
        let output = r#"{"type":"tool-output-available","toolCallId":"t1","output":3}"#;
        let preliminary = r#"{"type":"tool-output-available","toolCallId":"t1","output":1,"preliminary":true}"#;
        let failed = r#"{"type":"tool-output-error","toolCallId":"t1","errorText":"no"}"#;
        let wrong = r#"{"type":"tool-input-error","toolCallId":"t1","toolName":"add","input":"x","errorText":"no"}"#;
        let called = ["use t1 add ", r#"use t1 add {"a":1}"#, "use t1 add ."];
        let with = |rest: &[&'static str]| [&called[..], rest].concat();
        check(&[
            (&[START, DELTA, AVAILABLE, preliminary, output, FINISH], &with(&["trace", "result t1 3", "trace"])),
            (&[START, DELTA, AVAILABLE, failed, FINISH], &with(&["failed t1 no", "trace"])),
            (&[AVAILABLE, output], &[r#"use t1 add {"a":1}."#, "result t1 3"]),
            (&[wrong], &[r#"use t1 add "x"."#, "failed t1 no"]),
            (
                &[AVAILABLE, r#"{"type":"tool-output-denied","toolCallId":"t1"}"#],
                &[r#"use t1 add {"a":1}."#, "failed t1 "],
            ),
        ]);
    }

    /// What waits for the user: an approval, and a tool that the caller runs. An answer that was cut off asks nothing.
    #[test]
    fn questions() {
        let approval = r#"{"type":"tool-approval-request","approvalId":"p1","toolCallId":"t1"}"#;
        let called = ["use t1 add ", r#"use t1 add {"a":1}"#, "use t1 add ."];
        let with = |rest: &[&'static str]| [&called[..], rest].concat();
        check(&[
            (&[START, DELTA, AVAILABLE, approval, FINISH], &with(&[r#"ask p1 add {"a":1}"#, "trace"])),
            (&[START, DELTA, AVAILABLE, FINISH], &with(&[r#"ask t1 add {"a":1}"#, "trace"])),
            (&[AVAILABLE, FINISH], &[r#"use t1 add {"a":1}."#, r#"ask t1 add {"a":1}"#, "trace"]),
            (&[START, DELTA, AVAILABLE], &called),
            (&[approval], &["ask p1  t1"]),
        ]);
    }

    #[test]
    fn ends() {
        let delta = r#"{"type":"text-delta","id":"t","delta":"a"}"#;
        check(&[
            (&[delta, r#"{"type":"error","errorText":"boom"}"#], &["say a", "error : boom"]),
            (&[delta, r#"{"type":"abort","reason":"he left"}"#], &["say a", "error abort: he left"]),
            (&[r#"{"type":"start","text":"a"}"#, r#"{"type":"finish","x":1}"#], &["other", "other"]),
        ]);
        assert_eq!(end_mark(&[delta, FINISH]), EndMark::Seen);
        assert_eq!(end_mark(&[delta]), EndMark::Missing);
    }
}
