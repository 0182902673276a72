//! One run of `acore` and what must come of it; the tally of all of them.

use std::fmt::Write as _;

use serde_json::Value;

use super::program::{self, Answer};
use super::{Bench, tap};
use crate::{Outcome, report};

/// One command line, and the exit code, output and complaints that it must lead to.
#[derive(Debug)]
pub(super) struct Case {
    name: &'static str,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    input: Vec<u8>,
    exit: i32,
    stdout: Stdout,
    stderr: Vec<&'static str>,
}

/// What must be on standard output.
#[derive(Debug)]
enum Stdout {
    /// This text, whether or not a newline ends it.
    Text(String),
    /// These bytes and no other.
    Bytes(Vec<u8>),
    /// A JSON value a line.
    Lines(Vec<Value>),
    /// One JSON object that has these values at these JSON pointers.
    Object(Vec<(&'static str, Value)>),
    /// Such an object on the first line, then this text.
    Greeting(Vec<(&'static str, Value)>, String),
}

impl Case {
    /// A command that must end with 0 and print nothing, until told otherwise.
    pub(super) fn new(name: &'static str, args: &[&str]) -> Self {
        Self {
            name,
            args: args.iter().map(|it| (*it).to_owned()).collect(),
            env: Vec::new(),
            input: Vec::new(),
            exit: 0,
            stdout: Stdout::Text(String::new()),
            stderr: Vec::new(),
        }
    }

    /// Adds arguments.
    pub(super) fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|it| (*it).to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(super) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Puts this on standard input.
    pub(super) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Expects this exit code and these words on standard error.
    pub(super) fn fails(mut self, exit: i32, stderr: &[&'static str]) -> Self {
        self.exit = exit;
        self.stderr = stderr.to_vec();
        self
    }

    /// Expects these words on standard error, though all is well.
    pub(super) fn notes(self, stderr: &[&'static str]) -> Self {
        self.fails(0, stderr)
    }

    /// Expects this text.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.stdout = Stdout::Text(text.into());
        self
    }

    /// Expects exactly these bytes, of `--output raw`.
    pub(super) fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdout = Stdout::Bytes(bytes.into());
        self.args(&["--output", "raw"])
    }

    /// Expects these lines, of `--output events`.
    pub(super) fn events(mut self, lines: &[Value]) -> Self {
        self.stdout = Stdout::Lines(lines.to_vec());
        self.args(&["--output", "events"])
    }

    /// Expects one JSON object with these values at these JSON pointers.
    pub(super) fn object(mut self, values: &[(&'static str, Value)]) -> Self {
        self.stdout = Stdout::Object(values.to_vec());
        self
    }

    /// Expects such an object on the first line, and then this text.
    pub(super) fn greeting(mut self, values: &[(&'static str, Value)], text: impl Into<String>) -> Self {
        self.stdout = Stdout::Greeting(values.to_vec(), text.into());
        self
    }

    /// Expects these values at these JSON pointers, of `--output json`.
    pub(super) fn json(self, values: &[(&'static str, Value)]) -> Self {
        self.object(values).args(&["--output", "json"])
    }

    /// Says what differs; nothing where the answer is the expected one.
    fn faults(&self, answer: &Answer) -> Vec<String> {
        let mut faults = Vec::new();
        if answer.exit != self.exit {
            faults.push(format!("exit code {}, expected {}", answer.exit, self.exit));
        }
        faults.extend(self.stdout.fault(&answer.stdout));
        for words in self.stderr.iter().filter(|it| !answer.stderr.contains(**it)) {
            faults.push(format!("standard error lacks {words:?}"));
        }
        if self.exit == 0 && answer.stderr.contains("error:") {
            faults.push("standard error has an error although all is well".to_owned());
        }
        faults
    }
}

impl Stdout {
    fn fault(&self, said: &[u8]) -> Option<String> {
        match self {
            Self::Text(expected) => text_fault(said, expected),
            Self::Bytes(expected) => (said != expected).then(|| difference(said, expected)),
            Self::Lines(expected) => {
                let said: Result<Vec<Value>, _> =
                    String::from_utf8_lossy(said).lines().map(serde_json::from_str).collect();
                match said {
                    Ok(said) if &said == expected => None,
                    Ok(said) => Some(difference(lines(&said).as_bytes(), lines(expected).as_bytes())),
                    Err(error) => Some(format!("a line of standard output is not JSON: {error}")),
                }
            }
            Self::Object(expected) => object_fault(said, expected),
            Self::Greeting(expected, text) => {
                let end = said.iter().position(|byte| *byte == b'\n').unwrap_or(said.len());
                let (first, rest) = said.split_at(end);
                object_fault(first, expected).or_else(|| text_fault(rest.strip_prefix(b"\n").unwrap_or(rest), text))
            }
        }
    }
}

fn text_fault(said: &[u8], expected: &str) -> Option<String> {
    let said = said.strip_suffix(b"\n").unwrap_or(said);
    let expected = expected.as_bytes();
    (said != expected).then(|| difference(said, expected))
}

fn object_fault(said: &[u8], expected: &[(&'static str, Value)]) -> Option<String> {
    match serde_json::from_slice::<Value>(said) {
        Ok(said) => expected.iter().find_map(|(pointer, value)| {
            let found = said.pointer(pointer).cloned();
            (found.as_ref() != Some(value)).then(|| format!("{pointer} is {found:?}, expected {value}"))
        }),
        Err(error) => Some(format!("standard output is not JSON: {error}")),
    }
}

/// The number of cases and the names of those that failed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Runs each case and prints its verdict.
    pub(super) fn run(&mut self, subject: &str, bench: &Bench, cases: Vec<Case>) -> Outcome {
        report::heading(subject);
        for case in cases {
            let mut command = bench.acore(&case.args);
            command.envs(case.env.iter().map(|(name, value)| (name, value)));
            let answer = program::run_with(command, case.input.clone())?;
            self.count(case.name, &case.faults(&answer), &answer);
        }
        Ok(())
    }

    /// Counts one case and prints its verdict, with everything that was said where it failed.
    pub(super) fn count(&mut self, name: &str, faults: &[String], answer: &Answer) {
        if faults.is_empty() {
            self.passed += 1;
            report::line(format_args!("ok      {name}"));
            return;
        }
        self.failed.push(name.to_owned());
        report::line(format_args!("FAILED  {name}"));
        for fault in faults {
            report::line(format_args!("          {fault}"));
        }
        report::line(format_args!("          standard error: {}", excerpt(answer.stderr.as_bytes())));
    }

    /// Counts every test of a report by the Test Anything Protocol.
    pub(super) fn points(&mut self, answer: &Answer) -> Outcome {
        let points = tap::read(&String::from_utf8_lossy(&answer.stdout));
        for point in points.map_err(|error| format!("{error}; it said: {}", answer.stderr))? {
            self.count(&point.name, &point.faults, answer);
        }
        Ok(())
    }

    /// Prints the sum, and fails where a case failed.
    pub(super) fn verdict(self) -> Outcome {
        report::line(format_args!("\n{} passed, {} failed", self.passed, self.failed.len()));
        if self.failed.is_empty() { Ok(()) } else { Err(format!("interop failed: {}", self.failed.join(", ")).into()) }
    }
}

fn lines(values: &[Value]) -> String {
    values.iter().fold(String::new(), |mut text, value| {
        let _ = writeln!(text, "{value}");
        text
    })
}

fn difference(said: &[u8], expected: &[u8]) -> String {
    format!("standard output is {}, expected {}", excerpt(said), excerpt(expected))
}

fn excerpt(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    if text.len() <= LONGEST {
        format!("\"{text}\"")
    } else {
        format!("\"{}…\" ({} bytes)", &text[..LONGEST], bytes.len())
    }
}

/// Bytes of an answer that a report shows.
const LONGEST: usize = 600;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(case: &Case, exit: i32, stdout: &[u8], stderr: &str) -> Vec<String> {
        case.faults(&Answer { exit, stdout: stdout.to_vec(), stderr: stderr.to_owned() })
    }

    #[test]
    fn the_expected_answer_has_no_fault() {
        let case = || Case::new("c", &["invoke"]);
        let cases = [
            (case().text("hi"), 0, "hi"),
            (case().text("hi"), 0, "hi\n"),
            (case().fails(6, &["boom"]).text("hi"), 6, "hi"),
            (case().raw("a\n"), 0, "a\n"),
            (case().events(&[json!({"data": "1", "id": null}), json!(2)]), 0, "{\"id\": null, \"data\":\"1\"}\n2\n"),
            (case().events(&[]), 0, ""),
            (
                case().json(&[("/text", json!("x")), ("/json", json!(null))]),
                0,
                "{\"json\":null,\"text\":\"x\",\"more\":1}",
            ),
            (case().greeting(&[("/a", json!(1))], "b\nc"), 0, "{\"a\":1}\nb\nc\n"),
            (case().greeting(&[("/a", json!(1))], ""), 0, "{\"a\":1}\n"),
        ];
        for (case, exit, stdout) in cases {
            assert_eq!(faults(&case, exit, stdout.as_bytes(), "error: boom").is_empty(), exit != 0, "{case:?}");
            assert_eq!(faults(&case, exit, stdout.as_bytes(), "boom"), Vec::<String>::new(), "{case:?}");
        }
    }

    #[test]
    fn each_difference_is_a_fault() {
        let case = || Case::new("c", &["invoke"]);
        let cases = [
            (case(), 1, "", "exit code 1, expected 0"),
            (case().text("hi"), 0, "hi\n\n", "standard output is \"hi\\n\", expected \"hi\""),
            (case().raw("a"), 0, "a\n", "standard output is \"a\\n\", expected \"a\""),
            (case().events(&[json!(1)]), 0, "1\n2\n", "standard output is \"1\\n2\\n\", expected \"1\\n\""),
            (case().events(&[json!(1)]), 0, "no", "a line of standard output is not JSON"),
            (
                case().json(&[("/text", json!("x"))]),
                0,
                "{\"text\":\"y\"}",
                "/text is Some(String(\"y\")), expected \"x\"",
            ),
            (case().json(&[("/json", json!(null))]), 0, "{}", "/json is None, expected null"),
            (case().json(&[]), 0, "no", "standard output is not JSON"),
            (case().greeting(&[("/a", json!(1))], ""), 0, "{\"a\":2}\n", "/a is Some(Number(2)), expected 1"),
            (case().greeting(&[], "b"), 0, "{}\nc\n", "standard output is \"c\", expected \"b\""),
            (case().fails(3, &["expired"]), 3, "", "standard error lacks \"expired\""),
        ];
        for (case, exit, stdout, expected) in cases {
            let faults = faults(&case, exit, stdout.as_bytes(), "quiet");
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{expected}: {faults:?}");
        }
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert_eq!(excerpt(b"ok\xff"), "\"ok\\xff\"");
        assert_eq!(excerpt(&[b'x'; 601]), format!("\"{}…\" (601 bytes)", "x".repeat(600)));
    }
}
