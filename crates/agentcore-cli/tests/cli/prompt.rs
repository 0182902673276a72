//! Prompts of a conversation at a terminal: how they are typed, kept, and waited for.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
};

use agentcore_mock::{AgentResponse, Mock};
use http::StatusCode;
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::{Value, json};

use crate::{
    chat::{asked, chat, fresh},
    terminal::Terminal,
    world::World,
};

/// What does not come as a paste is typed line by line, and what is typed too soon waits.
#[test]
fn lines_that_come_at_once_are_all_said() {
    let world = World::new();
    let mut terminal = Terminal::start(chat(&world, "text", ["--no-history"]));
    terminal.prompt();
    terminal.keys("one\rtwo\rthr");
    for line in ["one", "two"] {
        terminal.wait_for(&format!("You asked: {line}\r\n"));
        terminal.prompt();
    }
    terminal.wait_for("thr");
    terminal.keys("ee\r");
    terminal.wait_for("You asked: three\r\n");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!(world.mock.take_requests().len(), 3);
}

#[test]
fn what_is_typed_ahead_waits_for_the_prompt() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = gate.clone();
    let (sender, arrived) = mpsc::channel();
    let world = World::with(Mock::builder().agent("waits", move |_| {
        let gate = gate.clone();
        sender.send(()).unwrap();
        async move {
            gate.notified().await;
            AgentResponse::events([json!({"data": "Done."})])
        }
    }));
    let mut terminal = Terminal::start(chat(&world, "waits", ["--no-history"]));
    terminal.prompt();
    terminal.keys("one\r");
    terminal.wait_for("waiting for the agent");
    // A key that takes back what was typed, and two lines.
    terminal.keys("no\u{15}typed ahead\rnever said\r");
    let echoes = |terminal: &Terminal| tcgetattr(&terminal.pty).unwrap().local_modes.contains(LocalModes::ECHO);
    assert!(!echoes(&terminal));
    opened.notify_one();
    let shown = terminal.wait_for("Done.");
    assert!(!shown.contains("typed"), "{shown:?}");
    terminal.prompt();
    terminal.wait_for("typed ahead");
    terminal.wait_for("waiting for the agent");
    arrived.iter().take(2).for_each(drop);
    // Ctrl-C drops what came before it, the second line too.
    terminal.keys("never said either\r");
    terminal.keys("\u{3}");
    terminal.wait_for("note: stopped");
    terminal.prompt();
    terminal.keys("\u{4}");
    let (exit, shown) = terminal.end();
    assert_eq!((exit, shown.contains("never")), (Some(0), false), "{shown:?}");
    let said: Vec<Value> = asked(&world.mock.take_requests()).into_iter().map(|(body, _)| body).collect();
    assert_eq!((said.len(), &said[1]["prompt"]), (2, &json!("typed ahead")));
}

#[test]
fn a_prompt_of_several_lines_is_typed() {
    let world = World::new();
    let mut terminal = Terminal::start(chat(&world, "text", ["--no-history"]));
    for (keys, said) in [
        ("a\\\rb\\\rc\r", "a\nb\nc"),
        ("a\u{1b}\rb\u{1b}\nc\r", "a\nb\nc"),
        // Two backslashes are the user's own, as is one before the end or in a paste.
        ("a\\\\\r", "a\\\\"),
        ("a\\b\r", "a\\b"),
        ("\u{1b}[200~a \\\nb\u{1b}[201~\r", "a \\\nb"),
    ] {
        terminal.prompt();
        terminal.keys(keys);
        terminal.wait_for(&format!("You asked: {}\r\n", said.trim_end().replace('\n', "\r\n")));
        let requests = world.mock.take_requests();
        assert_eq!(asked(&requests)[0].0["prompt"], said, "{keys:?}");
    }
}

#[test]
fn a_prompt_waits_while_the_session_is_busy() {
    let world = World::new();
    for flag in [None, Some("--ws")] {
        let args = ["--no-history", "--wait", "0.1"].into_iter().chain(flag);
        let mut terminal = Terminal::start(chat(&world, "conflict-5", args));
        terminal.prompt();
        terminal.keys("hi\r");
        terminal.wait_for("note: the session is busy");
        terminal.wait_for("\"hi\"");
        terminal.prompt();
        terminal.keys("\u{4}");
        assert_eq!(terminal.end().0, Some(0));
    }
}

/// As the service has it: an agent whose answer was given up goes on, and its session is busy.
#[test]
fn a_prompt_waits_for_what_was_stopped() {
    let calls = Arc::new(AtomicU32::new(0));
    let (sender, arrived) = mpsc::channel();
    let world = World::with(Mock::builder().agent("works", move |_| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        // Nobody waits for more than the first.
        let _ = sender.send(());
        async move {
            match call {
                0 => std::future::pending().await,
                1..6 => AgentResponse::error(StatusCode::CONFLICT, "RetryableConflictException", "It works."),
                _ => AgentResponse::events([json!({"data": "Done."})]),
            }
        }
    }));
    let mut terminal = Terminal::start(chat(&world, "works", ["--no-history"]));
    terminal.prompt();
    terminal.keys("one\r");
    arrived.recv().unwrap();
    terminal.keys("\u{3}");
    terminal.wait_for("note: stopped; the agent may go on working, and the next \r\nprompt waits until it is done\r\n");
    terminal.prompt();
    terminal.keys("two\r");
    terminal.wait_for("waiting; the agent may be busy");
    terminal.wait_for("Done.");
    terminal.prompt();
    terminal.keys("\u{4}");
    let (exit, shown) = terminal.end();
    assert_eq!((exit, shown.contains("error: ")), (Some(0), false), "{shown:?}");
    assert_eq!(world.mock.take_requests().len(), 7);
}

#[test]
fn lines_are_kept_for_the_next_conversation() {
    let world = World::new();
    let state = fresh("state");
    let _ = std::fs::remove_dir_all(&state);
    let at = |flags: &[&'static str]| {
        let mut command = chat(&world, "text", flags.iter().copied());
        command.env("XDG_STATE_HOME", &state);
        let mut terminal = Terminal::start(command);
        terminal.prompt();
        terminal
    };
    let mut terminal = at(&["--no-history"]);
    terminal.keys("zero\r");
    terminal.wait_for("You asked: zero");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    assert!(!state.exists());

    let mut terminal = at(&[]);
    for line in ["one", " two"] {
        terminal.keys(&format!("{line}\r"));
        terminal.wait_for(&format!("You asked: {line}"));
        terminal.prompt();
    }
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));

    // The key for the line before, and one more word.
    let mut terminal = at(&[]);
    terminal.keys("\u{1b}[A more\r");
    terminal.wait_for("You asked: one more");
    terminal.prompt();
    // Lines that are pasted are one prompt.
    terminal.keys("\u{1b}[200~a\nb\u{1b}[201~\r");
    terminal.wait_for("You asked: a\r\nb");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    let history = state.join("acore").join("history");
    assert_eq!(std::fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&history).unwrap(), "#V2\none\none more\na\\nb\n");
}
