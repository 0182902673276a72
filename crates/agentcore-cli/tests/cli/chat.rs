//! Conversations by a pipe: what is said, what comes out, and how they end.

use std::{io::Read, path::PathBuf, process::Command};

use agentcore_mock::{AgentResponse, Mock, RecordedRequest};
use serde_json::{Value, json};

use crate::world::{Ended, SESSION, World, ended, run, run_with, sse};

/// The program in a conversation with an agent, with a good token.
pub(crate) fn chat<'a>(world: &World, agent: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = world.acore(agent, ["chat"].into_iter().chain(args));
    command.env("AGENTCORE_BEARER_TOKEN", world.mock.token());
    command
}

pub(crate) fn say<'a>(world: &World, agent: &str, args: impl IntoIterator<Item = &'a str>, lines: &str) -> Ended {
    run_with(&mut chat(world, agent, args), lines.as_bytes())
}

/// What the agent was asked, and in which session.
pub(crate) fn asked(requests: &[RecordedRequest]) -> Vec<(Value, String)> {
    let session = |request: &RecordedRequest| {
        let header = request.header("x-amzn-bedrock-agentcore-runtime-session-id").unwrap();
        header.to_owned()
    };
    requests.iter().map(|request| (serde_json::from_slice(&request.body).unwrap(), session(request))).collect()
}

fn sessions(world: &World) -> Vec<String> {
    asked(&world.mock.take_requests()).into_iter().map(|(_, session)| session).collect()
}

/// A file of this test's own, which is not there yet.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = directory.join(format!("chat-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn world() -> World {
    World::with(
        Mock::builder()
            .agent("marks", sse("data: \"**a** \\u001b[31m\"\n\ndata: \"b\\r\\n\"\n\n"))
            .agent("silent", sse("data: {\"step\": 1}\n\ndata: {\"step\": 2}\n\n"))
            .agent(
                "tools",
                sse("data: {\"reasoningText\": \"hm\", \"reasoning\": true}\n\ndata: {\"data\": \"x\"}\n\n"),
            )
            .agent("fails", sse("data: {\"step\": 1}\n\ndata: {\"error\": \"no\"}\n\n"))
            .agent("unknown", |_| async { AgentResponse::json(json!({"answer": 42})) }),
    )
}

#[test]
fn lines_and_answers() {
    let world = world();
    let silent = "note: no text is known in the agent's answer; `acore invoke --output raw` saves it as it is, and CONTRIBUTING.md of agentcore-rs says how to have it known\n";
    let failed = "error: the agent failed: ValueError: the agent lost its thread\n";
    for (agent, lines, exit, stdout, stderr) in [
        ("text", "a\n\n \nb", 0, "You asked: a\nYou asked: b\n", String::new()),
        ("text", "", 0, "", String::new()),
        ("text", "//new\n  c\r\n", 0, "You asked: /new\nYou asked:   c\n", String::new()),
        ("text", "a\n/quit\nb\n", 0, "You asked: a\n", String::new()),
        ("marks", "a\nb\n", 0, "**a** \u{1b}[31mb\r\n**a** \u{1b}[31mb\r\n", String::new()),
        ("tools", "a\n", 0, "x\n", String::new()),
        ("unknown", "a\n", 0, "{\"answer\":42}\n", String::new()),
        ("silent", "a\n", 0, "", silent.to_owned()),
        ("empty", "a\n", 0, "", silent.to_owned()),
        ("fails", "a\n", 6, "", "error: the agent failed: no\n".to_owned()),
        ("fail-midstream", "a\nb\n", 6, "Once upon\nOnce upon\n", failed.repeat(2)),
    ] {
        let ended = say(&world, agent, [], lines);
        assert_eq!((ended.exit, &*ended.stdout, ended.lines()), (Some(exit), stdout, stderr), "{agent} {lines:?}");
    }
}

#[test]
fn the_first_failure_is_the_exit_code() {
    let world = World::new();
    for (agent, lines, exit, errors) in [
        ("error-403", "a\nb\n", 3, 2),
        ("error-403", "/x\na\n", 2, 2),
        ("error-403", "a\n/x\n/quit\n", 3, 2),
        ("reset-midstream", "a\n/session\n", 7, 1),
        ("error-503-after-0", "", 0, 0),
    ] {
        let ended = say(&world, agent, [], lines);
        let told = ended.stderr.matches("error: ").count();
        assert_eq!((ended.exit, told), (Some(exit), errors), "{agent} {lines:?}: {}", ended.stderr);
    }
}

