//! The files of a journal: lines that are written whole, and the lock. Knows nothing of what the lines say.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::Error;

/// A file that grows by whole lines.
pub(super) struct LineFile {
    pub(super) file: File,
    pub(super) bytes: u64,
}

impl LineFile {
    /// Appends a line, or leaves the file as it was.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        match self.file.write_all(line) {
            Ok(()) => {
                self.bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
                Ok(())
            }
            Err(error) => {
                // Where not even that is possible, the next to resume does it.
                let _ = self.cut();
                Err(error)
            }
        }
    }

    /// Cuts off what is beyond its lines.
    pub(super) fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.bytes)
    }
}

/// Opens the file of begun calls, and locks it for this process.
pub(super) fn lock(path: &Path) -> Result<File, Error> {
    let started = OpenOptions::new().read(true).append(true).create(true).open(started_path(path));
    let started = started.map_err(|error| unusable(path, error))?;
    match started.try_lock() {
        Ok(()) => Ok(started),
        Err(TryLockError::WouldBlock) => Err(Error::input(format!("another process writes {path:?}"))),
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

pub(super) fn started_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".started");
    name.into()
}

pub(super) fn unusable(path: &Path, error: io::Error) -> Error {
    Error::input(format!("the outcomes of the batch cannot be kept in {path:?}")).with_source(error)
}
