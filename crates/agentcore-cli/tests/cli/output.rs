//! The four formats, for each kind of answer.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use agentcore_mock::{AgentResponse, Mock};
use serde_json::{Value, json};

use crate::world::{Ended, SESSION, World, run, sse};

/// Agents that answer with exactly these bytes.
fn world() -> World {
    World::with(
        Mock::builder()
            .agent("fields", sse("retry: 5000\nid: 7\nevent: progress\ndata: one\ndata: two\n\ndata: \"é\"\n\n"))
            .agent("silent", sse("data: {\"step\": 1}\n\ndata: {\"step\": 2}\n\n"))
            .agent("unended", sse("data: \"a\"\n\ndata: \"b\"\n"))
            .agent("asks", sse(ASKS))
            .agent("uses-and-fails", sse(USES_AND_FAILS))
            .agent("asks-only", sse("data: {\"__interrupt__\": [{\"value\": \"May I?\", \"id\": \"i1\"}]}\n\n"))
            .agent("asks-json", |_| async {
                AgentResponse::json(json!({"__interrupt__": [{"value": "May I?", "id": "i1"}]}))
            })
            .agent("lines", sse("data: \"line\\n\"\n\n"))
            .agent("object", |_| async { AgentResponse::json(json!({"result": "four", "n": 4})) })
            .agent("unknown", |_| async { AgentResponse::json(json!({"answer": 42})) })
            .agent("refuses", |_| async { AgentResponse::json(json!({"error": "no", "error_type": "Refusal"})) }),
    )
}

#[test]
fn text_events_and_raw() {
    let world = world();
    let agent_failed = "error: the agent failed: Refusal: no\n";
    let silent = "note: no text is known in the agent's events; --output events shows them. To have them known, save the answer by --output raw, and add it to agentcore-rs as CONTRIBUTING.md says (\"A stream that is not understood\")\n";
    let unended = "note: the answer ended without an event\n";
    for (agent, flags, exit, stdout, stderr) in [
        ("fields", vec![], 0, "one\ntwo\"é\"\n", ""),
        (
            "fields",
            vec!["--output=events"],
            0,
            "{\"event\":\"progress\",\"data\":\"one\\ntwo\",\"id\":\"7\",\"retry\":5000}\n\
             {\"event\":\"message\",\"data\":\"\\\"é\\\"\",\"id\":\"7\",\"retry\":null}\n",
            "",
        ),
        (
            "fields",
            vec!["--output=raw"],
            0,
            "retry: 5000\nid: 7\nevent: progress\ndata: one\ndata: two\n\ndata: \"é\"\n\n",
            "",
        ),
        ("silent", vec![], 0, "", silent),
        ("unended", vec![], 0, "ab\n", ""),
        ("unended", vec!["--lenient-sse"], 0, "ab\n", ""),
        ("unended", vec!["--output=raw"], 0, "data: \"a\"\n\ndata: \"b\"\n", ""),
        ("lines", vec![], 0, "line\n", ""),
        ("empty", vec![], 0, "", unended),
        ("empty", vec!["--output=events"], 0, "", ""),
        ("text", vec![], 0, "You asked: hi\n", ""),
        ("text", vec!["--output=raw"], 0, "You asked: hi", ""),
        ("object", vec![], 0, "four\n", ""),
        ("object", vec!["--output=raw"], 0, "{\"n\":4,\"result\":\"four\"}", ""),
        (
            "object",
            vec!["--output=events"],
            0,
            "{\"event\":\"message\",\"data\":\"{\\\"n\\\":4,\\\"result\\\":\\\"four\\\"}\",\"id\":\"\",\"retry\":null}\n",
            "",
        ),
        ("unknown", vec![], 0, "{\"answer\":42}\n", ""),
        // Text mode names what is asked on a terminal, and where it is all of the answer.
        ("asks", vec![], 0, "Wait.\n", ""),
        ("asks-only", vec![], 0, "", "note: the agent asks: May I?\n"),
        ("asks-json", vec![], 0, "", "note: the agent asks: May I?\n"),
        ("refuses", vec![], 6, "", agent_failed),
        (
            "refuses",
            vec!["--output=events"],
            6,
            "{\"event\":\"message\",\"data\":\"{\\\"error\\\":\\\"no\\\",\\\"error_type\\\":\\\"Refusal\\\"}\",\"id\":\"\",\
             \"retry\":null}\n",
            agent_failed,
        ),
        ("refuses", vec!["--output=raw"], 0, "{\"error\":\"no\",\"error_type\":\"Refusal\"}", ""),
    ] {
        let ended = run(&mut world.invoke(agent, flags.iter().copied().chain(["hi"])));
        assert_eq!((ended.exit, &*ended.stdout, &*ended.lines()), (Some(exit), stdout, stderr), "{agent} {flags:?}");
    }
}

