//! What was found: one line for each check, and what to do about it. Checks nothing itself.

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    errors::{Exit, Failure, one_line},
    output::Output,
};

/// How findings are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line each, as it is found
    Text,
    /// One object at the end
    Json,
}

/// A finding.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    result: Verdict,
    message: String,
    hint: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// All findings.
pub(super) struct Diagnosis {
    format: Format,
    output: Output,
    findings: Vec<Finding>,
}

impl Diagnosis {
    pub(super) fn new(format: Format) -> Self {
        Self { format, output: Output::default(), findings: Vec::new() }
    }

    /// All is well.
    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) -> Result<(), Failure> {
        self.add(Finding { check, result: Verdict::Ok, message: message.into(), hint: None, exit: Exit::Done })
    }

    /// A call may succeed nevertheless.
    pub(super) fn warn(&mut self, check: &'static str, message: impl Into<String>, hint: &str) -> Result<(), Failure> {
        let hint = Some(hint.to_owned());
        self.add(Finding { check, result: Verdict::Warn, message: message.into(), hint, exit: Exit::Done })
    }

    /// A call will fail.
    pub(super) fn fail(&mut self, check: &'static str, failure: &Failure) -> Result<(), Failure> {
        let (exit, message, hint) = failure.summary();
        self.add(Finding { check, result: Verdict::Fail, message, hint, exit })
    }

    /// Takes what a step found or why it failed.
    pub(super) fn take<T>(&mut self, check: &'static str, step: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match step {
            Ok(found) => Ok(Some(found)),
            Err(failure) => self.fail(check, &failure).map(|()| None),
        }
    }

    fn add(&mut self, finding: Finding) -> Result<(), Failure> {
        if self.format == Format::Text {
            let word = match finding.result {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "fail",
            };
            let message = one_line(&finding.message);
            self.output.line(&format!("{word}  {}: {message}", finding.check))?;
            if let Some(hint) = &finding.hint {
                self.output.line(&format!("      hint: {}", one_line(hint)))?;
            }
        }
        self.findings.push(finding);
        Ok(())
    }

    /// Ends it, with the exit code of the worst.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        let worst = self.findings.iter().map(|finding| finding.exit).max_by_key(|exit| exit.code());
        if self.format == Format::Json {
            self.output.object(&serde_json::json!({ "checks": self.findings }))?;
        }
        match worst {
            Some(exit) if exit != Exit::Done => Err(Failure::Reported(exit)),
            _ => Ok(()),
        }
    }
}
