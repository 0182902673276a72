//! The answers to an agent's interrupts as the payload that it goes on with. Sends nothing, asks nobody.

use serde_json::{Map, Value, json};

use super::{Dialect, Interrupt, interrupt::Origin};
use crate::SessionId;

/// Returns the payload that answers the interrupts of one answer, each with what was said to it, in the way of their dialect.
///
/// | dialect | payload | by |
/// |---|---|---|
/// | A2A 0.3, 1.x | `message/stream`, or `SendStreamingMessage`: a message with the same task and context | specification, "Multi-Turn Interaction"; `Message` of a2a-sdk 0.3 and 1.3 |
/// | AG-UI | a `RunAgentInput` of the same thread with `resume`: `[{"interruptId", "status": "resolved", "payload"}]` | Python SDK 1.0, `ResumeEntry` |
/// | AG-UI's `on_interrupt` | the same, but with `forwardedProps`: `{"command": {"resume"}}` | LangGraph's adapter for AG-UI, `ag_ui_langgraph/agent.py` |
/// | Strands | `prompt` is `[{"interruptResponse": {"interruptId", "response"}}]` | Strands 1.62, `strands/types/interrupt.py` |
/// | LangGraph | `command` is `{"resume": {id: answer}}`, or the only answer where interrupts have no ids; `prompt` is the text | LangGraph 1.2, `Command` in `langgraph/types.py` and, for the server, in `langgraph_sdk/schema.py` |
/// | MCP | the JSON-RPC response to the elicitation, whose action is `accept` | specification 2025-06-18, "Elicitation" |
/// | harness | `messages` is a user's message whose blocks are `toolResult`s of the functions | service model in `aws-sdk-bedrockagentcore` 1.83, `HarnessToolResultBlock` |
/// | other | `prompt` is the text, as in any payload | |
///
/// An answer that is a JSON object or array goes as such, and so does other JSON where the interrupt's schema has a type that is not
/// `string`; everything else goes as text. The payload has a prompt's `sessionId` and `enableTrace` too where it has a `prompt`.
///
/// ```
/// # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
/// use agentcore_client::event;
///
/// let session = agent.new_session();
/// let reply = session.invoke("Delete the file").await?;
/// if let [interrupt] = &reply.interrupts[..] {
///     println!("{}", interrupt.reason);
///     session.invoke(event::resume(session.id(), &[(interrupt, "yes")])).await?;
/// }
/// # Ok(()) }
/// ```
#[must_use]
pub fn resume(session: &SessionId, answers: &[(&Interrupt, &str)]) -> Value {
    match own_way(answers) {
        Some(Own::Whole(payload)) => payload,
        Some(Own::Members(mut members)) => {
            members.entry("prompt").or_insert_with(|| text(answers).into());
            members.insert("sessionId".into(), session.as_str().into());
            members.insert("enableTrace".into(), true.into());
            Value::Object(members)
        }
        None => json!({ "prompt": text(answers), "sessionId": session.as_str(), "enableTrace": true }),
    }
}

/// What a dialect has of its own.
enum Own {
    Whole(Value),
    /// Members beside those of a prompt.
    Members(Map<String, Value>),
}

