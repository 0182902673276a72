//! `exec`, `stop`, `card` and `session`: output and exit codes as they are, and input that is nobody's to take.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use agentcore_mock::{AgentResponse, Mock};
use serde_json::json;

use crate::world::{SESSION, World, acore, ended, run, run_with};

fn machine() -> World {
    World::with(Mock::builder().allow_commands(true))
}

fn exec<'a>(world: &World, agent: &'a str, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = world.acore(agent, ["exec"].into_iter().chain(args));
    command.env("AGENTCORE_BEARER_TOKEN", world.mock.token());
    command
}

#[test]
fn output_and_exit_code_are_the_commands() {
    let world = machine();
    for (command, exit, stdout, stderr) in [
        (&["echo", "a", "b"][..], 0, "a b\n", ""),
        (&["echo 'a   b'"], 0, "a   b\n", ""),
        (&["echo", "'a   b'"], 0, "a   b\n", ""),
        (&["printf out; printf err >&2; exit 7"], 7, "out", "err"),
        (&["exit 255"], 255, "", ""),
        (&["kill -9 $$"], 137, "", ""),
        (&["printf '\\033[1mbold'"], 0, "\u{1b}[1mbold", ""),
        (&["--help || true"], 0, "", "sh: 1: --help: not found\n"),
    ] {
        let ended = run(&mut exec(&world, "echo", ["--"].into_iter().chain(command.iter().copied())));
        assert_eq!(
            (ended.exit, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(exit), stdout, stderr),
            "{command:?}"
        );
    }
}

#[test]
fn what_is_not_the_commands_own() {
    let world = machine();
    let late = run(&mut exec(&world, "echo", ["--command-timeout", "1", "--", "echo begun; sleep 60"]));
    assert_eq!((late.exit, late.stdout.as_str()), (Some(124), "begun\n"));
    assert!(late.stderr.starts_with("error: the command took too long and was ended\n"), "{}", late.stderr);
    for (agent, exit, stdout) in
        [("reset-midstream", 7, "Once\n"), ("fail-midstream", 6, "Once\n"), ("error-403", 3, "")]
    {
        let ended = run(&mut exec(&world, agent, ["--", "true"]));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(exit), stdout), "{agent}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
    let failing = World::with(Mock::builder().script_commands(|_| {
        AgentResponse::command([json!({"contentStop": {"exitCode": -1, "status": "COMPLETED"}})])
    }));
    let ended = run(&mut exec(&failing, "echo", ["--", "true"]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(125), "error: the platform failed to run the command\n"));
}

#[test]
fn what_is_refused_before_anything_is_sent() {
    let world = machine();
    let long = "x".repeat(65_537);
    for args in [
        &["--"][..],
        &["echo"],
        &["--", ""],
        &["--", &long],
        &["--command-timeout", "0", "--", "true"],
        &["--command-timeout", "3601", "--", "true"],
        &["--command-timeout", "1.5", "--", "true"],
        &["--session-id", "short", "--", "true"],
    ] {
        let ended = run(&mut exec(&world, "echo", args.iter().copied()));
        assert_eq!(ended.exit, Some(2), "{args:?} {}", ended.stderr);
    }
    let local = run(&mut acore(["exec", "--local", "http://127.0.0.1:1", "--", "true"]));
    let line = "error: `acore exec` cannot use --local: a local container offers no commands\n";
    assert!(local.exit == Some(2) && local.stderr.starts_with(line), "{local:?}");
    assert!(world.mock.requests().is_empty());
}

/// A loop's input is not taken: `while read line; do acore exec …; done < file` would lose lines.
#[test]
fn input_that_is_nobodys_to_take() {
    let world = machine();
    let piped = run_with(&mut exec(&world, "echo", ["--", "cat"]), b"x");
    // The program may look before the byte is there, and then ignores it.
    assert!(matches!(piped.exit, Some(0 | 2)), "{}", piped.stderr);
    let _ = world.mock.take_requests();
    let path = std::env::temp_dir().join(format!("acore-exec-{}.txt", std::process::id()));
    std::fs::write(&path, "line\n").unwrap();
    let mut command = exec(&world, "echo", ["--", "cat"]);
    let refused = run(command.stdin(File::open(&path).unwrap()));
    assert_eq!(refused.exit, Some(2));
    assert!(refused.stderr.contains("standard input has something to read"), "{}", refused.stderr);
    assert!(world.mock.requests().is_empty());
    std::fs::write(&path, "").unwrap();
    for stdin in [Stdio::null(), File::open(&path).unwrap().into(), Stdio::inherit()] {
        let mut command = exec(&world, "echo", ["--", "cat; echo done"]);
        let ended = run(command.stdin(stdin));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "done\n"), "{}", ended.stderr);
    }
    // A pipe that stays open and silent.
    let mut command = exec(&world, "echo", ["--", "echo done"]);
    let child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut child = child;
    let held = child.stdin.take();
    let silent = ended(child);
    drop(held);
    assert_eq!((silent.exit, silent.stdout.as_str()), (Some(0), "done\n"));
    std::fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_signal_says_that_the_command_may_go_on() {
    let world = machine();
    let mut command = exec(&world, "echo", ["--session-id", SESSION, "--", "echo begun; sleep 60"]);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    crate::world::signal("-INT", &child);
    let ended = ended(child);
    assert_eq!(ended.exit, Some(130));
    assert_eq!(ended.stderr, format!("note: interrupted; the command may go on in session {SESSION}\n"));
    let stopped =
        run(world.acore("echo", ["stop", "--session-id", SESSION]).env("AGENTCORE_BEARER_TOKEN", world.mock.token()));
    assert_eq!((stopped.exit, stopped.stdout.as_str(), stopped.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_session_from_its_id_to_its_end() {
    let world = machine();
    let id = run(&mut acore(["session"])).stdout;
    let id = id.trim_end();
    assert_eq!(id.len(), 36);
    run(&mut exec(&world, "echo", ["--session-id", id, "--", "echo kept > file"]));
    assert_eq!(run(&mut exec(&world, "echo", ["--session-id", id, "--", "cat file"])).stdout, "kept\n");
    let token = world.mock.token();
    for _ in 0..2 {
        let stopped = run(world.acore("echo", ["stop", "--session-id", id]).env("AGENTCORE_BEARER_TOKEN", &token));
        assert_eq!((stopped.exit, stopped.stderr.as_str()), (Some(0), ""));
    }
    assert_eq!(run(&mut exec(&world, "echo", ["--session-id", id, "--", "cat file"])).exit, Some(1));
    let nameless = run(world.acore("echo", ["stop"]).env("AGENTCORE_BEARER_TOKEN", &token));
    assert_eq!(nameless.exit, Some(2));
    let card = run(world.acore("echo", ["card"]).env("AGENTCORE_BEARER_TOKEN", &token));
    assert_eq!(card.exit, Some(0));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&card.stdout).unwrap()["name"], "echo");
}

#[test]
fn the_embedded_mock_runs_commands_for_exec_alone() {
    let ended = run(&mut acore(["--mock", "exec", "--", "echo here"]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "here\n"), "{}", ended.stderr);
    let refused = World::new();
    let ended = run(&mut exec(&refused, "echo", ["--", "true"]));
    assert_eq!(ended.exit, Some(3));
    assert!(ended.stderr.contains("This mock runs no commands"), "{}", ended.stderr);
}