#[test]
fn events_before_a_failure_are_printed() {
    let world = World::new();
    for (agent, format, exit, lines, stderr) in [
        ("fail-midstream", "events", 6, 3, "error: the agent failed: ValueError: the agent lost its thread\n"),
        ("reset-midstream", "events", 7, 2, "error: the answer broke off midway"),
        // Two events, each with the empty line that ends it.
        ("reset-midstream", "raw", 7, 4, "error: the answer broke off midway"),
    ] {
        let ended = run(&mut world.invoke(agent, ["--output", format, "hi"]));
        assert_eq!((ended.exit, ended.stdout.lines().count()), (Some(exit), lines), "{agent}: {}", ended.stdout);
        assert!(ended.stderr.starts_with(stderr), "{agent}: {}", ended.stderr);
    }
}

/// Events are printed as they are, and whether one is an error is judged by the dialect that was named.
#[test]
fn events_are_judged_by_their_dialect() {
    let world = World::with(
        Mock::builder()
            .agent("ag-ui", sse("data: {\"type\": \"RUN_ERROR\", \"message\": \"boom\"}\n\n"))
            .agent("held", sse("data: 42\n\ndata: {\"type\": \"RUN_ERROR\", \"message\": \"boom\"}\n\n")),
    );
    for (agent, args, exit) in [
        ("ag-ui", &["--output", "events"][..], 6),
        ("ag-ui", &["--output", "events", "--dialect", "ag-ui"], 6),
        ("ag-ui", &["--output", "events", "--dialect", "strands"], 0),
        ("ag-ui", &["--output", "text", "--dialect", "strands"], 0),
        ("held", &["--output", "events"], 6),
        ("ag-ui", &["--output", "events", "--dialect", "esperanto"], 2),
    ] {
        let ended = run(&mut world.invoke(agent, args.iter().copied().chain(["Hi"])));
        assert_eq!(ended.exit, Some(exit), "{agent} {args:?}: {}", ended.stderr);
        let printed = ended.stdout.contains(r#""data":"{\"type\": \"RUN_ERROR\""#);
        assert_eq!(printed, exit != 2 && args[1] == "events", "{agent} {args:?}: {}", ended.stdout);
    }
}

#[test]
fn one_object_at_the_end() {
    let world = world();
    for (agent, exit, text, body, events, kind) in [
        ("fields", 0, "one\ntwo\"é\"", Value::Null, 2, ""),
        ("silent", 0, "", Value::Null, 2, ""),
        ("text", 0, "You asked: hi", Value::Null, 1, ""),
        ("object", 0, "four", json!({"result": "four", "n": 4}), 1, ""),
        ("unknown", 0, "{\"answer\":42}", json!({"answer": 42}), 1, ""),
        ("asks", 0, "Wait.", Value::Null, 4, ""),
        ("asks-json", 0, "", json!({"__interrupt__": [{"value": "May I?", "id": "i1"}]}), 1, ""),
        ("fail-midstream", 6, "Once upon", Value::Null, 3, "agent"),
        ("refuses", 6, "", json!({"error": "no", "error_type": "Refusal"}), 1, "agent"),
        ("reset-midstream", 7, "Once upon", Value::Null, 2, "broken_off"),
    ] {
        let ended = run(&mut world.invoke(agent, ["--output=json", "--session-id", SESSION, "hi"]));
        assert_eq!(ended.exit, Some(exit), "{agent}: {}", ended.stderr);
        assert_eq!(ended.stderr.starts_with("error: "), exit != 0, "{agent}: {}", ended.stderr);
        let outcome = outcome(&ended);
        assert_eq!(outcome["text"], text, "{agent}");
        assert_eq!(outcome["json"], body, "{agent}");
        assert_eq!(outcome["events"], events, "{agent}");
        assert_eq!((&outcome["session_id"], &outcome["status"]), (&json!(SESSION), &json!(200)), "{agent}");
        assert!(outcome["elapsed_ms"].as_u64() >= outcome["first_event_ms"].as_u64(), "{agent}");
        assert!(outcome["request_id"].is_string() && outcome["metadata"]["attempts"] == 1, "{agent}");
        assert_eq!(outcome["error"]["kind"].as_str().unwrap_or_default(), kind, "{agent}");
    }
}

#[test]
fn an_object_has_what_models_used_and_what_the_agent_asks() {
    let world = world();
    let used = json!({"input_tokens": 17, "output_tokens": 9, "cached_tokens": 5, "latency_ms": 4});
    let asked = json!([
        {"id": "i1", "name": "approve", "reason": "{\"a\": 1}", "schema": null, "dialect": "strands"},
        {"id": "", "name": "", "reason": "May I?", "schema": null, "dialect": "strands"},
    ]);
    for (agent, usage, interrupts) in
        [("asks", used, asked), ("fields", Value::Null, json!([])), ("object", Value::Null, json!([]))]
    {
        let outcome = outcome(&run(&mut world.invoke(agent, ["--output=json", "hi"])));
        assert_eq!((&outcome["usage"], &outcome["interrupts"]), (&usage, &interrupts), "{agent}");
        assert_eq!(outcome["error"], Value::Null, "{agent}");
    }
    // What was used until the agent failed is known.
    let outcome = outcome(&run(&mut world.invoke("uses-and-fails", ["--output=json", "hi"])));
    assert_eq!((&outcome["usage"]["output_tokens"], &outcome["text"]), (&json!(9), &json!("Wait.")));
    assert_eq!(outcome["error"]["message"], "the agent failed: ValueError: no");
}

#[test]
fn an_object_of_a_call_that_brought_nothing() {
    let world = world();
    for (agent, flags, exit, error) in [
        ("error-401", &[][..], 3, json!({"kind": "auth", "may_have_run": false, "hint": "the token must be"})),
        ("error-403", &[], 3, json!({"kind": "auth", "may_have_run": false, "hint": "the token must be"})),
        ("error-404", &[], 6, json!({"kind": "service", "may_have_run": false, "hint": "check the ARN"})),
        ("error-424", &[], 6, json!({"kind": "agent", "may_have_run": true, "hint": "the agent itself failed"})),
        ("error-429", &["--no-retry"], 4, json!({"kind": "unavailable", "may_have_run": false, "hint": "try again"})),
        ("error-500", &[], 6, json!({"kind": "service", "may_have_run": true, "hint": null})),
        ("error-504", &[], 5, json!({"kind": "timeout", "may_have_run": true, "hint": null})),
        ("html", &[], 6, json!({"kind": "service", "may_have_run": true, "hint": null})),
        ("reset", &[], 4, json!({"kind": "unavailable", "may_have_run": true, "hint": "the agent may go on"})),
        ("slow-60000", &["--timeout=0.2"], 5, json!({"kind": "timeout", "may_have_run": true, "hint": "--timeout"})),
    ] {
        let args = ["--output=json", "--session-id", SESSION, "hi"].iter().chain(flags);
        let ended = run(&mut world.invoke(agent, args.copied()));
        assert_eq!(ended.exit, Some(exit), "{agent}: {}", ended.stderr);
        let outcome = outcome(&ended);
        assert_eq!((&outcome["text"], &outcome["json"], &outcome["events"]), (&json!(""), &Value::Null, &json!(0)));
        assert_eq!((&outcome["session_id"], &outcome["usage"]), (&json!(SESSION), &Value::Null), "{agent}");
        assert_eq!(outcome["interrupts"], json!([]), "{agent}");
        for member in ["kind", "may_have_run"] {
            assert_eq!(outcome["error"][member], error[member], "{agent}: {member}");
        }
        let hint = outcome["error"]["hint"].as_str();
        match error["hint"].as_str() {
            Some(begins) => assert!(hint.is_some_and(|hint| hint.starts_with(begins)), "{agent}: {hint:?}"),
            None => assert_eq!(hint, None, "{agent}"),
        }
        // The line on standard error says the same.
        let message = outcome["error"]["message"].as_str().unwrap();
        assert!(ended.stderr.starts_with(&format!("error: {message}\n")), "{agent}: {}", ended.stderr);
        let status = agent.strip_prefix("error-").and_then(|status| status.parse::<u64>().ok());
        assert!(status.is_none() || outcome["status"].as_u64() == status, "{agent}: {}", outcome["status"]);
    }
    // Where nothing was called there is nothing to print.
    let ended = run(&mut world.invoke("text", ["--output=json", "--session-id=short", "hi"]));
    assert_eq!((ended.exit, &*ended.stdout), (Some(2), ""));
}

/// A portal's page, whatever its status, is no answer of the agent.
#[test]
fn an_object_without_the_page_that_came_instead() {
    let world = World::new();
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", portal.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        let (mut socket, _) = portal.accept().unwrap();
        let _ = socket.read(&mut [0; 64 * 1024]).unwrap();
        let page = "<!DOCTYPE html><html>Please log in</html>";
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n";
        socket.write_all(format!("{head}{page}").as_bytes()).unwrap();
    });
    let mut command = world.invoke("text", ["--output=json", "hi"]);
    let ended = run(command.env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", url));
    answers.join().unwrap();
    let outcome = outcome(&ended);
    assert_eq!((ended.exit, &outcome["status"]), (Some(6), &json!(200)), "{}", ended.stderr);
    assert_eq!(
        (&outcome["text"], &outcome["json"], &outcome["error"]["kind"]),
        (&json!(""), &Value::Null, &json!("service"))
    );
    assert!(!ended.stdout.contains("log in") && !ended.stdout.contains("html"), "{}", ended.stdout);
}

