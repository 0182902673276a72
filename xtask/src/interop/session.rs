//! Commands, cards, ends and shells of sessions: boto3 and the official SDK's `ShellSession` with the mock, and our shells with a
//! server that the SDK frames.

use std::process::Command;

use super::case::Tally;
use super::credentials::Credentials;
use super::program;
use super::{Bench, build, rust_tests};
use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Runs all three.
pub(super) fn run(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    called_by_boto3(bench, tally)?;
    shells_of_the_mock(bench, tally)?;
    shells_of_the_peer(bench, workspace, tally)
}

/// botocore's parser is not the one that our client reads event streams with.
fn called_by_boto3(bench: &Bench, tally: &mut Tally) -> Outcome {
    report::heading("commands, harnesses, ends and cards of the mock, by boto3");
    let mock = bench.serve("acore-mock-commands", &bench.acore(&["mock", "--allow-commands"].map(str::to_owned)))?;
    let Credentials { aws, .. } = Credentials::read(&mock)?;
    let mut command = bench.script("boto3_sessions.py");
    command.args([&mock.url, ECHO]).envs(aws);
    tally.points(&program::run(command)?)
}

/// The SDK opens shells over TLS alone.
fn shells_of_the_mock(bench: &Bench, tally: &mut Tally) -> Outcome {
    report::heading("shells of the mock, by the official SDK's ShellSession");
    let root = bench.logs.join("acore-mock-shells-root.pem");
    let root = root.to_str().ok_or("the path of the logs is not text")?;
    let options = ["mock", "--allow-commands", "--tls-ca", root].map(str::to_owned);
    let mock = bench.serve("acore-mock-shells", &bench.acore(&options))?;
    let Credentials { token, aws } = Credentials::read(&mock)?;
    let port = mock.url.rsplit(':').next().ok_or("the mock's URL has no port")?;
    let mut command = bench.script("sdk_shell.py");
    command.args([port, ECHO, &token, root]).envs(aws);
    tally.points(&program::run(command)?)
}

/// Our client with a server of pseudo-terminals over the websockets library: tests that do nothing until a variable names it.
fn shells_of_the_peer(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let tests = build(workspace, ["--test", "integration"])?;
    report::heading("our shells, with a server that the official SDK's framer reads for");
    let server = bench.serve("shell_server", &bench.script("shell_server.py"))?;
    let mut command = Command::new(tests);
    command.env_clear().env("AGENTCORE_TEST_SHELL_SERVER", &server.url).arg("shell_peer::");
    rust_tests::count(tally, "shell_peer", &TESTS, &program::run(command)?)
}

/// Each test, and what it checks.
const TESTS: [(&str, &str); 10] = [
    ("exit_codes_and_signals", "both ids, a line and its output, exit codes 0 and 7, the signal 9"),
    ("sizes_of_the_terminal", "the terminal has the size that it is told, each time"),
    ("killed_for_good", "killed by FF, and the same ids begin another shell"),
    ("attached_again_with_a_replay", "detached and attached again: what was printed before and meanwhile comes"),
    ("a_replay_of_256_kilobytes", "a replay of 256 KB, byte for byte, and the count of what was dropped"),
    ("taken_over", "taken over by another client: a conflict, and the other one goes on"),
    ("a_paste_of_300_kilobytes", "a paste of 300 KB arrives whole, by its checksum"),
    ("frames_that_are_too_big", "1009 for a frame too big: attached again, and the paste arrives in smaller ones"),
    ("heartbeats_are_echoed", "heartbeats are echoed, one after another"),
    ("nothing_is_confirmed", "a shell that confirms nothing can be used"),
];

/// The mock's agent that answers with what it was asked, by an id of the service's form.
const ECHO: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/echo-AbC1234567";
