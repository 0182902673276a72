//! How a command fails: its exit code, and its lines on standard error. An error is one line, its causes and a hint under it.

mod hints;

use std::{error::Error as StdError, fmt::Write as _, io::Write as _, process::ExitCode};

use agentcore_client::{Error, ErrorKind};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

pub(crate) use hints::Mechanism;
use hints::{MORE_TIME, hint};

/// The exit codes, which are a contract with other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// This program or its machine failed: no agent, service or user did.
    Internal,
    /// Usage or bad input; nothing was sent.
    Usage,
    /// Authentication or authorization was refused.
    Refused,
    /// Throttled, or not to be reached.
    Unavailable,
    Timeout,
    /// The agent or the service failed.
    Failed,
    /// The answer broke off midway; what arrived is already printed.
    BrokenOff,
    Interrupted,
    Terminated,
    /// The terminal has gone.
    HungUp,
    /// The exit code of a command that ran in a session.
    Mirrored(u8),
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unavailable => 4,
            Self::Timeout => 5,
            Self::Failed => 6,
            Self::BrokenOff => 7,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::HungUp => 129,
            Self::Mirrored(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Input => Self::Usage,
            ErrorKind::Authentication
            | ErrorKind::Authorization
            | ErrorKind::Challenge
            | ErrorKind::ExpiredToken
            | ErrorKind::UntrustedToken => Self::Refused,
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::BrokenOff => Self::BrokenOff,
            _ => Self::Failed,
        }
    }
}

/// Why a command stopped short.
#[derive(Debug)]
pub(crate) enum Failure {
    Unreported(Box<Report>),
    /// Something that failed in the middle of the command, which went on, and was reported then; or a command in a session, which
    /// speaks for itself.
    Reported(Exit),
    /// Whoever read standard output has gone, which is no error.
    OutputClosed,
}

/// What is printed of a failure.
#[derive(Debug)]
pub(crate) struct Report {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    /// By what the call is found in logs.
    ids: Option<String>,
    hint: Option<String>,
    may_have_run: bool,
}

impl Failure {
    /// Usage or bad input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The agent took longer than this program waits; it may have run.
    pub(crate) fn timeout(message: &str) -> Self {
        Self::new(Exit::Timeout, format!("{message} (the agent may have run)")).hint(MORE_TIME)
    }

    /// This program or its machine failed.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
    }

    /// A failed call, with what can be done about it by whoever authenticates so.
    pub(crate) fn call(error: impl Into<Error>, mechanism: Mechanism) -> Self {
        let error = error.into();
        let hint = hint(&error, mechanism);
        let failure = Self::from(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let (message, causes) = (message.into(), Vec::new());
        Self::Unreported(Box::new(Report { exit, message, causes, ids: None, hint: None, may_have_run: false }))
    }

    /// Adds an error and what is behind it, each text once.
    pub(crate) fn caused_by(mut self, error: &(dyn StdError + 'static)) -> Self {
        if let Self::Unreported(report) = &mut self {
            for layer in std::iter::successors(Some(error), |layer| (*layer).source()) {
                let text = layer.to_string();
                if !report.causes.iter().chain([&report.message]).any(|said| said.contains(&text)) {
                    report.causes.push(text);
                }
            }
        }
        self
    }

    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Unreported(report) = &mut self {
            report.hint = Some(hint.into());
        }
        self
    }

    /// Returns what is told of it elsewhere: its exit code, its message with the causes, and what to do about it.
    pub(crate) fn summary(&self) -> (Exit, String, Option<String>) {
        match self {
            Self::Unreported(report) => {
                let lines: Vec<&str> =
                    [&report.message].into_iter().chain(&report.causes).map(String::as_str).collect();
                (report.exit, lines.join(": "), report.hint.clone())
            }
            Self::Reported(exit) => (*exit, "it failed".to_owned(), None),
            Self::OutputClosed => (Exit::Done, String::new(), None),
        }
    }

    /// Writes it to standard error, unless that was done.
    pub(crate) fn report(&self) -> Exit {
        self.report_as(|lines| lines)
    }

    /// Writes it as its lines are laid out, in which styles are the only control sequences.
    pub(crate) fn report_as(&self, layout: impl FnOnce(String) -> String) -> Exit {
        let report = match self {
            Self::Unreported(report) => report,
            Self::Reported(exit) => return *exit,
            Self::OutputClosed => return Exit::Done,
        };
        // There is nobody to tell that standard error is gone.
        let _ = anstream::stderr().write_all(layout(report.lines()).as_bytes());
        report.exit
    }
}

