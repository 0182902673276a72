//! How a command fails: its exit code, and its lines on standard error. An error is one line, its causes and a hint under it.

use std::{error::Error as StdError, fmt::Write as _, io::Write as _, process::ExitCode};

use agentcore_client::{Auth, Error, ErrorKind};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

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
    hint: Option<String>,
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
        Self::Unreported(Box::new(Report { exit, message: message.into(), causes: Vec::new(), hint: None }))
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
        let report = match self {
            Self::Unreported(report) => report,
            Self::Reported(exit) => return *exit,
            Self::OutputClosed => return Exit::Done,
        };
        // There is nobody to tell that standard error is gone.
        let _ = anstream::stderr().write_all(report.lines().as_bytes());
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
    hint: Option<&'static str>,
}

impl FailedCall {
    /// Describes an error of a call by whoever authenticates so; where the input was bad, nothing was called.
    pub(crate) fn of(error: &Error, mechanism: Mechanism) -> Option<Self> {
        let kind = Some(word(error.kind())).filter(|kind| *kind != "usage")?;
        let hint = hint(error, mechanism);
        Some(Self { kind, message: error.to_string(), may_have_run: error.may_have_run(), hint })
    }
}

/// Returns a kind of failure as a word of the table of exit codes.
pub(crate) fn word(kind: ErrorKind) -> &'static str {
    match (Exit::from(kind), kind) {
        (Exit::Usage, _) => "usage",
        (Exit::Refused, _) => "auth",
        (Exit::Unavailable, _) => "unavailable",
        (Exit::Timeout, _) => "timeout",
        (Exit::BrokenOff, _) => "broken_off",
        (_, ErrorKind::Agent) => "agent",
        _ => "service",
    }
}

/// Every error of the library.
impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let failure = Self::new(error.kind().into(), error.to_string());
        match error.source() {
            Some(source) => failure.caused_by(source),
            None => failure,
        }
    }
}

/// How calls are authenticated, which decides what may be wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    None,
    Bearer,
    SigV4,
}

impl From<&Auth> for Mechanism {
    fn from(auth: &Auth) -> Self {
        match auth {
            Auth::Bearer(_) => Self::Bearer,
            Auth::SigV4(_) => Self::SigV4,
            _ => Self::None,
        }
    }
}

/// Returns what to do about a failed call. Only where it is known: a wrong hint is worse than none.
fn hint(error: &Error, mechanism: Mechanism) -> Option<&'static str> {
    match (error.kind(), error.status(), mechanism) {
        (ErrorKind::ExpiredToken, _, Mechanism::SigV4) => Some("get new AWS credentials, such as by `aws sso login`"),
        (ErrorKind::ExpiredToken, ..) => Some("get a new token from its issuer"),
        (ErrorKind::Authentication, None, Mechanism::SigV4) => Some(NO_CREDENTIALS),
        (ErrorKind::Authentication | ErrorKind::Authorization, Some(_), Mechanism::Bearer) => Some(
            "the token must be of the issuer, and of a client or audience, that the runtime allows; \
             a runtime that takes AWS credentials (--sigv4) takes no token",
        ),
        (ErrorKind::Authentication | ErrorKind::Authorization, Some(_), Mechanism::SigV4) => Some(
            "the credentials need the IAM permission bedrock-agentcore:InvokeAgentRuntime on this runtime, and \
             InvokeAgentRuntimeForUser with --user-id; a runtime that takes tokens (--bearer-token) takes no AWS credentials",
        ),
        (ErrorKind::Throttled, ..) => Some("try again later, or ask for a higher quota"),
        (ErrorKind::Unavailable, None, Mechanism::None) if !error.may_have_run() => {
            Some("is the agent container running there?")
        }
        (ErrorKind::Unavailable | ErrorKind::Timeout, None, _) if !error.may_have_run() => {
            Some("check the network, the region and --endpoint-url, and HTTPS_PROXY if there is a proxy")
        }
        (ErrorKind::Timeout, None | Some(200), _) => Some(MORE_TIME),
        (ErrorKind::BrokenOff | ErrorKind::Unavailable, None | Some(200), _) => Some(GOES_ON),
        (ErrorKind::NotFound, Some(404), Mechanism::Bearer | Mechanism::SigV4) => Some("check the ARN and --qualifier"),
        (ErrorKind::Agent, Some(424), _) => {
            Some("the agent itself failed, or took over 30 seconds to start: its log in CloudWatch tells why")
        }
        _ => None,
    }
}

/// Replaces control characters: an agent's words may hold line breaks and worse.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

const MORE_TIME: &str =
    "--timeout and --idle-timeout give the agent more time; it may go on working, and its session is busy until then";
const GOES_ON: &str = "the agent may go on working, and its session is busy until then";
#[cfg(feature = "aws-config")]
const NO_CREDENTIALS: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or log in with `aws sso login`";
#[cfg(not(feature = "aws-config"))]
const NO_CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN";

#[cfg(test)]
mod tests;
