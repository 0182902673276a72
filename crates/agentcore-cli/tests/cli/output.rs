//! The four formats, for each kind of answer.

use agentcore_mock::{AgentResponse, Mock};
use serde_json::{Value, json};

use crate::world::{SESSION, World, run, sse};

/// Agents that answer with exactly these bytes.
fn world() -> World {
    World::with(
        Mock::builder()
            .agent("fields", sse("retry: 5000\nid: 7\nevent: progress\ndata: one\ndata: two\n\ndata: \"é\"\n\n"))
            .agent("silent", sse("data: {\"step\": 1}\n\ndata: {\"step\": 2}\n\n"))
            .agent("unended", sse("data: \"a\"\n\ndata: \"b\"\n"))
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
    let silent = "note: no text is known in the agent's events; --output events shows them, and --output raw saves the answer as it is\n";
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
        assert_eq!((ended.exit, &*ended.stdout, &*ended.stderr), (Some(exit), stdout, stderr), "{agent} {flags:?}");
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

#[test]
fn one_object_at_the_end() {
    let world = world();
    for (agent, exit, text, body, events) in [
        ("fields", 0, "one\ntwo\"é\"", Value::Null, 2),
        ("silent", 0, "", Value::Null, 2),
        ("text", 0, "You asked: hi", Value::Null, 1),
        ("object", 0, "four", json!({"result": "four", "n": 4}), 1),
        ("unknown", 0, "{\"answer\":42}", json!({"answer": 42}), 1),
        ("fail-midstream", 6, "Once upon", Value::Null, 3),
        ("reset-midstream", 7, "Once upon", Value::Null, 2),
    ] {
        let ended = run(&mut world.invoke(agent, ["--output=json", "--session-id", SESSION, "hi"]));
        assert_eq!(ended.exit, Some(exit), "{agent}: {}", ended.stderr);
        assert_eq!(ended.stderr.starts_with("error: "), exit != 0, "{agent}: {}", ended.stderr);
        assert!(ended.stdout.ends_with("}\n") && ended.stdout.lines().count() == 1, "{agent}: {}", ended.stdout);
        let reply: Value = serde_json::from_str(&ended.stdout).unwrap();
        let mut keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let contract = "elapsed_ms events first_event_ms json metadata request_id session_id status text";
        assert_eq!(keys.join(" "), contract, "{agent}");
        assert_eq!(reply["text"], text, "{agent}");
        assert_eq!(reply["json"], body, "{agent}");
        assert_eq!(reply["events"], events, "{agent}");
        assert_eq!((&reply["session_id"], &reply["status"]), (&json!(SESSION), &json!(200)), "{agent}");
        assert!(reply["elapsed_ms"].as_u64() >= reply["first_event_ms"].as_u64(), "{agent}");
        assert!(reply["request_id"].is_string() && reply["metadata"].is_object(), "{agent}");
    }
    let ended = run(&mut world.invoke("error-403", ["--output=json", "hi"]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(3), ""));
}
