//! Strands Agents: what `stream_async` yields, where it can be written as JSON. Each piece comes as Converse's event and once
//! more as Strands' own, each message once more as a whole, and the last one as the result.

use super::{
    SseEvent, converse,
    json::{Json, Object},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let object = node(object, transcript);
    if let Some(chunk) = object.get("event") {
        return converse::read(event, chunk.object()?, transcript);
    }
    if let Some(message) = object.get("message").and_then(|message| converse::message(message.object()?)) {
        let is_result = object.string("type").is_some_and(|kind| kind == "agent_result");
        transcript.message(None, if is_result { "result" } else { "message" }, message);
        return Some(());
    }
    if let Some(call) = object.get("current_tool_use") {
        return tool(call.object()?, object, transcript);
    }
    if let Some(text) = object.words("data") {
        if !transcript.is_echo(&text) {
            transcript.text(None, "", text);
        }
        return Some(());
    }
    let text = object.string("reasoningText")?;
    if !transcript.is_echo(&text) {
        transcript.reasoning(None, "", text);
    }
    Some(())
}

/// The event of an agent within a graph or a swarm, however deep; the node is who speaks.
fn node<'a>(mut object: Object<'a>, transcript: &mut Transcript) -> Object<'a> {
    while object.is("type", "multiagent_node_stream") {
        let Some(event) = object.get("event").and_then(Json::object) else { break };
        transcript.speaker(object.string("node_id"));
        object = event;
    }
    object
}

fn tool(call: Object<'_>, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let id = call.string("toolUseId")?;
    let input = object.get("delta").and_then(|delta| delta.get("toolUse")?.get("input")?.string());
    // A call that Converse's events have told goes on under their slots, not under this one.
    transcript.call(id.clone(), id.clone(), call.string("name")?);
    transcript.input(Some(&id), input.unwrap_or_default());
    Some(())
}

/// The message in an agent's result: alone, or among the numbers of the run.
pub(super) fn result(result: Json<'_>) -> Option<Vec<super::transcript::Block>> {
    let result = result.object()?;
    converse::message(result).or_else(|| converse::message(result.get("message")?.object()?))
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    const START: &str = r#"{"event": {"messageStart": {"role": "assistant"}}}"#;

    fn piece(text: &str) -> [String; 2] {
        let event = format!(r#"{{"event": {{"contentBlockDelta": {{"delta": {{"text": "{text}"}}}}}}}}"#);
        [event, format!(r#"{{"data": "{text}", "delta": {{"text": "{text}"}}}}"#)]
    }

    /// What is said by several shapes counts once, what is said twice by one of them twice.
    #[test]
    fn every_shape_at_once() {
        let [event, data] = &piece("ha");
        let message = r#"{"message": {"role": "assistant", "content": [{"text": "haha"}]}}"#;
        let agent_result =
            r#"{"type": "agent_result", "message": {"role": "assistant", "content": [{"text": "haha"}]}}"#;
        let silence = r#"{"message": {"role": "assistant", "content": [{"text": ""}]}}"#;
        let result = r#"{"result": "haha\n"}"#;
        check(&[
            (
                &[START, event, data, event, data, message, result],
                &["other", "say ha", "other", "say ha", "other", "other", "other"],
            ),
            (&[START, event, event, message], &["other", "say ha", "say ha", "other"]),
            (&[data, data, result], &["say ha", "say ha", "other"]),
            (&[r#""ha""#, r#""ha""#, message, result], &["say ha", "say ha", "other", "other"]),
            (&[message, result], &["say haha", "other"]),
            (&[message, message], &["say haha", "say haha"]),
            (&[message, agent_result], &["say haha", "other"]),
            (&[START, event, data, data], &["other", "say ha", "other", "say ha"]),
            (&[START, event, event, START, message], &["other", "say ha", "say ha", "other", "say haha"]),
            (&[event, event, silence, result], &["say ha", "say ha", "other", "other"]),
            (
                &[START, event, message, START, event, message],
                &["other", "say ha", "say ha", "other", "say ha", "say ha"],
            ),
            (&[event, r#"{"data": "something else"}"#], &["say ha", "say something else"]),
            (
                &[
                    r#"{"type": "agent_result", "message": {"role": "assistant", "content": [{"text": "hi"}]}, "stop_reason": "end_turn"}"#,
                ],
                &["say hi"],
            ),
        ]);
    }

    #[test]
    fn reasoning_and_tools() {
        let thought = r#"{"event": {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}}}}"#;
        let thought_again =
            r#"{"reasoningText": "hm", "delta": {"reasoningContent": {"text": "hm"}}, "reasoning": true}"#;
        let call = r#"{"event": {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t1", "name": "add"}}}}}"#;
        let input = r#"{"event": {"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}}}"#;
        let input_again = r#"{"type": "tool_use_stream", "delta": {"toolUse": {"input": "{}"}},
            "current_tool_use": {"toolUseId": "t1", "name": "add", "input": {}}}"#;
        let stop = r#"{"event": {"contentBlockStop": {}}}"#;
        let whole = r#"{"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"toolUse": {"toolUseId": "t1", "name": "add", "input": {}}}
        ]}}"#;
        check(&[
            (
                &[thought, thought_again, call, input, input_again, stop, whole],
                &["think hm", "other", "use t1 add ", "use t1 add {}", "other", "use t1 add .", "other"],
            ),
            (&[thought_again, input_again, whole], &["think hm", "use t1 add ", "use t1 add {}", "use t1 add ."]),
            (&[whole], &["think hm", "use t1 add {}."]),
            (&[thought, START, whole], &["think hm", "other", "think hm", "use t1 add {}."]),
        ]);
    }

    #[test]
    fn life_cycle() {
        check(&[(
            &[
                r#"{"init_event_loop": true}"#,
                r#"{"start": true}"#,
                r#"{"force_stop": true, "force_stop_reason": "x"}"#,
            ],
            &["other", "other", "other"],
        )]);
    }
}