#[test]
fn one_session_until_there_is_a_new_one() {
    let world = World::new();
    let ended = say(&world, "text", ["first", "--session-id", SESSION], "/session\nsecond\n/new\n/session\nthird\n");
    let requests = world.mock.take_requests();
    let [(first, one), (_, two), (third, three)] = &asked(&requests)[..] else { panic!("{requests:?}") };
    assert_eq!([&**one, &**two], [SESSION; 2]);
    assert_ne!(three, SESSION);
    assert_eq!(*first, json!({"prompt": "first", "sessionId": SESSION, "enableTrace": true}));
    assert_eq!(*third, json!({"prompt": "third", "sessionId": three, "enableTrace": true}));
    let expected = format!("You asked: first\n{SESSION}\nYou asked: second\n{three}\nYou asked: third\n");
    assert_eq!((ended.stdout, ended.stderr), (expected, format!("note: a new session: {three}\n")));

    say(&world, "text", [], "a\nb\n");
    say(&world, "text", ["--session-name", "ada"], "c\n");
    say(&world, "text", ["--session-name", "ada"], "d\n");
    let sessions = sessions(&world);
    assert_eq!((sessions[0] == sessions[1], sessions[2] == sessions[3]), (true, true), "{sessions:?}");
    assert_ne!(sessions[0], sessions[2]);
}

#[test]
fn a_user_and_headers() {
    let world = World::new();
    say(&world, "text", ["--user-id", "ada", "--header", "X-Amzn-Bedrock-AgentCore-Runtime-Custom-A=b"], "a\nb\n");
    for request in world.mock.take_requests() {
        assert_eq!(request.header("x-amzn-bedrock-agentcore-runtime-user-id"), Some("ada"));
        assert_eq!(request.header("x-amzn-bedrock-agentcore-runtime-custom-a"), Some("b"));
    }
}

