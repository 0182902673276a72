//! The house rules that no compiler knows: who may depend on whom, how long a file may be, what never enters a text.
//!
//! It reports everything it finds, changes nothing and judges no style that rustfmt or clippy judge.

mod direction;
mod features;
mod manifest;
mod source;
mod text;
mod tree;

use std::fmt;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks every rule and prints each violation.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let tree = tree::Tree::read(workspace)?;
    let graph = workspace.graph()?;
    let mut violations = direction::check(&graph, &tree);
    violations.extend(features::check(&graph, &tree));
    for (path, text) in tree.files() {
        violations.extend(text::check(path, text));
        if path.ends_with(".rs") {
            violations.extend(source::check(path, text));
        }
        if path.ends_with("Cargo.toml") {
            violations.extend(manifest::check(path, text));
        }
    }
    for violation in &violations {
        report::line(violation);
    }
    if !violations.is_empty() {
        return Err(format!("{} places break the house rules", violations.len()).into());
    }
    report::line(format_args!("{} files and {} crates are tidy", tree.files().count(), graph.members.len()));
    Ok(())
}
