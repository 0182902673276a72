//! Standard input line by line. Knows nothing of what the lines say.

use std::io::{BufRead, Read};

use tokio::sync::mpsc;

use super::read::without_line_break;
use crate::errors::Failure;

/// Reads standard input line by line, on a thread of its own: nothing interrupts a read from a terminal.
pub(crate) fn lines() -> mpsc::Receiver<Result<String, Failure>> {
    let (found, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        while let Some(line) = line(&mut stdin).transpose() {
            let last = line.is_err();
            if found.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    lines
}

/// Reads the next line without its end, or nothing at the end of input.
fn line(input: &mut impl BufRead) -> Result<Option<String>, Failure> {
    let mut line = Vec::new();
    let failed = "cannot read a message from standard input";
    let read = input.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line);
    let bytes = read.map_err(|error| Failure::usage(failed).caused_by(&error))?;
    if bytes == 0 {
        return Ok(None);
    }
    if bytes as u64 > MAX_LINE_BYTES {
        return Err(Failure::usage(format!("a line of standard input is longer than {MAX_LINE_BYTES} bytes")));
    }
    let line = String::from_utf8(line).map_err(|_| Failure::usage("a line of standard input is not UTF-8"))?;
    Ok(Some(without_line_break(&line).to_owned()))
}

/// As much as the client takes in a message by default.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn lines_without_their_ends() {
        let mut input = &b"one\ntwo\r\n\n  four \nlast"[..];
        for expected in [Some("one"), Some("two"), Some(""), Some("  four "), Some("last"), None, None] {
            assert_eq!(line(&mut input).unwrap().as_deref(), expected);
        }
        assert!(line(&mut &b"\xff\n"[..]).is_err());
    }

    #[test]
    fn a_line_has_a_bound() {
        let fits = usize::try_from(MAX_LINE_BYTES).unwrap();
        assert!(line(&mut "x".repeat(fits).as_bytes()).is_ok());
        assert!(line(&mut "x".repeat(fits + 1).as_bytes()).is_err());
    }
}
