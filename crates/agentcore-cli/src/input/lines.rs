//! Standard input line by line. Knows nothing of what the lines say.

use std::io::{BufRead, Read};

use agentcore_client::unicode::{self, NotUtf8};
use tokio::sync::mpsc;

use super::read::without_line_break;
use crate::errors::Failure;

/// Reads standard input line by line, on a thread of its own: nothing interrupts a read from a terminal.
pub(crate) fn lines() -> mpsc::Receiver<Result<String, Failure>> {
    let (found, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut first = true;
        while let Some(line) = line(&mut stdin, std::mem::take(&mut first)).transpose() {
            let last = line.is_err();
            if found.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    lines
}

/// Reads the next line without its end, or nothing at the end of input. A byte order mark before the first is about the encoding.
fn line(input: &mut impl BufRead, first: bool) -> Result<Option<String>, Failure> {
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
    let no_text = |rule: NotUtf8| Failure::usage("a line of standard input is no text").caused_by(&rule);
    let text = match first {
        true => unicode::text(&line),
        false => std::str::from_utf8(&line).map_err(|error| NotUtf8::At(error.valid_up_to())),
    };
    Ok(Some(without_line_break(text.map_err(no_text)?).to_owned()))
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
            assert_eq!(line(&mut input, false).unwrap().as_deref(), expected);
        }
        assert!(line(&mut &b"\xff\n"[..], false).is_err());
        assert_eq!(line(&mut &b"\xef\xbb\xbfone\r\n"[..], true).unwrap().as_deref(), Some("one"));
        assert_eq!(line(&mut &b"\xef\xbb\xbfone\r\n"[..], false).unwrap().as_deref(), Some("\u{feff}one"));
        assert!(line(&mut &b"\xff\xfeo\0\n\0"[..], true).is_err());
    }

    #[test]
    fn a_line_has_a_bound() {
        let fits = usize::try_from(MAX_LINE_BYTES).unwrap();
        assert!(line(&mut "x".repeat(fits).as_bytes(), false).is_ok());
        assert!(line(&mut "x".repeat(fits + 1).as_bytes(), false).is_err());
    }
}