/// The object that was printed, which has all of its members whatever happened.
fn outcome(ended: &Ended) -> Value {
    assert!(ended.stdout.ends_with("}\n") && ended.stdout.lines().count() == 1, "{}", ended.stdout);
    let outcome: Value = serde_json::from_str(&ended.stdout).unwrap();
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(
        keys(&outcome),
        "elapsed_ms error events first_event_ms interrupts json metadata request_id session_id status text usage"
    );
    assert_eq!(
        keys(&outcome["metadata"]),
        "attempts content_type mcp_protocol_version mcp_session_id session_endpoint_url trace_id traceparent"
    );
    assert!(outcome["error"].is_null() || keys(&outcome["error"]) == "hint kind may_have_run message");
    outcome
}

/// An agent that uses a model and then asks two things.
const ASKS: &str = concat!(
    "data: {\"data\": \"Wait.\"}\n\n",
    "data: {\"event\": {\"metadata\": {\"usage\": {\"inputTokens\": 10, \"outputTokens\": 9, \"totalTokens\": 26, ",
    "\"cacheReadInputTokens\": 5, \"cacheWriteInputTokens\": 2}, \"metrics\": {\"latencyMs\": 4}}}}\n\n",
    "data: {\"tool_interrupt_event\": {\"interrupts\": [{\"id\": \"i1\", \"name\": \"approve\", \"reason\": {\"a\": 1}}]}}\n\n",
    "data: {\"tool_interrupt_event\": {\"interrupts\": [{\"reason\": \"May I?\"}]}}\n\n",
);

