//! A program run to its end, with a deadline: one that hangs is a failure, not a hung CI.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

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

/// Runs a command without input until it ends.
pub(super) fn run(command: Command) -> Outcome<Answer> {
    run_within(command, PATIENCE)
}

fn run_within(mut command: Command, patience: Duration) -> Outcome<Answer> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
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
    fn a_program_that_hangs_is_ended() {
        let error = run_within(shell("exec tail -f /dev/null"), Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.to_string(), "sh did not end within 0.1 s");
    }
}
