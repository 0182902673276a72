//! Conversations at a terminal, which is a real one but for the glass.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use agentcore_mock::{AgentResponse, Mock};
use pty_process::{
    Size,
    blocking::{Pty, open},
};
use rustix::termios::{LocalModes, OutputModes, tcgetattr};
use serde_json::{Value, json};

use crate::{
    chat::{chat, fresh},
    output_that_fails::hangups_are_ignored,
    questions::asking,
    world::{World, acore, signal},
};

/// A terminal with the program at it.
pub(crate) struct Terminal {
    pub(crate) pty: Arc<Pty>,
    pieces: mpsc::Receiver<Vec<u8>>,
    pub(crate) child: Child,
    modes: (LocalModes, OutputModes),
    /// What was printed and not waited for yet.
    seen: String,
    bytes: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        command.env("TERM", "xterm-256color");
        Self::with(pty_process::blocking::Command::from(command))
    }

    pub(crate) fn with(command: pty_process::blocking::Command) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, 60)).unwrap();
        let modes = modes(&pty);
        let child = command.spawn(pts).unwrap();
        let (pty, (found, pieces)) = (Arc::new(pty), mpsc::channel());
        let glass = pty.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = (&*glass).read(&mut bytes) {
                // A test that has failed looks no more.
                let _ = found.send(bytes[..read].to_vec());
            }
        });
        Self { pty, pieces, child, modes, seen: String::new(), bytes: Vec::new() }
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is printed, and returns what was before it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.seen = after;
                return before;
            }
            assert!(self.read(deadline), "{text:?} was not printed: {:?}", self.seen);
        }
    }

    /// Waits for the prompt, and for the line editor behind it.
    pub(crate) fn prompt(&mut self) -> String {
        self.wait_for("\u{1b}[?2004h") + &self.wait_for("› ")
    }

    /// Takes what is printed next; nothing comes after the program's end.
    fn read(&mut self, deadline: Instant) -> bool {
        // A spinner prints for ever.
        let piece = match self.pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => piece,
            Err(mpsc::RecvTimeoutError::Disconnected) => return false,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the program hangs: {:?}", self.seen),
        };
        self.bytes.extend(piece);
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        self.seen.push_str(&String::from_utf8(self.bytes.drain(..whole).collect()).unwrap());
        true
    }

    /// Waits for the program's end; returns its exit code and what was printed, and looks how it leaves the terminal.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        while self.read(deadline) {}
        let exit = self.child.wait().unwrap().code();
        assert_eq!(modes(&self.pty), self.modes);
        (exit, std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It is gone already, unless a test has failed.
        let _ = self.child.kill();
    }
}

fn modes(pty: &Pty) -> (LocalModes, OutputModes) {
    let modes = tcgetattr(pty).unwrap();
    (modes.local_modes, modes.output_modes)
}

/// An agent that says this in Strands' dialect.
pub(crate) fn world() -> World {
    World::with(Mock::builder().pace(Duration::from_secs(3600)).agent("strands", |_| async {
        AgentResponse::events([
            json!({"reasoningText": "Hm\u{1b}[5m.", "reasoning": true}),
            json!({"data": "It is **su"}),
            json!({"data": "nny**.\u{1b}[31m"}),
            json!({"message": {"role": "assistant", "content": [
                {"text": "It is **sunny**.\u{1b}[31m"},
                {"toolUse": {"toolUseId": "t", "name": "look", "input": {"where": "out ".repeat(40)}}},
            ]}}),
            json!({"message": {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t", "status": "success", "content": [{"text": "blue"}]}},
            ]}}),
            json!({"data": "\nBlue."}),
        ])
    }))
}

#[test]
fn a_conversation() {
    let world = world();
    let mut terminal = Terminal::start(chat(&world, "strands", ["--no-history", "--session-name", "ada"]));
    let agent = "note: strands at 127.0.0.1:";
    let banner = terminal.prompt();
    // The terminal's 60 columns are not enough for all of it.
    assert!(
        banner.starts_with(agent)
            && banner.contains("; \r\n/help says what there is\r\n")
            && banner.contains("\r\nnote: session "),
        "{banner:?}"
    );
    terminal.keys("What?\r");
    terminal.wait_for("What?");
    let shown = terminal.prompt();
    let dim = |text: &str| format!("\u{1b}[2m{text}\u{1b}[0m");
    for part in [
        &dim("Hm␛[5m."),
        "\r\nIt is \u{1b}[1msunny\u{1b}[0m.␛[31m\r\n",
        &dim("⚙ look({\"where\":\"out out out out out out out out out out o…\r\n"),
        &dim("  ↳ blue\r\n"),
        "Blue.\r\n\u{1b}[2m",
        " to first event · ",
        " s · 6 events\r\n\u{1b}[0m",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown:?}");
    }
    terminal.keys("\u{4}");
    let (exit, _) = terminal.end();
    assert_eq!(exit, Some(0));
}

