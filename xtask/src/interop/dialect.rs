//! `acore invoke --local` against agents of many dialects: AG-UI, A2A 0.3 and 1.x, MCP, Strands and LangGraph, each on the
//! packages that people build them with. Their models are scripts.
//!
//! Everything is asked twice, for text and for JSON. Both must have each word once, and none that a tool or a thought had.

use serde_json::{Value, json};

use super::Bench;
use super::case::{Case, Tally};
use crate::Outcome;
use crate::venv::Venv;
use crate::workspace::Workspace;

/// Starts one agent after the other and has each one's turns.
pub(super) fn run(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let agents = with_packages(bench, workspace, "agents")?;
    let older = with_packages(bench, workspace, "a2a-03")?;
    talk(&agents, ["agui", "agui_app.py"], tally, "AG-UI", &ag_ui())?;
    talk(&older, ["a2a-v0", "a2a_app.py"], tally, "A2A 0.3", &a2a_0_3())?;
    talk(&agents, ["a2a-v1", "a2a_app.py"], tally, "A2A 1.x", &a2a_1())?;
    talk(&agents, ["mcp", "mcp_app.py"], tally, "MCP", &mcp())?;
    talk(&agents, ["strands", "strands_app.py"], tally, "Strands", &strands())?;
    talk(&agents, ["langgraph", "langgraph_app.py"], tally, "LangGraph", &langgraph())?;
    answer(&agents, ["strands", "strands_app.py"], tally, "Strands")?;
    answer(&agents, ["langgraph", "langgraph_app.py"], tally, "LangGraph")
}

/// Lets `acore chat` answer what an agent asks before its tool runs.
fn answer(bench: &Bench, [name, script]: [&str; 2], tally: &mut Tally, dialect: &str) -> Outcome {
    let agent = bench.serve(name, &bench.script(script))?;
    let case = |name: &'static str, lines: &str, text: &str| {
        let chat = Case::new(name, &["chat", "--local", &agent.url]).input(lines).text(text);
        chat.notes(&["note: the agent asks", "May I add é?"])
    };
    let cases = vec![
        case("an approval", "ask\nyes\n", "Let me add é. \nIt is 3"),
        case("a question that nobody answers", "ask\n/new\n1+2?\n", "Let me add é. \nLet me add é. It is 3"),
    ];
    tally.run(&format!("{dialect}, answered by a chat"), bench, cases)
}

/// The bench with the Python of another environment.
pub(super) fn with_packages(bench: &Bench, workspace: &Workspace, packages: &str) -> Outcome<Bench> {
    let requirements = workspace.shell.read_file(bench.peers.join(format!("requirements-{packages}.txt")))?;
    let place = workspace.target()?.join(format!("interop/venv-{packages}"));
    let venv = Venv::ready(&workspace.shell, &place, &requirements)?;
    Ok(Bench { python: venv.program("python"), ..bench.clone() })
}

fn talk(bench: &Bench, [name, script]: [&str; 2], tally: &mut Tally, dialect: &str, turns: &[Turn]) -> Outcome {
    let agent = bench.serve(name, &bench.script(script))?;
    let local = |case: Case| case.args(&["--local", &agent.url]);
    tally.run(dialect, bench, turns.iter().map(|turn| local(turn.as_text())).collect())?;
    tally.run(&format!("{dialect}, as JSON"), bench, turns.iter().map(|turn| local(turn.as_json())).collect())
}

/// A payload and what must come of it.
#[derive(Debug)]
struct Turn {
    name: &'static str,
    payload: Value,
    flags: &'static [&'static str],
    text: &'static str,
    /// As many as the agent sends; an answer that is not a stream is one.
    events: u64,
    error: Option<&'static str>,
    asks: Option<&'static str>,
}

impl Turn {
    fn new(name: &'static str, payload: Value, text: &'static str, events: u64) -> Self {
        Self { name, payload, flags: &[], text, events, error: None, asks: None }
    }

    /// Expects the agent to fail in these words, after the text.
    fn fails(self, error: &'static str) -> Self {
        Self { error: Some(error), ..self }
    }

    /// Expects the agent to ask this, after the text.
    fn asks(self, reason: &'static str) -> Self {
        Self { asks: Some(reason), ..self }
    }

    fn flags(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }

    fn case(&self) -> Case {
        let case = Case::new(self.name, &["invoke", "--payload", &self.payload.to_string()]).args(self.flags);
        self.error.into_iter().fold(case, |case, error| case.fails(6, &["error: the agent failed: ", error]))
    }

    fn as_text(&self) -> Case {
        self.case().text(self.text)
    }

    fn as_json(&self) -> Case {
        // The text of a JSON answer without any is the JSON, which has ids and times in it.
        let text = (!self.text.is_empty()).then(|| ("/text", json!(self.text)));
        let asked = self.asks.map(|reason| ("/interrupts/0/reason", json!(reason)));
        let values = text.into_iter().chain(asked).chain([("/events", json!(self.events))]);
        self.case().json(&values.collect::<Vec<_>>())
    }
}

fn ag_ui() -> Vec<Turn> {
    let input = |said: &str| {
        json!({
            "threadId": "th1", "runId": "r1", "state": {}, "tools": [], "context": [], "forwardedProps": {},
            "messages": [
                {"id": "u0", "role": "user", "content": "before"},
                {"id": "a0", "role": "assistant", "content": "an earlier answer"},
                {"id": "u1", "role": "user", "content": said},
            ],
        })
    };
    let mut answer = input("nobody reads this");
    answer["messages"] = json!([]);
    answer["resume"] = json!([{"interruptId": "i1", "status": "resolved", "payload": "yes"}]);
    vec![
        Turn::new("a run with a tool and a state", input("hi"), "Hello é\nhi", 17),
        Turn::new("chunks after a thought", input("pieces"), "abb", 8),
        Turn::new("the conversation once more", input("snapshot"), "Hello é\nsnapshot", 18),
        Turn::new("a run that fails", input("raise"), "Hello é\nraise", 17).fails("INTERNAL_ERROR: agui boom"),
        Turn::new("a run that waits", input("ask"), "Hello é\nask", 17).asks("May I add é?"),
        Turn::new("a run that goes on", answer, "Hello é\nyes", 17),
    ]
}

