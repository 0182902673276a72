//! Standard output, flushed piece by piece, and the notes beside it. Knows no format.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use crate::{errors::Failure, sequences::Sequences};

/// Standard output. Remembers whether a line is open.
#[derive(Debug, Default)]
pub(crate) struct Output {
    open_line: bool,
    /// The state of the control sequences in a text, which may be cut anywhere.
    sequences: Sequences,
}

impl Output {
    /// Writes a piece and flushes it.
    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let Some(last) = piece.last() else { return Ok(()) };
        self.open_line = *last != b'\n';
        let mut stdout = io::stdout().lock();
        stdout.write_all(piece).and_then(|()| stdout.flush()).map_err(|error| failure(&error))
    }

    /// Writes a piece of an agent's text. On a terminal it is written without control sequences: colours and the cursor are not the
    /// agent's to command.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        if !io::stdout().is_terminal() {
            return self.write(text.as_bytes());
        }
        let plain = self.sequences.strip(text);
        self.write(plain.as_bytes())
    }

    /// Writes a line of its own.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Writes a value that is all of the output as JSON: indented on a terminal, else a line.
    pub(crate) fn object(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        if !io::stdout().is_terminal() {
            return self.json(value);
        }
        let text = serde_json::to_string_pretty(value);
        self.line(&text.map_err(|error| failure(&error.into()))?)
    }

    /// Writes a value as a line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        let written = serde_json::to_writer(&mut stdout, value).map_err(io::Error::from);
        written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()).map_err(|error| failure(&error))
    }

    /// Ends the line that is open, if one is.
    pub(crate) fn end_line(&mut self) -> Result<(), Failure> {
        if self.open_line { self.write(b"\n") } else { Ok(()) }
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::internal("cannot write to standard output").caused_by(error),
    }
}

/// Writes a note beside the output, to standard error.
pub(crate) fn note(text: &str) {
    // There is nobody to tell that standard error is gone.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Writes a note about a binary message, in place of its bytes.
pub(crate) fn note_binary(bytes: &[u8]) {
    note(&format!("a binary message of {} bytes is not shown", bytes.len()));
}
