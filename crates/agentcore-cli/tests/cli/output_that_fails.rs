//! Output that fails, in each command: a reader that goes, a full disk, a closed output, and signals.

#![cfg(target_os = "linux")]

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use agentcore_mock::Mock;

use crate::{
    chat::fresh,
    world::{Ended, SESSION, World, acore, ended, run_with, signal},
};

const FULL: &str = "error: cannot write to standard output\n  caused by: No space left on device (os error 28)\n";

/// What writes something and ends.
const COMMANDS: &[&[&str]] = &[
    &["--mock", "invoke", "hi"],
    &["--mock", "invoke", "--output=json", "hi"],
    &["--mock", "invoke", "--output=events", "hi"],
    &["--mock", "invoke", "--output=raw", "hi"],
    &["--mock", "--arn=echo", "card"],
    &["--mock", "--arn=echo", "ws-headers", "--session-id", SESSION],
    &["--mock", "--arn=echo", "ws-url", "--session-id", SESSION],
    &["session"],
    &["completions", "bash"],
    &["--help"],
    &["--version"],
];

#[test]
fn a_full_disk_is_an_error() {
    for args in COMMANDS {
        let mut command = acore(args.iter().copied());
        let found = ended(command.stdout(File::create("/dev/full").unwrap()).spawn().unwrap());
        // What clap prints, it prints itself.
        match args {
            [flag] if flag.starts_with("--") => assert!(found.exit.is_some(), "{args:?}"),
            _ => assert_eq!((found.exit, &*found.stderr), (Some(1), FULL), "{args:?}"),
        }
    }
}

#[test]
fn a_closed_output_and_a_reader_that_goes_are_none() {
    for args in COMMANDS {
        for redirection in [">&-", "| true"] {
            let mut shell = Command::new("/bin/sh");
            let script = format!("\"$0\" \"$@\" {redirection}");
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_acore")]).args(*args).env_clear().stdin(Stdio::null());
            let found = ended(shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
            assert_eq!((found.exit, &*found.stderr), (Some(0), ""), "{args:?} {redirection}");
        }
    }
}

/// What needs a server, a caller or an input: its arguments, what is typed, and how it ends on a full disk.
///
/// A login prints nothing on standard output.
const SERVED: &[(&[&str], &[u8], i32)] = &[
    (&["chat", "--no-history"], b"hi\nagain\n", 1),
    (&["chat", "--no-history", "--ws"], b"hi\nagain\n", 1),
    (&["token"], b"", 1),
    (&["token", "--claims"], b"", 1),
    (&["doctor"], b"", 1),
    (&["doctor", "--output=json"], b"", 1),
    (&["ping"], b"", 1),
    (&["login"], b"", 0),
    (&["connect", "--wait=0.1"], b"hi\n", 1),
];

/// The command, told of a server, with these words of the shell after it.
fn served(world: &World, args: &[&str], stdin: &[u8], redirection: &str) -> Ended {
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("HOME", fresh("home"));
    let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    match &*args[0] {
        "ping" => args.extend(["--local".to_owned(), world.mock.url().to_owned()]),
        "login" => {
            let flags = ["--oauth-client-id", world.mock.client_id(), "--oauth-token-url"].map(str::to_owned);
            args.extend(flags.into_iter().chain([format!("{}/oauth2/token", world.mock.url())]));
            command.env("AGENTCORE_OAUTH_CLIENT_SECRET", world.mock.client_secret());
            command.env("AGENTCORE_TOKEN_STORE", fresh("store"));
        }
        _ => _ = command.env("AGENTCORE_BEARER_TOKEN", world.mock.token()),
    }
    let script = format!("\"$0\" \"$@\" {redirection}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_acore")]).args(args);
    command.env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", world.mock.url());
    command.env("AGENTCORE_RUNTIME_ARN", world.mock.arn("story").as_str());
    run_with(command.stdout(Stdio::piped()).stderr(Stdio::piped()), stdin)
}

#[test]
fn a_full_disk_is_an_error_of_what_is_served_too() {
    let world = World::new();
    for (args, stdin, exit) in SERVED {
        let found = served(&world, args, stdin, "> /dev/full");
        assert_eq!(found.exit, Some(*exit), "{args:?}: {}", found.stderr);
        assert_eq!(found.stderr.ends_with(FULL), *exit == 1, "{args:?}: {}", found.stderr);
    }
}

#[test]
fn a_closed_output_of_what_is_served_is_none() {
    let world = World::new();
    for (args, stdin, _) in SERVED {
        for redirection in [">&-", "| true"] {
            let found = served(&world, args, stdin, redirection);
            assert_eq!(found.exit, Some(0), "{args:?} {redirection}: {}", found.stderr);
            assert!(!found.stderr.contains("error"), "{args:?} {redirection}: {}", found.stderr);
        }
    }
}

/// Commands that go on for long: what they are started with, and what shows that they are under way.
fn lasting(world: &World) -> Vec<(&'static str, Command, &'static str)> {
    let token = world.mock.token();
    let with = |agent: &str, args: &[&str]| {
        let mut command = world.acore(agent, args.iter().copied());
        command.env("AGENTCORE_BEARER_TOKEN", &token).stdin(Stdio::piped());
        command
    };
    vec![
        ("invoke", with("stall", &["invoke", "hi"]), "Once"),
        ("raw", with("stall", &["invoke", "--output=raw", "hi"]), "data"),
        ("exec", with("echo", &["exec", "--", "echo begun; sleep 600"]), "begun"),
        ("shell", with("echo", &["shell"]), ""),
        ("connect", with("echo", &["connect"]), ""),
        ("mock", acore(["mock"]), "ready"),
    ]
}

#[test]
fn signals_end_what_goes_on() {
    let signals = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];
    for (name, exit) in signals.into_iter().filter(|(name, _)| *name != "-HUP" || !hangups_are_ignored()) {
        let world = World::with(Mock::builder().allow_commands(true));
        for (command, mut started, begun) in lasting(&world) {
            drop(world.mock.take_requests());
            let mut child = started.spawn().unwrap();
            let stdin = child.stdin.take();
            wait_for(&mut child, begun, &world);
            signal(name, &child);
            let found = child.wait().unwrap();
            assert_eq!(found.code(), Some(exit), "{command} {name}");
            drop(stdin);
        }
    }
}

/// Waits for what the command prints, or else for its connection.
fn wait_for(child: &mut Child, begun: &str, world: &World) {
    let mut read = vec![0; begun.len()];
    child.stdout.as_mut().unwrap().read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8(read).unwrap(), begun);
    if begun.is_empty() {
        while world.mock.take_requests().is_empty() {
            std::thread::yield_now();
        }
    }
}

/// Whether these tests run under `nohup`, which whatever they start inherits.
pub(crate) fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Who starts a program by `nohup` means it to go on.
#[test]
fn a_program_that_outlives_its_terminal() {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" mock", env!("CARGO_BIN_EXE_acore")]).env_clear();
    let mut child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    signal("-HUP", &child);
    let url = ready.strip_prefix("ready ").unwrap();
    let pinged = ended(acore(["ping", "--local", url]).spawn().unwrap());
    assert_eq!(pinged.exit, Some(0), "{}", pinged.stderr);
    signal("-TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