#[test]
fn ctrl_c_stops_an_answer_and_not_the_program() {
    let world = world();
    for (agent, flag) in [("stall", None), ("story", Some("--ws"))] {
        let mut terminal = Terminal::start(chat(&world, agent, ["--no-history"].into_iter().chain(flag)));
        terminal.prompt();
        for _ in 0..2 {
            terminal.keys("hi\r");
            terminal.wait_for("Once");
            terminal.keys("\u{3}");
            terminal.wait_for("note: stopped; the agent may go on working");
            terminal.prompt();
        }
        terminal.keys("no such line\u{3}");
        terminal.prompt();
        terminal.keys("/quit\r");
        let (exit, _) = terminal.end();
        assert_eq!(exit, Some(0), "{agent}");
        let requests = world.mock.take_requests();
        let session = |index: usize| {
            let request = requests.get(index)?;
            request.header("x-amzn-bedrock-agentcore-runtime-session-id")
        };
        assert_eq!((requests.len(), session(0)), (2, session(1)), "{agent}");
        assert!(session(0).is_some(), "{agent}");
    }
}

#[test]
fn ctrl_c_stops_a_wait_for_an_answer() {
    let world =
        World::with(Mock::builder().agent("hangs", |_| async { std::future::pending::<AgentResponse>().await }));
    let mut terminal = Terminal::start(chat(&world, "hangs", ["--no-history"]));
    terminal.prompt();
    terminal.keys("hi\r");
    terminal.wait_for("waiting for the agent");
    terminal.keys("\u{3}");
    let shown = terminal.prompt();
    assert!(shown.contains("\r\u{1b}[2K"), "the spinner stays: {shown:?}");
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn what_an_agent_asks_is_answered_at_the_prompt() {
    let world = asking();
    let mut terminal = Terminal::start(chat(&world, "strands", ["--no-history"]));
    terminal.prompt();
    terminal.keys("begin\r");
    terminal.wait_for("Wait.\r\n");
    terminal.wait_for("note: the agent asks (approve): May I?\r\n");
    terminal.prompt();
    // A line that is given up is no answer.
    terminal.keys("no\u{3}");
    terminal.prompt();
    terminal.keys("yes\r");
    terminal.wait_for("note: the agent asks (who): {\"a\":1}\r\n");
    terminal.prompt();
    terminal.keys("Ada\r");
    terminal.wait_for("Thanks.\r\n");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    let requests = world.mock.take_requests();
    let sent: Value = serde_json::from_slice(&requests[1].body).unwrap();
    let response = |index: usize| &sent["prompt"][index]["interruptResponse"]["response"];
    assert_eq!((requests.len(), response(0), response(1)), (2, &json!("yes"), &json!("Ada")), "{sent}");
}

/// Whoever looks on is told what the agent asks, under the text and not within it.
#[test]
fn an_invocation_names_what_the_agent_asks() {
    let world = asking();
    let mut terminal = Terminal::start(world.invoke("a2a-1", ["begin"]));
    assert!(!terminal.wait_for("Wait.\r\n").contains("note: "));
    let (exit, shown) = terminal.end();
    assert_eq!((exit, &*shown), (Some(0), "note: the agent asks (input-required): May I?\r\n"));
}

#[test]
fn a_signal_finds_the_terminal_as_it_was() {
    let world = World::new();
    let mut terminal = Terminal::start(chat(&world, "text", ["--no-history"]));
    terminal.prompt();
    signal("-TERM", &terminal.child);
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(143));
    assert!(shown.contains("\u{1b}[?2004l"), "{shown:?}");
}

