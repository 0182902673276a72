//! `cargo test` over the whole workspace, and one line of counts at its end. Judges no test.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Runs every test, documentation included, passes on what is said, and prints the counts.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Outcome {
    report::line("building and running every test: unit, integration against the mock, command line, documentation");
    let started = Instant::now();
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace", "--all-features"]).args(args).current_dir(&workspace.root);
    let mut child = cargo.stdout(Stdio::piped()).spawn()?;
    let mut counts = Counts::default();
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        let line = line?;
        counts.add(&line);
        report::line(line);
    }
    let status = child.wait()?;
    let took = report::duration(started.elapsed());
    let Counts { suites, passed, failed, ignored } = counts;
    report::line(format_args!("{passed} tests passed, {failed} failed, {ignored} ignored, in {suites} suites, {took}"));
    if status.success() { Ok(()) } else { Err(format!("cargo test ended with {status}").into()) }
}

/// What the suites counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    suites: usize,
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((verdict, numbers)) = line.strip_prefix("test result: ").and_then(|it| it.split_once(". ")) else {
            return;
        };
        if !["ok", "FAILED"].contains(&verdict) {
            return;
        }
        self.suites += 1;
        for (number, word) in numbers.split("; ").filter_map(|it| it.split_once(' ')) {
            let number = number.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: nothing of the kind ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.00s",
            "  test result: ok. 1 passed; 0 failed",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { suites: 2, passed: 15, failed: 2, ignored: 1 });
    }
}
