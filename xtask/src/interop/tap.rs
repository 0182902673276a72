//! The Test Anything Protocol, version 13, as Node's test runner and the peers' scripts write it. Knows no nested tests.

use crate::Outcome;

/// One test, and what is said of its failure if it failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) name: String,
    pub(super) faults: Vec<String>,
}

/// Reads all tests, of which there must be as many as were planned.
pub(super) fn read(text: &str) -> Outcome<Vec<Point>> {
    let mut points = Vec::new();
    let mut planned = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(last) = line.strip_prefix("1..") {
            planned = Some(last.parse::<usize>()?);
        } else if let Some(name) = name(line, "ok ") {
            points.push(Point { name, faults: Vec::new() });
        } else if let Some(name) = name(line, "not ok ") {
            // The diagnostics are a block of YAML, of which the error is one entry, in one line or in several.
            let mut faults: Vec<String> = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                let is_error = line.starts_with("  error:");
                if is_error || !faults.is_empty() && line.starts_with("    ") {
                    faults.push(line.trim_start().to_owned());
                } else if !faults.is_empty() {
                    break;
                }
            }
            if faults.is_empty() {
                faults.push("it failed".to_owned());
            }
            points.push(Point { name, faults });
        }
    }
    match planned {
        Some(planned) if planned == points.len() => Ok(points),
        _ => {
            let plan =
                planned.map_or_else(|| "without a plan".to_owned(), |planned| format!("where {planned} were planned"));
            let failed = points.iter().filter_map(|point| Some(format!("; {}: {}", point.name, point.faults.first()?)));
            Err(format!("{} tests were reported {plan}{}", points.len(), failed.collect::<String>()).into())
        }
    }
}

/// The name in the line of a test with this verdict.
fn name(line: &str, verdict: &str) -> Option<String> {
    let (_number, name) = line.strip_prefix(verdict)?.split_once(" - ")?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// What Node.js 20.20 wrote of three tests, some lines left out.
    const REPORT: &str = "TAP version 13
# Subtest: good
ok 1 - good
  ---
  duration_ms: 6.231633
  ...
# Subtest: differs
not ok 2 - differs
  ---
  duration_ms: 11.519525
  failureType: 'testCodeFailure'
  error: |-
    Expected values to be strictly deep-equal:
      [
    +   1
  code: 'ERR_ASSERTION'
  stack: |-
    TestContext.<anonymous> (file:///t.mjs:2:63)
  ...
# Subtest: throws
not ok 3 - throws
  ---
  error: 'it broke'
  code: 'ERR_TEST_FAILURE'
  ...
1..3
# tests 3
";

    #[test]
    fn each_test_and_its_error() {
        let point = |name: &str, faults: &[&str]| Point {
            name: name.to_owned(),
            faults: faults.iter().map(|it| (*it).to_owned()).collect(),
        };
        let differs = ["error: |-", "Expected values to be strictly deep-equal:", "[", "+   1"];
        assert_eq!(
            read(REPORT).unwrap(),
            [point("good", &[]), point("differs", &differs), point("throws", &["error: 'it broke'"])]
        );
        assert_eq!(read("not ok 1 - odd\n1..1\n").unwrap(), [point("odd", &["it failed"])]);
    }

    #[test]
    fn tests_that_are_missing_are_missed() {
        for (text, said) in [
            ("", "0 tests were reported without a plan"),
            ("ok 1 - a\n", "1 tests were reported without a plan"),
            ("ok 1 - a\n1..2\n", "1 tests were reported where 2 were planned"),
            (
                "not ok 1 - a\n  error: 'it broke'\nok 2 - b\n1..1\n",
                "2 tests were reported where 1 were planned; a: error: 'it broke'",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), said);
        }
    }
}
