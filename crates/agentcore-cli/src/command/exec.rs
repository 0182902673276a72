//! `acore exec`: a command in the session's machine, its output passed through and its exit code mirrored.

use std::{io::Write as _, time::Duration};

use agentcore_client::{CommandEvent, Error, ErrorKind, Exit as CommandExit, RetryPolicy, Timeouts};
use clap::Args;

use crate::{
    context::Context,
    errors::{Exit, Failure, Mechanism},
    flags::{SessionFlags, seconds},
    input,
    output::Output,
    signal,
};

/// Runs a command in the session's machine
///
/// Its output is passed through, and its exit code is this program's.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExecFlags {
    /// The command; several words are joined by a space, and a shell there reads the line
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
    #[command(flatten)]
    session: SessionFlags,
    /// Seconds that the command may take, 1 to 3600 [default: 300]
    #[arg(long, value_name = "SECS", help_heading = "Patience")]
    command_timeout: Option<u64>,
    /// Seconds that the whole call may take [default: 61 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    timeout: Option<Duration>,
    /// Sends the request once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

impl ExecFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let route = context.route()?;
        let holds_token = route.reads_stdin();
        if !holds_token {
            check_stdin()?;
        }
        let timeouts = self.timeout.map_or_else(Timeouts::default, |timeout| Timeouts::default().total(timeout));
        let retry = if self.no_retry { RetryPolicy::off() } else { RetryPolicy::default() };
        let agent = route.allowing_commands().connect(|client| client.timeouts(timeouts).retry(retry)).await?;
        let mut run = agent.runtime.run(self.command.join(" ")).session(&session);
        if let Some(seconds) = self.command_timeout {
            run = run.timeout(Duration::from_secs(seconds));
        }
        // What was not there at the beginning may have come while the token was fetched.
        if !holds_token {
            check_stdin()?;
        }
        let _notice = signal::notice(format!("interrupted; the command may go on in session {}", session.as_str()));
        let mut events = run.stream().await.map_err(|error| failed(error, agent.mechanism()))?;
        let mut output = Output::default();
        while let Some(event) = events.try_next().await.map_err(|error| failed(error, agent.mechanism()))? {
            match event {
                CommandEvent::Stdout(text) => output.write(text.as_bytes())?,
                // There is nobody to tell that standard error is gone.
                CommandEvent::Stderr(text) => drop(std::io::stderr().write_all(text.as_bytes())),
                CommandEvent::Exited(exit) => return ended(&exit),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Refuses input: the command could not read it, and a loop that meant it for something else would lose it.
fn check_stdin() -> Result<(), Failure> {
    match input::is_waiting() {
        false => Ok(()),
        true => Err(Failure::usage("standard input has something to read, and commands get no input")
            .hint("`acore exec … < /dev/null` leaves it alone; put what the command needs into the command itself")),
    }
}

fn failed(error: Error, mechanism: Mechanism) -> Failure {
    let may_go_on = error.may_have_run() && error.kind() != ErrorKind::Agent;
    let failure = Failure::call(error, mechanism);
    if may_go_on { failure.hint("the command may go on in its session; `acore stop` ends it") } else { failure }
}

/// Mirrors the exit code. What is not the command's own is said in words, too.
fn ended(exit: &CommandExit) -> Result<(), Failure> {
    if exit.is_timeout() {
        return Err(Failure::new(Exit::Mirrored(TIMED_OUT), "the command took too long and was ended")
            .hint("--command-timeout gives it more time, up to 3600 seconds"));
    }
    if exit.is_platform_failure() {
        return Err(Failure::new(Exit::Mirrored(PLATFORM_FAILED), "the platform failed to run the command"));
    }
    match exit.code {
        0 => Ok(()),
        code => Err(Failure::Reported(Exit::Mirrored(mirrored(code)))),
    }
}

/// Returns an exit code as a process has it: its last byte, which is never 0 for a failure.
fn mirrored(code: i32) -> u8 {
    match code.to_le_bytes()[0] {
        0 => 1,
        code => code,
    }
}

/// As `timeout` of the GNU coreutils has it.
const TIMED_OUT: u8 = 124;
/// As `docker run` has it.
const PLATFORM_FAILED: u8 = 125;

const AFTER_HELP: &str = "\
The command gets no standard input. The exit code is the command's, 124 where it took too long, 125 where the \
platform failed to run it; otherwise as for every command.

Examples:
  acore --mock exec -- echo hello
  acore exec --arn \"$ARN\" --session-name ada -- 'ls -l | head'
  acore exec --session-id \"$SESSION\" --command-timeout 600 -- make test";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (code, expected) in [(1, 1), (7, 7), (130, 130), (255, 255), (256, 1), (257, 1), (-2, 254)] {
            assert_eq!(mirrored(code), expected);
        }
    }
}
