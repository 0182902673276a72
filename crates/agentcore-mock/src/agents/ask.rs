//! The agent that asks before it answers, in the manner of Strands. Remembers nothing: an answer names its question.

use serde_json::{Value, json};

/// Returns the events with which the agent asks, or goes on where the payload is an answer.
pub(crate) fn events(payload: &Value) -> Vec<Value> {
    let answers = payload["prompt"].as_array();
    let responses = answers.into_iter().flatten().map(|answer| &answer["interruptResponse"]);
    let response = responses.into_iter().find(|response| response["interruptId"] == ID).map(|it| &it["response"]);
    match response {
        Some(Value::String(said)) => vec![json!({ "data": format!("You answered: {said}") })],
        Some(said) => vec![json!({ "data": format!("You answered: {said}") })],
        None => vec![
            json!({ "data": "One question first." }),
            json!({ "tool_interrupt_event": {
                "tool_use": { "toolUseId": "mock-tool", "name": "answer", "input": {} },
                "interrupts": [{ "id": ID, "name": "approval", "reason": "May I answer?", "response": null }],
            } }),
        ],
    }
}

const ID: &str = "v1:before_tool_call:mock-tool:0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers() {
        let answer = |id: &str, said: Value| json!({ "prompt": [{ "interruptResponse": { "interruptId": id, "response": said } }] });
        assert_eq!(events(&answer(ID, "yes".into())), [json!({ "data": "You answered: yes" })]);
        assert_eq!(events(&answer(ID, json!({ "a": 1 }))), [json!({ "data": "You answered: {\"a\":1}" })]);
        for question in [json!({ "prompt": "Hi" }), Value::Null, answer("another", "yes".into())] {
            let events = events(&question);
            assert_eq!(events[1]["tool_interrupt_event"]["interrupts"][0]["id"], ID, "{question}");
        }
    }
}
