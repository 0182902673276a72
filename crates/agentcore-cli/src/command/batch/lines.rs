//! The input, checked as a whole before anything is sent, and then read line by line. Keeps one line in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Read as _, Seek as _, Write as _},
    path::PathBuf,
};

use agentcore_client::{InputDigest, Payload, unicode};

use super::{request::Request, spool::temporary_file};
use crate::{errors::Failure, input::without_line_break};

/// An input whose lines are all requests.
pub(super) struct Input {
    file: File,
    name: String,
    digest: InputDigest,
}

impl Input {
    /// Checks every line. What is no file is read once, into a temporary one.
    pub(super) fn open(path: Option<PathBuf>, stdin_taken: bool) -> Result<Self, Failure> {
        let path = path.filter(|path| path.as_os_str() != "-");
        let Some(path) = path else {
            if stdin_taken {
                return Err(Failure::usage("standard input holds the token, so the lines cannot be read from it"));
            }
            let stdin = io::stdin();
            if stdin.is_terminal() {
                return Err(Failure::usage("there are no lines to send").hint(
                    "give a file as an argument, or lines by a pipe; each is an object such as {\"prompt\": \"Hello\"}",
                ));
            }
            return Self::spool(stdin.lock(), "standard input".to_owned());
        };
        let name = format!("{path:?}");
        let file = File::open(&path).map_err(|error| unreadable(&name, &error))?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Self::spool(BufReader::new(file), name);
        }
        let digest = check(BufReader::new(&file), &name, |_| Ok(()))?;
        Ok(Self { file, name, digest })
    }

    fn spool(reader: impl BufRead, name: String) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::internal(format!("cannot keep {name} in a temporary file")).caused_by(&error);
        let mut file = BufWriter::new(temporary_file().map_err(failed)?);
        let digest = check(reader, &name, |line| file.write_all(line).map_err(failed))?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        Ok(Self { file, name, digest })
    }

    pub(super) fn digest(&self) -> &InputDigest {
        &self.digest
    }

    /// Returns how many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.digest.inputs()
    }

    /// Reads from the beginning.
    pub(super) fn rewind(&self) -> Result<Lines, Failure> {
        let mut file = self.file.try_clone().map_err(|error| unreadable(&self.name, &error))?;
        file.rewind().map_err(|error| unreadable(&self.name, &error))?;
        let (checked, read) = (self.digest.clone(), InputDigest::default());
        Ok(Lines { reader: BufReader::new(file), name: self.name.clone(), line: Vec::new(), checked, read })
    }
}

/// The lines of an input that was checked. One reader at a time.
pub(super) struct Lines {
    reader: BufReader<File>,
    name: String,
    line: Vec<u8>,
    checked: InputDigest,
    read: InputDigest,
}

impl Lines {
    /// Returns the next request that is wanted, with its index; nothing after the last line that was checked.
    ///
    /// # Errors
    /// If the file was changed meanwhile: at its end at the latest.
    pub(super) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Result<Option<(usize, Request)>, Failure> {
        while self.read.inputs() < self.checked.inputs() {
            let found = read_line(&mut self.reader, &mut self.line).map_err(|error| unreadable(&self.name, &error))?;
            let index = self.read.inputs();
            self.read.add(content(&self.line));
            if !found {
                return Err(self.changed());
            }
            if wanted(index) {
                let request = parse(&self.line, index + 1, &self.name).map_err(|_| self.changed())?;
                return Ok(Some((index, request)));
            }
        }
        if self.read == self.checked { Ok(None) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Failure {
        Failure::internal(format!("{} was changed while its lines were sent", self.name))
    }
}

/// Checks that every line is a request, and gives each away with its end.
fn check(
    mut reader: impl BufRead,
    name: &str,
    mut keep: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<InputDigest, Failure> {
    let (mut digest, mut line) = (InputDigest::default(), Vec::new());
    while read_line(&mut reader, &mut line).map_err(|error| unreadable(name, &error))? {
        digest.add(content(&line));
        parse(&line, digest.inputs(), name)?;
        keep(&line)?;
    }
    Ok(digest)
}

/// Reads the next line with its end, or a last one without; returns whether there was one.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    // One long line is not paid for by all that follow.
    line.shrink_to(SHORT_LINE);
    reader.take(MAX_LINE_BYTES + 1).read_until(b'\n', line).map(|bytes| bytes > 0)
}

/// Parses a line by its number.
fn parse(line: &[u8], number: usize, name: &str) -> Result<Request, Failure> {
    let refused = |why: String| {
        Failure::usage(format!("line {number} of {name}: {why}"))
            .hint("each line is a JSON object with a prompt or a payload and, if wanted, an id and a session_id")
    };
    if line.len() as u64 > MAX_LINE_BYTES {
        return Err(refused(format!("it is longer than {MAX_LINE_BYTES} bytes")));
    }
    // A byte order mark is about the whole.
    let text = match number {
        1 => unicode::text(line),
        _ => std::str::from_utf8(line).map_err(|error| unicode::NotUtf8::At(error.valid_up_to())),
    };
    let text = text.map_err(|rule| refused(rule.to_string()))?;
    Request::parse(without_line_break(text)).map_err(refused)
}

/// Returns what stands before the line's end.
fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {name}")).caused_by(error)
}

/// A payload and as much again: a prompt's characters may be written as escapes.
const MAX_LINE_BYTES: u64 = 2 * Payload::MAX_BYTES as u64;
const SHORT_LINE: usize = 64 * 1024;
