//! Agents that ask before they go on: each dialect's question, and the answer in its own way.

use agentcore_mock::{AgentResponse, Mock};
use serde_json::{Value, json};

use crate::{
    chat::{asked, fresh, say},
    world::{SESSION, World},
};

/// Agents that ask twice in their dialect, and then say what they were sent.
pub(crate) fn asking() -> World {
    let agents: [(&str, &str); 7] = [
        (
            "strands",
            r#"{"tool_interrupt_event": {"interrupts": [
            {"id": "i1", "name": "approve", "reason": "May I?"}, {"id": "i2", "name": "who", "reason": {"a": 1}}]}}"#,
        ),
        ("langgraph", r#"{"__interrupt__": [{"value": "May I?", "id": "i1"}, {"value": {"a": 1}, "id": "i2"}]}"#),
        (
            "ag-ui",
            r#"{"type": "RUN_FINISHED", "threadId": "th", "runId": "r1", "outcome": {"type": "interrupt", "interrupts": [
            {"id": "i1", "reason": "approve", "message": "May I?"}, {"id": "i2", "reason": "who", "message": "Who?"}]}}"#,
        ),
        (
            "a2a-0",
            r#"{"jsonrpc": "2.0", "id": "1", "result": {"kind": "status-update", "taskId": "t1", "contextId": "c1", "final": true,
            "status": {"state": "input-required", "message": {"role": "agent", "parts": [{"kind": "text", "text": "May I?"}]}}}}"#,
        ),
        (
            "a2a-1",
            r#"{"jsonrpc": "2.0", "id": "1", "result": {"statusUpdate": {"taskId": "t1", "contextId": "c1",
            "status": {"state": "TASK_STATE_INPUT_REQUIRED", "message": {"role": "ROLE_AGENT", "parts": [{"text": "May I?"}]}}}}}"#,
        ),
        ("mcp", r#"{"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {"message": "May I?"}}"#),
        ("fails", r#"{"__interrupt__": [{"value": "May I?", "id": "i1"}]}"#),
    ];
    let builder = agents.into_iter().fold(Mock::builder(), |builder, (name, asks)| {
        builder.agent(name, move |request| {
            let payload: Value = serde_json::from_slice(&request.payload).unwrap();
            let first = payload["prompt"] == "begin";
            let fails = name == "fails" && first;
            async move {
                let asks: Value = serde_json::from_str(asks).unwrap();
                match first {
                    true if fails => AgentResponse::events([json!("Wait."), asks, json!({"error": "no"})]),
                    true => AgentResponse::events([json!({"data": "Wait."}), asks]),
                    false => AgentResponse::events([json!({"data": "Thanks."})]),
                }
            }
        })
    });
    World::with(builder)
}

