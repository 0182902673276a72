//! Tests of our own that need somebody else's server: a row for each, by what the test harness of Rust prints.

use super::case::Tally;
use super::program::Answer;
use crate::Outcome;

/// Counts the tests of a module, of which each has a row: its name, and what it checks.
pub(super) fn count(tally: &mut Tally, module: &str, rows: &[(&str, &str)], answer: &Answer) -> Outcome {
    for (test, name) in rows {
        tally.count(name, fault(answer, module, test).as_slice(), answer);
    }
    let said = String::from_utf8_lossy(&answer.stdout);
    let ran = said.lines().filter(|line| line.starts_with(&format!("test {module}::"))).count();
    if ran == rows.len() { Ok(()) } else { Err(format!("a test of {module} has no row here").into()) }
}

/// Says how a test failed, or that it did not run.
fn fault(answer: &Answer, module: &str, test: &str) -> Option<String> {
    let said = String::from_utf8_lossy(&answer.stdout);
    if said.lines().any(|line| line == format!("test {module}::{test} ... ok")) {
        return None;
    }
    let report = said.split(&format!("---- {module}::{test} stdout ----")).nth(1);
    let report = report.map_or("it did not run", |rest| rest.trim_start().split("\n\n").next().unwrap_or_default());
    Some(report.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Rust 1.95 wrote of three tests, some lines left out.
    const REPORT: &str = "
running 3 tests
test shell_peer::good ... ok
test shell_peer::bad ... FAILED

failures:

---- shell_peer::bad stdout ----

thread 'shell_peer::bad' (7) panicked at tests/shell_peer.rs:52:9:
assertion `left == right` failed

failures:
    shell_peer::bad
";

    #[test]
    fn each_test_is_found_by_its_whole_name() {
        let answer = Answer { exit: 101, stdout: REPORT.as_bytes().to_vec(), stderr: String::new() };
        assert_eq!(fault(&answer, "shell_peer", "good"), None);
        assert_eq!(fault(&answer, "shell_peer", "goo").as_deref(), Some("it did not run"));
        assert_eq!(fault(&answer, "peer", "good").as_deref(), Some("it did not run"));
        let said = fault(&answer, "shell_peer", "bad").unwrap_or_default();
        assert!(said.ends_with("assertion `left == right` failed"), "{said}");
    }
}
