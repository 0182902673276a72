//! One place that breaks a rule, and what to do about it. It judges nothing.

use std::fmt;

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    /// Reports the line of the file by the message; lines count from 1.
    pub(super) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}