const USES_AND_FAILS: &str = concat!(
    "data: {\"data\": \"Wait.\"}\n\n",
    "data: {\"event\": {\"metadata\": {\"usage\": {\"outputTokens\": 9}}}}\n\n",
    "data: {\"error\": \"no\", \"error_type\": \"ValueError\"}\n\n",
);

/// A harness's ARN is all that a user says.
#[test]
fn a_harness_in_the_four_formats() {
    let world = World::new();
    let invoke = |name: &str, args: &[&str]| {
        let mut command = world.acore(name, ["invoke"].into_iter().chain(args.iter().copied()));
        command.env("AGENTCORE_RUNTIME_ARN", world.mock.harness_arn(name).as_str());
        run(command.env("AGENTCORE_BEARER_TOKEN", world.mock.token()))
    };
    assert_eq!((invoke("echo", &["Hello"]).stdout.as_str(), invoke("echo", &["x"]).exit), ("Hello\n", Some(0)));
    let reply: serde_json::Value = serde_json::from_str(&invoke("ask", &["--output", "json", "x"]).stdout).unwrap();
    assert_eq!((&reply["text"], &reply["interrupts"][0]["id"]), (&"I have to ask.".into(), &"call-1".into()));
    let events = invoke("echo", &["--output", "events", "Hello"]);
    let lines: Vec<serde_json::Value> = events.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]);
    assert_eq!(lines[1]["data"], r#"{"contentBlockIndex":0,"delta":{"text":"Hello"}}"#);
    for format in ["text", "json", "events"] {
        for (name, exit) in [("fail-midstream", 6), ("reset-midstream", 7)] {
            let ended = invoke(name, &["--output", format, "x"]);
            assert_eq!(ended.exit, Some(exit), "{format} {name} {}", ended.stderr);
            assert!(ended.stdout.contains("Once"), "{}", ended.stdout);
        }
    }
}
