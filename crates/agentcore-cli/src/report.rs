//! How a command fails: its exit code, and its lines on standard error. An error is one line, its causes and a hint under it.

mod hint;

use std::{error::Error as StdError, fmt::Write as _, io::Write as _, process::ExitCode};

use agentcore_client::{ErrorKind, ParseError};
use clap::builder::styling::{AnsiColor, Style};

pub(crate) use hint::Way;

/// The exit codes, which are a contract with other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// This program or its machine failed: no agent, service or user did.
    Trouble = 1,
    /// Usage or bad input; nothing was sent.
    Usage = 2,
    /// Authentication or authorization was refused.
    Refused = 3,
    /// Throttled, or not to be reached.
    Unavailable = 4,
    Timeout = 5,
    /// The agent or the service failed.
    Failed = 6,
    /// The answer broke off midway; what arrived is already printed.
    Broken = 7,
    Interrupted = 130,
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Input => Self::Usage,
            ErrorKind::Authentication | ErrorKind::Authorization => Self::Refused,
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Broken => Self::Broken,
            _ => Self::Failed,
        }
    }
}

/// Why a command stopped short.
#[derive(Debug)]
pub(crate) enum Failure {
    Told(Box<Told>),
    /// Something that failed in the middle of the command, which went on, and was told then.
    AlreadyTold(Exit),
    /// Whoever read standard output has gone, which is no error.
    OutputClosed,
}

/// A failure with something to tell.
#[derive(Debug)]
pub(crate) struct Told {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// Usage or bad input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message.into())
    }

    /// Nobody could be shown to be calling.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message.into())
    }

    /// This program or its machine failed.
    pub(crate) fn trouble(message: impl Into<String>) -> Self {
        Self::new(Exit::Trouble, message.into())
    }

    fn new(exit: Exit, message: String) -> Self {
        Self::Told(Box::new(Told { exit, message, causes: Vec::new(), hint: None }))
    }

    /// Adds an error and what is behind it, each text once.
    pub(crate) fn caused_by(mut self, error: &(dyn StdError + 'static)) -> Self {
        if let Self::Told(told) = &mut self {
            let mut layer = Some(error);
            while let Some(error) = layer {
                let text = error.to_string();
                if !told.causes.iter().chain([&told.message]).any(|said| said.contains(&text)) {
                    told.causes.push(text);
                }
                layer = error.source();
            }
        }
        self
    }

    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Told(told) = &mut self {
            told.hint = Some(hint.into());
        }
        self
    }

    /// Says what to do about it, if there is something.
    pub(crate) fn maybe_hint(self, hint: Option<&str>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Writes it to standard error.
    pub(crate) fn tell(&self) -> Exit {
        let told = match self {
            Self::Told(told) => told,
            Self::AlreadyTold(exit) => return *exit,
            Self::OutputClosed => return Exit::Done,
        };
        // There is nobody to tell that standard error is gone.
        let _ = anstream::stderr().write_all(told.lines().as_bytes());
        told.exit
    }
}

impl Told {
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

impl Failure {
    /// A failed call, with what can be done about it by whoever came this way.
    pub(crate) fn of_call(error: agentcore_client::Error, way: Way) -> Self {
        let hint = hint::of(&error, way);
        Self::from(error).maybe_hint(hint)
    }
}

impl From<agentcore_client::Error> for Failure {
    fn from(error: agentcore_client::Error) -> Self {
        let failure = Self::new(error.kind().into(), error.to_string());
        match error.source() {
            Some(source) => failure.caused_by(source),
            None => failure,
        }
    }
}

impl From<agentcore_client::auth::Error> for Failure {
    fn from(error: agentcore_client::auth::Error) -> Self {
        agentcore_client::Error::from(error).into()
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::usage(error.to_string())
    }
}

/// An agent's words may hold line breaks and worse; a terminal should show them and not obey them.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