#[test]
fn timeouts() {
    let world = World::new();
    for args in [["--idle-timeout", "0.05"], ["--timeout", "0.2"]] {
        let ended = say(&world, "stall", args, "a\n/session\n");
        assert_eq!(ended.exit, Some(5), "{args:?}: {}", ended.stderr);
        assert!(ended.stdout.starts_with("Once\n") && ended.stdout.lines().count() == 2, "{}", ended.stdout);
    }
    for args in [["--ws", "--idle-timeout", "0.05"], ["--ws", "--timeout", "0.2"]] {
        let _ = world.mock.take_requests();
        let ended = say(&world, "silent", args, "a\nb\n");
        assert_eq!((ended.exit, &*ended.stdout), (Some(5), ""), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: the agent took more than 0."), "{args:?}: {}", ended.stderr);
        // What comes late over the first socket is no answer to the second line.
        assert_eq!(world.mock.take_requests().len(), 2, "{args:?}");
    }
}

#[test]
fn a_transcript() {
    let world = World::new();
    let path = fresh("transcript.md");
    let name = path.to_str().unwrap();
    let lines = format!("one\n/save {name}\ntwo\n/save {name}\n");
    let ended = say(&world, "text", ["--session-id", SESSION], &lines);
    let first = format!("# Session {SESSION}\n\n## You\n\none\n\n## Agent\n\nYou asked: one\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    assert_eq!(ended.exit, Some(2));
    let told = format!("note: saved to {name}\nerror: cannot save to {name}\n");
    assert!(ended.stderr.starts_with(&told) && ended.stderr.contains("hint: /save! overwrites"), "{}", ended.stderr);

    let ended = say(&world, "text", ["--session-id", SESSION], &format!("two\n/save! {name}\n"));
    assert_eq!((ended.exit, ended.stderr), (Some(0), format!("note: saved to {name}\n")));
    let second = format!("# Session {SESSION}\n\n## You\n\ntwo\n\n## Agent\n\nYou asked: two\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), second);
}

#[test]
fn a_transcript_has_what_failed() {
    let world = World::new();
    let path = fresh("failed.md");
    let ended = say(&world, "fail-midstream", ["--session-id", SESSION], &format!("one\n/save {}\n", path.display()));
    assert_eq!(ended.exit, Some(6));
    let expected = format!(
        "# Session {SESSION}\n\n## You\n\none\n\n## Agent\n\nOnce upon\n\n\
         > **No whole answer:** the agent failed: ValueError: the agent lost its thread\n"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn one_socket_for_a_conversation() {
    let world = World::new();
    // An hour of silence would end a turn too.
    let args = ["--ws", "--session-id", SESSION, "--wait", "3600", "--timeout", "20"];
    let ended = say(&world, "story", args, "one\ntwo\n");
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stdout);
    assert!(lines[0].contains("“one”") && lines[0].ends_with("The end."), "{}", lines[0]);
    assert!(lines[1].contains("“two”") && lines[1].ends_with("The end."), "{}", lines[1]);
    assert_eq!(world.mock.take_requests().len(), 1);

    // The echo shows what is sent, and never says that it is over.
    let ended =
        say(&world, "echo", ["--ws", "--session-id", SESSION, "--wait", "0.1", "--timeout", "20"], "one\n/new\ntwo\n");
    let [one, two] = [0, 1].map(|line| serde_json::from_str::<Value>(ended.stdout.lines().nth(line).unwrap()).unwrap());
    assert_eq!(one, json!({"prompt": "one", "sessionId": SESSION, "enableTrace": true}));
    assert_ne!(two["sessionId"], SESSION);
    assert_eq!((ended.exit, world.mock.take_requests().len()), (Some(0), 2));
}

#[test]
fn a_lost_socket_is_opened_anew() {
    let world = World::new();
    let args = ["--ws", "--session-id", SESSION, "--wait", "0.1", "--timeout", "20"];
    for (agent, exit, error) in [
        ("drop-1", 7, "error: the connection was lost"),
        ("close-4000", 6, "error: the agent's side closed the connection"),
    ] {
        let ended = say(&world, agent, args, "one\ntwo\n");
        assert_eq!(ended.exit, Some(exit), "{agent}: {}", ended.stderr);
        assert!(ended.stderr.starts_with(error), "{agent}: {}", ended.stderr);
        let said: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!([&said[0]["prompt"], &said[1]["prompt"]], ["one", "two"], "{agent}: {}", ended.stdout);
        let requests = world.mock.take_requests();
        assert_eq!(requests.len(), 2, "{agent}");
    }
    let ended = say(&world, "error-403", args, "one\ntwo\n");
    assert_eq!((ended.exit, ended.stderr.matches("error: ").count()), (Some(3), 2), "{}", ended.stderr);
    // A goodbye ends the answer, and the next line has a socket of its own.
    let _ = world.mock.take_requests();
    let ended = say(&world, "close-1000", args, "one\ntwo\n");
    assert_eq!((ended.exit, ended.stdout.lines().count(), &*ended.stderr), (Some(0), 2, ""));
    assert_eq!(world.mock.take_requests().len(), 2);
}

#[test]
fn what_cannot_be_asked_for() {
    let world = World::new();
    for (args, says) in [
        (&["--bearer-token=-"][..], "error: standard input holds the token"),
        (&["--ws", "--user-id=ada"], "error: --user-id is for invocations"),
        (&["--ws", "--dialect=words"], "error: --dialect is for invocations"),
        (&["--ws", "--header=A=b"], "error: --header is for invocations"),
        (&["--session-id=short"], "error: "),
        (&["--session-id", SESSION, "--session-name=ada"], "error: --session-id and --session-name exclude"),
        (&["--wait=0"], "error: "),
    ] {
        let ended = run(&mut chat(&world, "text", args.iter().copied()));
        assert_eq!(ended.exit, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with(says), "{args:?}: {}", ended.stderr);
    }
    // The environment is for all commands, and asks for nothing.
    let mut command = chat(&world, "story", ["--ws", "hi"]);
    let ended = run(command.env("AGENTCORE_USER_ID", "ada").env("AGENTCORE_HEADER", "A=b"));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
}

#[test]
fn a_reader_that_goes_ends_the_conversation() {
    let world = World::new();
    let mut child = chat(&world, "text", []).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"one\n").unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 4]).unwrap();
    drop(stdout);
    std::io::Write::write_all(&mut stdin, b"two\n").unwrap();
    // Its standard input stays open: it is not the end of the lines that ends it.
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(stdin);
    assert_eq!(ended(child).stderr, "");
}

#[test]
fn nothing_else_is_needed_with_the_mock() {
    for args in [&["--mock", "chat", "hi"][..], &["--mock", "chat", "--ws", "hi"]] {
        let ended = run(&mut crate::world::acore(args.iter().copied()));
        assert_eq!((ended.exit, &*ended.stderr), (Some(0), ""), "{args:?}");
        assert!(ended.stdout.ends_with("The end.\n"), "{args:?}: {}", ended.stdout);
    }
}