/// Whatever is under way, whatever the signal: the exit code says which it was, and the terminal is as it was before.
#[test]
fn every_signal_finds_the_terminal_as_it_was() {
    let signals = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];
    for (name, exit) in signals.into_iter().filter(|(name, _)| *name != "-HUP" || !hangups_are_ignored()) {
        let world = World::with(Mock::builder().pace(Duration::from_secs(3600)).allow_commands(true));
        let token = world.mock.token();
        let with = |agent: &str, args: &[&str]| {
            let mut command = world.acore(agent, args.iter().copied());
            command.env("AGENTCORE_BEARER_TOKEN", &token);
            command
        };
        let pool = world.mock.cognito();
        let user = ["--cognito-pool-id", pool.id(), "--cognito-client-id", pool.client_id()];
        let user = [&["login", "--cognito-endpoint-url", world.mock.url()], &user[..], &["--cognito-username", "ada"]];
        let mut login = world.acore("echo", user.concat());
        login.env("HOME", fresh("nobodys-home")).env("AGENTCORE_COGNITO_CLIENT_SECRET", pool.client_secret());
        for (what, command, typed, seen) in [
            ("invoke", with("stall", &["invoke", "hi"]), "", "Once"),
            ("a wait", with("slow-600000", &["invoke", "hi"]), "", "waiting for the agent"),
            ("exec", with("echo", &["exec", "--", "echo begun; sleep 600"]), "", "begun"),
            ("shell", with("echo", &["shell"]), "", "$ "),
            ("a prompt", with("echo", &["chat", "--no-history"]), "", "› "),
            ("a half line", with("echo", &["chat", "--no-history"]), "hal", "hal"),
            ("a password", login, "", "Password: "),
            ("mock", acore(["mock"]), "", "ready"),
        ] {
            // There Ctrl-C is a key, and the signal of another program means nothing.
            if name == "-INT" && ["a prompt", "a half line"].contains(&what) {
                continue;
            }
            let mut terminal = Terminal::start(command);
            if !typed.is_empty() {
                terminal.prompt();
                terminal.keys(typed);
            }
            terminal.wait_for(seen);
            signal(name, &terminal.child);
            let (found, shown) = terminal.end();
            assert_eq!(found, Some(exit), "{what} {name}: {shown:?}");
        }
        // An answer is stopped by an interrupt, and its conversation by the others.
        if name != "-INT" {
            let mut terminal = Terminal::start(with("story", &["chat", "--no-history"]));
            terminal.prompt();
            terminal.keys("hi\r");
            terminal.wait_for("Once");
            signal(name, &terminal.child);
            assert_eq!(terminal.end().0, Some(exit), "an answer {name}");
        }
    }
}

#[test]
fn an_output_that_goes_elsewhere_is_the_agents_words() {
    let world = world();
    let mut command = chat(&world, "strands", ["--no-history"]);
    command.env("TERM", "xterm-256color");
    let command = pty_process::blocking::Command::from(command).stdout(Stdio::piped());
    let mut terminal = Terminal::with(command);
    terminal.prompt();
    terminal.keys("What?\r");
    terminal.wait_for(" events");
    terminal.prompt();
    terminal.keys("\u{4}");
    let mut stdout = terminal.child.stdout.take().unwrap();
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0));
    assert!(!shown.contains("sunny"), "{shown:?}");
    let mut said = String::new();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(said, "It is **sunny**.\u{1b}[31m\nBlue.\n");
}

/// What commands a terminal is none of the agent's to say, wherever it is cut.
#[test]
fn an_invocation_shows_no_control_sequences() {
    let world = World::with(Mock::builder().agent("painter", |_| async {
        AgentResponse::events([
            json!("It is \u{1b}[31mred\u{1b}[0m"),
            json!(" \u{1b}"),
            json!("[1mand bold\u{1b}[2J\u{1b}[H"),
            json!("\u{1b}]0;a title\u{7}.\u{1b}]52;c;aGk=\u{1b}\\"),
            json!("\u{9b}5m\u{7}\u{8}\r\nBlue\u{1b}P1$r0m\u{1b}\\.\u{1b}c\u{7f}"),
        ])
    }));
    // The spinner is drawn elsewhere.
    let command = pty_process::blocking::Command::from(world.invoke("painter", ["What?"])).stderr(Stdio::null());
    let (exit, shown) = Terminal::with(command).end();
    assert_eq!((exit, &*shown), (Some(0), "It is red and bold.\r\nBlue.\r\n"));

    // Elsewhere they are the agent's words.
    let command = pty_process::blocking::Command::from(world.invoke("painter", ["What?"])).stdout(Stdio::piped());
    let mut terminal = Terminal::with(command);
    let mut said = String::new();
    terminal.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("It is \u{1b}[31mred\u{1b}[0m \u{1b}[1mand bold"), "{said:?}");
    assert_eq!(terminal.end().0, Some(0));
}

/// More than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(20);