fn a2a_0_3() -> Vec<Turn> {
    tasks(v0_3, ["message/stream", "message/send"])
}

fn a2a_1() -> Vec<Turn> {
    let mut turns = tasks(v1, ["SendStreamingMessage", "SendMessage"]);
    let raises = v1("SendStreamingMessage", "raise");
    turns.push(Turn::new("an exception in mid-stream", raises, "Hello é raise", 6).fails("-32603: a2a boom"));
    let mut turns: Vec<_> = turns.into_iter().map(|turn| turn.flags(&["--header", "A2A-Version=1.0"])).collect();
    turns.push(Turn::new("0.3, spoken by 1.x", v0_3("message/stream", "hi"), "Hello é hi", 6));
    turns
}

fn tasks(request: fn(&str, &str) -> Value, [stream, send]: [&str; 2]) -> Vec<Turn> {
    vec![
        Turn::new("a streamed artifact", request(stream, "hi"), "Hello é hi", 6),
        Turn::new("the same, whole", request(send, "hi"), "Hello é hi", 1),
        Turn::new("words by status, then as an artifact", request(stream, "status"), "Hello é status", 7),
        Turn::new("the same, whole", request(send, "status"), "Hello é status", 1),
        Turn::new("a task that fails", request(stream, "fail"), "", 3).fails("failed: a2a is out of order"),
        Turn::new("the same, whole", request(send, "fail"), "", 1).fails("failed: a2a is out of order"),
        Turn::new("a task that waits", request(stream, "ask"), "", 3).asks("Which one, é?"),
        Turn::new("the same, whole", request(send, "ask"), "", 1).asks("Which one, é?"),
        Turn::new("an exception", request(send, "raise"), "", 1).fails("-32603: a2a boom"),
        Turn::new("an unknown method", request("no/such", "hi"), "", 1).fails("-32601: Method not found"),
    ]
}

fn v0_3(method: &str, said: &str) -> Value {
    let message =
        json!({"kind": "message", "messageId": "m1", "role": "user", "parts": [{"kind": "text", "text": said}]});
    json!({"jsonrpc": "2.0", "id": "1", "method": method, "params": {"message": message}})
}

fn v1(method: &str, said: &str) -> Value {
    let message = json!({"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": said}]});
    json!({"jsonrpc": "2.0", "id": "1", "method": method, "params": {"message": message}})
}

fn mcp() -> Vec<Turn> {
    let call = |tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": "p1"}});
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    };
    vec![
        Turn::new("a tool's result", call("add", json!({"a": 1, "b": 2})), "3", 1),
        Turn::new("a result after progress", call("count", json!({"to": 3})), "counted to 3", 4),
        Turn::new("a tool that fails", call("boom", json!({})), "", 1).fails("Error executing tool boom: mcp boom é"),
        Turn::new("an unknown tool", call("no_such", json!({})), "", 1).fails("Unknown tool: no_such"),
        Turn::new("an unknown method", json!({"jsonrpc": "2.0", "id": 1, "method": "no/such"}), "", 1)
            .fails("-32601: Method not found"),
    ]
}

fn strands() -> Vec<Turn> {
    const FAILED: &str = "EventLoopException: model failed mid-stream";
    let answer = "Let me add é. It is 3";
    let mode = |mode: &str| json!({"prompt": "1+2?", "mode": mode});
    let script = |mode: &str, script: &str| json!({"prompt": "1+2?", "mode": mode, "script": script});
    vec![
        Turn::new("the default payload", json!({"prompt": "1+2?", "sessionId": "s", "enableTrace": true}), answer, 32),
        Turn::new("a turn with a tool, the model's events", mode("clean"), answer, 16),
        Turn::new("the same, its text", mode("text"), answer, 4),
        Turn::new("the same, its result", mode("whole"), "It is 3", 1),
        Turn::new("thoughts, every event", script("raw", "think"), "Hello there", 18),
        Turn::new("thoughts, the result", script("whole", "think"), "Hello there", 1),
        Turn::new("a model that fails, every event", script("raw", "fail"), "Let me add é. ", 26).fails(FAILED),
        Turn::new("the same, its text", script("text", "fail"), "Let me add é. ", 3).fails(FAILED),
    ]
}

fn langgraph() -> Vec<Turn> {
    const FAILED: &str = "RuntimeError: model failed mid-stream";
    let answer = "Let me add é. It is 3";
    let mode = |mode: Value| json!({"prompt": "1+2?", "mode": mode});
    let fails = |mode: Value| json!({"prompt": "1+2?", "mode": mode, "fail": true});
    vec![
        Turn::new("messages", mode(json!("messages")), answer, 11),
        Turn::new("updates", mode(json!("updates")), answer, 3),
        Turn::new("states", mode(json!("values")), answer, 4),
        Turn::new("messages and updates", mode(json!(["messages", "updates"])), answer, 14),
        Turn::new("events", mode(json!("events")), answer, 34),
        Turn::new("the last state alone", mode(json!("whole")), answer, 1),
        Turn::new("a model that fails, messages", fails(json!("messages")), "Let me add é. ", 9).fails(FAILED),
        Turn::new("a model that fails, events", fails(json!("events")), "Let me add é. ", 25).fails(FAILED),
    ]
}