/// Each dialect is answered in its own way, question by question.
#[test]
fn what_an_agent_asks_is_answered() {
    let world = asking();
    let first = "note: the agent asks (approve): May I?\n";
    let plain = "note: the agent asks: May I?\n";
    let prompt = |more: Value| {
        let mut payload = json!({"sessionId": SESSION, "enableTrace": true});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payload
    };
    let message = |method: &str, more: Value| {
        let mut message = json!({"taskId": "t1", "contextId": "c1"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"jsonrpc": "2.0", "method": method, "params": {"message": message}})
    };
    for (agent, answers, stderr, sent) in [
        (
            "strands",
            "yes\n{\"b\": 2}\n",
            format!("{first}note: the agent asks (who): {{\"a\":1}}\n"),
            prompt(json!({"prompt": [
                {"interruptResponse": {"interruptId": "i1", "response": "yes"}},
                {"interruptResponse": {"interruptId": "i2", "response": {"b": 2}}},
            ]})),
        ),
        (
            "langgraph",
            "yes\nAda\n",
            format!("{plain}note: the agent asks: {{\"a\":1}}\n"),
            prompt(json!({"prompt": "yes\nAda", "command": {"resume": {"i1": "yes", "i2": "Ada"}}})),
        ),
        (
            "ag-ui",
            "yes\nAda\n",
            format!("{first}note: the agent asks (who): Who?\n"),
            json!({"threadId": "th", "state": {}, "messages": [], "tools": [], "context": [], "forwardedProps": {}, "resume": [
                {"interruptId": "i1", "status": "resolved", "payload": "yes"},
                {"interruptId": "i2", "status": "resolved", "payload": "Ada"},
            ]}),
        ),
        (
            "a2a-0",
            "yes\n",
            "note: the agent asks (input-required): May I?\n".to_owned(),
            message(
                "message/stream",
                json!({"kind": "message", "role": "user", "parts": [{"kind": "text", "text": "yes"}]}),
            ),
        ),
        (
            "a2a-1",
            "yes\n",
            "note: the agent asks (input-required): May I?\n".to_owned(),
            message("SendStreamingMessage", json!({"role": "ROLE_USER", "parts": [{"text": "yes"}]})),
        ),
        ("mcp", "yes\n", plain.to_owned(), json!({"jsonrpc": "2.0", "id": 7, "result": {"action": "accept"}})),
    ] {
        let _ = world.mock.take_requests();
        // A command between is none of the answers.
        let ended = say(&world, agent, ["--session-id", SESSION], &format!("begin\n/session\n{answers}bye\n"));
        assert_eq!((ended.exit, ended.stderr), (Some(0), stderr), "{agent}");
        assert_eq!(ended.stdout, format!("Wait.\n{SESSION}\nThanks.\nThanks.\n"), "{agent}");
        let requests = world.mock.take_requests();
        let [_, (resumed, session), (bye, _)] = &mut asked(&requests)[..] else { panic!("{agent}: {requests:?}") };
        assert_eq!((&**session, &*bye["prompt"].to_string()), (SESSION, "\"bye\""), "{agent}");
        // The ids that are made for it; MCP's is the agent's.
        for (place, id) in [("", "runId"), ("", "id"), ("/params/message", "messageId")] {
            let object = resumed.pointer_mut(place).and_then(Value::as_object_mut);
            if let Some(object) = object.filter(|_| agent != "mcp") {
                object.remove(id);
            }
        }
        assert_eq!(*resumed, sent, "{agent}");
    }
}

#[test]
fn a_question_that_nobody_answers() {
    let world = asking();
    let plain = "note: the agent asks: May I?\n";
    // A new session has none of it, nor has an agent that failed after it asked.
    for (agent, lines, exit, prompts) in [
        ("langgraph", "begin\n/new\nbye\n", 0, &["begin", "bye"][..]),
        ("langgraph", "begin\nyes\n/new\nbye\n", 0, &["begin", "bye"]),
        ("langgraph", "begin\n", 0, &["begin"]),
        ("fails", "begin\nbye\n", 6, &["begin", "bye"]),
    ] {
        let ended = say(&world, agent, [], lines);
        assert_eq!((ended.exit, ended.stderr.contains(plain)), (Some(exit), exit == 0), "{lines:?}: {}", ended.stderr);
        let requests = world.mock.take_requests();
        let sent: Vec<Value> = asked(&requests).into_iter().map(|(payload, _)| payload).collect();
        let expected: Vec<Value> = prompts.iter().map(|prompt| Value::from(*prompt)).collect();
        assert_eq!(sent.iter().map(|payload| payload["prompt"].clone()).collect::<Vec<_>>(), expected, "{lines:?}");
        assert!(sent.iter().all(|payload| payload["command"].is_null()), "{lines:?}: {sent:?}");
    }
    let path = fresh("questions.md");
    say(&world, "langgraph", ["--session-id", SESSION], &format!("begin\nyes\nAda\n/save {}\n", path.display()));
    let expected = format!(
        "# Session {SESSION}\n\n## You\n\nbegin\n\n## Agent\n\nWait.\n\nthe agent asks: May I?\n\nthe agent asks: {{\"a\":1}}\n\n\
         ## You\n\nyes\nAda\n\n## Agent\n\nThanks.\n"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

/// Over a socket the question is a turn, and the answer another.
#[test]
fn answers_over_a_socket() {
    let world = World::new();
    // An hour of silence would end a turn too.
    for flags in [&[][..], &["--ws", "--wait", "3600", "--timeout", "20"]] {
        let ended = say(&world, "ask", flags.iter().copied(), "Hi\nyes\n/new\nHi\n/new\n");
        let question = "note: the agent asks (approval): May I answer?\n";
        let (asked, rest) = ended.stderr.split_at(question.len());
        assert_eq!((ended.exit, asked), (Some(0), question), "{flags:?}: {rest}");
        assert!(rest.starts_with("note: a new session: ") && rest.contains(question), "{flags:?}: {rest}");
        assert_eq!(ended.stdout, "One question first.\nYou answered: yes\nOne question first.\n", "{flags:?}");
    }
}