fn own_way(answers: &[(&Interrupt, &str)]) -> Option<Own> {
    let (first, said) = answers.first()?;
    let dialect = first.dialect?;
    if answers.iter().any(|(interrupt, _)| interrupt.dialect != Some(dialect)) {
        return None;
    }
    let only = (answers.len() == 1).then(|| answer(first, said));
    let have_ids = answers.iter().all(|(interrupt, _)| !interrupt.id.is_empty());
    match (dialect, &first.origin) {
        (Dialect::Strands, _) if have_ids => {
            let blocks = answers.iter().map(|(interrupt, said)| {
                json!({ "interruptResponse": { "interruptId": *interrupt.id, "response": answer(interrupt, said) } })
            });
            Some(Own::Members(Map::from_iter([("prompt".to_owned(), blocks.collect())])))
        }
        (Dialect::LangGraph, _) => {
            let by_id = || answers.iter().map(|(interrupt, said)| (interrupt.id.to_string(), answer(interrupt, said)));
            let resume = if have_ids { by_id().collect() } else { only? };
            Some(Own::Members(Map::from_iter([("command".to_owned(), json!({ "resume": resume }))])))
        }
        (Dialect::AgUi, Origin::Thread(thread)) if have_ids => {
            let entries: Vec<_> = answers
                .iter()
                .map(|(interrupt, said)| {
                    json!({ "interruptId": *interrupt.id, "status": "resolved", "payload": answer(interrupt, said) })
                })
                .collect();
            let mut run = run(thread);
            run["resume"] = entries.into();
            Some(Own::Whole(run))
        }
        (Dialect::AgUi, Origin::NamelessThread(thread)) => {
            let mut run = run(thread);
            run["forwardedProps"] = json!({ "command": { "resume": only? } });
            Some(Own::Whole(run))
        }
        (Dialect::A2a, Origin::Task { task, context, is_version_1 }) => {
            Some(Own::Whole(message(task, context, *is_version_1, &text(answers))))
        }
        (Dialect::Harness, _) if have_ids => {
            let blocks = answers.iter().map(|(interrupt, said)| {
                let content = match answer(interrupt, said) {
                    Value::String(text) => json!({ "text": text }),
                    value => json!({ "json": value }),
                };
                json!({ "toolResult": { "toolUseId": *interrupt.id, "content": [content], "status": "success" } })
            });
            let blocks: Vec<_> = blocks.collect();
            Some(Own::Whole(json!({ "messages": [{ "role": "user", "content": blocks }] })))
        }
        (Dialect::Mcp, Origin::Request(id)) => {
            let id: Value = serde_json::from_str(id).ok()?;
            let result = accepted(first, only?)?;
            Some(Own::Whole(json!({ "jsonrpc": "2.0", "id": id, "result": result })))
        }
        _ => None,
    }
}

/// A run that goes on in an AG-UI thread.
fn run(thread: &str) -> Value {
    json!({
        "threadId": thread,
        "runId": SessionId::random().as_str(),
        "state": {},
        "messages": [],
        "tools": [],
        "context": [],
        "forwardedProps": {},
    })
}

/// A message to an A2A task that waits for it.
fn message(task: &str, context: &str, is_version_1: bool, text: &str) -> Value {
    let id = SessionId::random();
    let mut message = json!({ "messageId": id.as_str(), "taskId": task, "contextId": context });
    if context.is_empty() {
        // The task has one, which the agent finds by the task.
        message.as_object_mut().map(|message| message.remove("contextId"));
    }
    let method = if is_version_1 {
        message["role"] = "ROLE_USER".into();
        message["parts"] = json!([{ "text": text }]);
        "SendStreamingMessage"
    } else {
        message["kind"] = "message".into();
        message["role"] = "user".into();
        message["parts"] = json!([{ "kind": "text", "text": text }]);
        "message/stream"
    };
    json!({ "jsonrpc": "2.0", "id": id.as_str(), "method": method, "params": { "message": message } })
}

/// What the user agreed to: a form's content is an object, in which an answer that is none stands for the only field. A question
/// without a form is answered by the consent alone.
fn accepted(interrupt: &Interrupt, answer: Value) -> Option<Value> {
    let Some(schema) = schema(interrupt) else { return Some(json!({ "action": "accept" })) };
    let content = match answer {
        Value::Object(_) => answer,
        answer => {
            let mut fields = schema.get("properties")?.as_object()?.keys();
            let (Some(field), None) = (fields.next(), fields.next()) else { return None };
            json!({ field: answer })
        }
    };
    Some(json!({ "action": "accept", "content": content }))
}