impl Report {
    fn lines(&self) -> String {
        let error = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let hint = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
        let mut lines = format!("{error}error:{error:#} {}\n", one_line(&self.message));
        // Writing to a `String` cannot fail.
        for cause in &self.causes {
            let _ = writeln!(lines, "  caused by: {}", one_line(cause));
        }
        if let Some(ids) = &self.ids {
            let _ = writeln!(lines, "  ids: {}", one_line(ids));
        }
        if let Some(text) = &self.hint {
            let _ = writeln!(lines, "  {hint}hint:{hint:#} {}", one_line(text));
        }
        lines
    }
}

/// A failed call, as JSON output has it.
#[derive(Debug, Serialize)]
pub(crate) struct FailedCall {
    /// One word of the table of exit codes.
    kind: &'static str,
    message: String,
    may_have_run: bool,
    hint: Option<String>,
}

impl FailedCall {
    /// Describes an error of a call by whoever authenticates so; where the input was bad, nothing was called.
    pub(crate) fn of(error: &Error, mechanism: Mechanism) -> Option<Self> {
        let kind = Some(word(error.kind())).filter(|kind| *kind != "usage")?;
        let hint = hint(error, mechanism).map(str::to_owned);
        Some(Self { kind, message: error.to_string(), may_have_run: error.may_have_run(), hint })
    }

    /// Describes a failure that came before a call, or beside one; where the input was bad, nothing was called.
    pub(crate) fn of_failure(failure: &Failure) -> Option<Self> {
        let Failure::Unreported(report) = failure else { return None };
        let Report { exit, message, may_have_run, hint, .. } = &**report;
        let kind = Some(word_of(*exit)).filter(|kind| *kind != "usage")?;
        Some(Self { kind, message: message.clone(), may_have_run: *may_have_run, hint: hint.clone() })
    }
}

/// Returns a kind of failure as a word of the table of exit codes.
pub(crate) fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Agent => "agent",
        kind => word_of(kind.into()),
    }
}

fn word_of(exit: Exit) -> &'static str {
    match exit {
        Exit::Usage => "usage",
        Exit::Refused => "auth",
        Exit::Unavailable => "unavailable",
        Exit::Timeout => "timeout",
        Exit::BrokenOff => "broken_off",
        _ => "service",
    }
}

/// Every error of the library.
impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let mut failure = Self::new(error.kind().into(), error.to_string());
        if let Self::Unreported(report) = &mut failure {
            (report.ids, report.may_have_run) = (ids(&error), error.may_have_run());
        }
        match error.source() {
            Some(source) => failure.caused_by(source),
            None => failure,
        }
    }
}

/// Returns the ids of a call that was made.
fn ids(error: &Error) -> Option<String> {
    let was_called = match error.kind() {
        ErrorKind::Input => false,
        // Without a status the credential failed, and not the call.
        ErrorKind::Authentication | ErrorKind::ExpiredToken | ErrorKind::Challenge => error.status().is_some(),
        _ => true,
    };
    if !was_called {
        return None;
    }
    let ids = [("session", error.session_id()), ("request", error.request_id()), ("trace", error.trace_id())];
    let ids: Vec<String> = ids.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", id?))).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// Replaces control characters: an agent's words may hold line breaks and worse.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
