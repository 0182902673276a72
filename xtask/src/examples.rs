//! The examples of the facade: each runs by itself, on a mock in its own process, and prints what its first lines promise.
//!
//! It reads no Rust: what an example prints is a block of text in its header.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Builds every example and runs it; prints a line for each.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    report::line("building the examples");
    // With the whole workspace's features, as the tests are, so that nothing is compiled a second time.
    let messages =
        cmd!(shell, "cargo build --workspace --all-features --examples --message-format json-render-diagnostics")
            .quiet()
            .read()?;
    let mut failed = Vec::new();
    let examples = executables(&messages);
    for (name, source, program) in &examples {
        let fault = match promised(&shell.read_file(source)?) {
            None => Some("its first lines promise no output: add a block of text".to_owned()),
            Some(lines) => fault(program, &lines)?,
        };
        report::line(format_args!("{name}: {}", fault.as_deref().unwrap_or("as promised")));
        failed.extend(fault.map(|_| name.as_str()));
    }
    if failed.is_empty() {
        report::line(format_args!("{} examples ran", examples.len()));
        return Ok(());
    }
    Err(format!("not as promised: {}", failed.join(", ")).into())
}

/// Name, source and program of each example that cargo built.
fn executables(messages: &str) -> Vec<(String, PathBuf, PathBuf)> {
    let mut found: Vec<_> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["kind"][0] == "example")
        .filter_map(|message| {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let target = &message["target"];
            Some((text(&target["name"])?, text(&target["src_path"])?.into(), text(&message["executable"])?.into()))
        })
        .collect();
    found.sort();
    found
}

/// The lines that the header of a source promises: its first block of text.
fn promised(source: &str) -> Option<Vec<String>> {
    let mut header =
        source.lines().map_while(|line| line.strip_prefix("//!")).map(|it| it.strip_prefix(' ').unwrap_or(it));
    header.find(|line| *line == "```text")?;
    Some(header.take_while(|line| *line != "```").map(str::to_owned).collect())
}

/// Runs an example and returns what is not as promised. One that says `ready` serves, and is ended then.
fn fault(program: &Path, promised: &[String]) -> Outcome<Option<String>> {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if promised.first().is_some_and(|line| line.starts_with("ready ")) {
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let mut said = String::new();
        let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut said)).transpose();
        child.kill()?;
        child.wait()?;
        read?;
        return Ok(missing(&said, promised));
    }
    let mut child = command.spawn()?;
    let mut complaint = String::new();
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        output.map(|mut output| output.read_to_string(&mut said)).transpose().map(|_| said)
    });
    child.stderr.take().map(|mut errors| errors.read_to_string(&mut complaint)).transpose()?;
    let status = child.wait()?;
    let said = reader.join().map_err(|_| "the reader of an example's output panicked")??;
    if status.success() { Ok(missing(&said, promised)) } else { Ok(Some(format!("{status}\n{said}{complaint}"))) }
}

/// The first promised line that is not there, each after the one before; others may stand between them.
fn missing(said: &str, promised: &[String]) -> Option<String> {
    let mut lines = said.lines();
    let absent = promised.iter().find(|pattern| !lines.any(|line| matches(line, pattern)))?;
    Some(format!("`{absent}` was promised, and this was said:\n{said}"))
}

/// Whether a line is the pattern, in which `…` stands for any text.
fn matches(line: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return line == pattern };
    let Some(mut line) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = line.split_once(part) else { return false };
        line = after;
    }
    line.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_header_promises_its_first_block() {
        let source = "//! What.\n//!\n//! `cargo run`\n//!\n//! ```text\n//! one\n//!   two\n//!\n//! ```\n//! ```text\n//! no\n//! ```\n\nfn main() {}\n";
        assert_eq!(promised(source), Some(lines("one\n  two\n\n")));
        for source in
            ["//! What.\n", "fn main() {}\n//! ```text\n//! one\n//! ```\n", "//! ```rust\n//! one\n//! ```\n"]
        {
            assert_eq!(promised(source), None, "{source}");
        }
    }

    #[test]
    fn a_pattern_has_gaps() {
        for (pattern, line, fits) in [
            ("one", "one", true),
            ("one", "one more", false),
            ("", "", true),
            ("a … c", "a b c", true),
            ("a … c", "a b c d", false),
            ("a … c", "b a b c", false),
            ("…c", "abc", true),
            ("a…", "abc", true),
            ("a…b…c", "a 1 b 2 c", true),
            ("a…b…c", "a 1 2 c", false),
            ("a…aa", "aa", false),
        ] {
            assert_eq!(matches(line, pattern), fits, "{pattern} {line}");
        }
    }

    #[test]
    fn promised_lines_stand_in_their_order() {
        let said = "one\nbetween\ntwo\nthree\n";
        assert_eq!(missing(said, &lines("one\ntwo\nthree")), None);
        assert_eq!(missing(said, &[]), None);
        assert!(missing(said, &lines("two\none")).is_some_and(|it| it.starts_with("`one` was promised")));
        assert!(missing(said, &lines("one\none")).is_some());
    }
}
