//! Harnesses of AgentCore: the events of `InvokeHarness`, whose names stand beside them in an AWS event stream.
//!
//! Shapes: `InvokeHarnessStreamOutput` in the service model of `aws-sdk-bedrockagentcore` 1.83.

use super::{
    Dialect, Event, SseEvent, ToolResult, converse,
    json::{Json, Object},
    transcript::Transcript,
};

/// Reads an event of a harness, by its name.
pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match &*event.event {
        "messageStart" => {
            transcript.end_calls(|_| true);
            transcript.role(None, object.string("role").as_deref());
            transcript.begin();
            transcript.within(true);
            transcript.event(Event::Trace(event.clone()));
        }
        "contentBlockStart" => start(object, object.get("start")?.object()?, transcript)?,
        "contentBlockDelta" => delta(object, object.get("delta")?.object()?, transcript)?,
        "contentBlockStop" => {
            let stopped = converse::slot(object);
            transcript.end_calls(|slot| slot == &*stopped);
            transcript.function_complete(Some(&stopped));
            transcript.end_result();
        }
        "messageStop" => {
            transcript.end_calls(|_| true);
            transcript.function_complete(None);
            transcript.end_result();
            transcript.says_end();
            transcript.event(Event::Trace(event.clone()));
        }
        "metadata" => {
            converse::usage(object, 1, transcript);
            transcript.event(Event::Trace(event.clone()));
        }
        "hookEvent" => transcript.event(Event::Trace(event.clone())),
        _ => return None,
    }
    Some(())
}

fn start(block: Object<'_>, start: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(call) = start.get("toolUse").and_then(Json::object) {
        let (slot, id, name) = (converse::slot(block), call.string("toolUseId")?, call.string("name")?);
        // The harness runs its own tools, and those of its servers.
        if call.string("type").is_none_or(|kind| kind == "tool_use") {
            transcript.function(Dialect::Harness, slot.clone(), id.clone(), name.clone());
        }
        transcript.call(slot, id, name);
    } else {
        let result = start.get("toolResult")?.object()?;
        let id = result.string("toolUseId")?;
        let failed = result.string("status").is_some_and(|status| status == "error");
        transcript.begin_result(ToolResult { id, content: "".into(), failed });
    }
    Some(())
}

fn delta(block: Object<'_>, delta: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(text) = delta.words("text") {
        // What another says, such as a tool, is none of the assistant's words.
        if !transcript.is_answer(None) {
            return None;
        }
        transcript.text(None, "", text);
    } else if let Some(reasoning) = delta.get("reasoningContent") {
        transcript.reasoning(None, "", reasoning.get("text")?.string()?);
    } else if let Some(call) = delta.get("toolUse") {
        let input = call.get("input")?.string()?;
        let slot = converse::slot(block);
        transcript.function_input(&slot, &input);
        transcript.input(Some(&slot), input);
    } else {
        for piece in delta.get("toolResult")?.array()? {
            let text = piece.get("text").and_then(Json::string).or_else(|| Some(piece.get("json")?.text()))?;
            transcript.add_result(&text);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reader, event::tests::told};

    /// Returns what the events mean, each written as in the other dialects' tables.
    fn read(events: &[(&str, &str)]) -> Vec<String> {
        let mut reader = Reader::new().dialect(Dialect::Harness);
        for (name, data) in events {
            let mut event = SseEvent::new(*data);
            event.event = (*name).into();
            reader.push(event);
        }
        reader.finish();
        std::iter::from_fn(|| reader.next_event()).map(told).filter(|it| it != "trace").collect()
    }

    const ASSISTANT: (&str, &str) = ("messageStart", r#"{"role":"assistant"}"#);
    const STOP: (&str, &str) = ("messageStop", r#"{"stopReason":"end_turn"}"#);

    #[test]
    fn text_reasoning_and_usage() {
        let events = [
            ASSISTANT,
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"a"}}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"a"}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
            STOP,
            (
                "metadata",
                r#"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokens":0},"metrics":{"latencyMs":7}}"#,
            ),
            ("hookEvent", r#"{"hookEventId":"h","name":"n","type":"t","decision":"allow"}"#),
        ];
        let expected = ["think hm", "other", "say a", "say a", "other", "used 1 2 0 7"];
        assert_eq!(read(&events), expected);
    }

    /// The harness's own tools are answered in the stream; a function without a result is the caller's to run.
    #[test]
    fn tools_and_functions() {
        let call = |id: &str, kind: &str| {
            format!(
                r#"{{"contentBlockIndex":0,"start":{{"toolUse":{{"toolUseId":"{id}","name":"look","type":"{kind}"}}}}}}"#
            )
        };
        let (own, server, asked) = (call("t1", "tool_use"), call("t2", "server_tool_use"), call("t3", "tool_use"));
        let input = ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":1}"}}}"#);
        let ended = ("contentBlockStop", r#"{"contentBlockIndex":0}"#);
        let events = [
            ASSISTANT,
            ("contentBlockStart", &own),
            input,
            ended,
            STOP,
            ("messageStart", r#"{"role":"user"}"#),
            (
                "contentBlockStart",
                r#"{"contentBlockIndex":0,"start":{"toolResult":{"toolUseId":"t1","status":"success"}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"toolResult":[{"text":"sun"},{"json":{"x":1}}]}}"#,
            ),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"not the assistant's"}}"#),
            ended,
            STOP,
            ASSISTANT,
            ("contentBlockStart", &server),
            ended,
            ("contentBlockStart", &asked),
            input,
            ended,
            STOP,
        ];
        let expected = [
            "use t1 look ",
            r#"use t1 look {"a":1}"#,
            "use t1 look .",
            // The beginning of the result and its piece, and what another says.
            "other",
            "other",
            "other",
            r#"result t1 sun{"x":1}"#,
            "use t2 look ",
            "use t2 look .",
            "use t3 look ",
            r#"use t3 look {"a":1}"#,
            "use t3 look .",
            r#"ask t3 look {"a":1}"#,
        ];
        assert_eq!(read(&events), expected);
    }

    #[test]
    fn what_is_not_complete_or_not_known() {
        let call = r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"look","type":"tool_use"}}}"#;
        assert_eq!(read(&[ASSISTANT, ("contentBlockStart", call)]), ["use t1 look "]);
        for (name, data) in [
            ("newEvent", "{}"),
            ("contentBlockStart", r#"{"start":{"image":{}}}"#),
            ("contentBlockDelta", r#"{"delta":{"video":{}}}"#),
            ("contentBlockDelta", "{}"),
            ("contentBlockDelta", "[]"),
        ] {
            assert_eq!(read(&[(name, data)]), ["other"], "{name} {data}");
        }
    }
}