/// An answer as JSON.
fn answer(interrupt: &Interrupt, said: &str) -> Value {
    let schema = schema(interrupt);
    let kind = schema.as_ref().and_then(|schema| schema.get("type")?.as_str());
    let is_json = match kind {
        Some("string") => false,
        Some(_) => true,
        None => said.trim_start().starts_with(['{', '[']),
    };
    let parsed = if is_json { serde_json::from_str(said).ok() } else { None };
    parsed.unwrap_or_else(|| said.into())
}

fn schema(interrupt: &Interrupt) -> Option<Value> {
    serde_json::from_str(interrupt.schema.as_deref()?).ok()
}

/// What was said to all of them.
fn text(answers: &[(&Interrupt, &str)]) -> String {
    let said: Vec<&str> = answers.iter().map(|(_, said)| *said).collect();
    said.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dialect: Dialect, id: &'static str, origin: Origin) -> Interrupt {
        Interrupt::of(dialect, Some(id.into()), "?".into()).from(origin)
    }

    /// What the payload is, without the ids that are made for it.
    fn payload(answers: &[(&Interrupt, &str)]) -> Value {
        let mut payload = resume(&SessionId::derive("ada"), answers);
        for (place, key) in [("", "runId"), ("", "id"), ("/params/message", "messageId")] {
            if let Some(id) =
                payload.pointer_mut(place).and_then(|value| value.get_mut(key)).filter(|id| id.is_string())
            {
                assert!(id.as_str().is_some_and(|id| id.len() >= 33), "{key}");
                *id = "made".into();
            }
        }
        payload
    }

    fn with_prompt(mut members: Value) -> Value {
        members["sessionId"] = SessionId::derive("ada").as_str().into();
        members["enableTrace"] = true.into();
        members
    }

    #[test]
    fn each_dialect_in_its_own_way() {
        let strands = [of(Dialect::Strands, "i1", Origin::Id), of(Dialect::Strands, "i2", Origin::Id)];
        assert_eq!(
            payload(&[(&strands[0], "yes"), (&strands[1], r#"{"a": 1}"#)]),
            with_prompt(json!({ "prompt": [
                { "interruptResponse": { "interruptId": "i1", "response": "yes" } },
                { "interruptResponse": { "interruptId": "i2", "response": { "a": 1 } } },
            ] }))
        );
        let graph = [of(Dialect::LangGraph, "i1", Origin::Id), of(Dialect::LangGraph, "i2", Origin::Id)];
        assert_eq!(
            payload(&[(&graph[0], "yes"), (&graph[1], "[no")]),
            with_prompt(json!({ "prompt": "yes\n[no", "command": { "resume": { "i1": "yes", "i2": "[no" } } }))
        );
        let nameless = of(Dialect::LangGraph, "", Origin::Id);
        assert_eq!(
            payload(&[(&nameless, "yes")]),
            with_prompt(json!({ "prompt": "yes", "command": { "resume": "yes" } }))
        );

        let run = |more: Value| {
            let mut run = json!({ "threadId": "th", "runId": "made", "state": {}, "messages": [], "tools": [],
                "context": [], "forwardedProps": {} });
            run.as_object_mut().into_iter().for_each(|run| run.extend(more.as_object().cloned().unwrap_or_default()));
            run
        };
        let agui =
            of(Dialect::AgUi, "i1", Origin::Thread("th".into())).with_schema(Some(r#"{"type": "boolean"}"#.into()));
        assert_eq!(
            payload(&[(&agui, "true")]),
            run(json!({ "resume": [{ "interruptId": "i1", "status": "resolved", "payload": true }] }))
        );
        let agui = agui.with_schema(Some(r#"{"type": "string"}"#.into()));
        for (said, sent) in [("true", json!("true")), (r#"{"a": 1}"#, json!(r#"{"a": 1}"#))] {
            let resume = json!({ "resume": [{ "interruptId": "i1", "status": "resolved", "payload": sent }] });
            assert_eq!(payload(&[(&agui, said)]), run(resume));
        }
        let agui = of(Dialect::AgUi, "", Origin::NamelessThread("th".into()));
        assert_eq!(payload(&[(&agui, "yes")]), run(json!({ "forwardedProps": { "command": { "resume": "yes" } } })));

        let task = |is_version_1| Origin::Task { task: "t1".into(), context: "c1".into(), is_version_1 };
        assert_eq!(
            payload(&[(&of(Dialect::A2a, "t1", task(false)), r#"{"a": 1}"#)]),
            json!({ "jsonrpc": "2.0", "id": "made", "method": "message/stream", "params": { "message": {
                "kind": "message", "messageId": "made", "taskId": "t1", "contextId": "c1", "role": "user",
                "parts": [{ "kind": "text", "text": "{\"a\": 1}" }],
            } } })
        );
        assert_eq!(
            payload(&[(&of(Dialect::A2a, "t1", task(true)), "yes")]),
            json!({ "jsonrpc": "2.0", "id": "made", "method": "SendStreamingMessage", "params": { "message": {
                "messageId": "made", "taskId": "t1", "contextId": "c1", "role": "ROLE_USER", "parts": [{ "text": "yes" }],
            } } })
        );
    }

    #[test]
    fn results_of_functions() {
        let asked = [of(Dialect::Harness, "t1", Origin::Id), of(Dialect::Harness, "t2", Origin::Id)];
        let result = |id: &str, content: Value| json!({ "toolResult": { "toolUseId": id, "content": [content], "status": "success" } });
        assert_eq!(
            payload(&[(&asked[0], "sunny"), (&asked[1], r#"{"a": 1}"#)]),
            json!({ "messages": [{ "role": "user", "content": [
                result("t1", json!({ "text": "sunny" })),
                result("t2", json!({ "json": { "a": 1 } })),
            ] }] })
        );
    }

    #[test]
    fn elicitations() {
        let form = r#"{"type": "object", "properties": {"name": {"type": "string"}}}"#;
        let two = r#"{"type": "object", "properties": {"a": {}, "b": {}}}"#;
        let plain = |said: &str| with_prompt(json!({ "prompt": said }));
        let response = |result: Value| json!({ "jsonrpc": "2.0", "id": 7, "result": result });
        for (schema, said, expected) in [
            (None, "go", response(json!({ "action": "accept" }))),
            (Some(form), "Ada", response(json!({ "action": "accept", "content": { "name": "Ada" } }))),
            (Some(form), r#"{"name": "Ada"}"#, response(json!({ "action": "accept", "content": { "name": "Ada" } }))),
            (Some(two), "Ada", plain("Ada")),
        ] {
            let asked = of(Dialect::Mcp, "7", Origin::Request("7".into())).with_schema(schema.map(Into::into));
            assert_eq!(payload(&[(&asked, said)]), expected, "{said}");
        }
        assert_eq!(payload(&[(&of(Dialect::Mcp, "key", Origin::Id), "yes")]), plain("yes"));
    }

    #[test]
    fn a_plain_prompt_where_there_is_no_other_way() {
        let plain = |said: &str| with_prompt(json!({ "prompt": said }));
        let (own, strands) = (Interrupt::new("i1", "?"), of(Dialect::Strands, "i2", Origin::Id));
        let (nameless, graph) = (of(Dialect::Strands, "", Origin::Id), of(Dialect::LangGraph, "", Origin::Id));
        assert_eq!(payload(&[(&own, "yes")]), plain("yes"));
        assert_eq!(payload(&[(&own, "yes"), (&strands, "no")]), plain("yes\nno"));
        assert_eq!(payload(&[(&strands, "yes"), (&nameless, "no")]), plain("yes\nno"));
        assert_eq!(payload(&[(&graph, "yes"), (&graph, "no")]), plain("yes\nno"));
        assert_eq!(payload(&[]), plain(""));
    }
}
