//! A program run to its end, with a deadline: one that hangs is a failure, not a hung CI.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;

/// How a program ended and what it said.
#[derive(Debug)]
pub(super) struct Answer {
    /// The exit code; -1 where a signal ended it.
    pub(super) exit: i32,
    /// Standard output.
    pub(super) stdout: Vec<u8>,
    /// Standard error.
    pub(super) stderr: String,
}

impl Answer {
    /// Says what differs where standard output is not this JSON value.
    pub(super) fn fault(&self, expected: &Value) -> Option<String> {
        let said = serde_json::from_slice::<Value>(&self.stdout).unwrap_or_default();
        (said != *expected).then(|| format!("standard output is {said}, expected {expected}"))
    }
}

/// Runs a command without input until it ends.
pub(super) fn run(command: Command) -> Outcome<Answer> {
    run_with(command, Vec::new())
}

/// Runs a command with this on its standard input until it ends.
pub(super) fn run_with(command: Command, input: Vec<u8>) -> Outcome<Answer> {
    run_within(command, input, PATIENCE)
}

/// Runs a command that must succeed and returns its output, without the newline at the end.
pub(super) fn output(command: Command) -> Outcome<String> {
    let program = command.get_program().display().to_string();
    let answer = run(command)?;
    match answer.exit {
        0 => Ok(String::from_utf8(answer.stdout)?.trim_end_matches('\n').to_owned()),
        exit => Err(format!("{program} ended with {exit}: {}", answer.stderr).into()),
    }
}

fn run_within(mut command: Command, input: Vec<u8>, patience: Duration) -> Outcome<Answer> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    feed(child.stdin.take(), input);
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let deadline = Instant::now() + patience;
    let stdout = stdout.recv_timeout(patience);
    let stderr = stderr.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    let (Ok(stdout), Ok(stderr)) = (stdout, stderr) else {
        child.kill()?;
        child.wait()?;
        return Err(
            format!("{} did not end within {} s", command.get_program().display(), patience.as_secs_f32()).into()
        );
    };
    let exit = child.wait()?.code().unwrap_or(-1);
    Ok(Answer { exit, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// Writes into a pipe on a thread of its own, so that a program that talks before it listens cannot get stuck.
fn feed(pipe: Option<impl Write + Send + 'static>, input: Vec<u8>) {
    thread::spawn(move || {
        if let Some(mut pipe) = pipe {
            // A program need not read all that it is given.
            let _ = pipe.write_all(&input);
        }
    });
}

/// Reads a pipe to its end on a thread of its own, so that the other pipe cannot fill up meanwhile.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe
            && pipe.read_to_end(&mut bytes).is_ok()
        {
            // The receiver may have lost its patience.
            let _ = sender.send(bytes);
        }
    });
    receiver
}

/// No case takes more than a few seconds, the megabyte of events included.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn an_answer_has_everything_that_was_said() {
        let answer = run(shell("echo out; echo err >&2; exit 3")).unwrap();
        assert_eq!((answer.exit, &*answer.stdout, &*answer.stderr), (3, &b"out\n"[..], "err\n"));
        assert_eq!(run(shell("kill -9 $$")).unwrap().exit, -1);
    }

    #[test]
    fn only_success_has_an_output() {
        assert_eq!(output(shell("echo ' out '; echo err >&2")).unwrap(), " out ");
        let error = output(shell("echo out; echo err >&2; exit 3")).unwrap_err();
        assert_eq!(error.to_string(), "sh ended with 3: err\n");
    }

    #[test]
    fn input_goes_in_whole_and_ends() {
        let input = b"0123456789".repeat(100_000);
        assert_eq!(run_with(shell("cat"), input.clone()).unwrap().stdout, input);
        assert_eq!(run_with(shell("exit 4"), input).unwrap().exit, 4);
        assert_eq!(run(shell("cat")).unwrap().stdout, b"");
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let hangs = shell("exec tail -f /dev/null");
        let error = run_within(hangs, Vec::new(), Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.to_string(), "sh did not end within 0.1 s");
    }
}
