//! Standard output, flushed piece by piece, and the notes beside it. Knows no format.

use std::io::{self, Write};

use serde::Serialize;

use crate::errors::Failure;

/// Standard output. Remembers whether a line is open.
#[derive(Debug, Default)]
pub(crate) struct Output {
    open_line: bool,
}

impl Output {
    /// Writes a piece and flushes it.
    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let Some(last) = piece.last() else { return Ok(()) };
        self.open_line = *last != b'\n';
        let mut stdout = io::stdout().lock();
        stdout.write_all(piece).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::internal("cannot write to standard output").caused_by(&error),
        })
    }

    /// Writes a line of its own.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Writes a value as a line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(value)
            .map_err(|error| Failure::internal("cannot write the output as JSON").caused_by(&error))?;
        self.line(&json)
    }

    /// Ends the line that is open, if one is.
    pub(crate) fn end_line(&mut self) -> Result<(), Failure> {
        if self.open_line { self.write(b"\n") } else { Ok(()) }
    }
}

/// Writes a note beside the output, to standard error.
pub(crate) fn note(text: &str) {
    // There is nobody to tell that standard error is gone.
    let _ = writeln!(io::stderr(), "note: {text}");
}
