//! Standard output, flushed piece by piece, and the notes beside it. Knows no format.

use std::io::{self, Write};

use crate::report::Failure;

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
            _ => Failure::trouble("cannot write to standard output").caused_by(&error),
        })
    }

    /// Writes a line of its own.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Ends the line that is open, if one is.
    pub(crate) fn end_line(&mut self) -> Result<(), Failure> {
        if self.open_line { self.write(b"\n") } else { Ok(()) }
    }
}

/// Says something beside the output.
pub(crate) fn note(text: &str) {
    // There is nobody to tell that standard error is gone.
    let _ = writeln!(io::stderr(), "note: {text}");
}
