//! What a conversation shows on terminals of several widths and abilities.

use std::{convert::Infallible, sync::Mutex};

use agentcore_mock::{AgentResponse, Mock};
use pty_process::Size;
use serde_json::{Value, json};

use crate::{
    chat::chat,
    terminal::{Terminal, world},
    world::World,
};

/// Words come in pieces, a line of code is one line, and a table is seen as a whole.
#[test]
fn lines_are_broken_between_words() {
    let world = World::with(Mock::builder().agent("wide", |_| async {
        AgentResponse::events([
            json!({"data": "- Lines are **bro"}),
            json!({"data": "ken** between wo"}),
            json!({"data": "rds only.\n```\nlet a_line_of_code = \"is one line, however long it is\";\n```\n"}),
            json!({"data": "| a | table |\n|--:|---|\n| 1 | has col"}),
            json!({"data": "umns |\n"}),
        ])
    }));
    for (columns, text) in [
        (60, "• Lines are \u{1b}[1mbroken\u{1b}[0m between words only.\r\n"),
        (30, "• Lines are \u{1b}[1mbroken\u{1b}[0m between wo\u{1b}[2D\u{1b}[K\r\n  words only.\r\n"),
        (20, "• Lines are \u{1b}[1mbroken\u{1b}[0m \r\n  between words \r\n  only.\r\n"),
    ] {
        let mut terminal = Terminal::start(chat(&world, "wide", ["--no-history"]));
        terminal.pty.resize(Size::new(24, columns)).unwrap();
        terminal.prompt();
        terminal.keys("hi\r");
        terminal.wait_for("• ");
        let shown = format!("• {}", terminal.wait_for("```"));
        assert_eq!(shown.strip_suffix("\u{1b}[2m"), Some(text), "{columns}");
        terminal.wait_for("let a_line_of_code = \"is one line, however long it is\";");
        let rule = "\u{1b}[2m──┼────────────\u{1b}[0m";
        let bar = "\u{1b}[2m│\u{1b}[0m";
        let table = format!("\u{1b}[1ma\u{1b}[0m {bar} \u{1b}[1mtable\u{1b}[0m\r\n{rule}\r\n1 {bar} has columns\r\n");
        terminal.wait_for(&table);
        terminal.prompt();
        terminal.keys("\u{4}");
        assert_eq!(terminal.end().0, Some(0));
    }
}

/// What is written of a line stays, whatever the terminal makes of it, and what comes next follows the new width.
#[test]
fn a_terminal_whose_size_changes_within_an_answer() {
    let (say, said) = tokio::sync::mpsc::unbounded_channel::<&str>();
    let said = Mutex::new(Some(said));
    let world = World::with(Mock::builder().agent("slow", move |_| {
        let said = said.lock().unwrap().take().unwrap();
        let events = futures_util::stream::unfold(said, |mut said| async {
            let text = said.recv().await?;
            Some((Ok::<_, Infallible>(format!("data: {}\n\n", json!({"data": text})).into()), said))
        });
        async { AgentResponse::stream("text/event-stream", events) }
    }));
    let mut terminal = Terminal::start(chat(&world, "slow", ["--no-history"]));
    terminal.prompt();
    terminal.keys("hi\r");
    say.send("One two three four five si").unwrap();
    terminal.wait_for("One two three four five si");
    for (columns, text, shown) in [
        (20, "x seven eight nine ten", "x\r\nseven eight nine \r\nten"),
        (60, " eleven twelve thirteen four", " eleven twelve thirteen four"),
        (34, "teen", "te\u{1b}[6D\u{1b}[K\r\nfourteen"),
    ] {
        terminal.pty.resize(Size::new(24, columns)).unwrap();
        say.send(text).unwrap();
        assert_eq!(terminal.wait_for(shown), "", "{text:?} {columns}");
    }
    drop(say);
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn without_colour_marks_stay_and_controls_are_shown() {
    let world = world();
    let mut command = chat(&world, "strands", ["--no-history"]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command);
    terminal.prompt();
    terminal.keys("What?\r");
    terminal.wait_for("Hm␛[5m.\r\n");
    terminal.wait_for("It is **sunny**.␛[31m\r\n");
    let shown = terminal.wait_for(" events\r\n");
    assert!(!shown.contains("\u{1b}[2m"), "{shown:?}");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
}

/// A terminal that cannot move its cursor shows and edits lines by itself.
#[test]
fn a_dumb_terminal() {
    let world = world();
    let mut command = chat(&world, "strands", ["--no-history"]);
    command.env("TERM", "dumb");
    let mut terminal = Terminal::with(pty_process::blocking::Command::from(command));
    terminal.wait_for("› ");
    terminal.keys("What\\\rnow?\r");
    terminal.wait_for("What\\\r\nnow?\r\n");
    let shown = terminal.wait_for(" events\r\n");
    assert!(shown.contains("\r\nIt is **sunny**.␛[31m\r\n") && !shown.contains('\u{1b}'), "{shown:?}");
    terminal.wait_for("› ");
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    let requests = world.mock.take_requests();
    let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(sent["prompt"], "What\nnow?");
}
