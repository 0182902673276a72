//! Strands Agents: what `stream_async` yields, where it can be written as JSON. Each piece comes as Converse's event and once
//! more as Strands' own, each message once more as a whole, and the last one as the result. So do numbers and interrupts.
//!
//! Shapes: Strands Agents 1.62, `types/_events.py`, `interrupt.py`, `multiagent/base.py`.

use super::{
    Dialect, Interrupt, SseEvent, Usage, converse,
    json::{Json, Object},
    tally::{Report, millis},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let object = node(object, transcript);
    if let Some(chunk) = object.get("event") {
        return converse::read_of(event, chunk.object()?, true, transcript);
    }
    if let Some(message) = object.get("message").and_then(|message| converse::message(message.object()?)) {
        let is_result = object.string("type").is_some_and(|kind| kind == "agent_result");
        transcript.message(None, if is_result { "result" } else { "message" }, message);
        if let Some(metadata) = object.get("message").and_then(|message| message.get("metadata")?.object()) {
            converse::usage(metadata, if is_result { 4 } else { 2 }, transcript);
        }
        if is_result && object.is("stop_reason", "interrupt") {
            interrupts(object.get("interrupts"), transcript);
        }
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
    if let Some(text) = object.string("reasoningText") {
        if !transcript.is_echo(&text) {
            transcript.reasoning(None, "", text);
        }
        return Some(());
    }
    rest(object, transcript)
}

/// Reads what is no message: interrupts, and the result of several agents.
fn rest(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(interrupted) = object.get("tool_interrupt_event") {
        return interrupts(interrupted.get("interrupts"), transcript);
    }
    match object.str("type") {
        Some("multiagent_node_interrupt") => interrupts(object.get("interrupts"), transcript),
        Some("multiagent_result") => {
            interrupts(object.get("interrupts"), transcript);
            if let Some(numbers) = object.get("accumulated_usage").and_then(Json::object) {
                let metrics = object.get("accumulated_metrics");
                let latency = metrics.and_then(|metrics| metrics.get("latencyMs")).and_then(millis);
                let usage = Usage { latency, ..converse::USAGE.read(numbers) };
                transcript.usage(None, Report::Total, &usage);
            }
            Some(())
        }
        // An agent's result without its message.
        None if object.is("stop_reason", "interrupt") => interrupts(object.get("interrupts"), transcript),
        _ => None,
    }
}

/// Reads interrupts, which come again with each agent that passes them on.
fn interrupts(interrupts: Option<Json<'_>>, transcript: &mut Transcript) -> Option<()> {
    for interrupt in interrupts?.array()?.into_iter().filter_map(Json::object) {
        let id = interrupt.string("id");
        let reason = interrupt.get("reason").map(Json::plain).unwrap_or_default();
        let asked = Interrupt::of(Dialect::Strands, id.clone(), reason).named(interrupt.string("name"));
        transcript.interrupt(id.as_deref(), asked);
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

    /// Of a long text only a hash is kept.
    #[test]
    fn a_long_piece_counts_once() {
        let long = "long ".repeat(2_000);
        let ([event, data], said) = (&piece(&long), format!("say {long}"));
        let other = data.replacen("long", "Long", 1);
        check(&[(&[event, data], &[&said, "other"]), (&[event, &other], &[&said, &format!("say L{}", &long[1..])])]);
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

    /// The same interrupt is told by the tool, by each node around it and by the result.
    #[test]
    fn interrupts() {
        let asked = r#"{"id": "v1:before_tool_call:tu1:x", "name": "approve", "reason": {"tool": "add", "question": "May I?"}, "response": null}"#;
        let told = r#"ask v1:before_tool_call:tu1:x approve {"tool": "add", "question": "May I?"}"#;
        let tool = |interrupts: &str| {
            format!(
                r#"{{"tool_interrupt_event": {{"tool_use": {{"toolUseId": "tu1"}}, "interrupts": [{interrupts}]}}}}"#
            )
        };
        let in_node =
            |event: &str| format!(r#"{{"type": "multiagent_node_stream", "node_id": "one", "event": {event}}}"#);
        let node = format!(r#"{{"type": "multiagent_node_interrupt", "node_id": "one", "interrupts": [{asked}]}}"#);
        let whole = format!(
            r#"{{"type": "multiagent_result", "status": "interrupted", "results": {{}}, "interrupts": [{asked}]}}"#
        );
        let result = format!(
            r#"{{"type": "agent_result", "message": {{"role": "assistant", "content": [{{"text": "Wait."}}]}}, "stop_reason": "interrupt", "interrupts": [{asked}]}}"#
        );
        let own = format!(r#"{{"stop_reason": "interrupt", "interrupts": [{asked}]}}"#);
        let two = format!("{asked}, {}", asked.replace("tu1", "tu2"));
        check(&[
            (&[r#"{"data": "Wait."}"#, &tool(asked), &node], &["say Wait.", told, "other"]),
            (&[&in_node(&tool(asked)), &node, &whole], &[told, "other", "other"]),
            (&[&in_node(&in_node(&tool(asked))), &in_node(&node)], &[told, "other"]),
            (&[&result], &["say Wait.", told]),
            (&[&own], &[told]),
            (&[&whole], &[told]),
            (&[&tool(&two)], &[told, &told.replace("tu1", "tu2")]),
            // Without ids each counts.
            (
                &[&tool(r#"{"name": "a", "reason": "May I?"}, {"id": null, "name": null, "reason": null}, 7"#)],
                &["ask  a May I?", "ask   "],
            ),
            (&[&tool(""), r#"{"tool_interrupt_event": "x"}"#], &["other", "other"]),
            // The words alone decide nothing.
            (&[&own.replace(r#""interrupt","#, r#""end_turn","#)], &["other"]),
            (
                &[&format!(r#"{{"interrupts": [{asked}]}}"#), &format!(r#"{{"interrupt": {asked}}}"#)],
                &["other", "other"],
            ),
        ]);
    }

    /// A model call is told by its event, by its message and by the result.
    #[test]
    fn numbers() {
        let usage =
            r#"{"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 4}}"#;
        let event = format!(r#"{{"event": {{"metadata": {usage}}}}}"#);
        let message =
            format!(r#"{{"message": {{"role": "assistant", "content": [{{"text": "Hi"}}], "metadata": {usage}}}}}"#);
        let result = format!(r#"{{"type": "agent_result", "stop_reason": "end_turn", {}"#, &message[1..]);
        let in_node = |node: &str, event: &str| {
            format!(r#"{{"type": "multiagent_node_stream", "node_id": "{node}", "event": {event}}}"#)
        };
        let total = |output: u64| {
            format!(
                r#"{{"type": "multiagent_result", "accumulated_usage": {{"inputTokens": 2, "outputTokens": {output}, "totalTokens": 0}}, "accumulated_metrics": {{"latencyMs": 8}}}}"#
            )
        };
        check(&[
            (&[START, &event, &message, &result], &["other", "used 1 2 - 4", "trace", "say Hi", "other"]),
            (&[&message, &message, &result], &["say Hi", "used 1 2 - 4", "say Hi", "used 1 2 - 4", "other"]),
            (&[&result], &["say Hi", "used 1 2 - 4"]),
            (&[&event, &event, &result], &["used 1 2 - 4", "trace", "used 1 2 - 4", "trace", "say Hi"]),
            (
                &[
                    &in_node("a", &event),
                    &in_node("b", &event),
                    &in_node("a", &message),
                    &in_node("b", &message),
                    &total(4),
                    &total(5),
                ],
                &["used 1 2 - 4", "trace", "used 1 2 - 4", "trace", "say Hi", "say Hi", "other", "used - 1 - -"],
            ),
            (&[&total(4)], &["used 2 4 - 8"]),
        ]);
    }
}
