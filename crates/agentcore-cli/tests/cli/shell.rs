//! Shells in a session, at a terminal and by a pipe.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use agentcore_mock::Mock;
use pty_process::Size;

use crate::{
    terminal::Terminal,
    world::{SESSION, World, acore, run_with, signal},
};

fn machine() -> World {
    World::with(Mock::builder().allow_commands(true))
}

fn shell<'a>(world: &World, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = world.acore("echo", ["shell"].into_iter().chain(args));
    command.env("AGENTCORE_BEARER_TOKEN", world.mock.token());
    command
}

/// A shell at a terminal, whose prompt has come.
fn at_a_terminal(world: &World) -> Terminal {
    let mut terminal = Terminal::start(shell(world, ["--session-id", SESSION, "--shell-id", "mine"]));
    terminal.wait_for("$ ");
    terminal
}

#[test]
fn typed_at_a_terminal() {
    let world = machine();
    let mut terminal = at_a_terminal(&world);
    terminal.keys("stty size; x=kept\r");
    terminal.wait_for("24 60\r\n");
    terminal.pty.resize(Size::new(30, 100)).unwrap();
    // The size comes when the program has been told of it, which nobody else sees.
    terminal.keys("until stty size | grep -x '30 100'; do sleep 0.05; done\r");
    terminal.wait_for("30 100\r\n");
    // Ctrl-C goes to the shell.
    terminal.keys("sh -c \"echo asl''eep; exec sleep 60\"\r");
    terminal.wait_for("asleep\r\n");
    terminal.keys("\u{3}");
    terminal.wait_for("$ ");
    terminal.keys("\r~?");
    terminal.wait_for("note: at the beginning of a line:\r\n  ~.  leaves the shell, which lives on\r\n");
    terminal.keys("\r~.");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0));
    let again = format!("acore shell --session-id {SESSION} --shell-id mine");
    assert!(shown.ends_with(&format!("note: detached; to attach again: {again}\r\n")), "{shown:?}");
    assert_eq!(world.mock.shells(), 1);
    // The command that was printed leads back, here by a pipe.
    let again: Vec<&str> = again.split(' ').skip(2).collect();
    let ended = run_with(&mut shell(&world, again), b"echo still $x\nexit 7\n");
    assert_eq!(ended.exit, Some(7), "{}", ended.stderr);
    assert!(ended.stdout.contains("still kept\r\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
}

/// Waits until the shell that ended is gone from its machine: who comes sooner is told of that end.
fn until_it_is_gone(world: &World) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while world.mock.shells() > 0 {
        assert!(Instant::now() < deadline, "the shell stays");
        std::thread::yield_now();
    }
}

#[test]
fn the_ways_to_an_end_at_a_terminal() {
    let world = machine();
    let mut terminal = at_a_terminal(&world);
    terminal.keys("exit 9\r");
    assert_eq!(terminal.end().0, Some(9));
    until_it_is_gone(&world);
    let mut terminal = at_a_terminal(&world);
    terminal.keys("kill -9 $$\r");
    assert_eq!(terminal.end().0, Some(137));
    until_it_is_gone(&world);
    let mut terminal = at_a_terminal(&world);
    terminal.keys("~k");
    let (exit, shown) = terminal.end();
    assert!(exit == Some(0) && shown.ends_with("note: the shell was killed\r\n"), "{exit:?} {shown:?}");
    until_it_is_gone(&world);
    // Another client, which the terminal survives.
    let terminal = at_a_terminal(&world);
    let other = run_with(&mut shell(&world, ["--session-id", SESSION, "--shell-id", "mine"]), b"exit\n");
    assert_eq!(other.exit, Some(0));
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(6));
    assert!(shown.contains("another client has taken the shell over"), "{shown:?}");
    until_it_is_gone(&world);
    // A signal, which says where the shell is.
    let terminal = at_a_terminal(&world);
    signal("-TERM", &terminal.child);
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(143));
    assert!(
        shown.contains(&format!("the shell lives on; to attach again: acore shell --session-id {SESSION}")),
        "{shown:?}"
    );
}

#[test]
fn a_connection_that_is_lost() {
    let world = machine();
    let mut terminal = at_a_terminal(&world);
    terminal.keys("x=kept\r");
    terminal.wait_for("$ ");
    world.mock.close_shells(None);
    terminal.wait_for("\r\nnote: the connection was lost, and taken up again after ");
    terminal.wait_for(" s\r\n");
    terminal.keys("echo still $x\r");
    terminal.wait_for("still kept\r\n");
    terminal.keys("exit\r");
    assert_eq!(terminal.end().0, Some(0));
    let mut command = shell(&world, ["--session-id", SESSION, "--no-retry"]);
    command.env("TERM", "xterm");
    let mut terminal = Terminal::start(command);
    terminal.wait_for("$ ");
    world.mock.close_shells(Some(1011));
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(6));
    assert!(shown.contains("the shell may live on: acore shell --session-id"), "{shown:?}");
}

#[test]
fn by_a_pipe() {
    let world = machine();
    for (input, exit, printed) in [
        (&b"echo a$((1+1))\n"[..], 0, "a2\r\n"),
        (b"echo a$((1+1))", 0, "a2\r\n"),
        (b"printf 'x%s\\n' ~.; exit 3\n", 3, "x~.\r\n"),
        (b"", 0, "$ "),
    ] {
        let ended = run_with(&mut shell(&world, []), input);
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(exit), ""), "{input:?}");
        assert!(ended.stdout.contains(printed), "{:?}", ended.stdout);
    }
    assert_eq!(world.mock.shells(), 0);
    let gone = run_with(&mut shell(&world, ["--session-id", SESSION, "--shell-id", "gone"]), b"exit\n");
    assert_eq!(gone.stderr, "note: the shell is not there any more; this is a new one of the same id\n");
    for args in [&["--shell-id", "-x"][..], &["--session-id", "short"]] {
        assert_eq!(run_with(&mut shell(&world, args.iter().copied()), b"").exit, Some(2));
    }
    let embedded = run_with(&mut acore(["--mock", "shell"]), b"exit 4\n");
    assert_eq!(embedded.exit, Some(4), "{}", embedded.stderr);
    let local = run_with(&mut acore(["shell", "--local", "http://127.0.0.1:1"]), b"");
    let line = "error: `acore shell` cannot use --local: a local container offers no shell\n";
    assert!(local.exit == Some(2) && local.stderr.starts_with(line), "{local:?}");
}
