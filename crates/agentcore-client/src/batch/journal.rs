//! The files in which a batch keeps what was begun and how it ended, so that it can be resumed. Sends nothing.

mod files;
mod input_digest;
mod replay;

use std::{
    fmt,
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

pub use self::input_digest::InputDigest;
use self::{
    files::{LineFile, lock, started_path, unusable},
    replay::{Calls, OutcomeHead, not_begun, replay},
};
use crate::Error;

/// The outcomes of a batch in a file, and beside it the calls that were begun, so that the batch can be resumed after it was killed.
/// Clones share it.
///
/// The file has one JSON object a line, which the caller writes by [`record`](Self::record): its member `line` is the number of the call,
/// from 1 on, and its member `error` is null, or an object whose member `may_have_run` says whether the agent may have run. Of several
/// outcomes of a call the last one counts. The other file has the same name and `.started`: a line about the inputs, and then the number of
/// each call, written before it is sent. Each line is written at once.
///
/// A process may be killed at any moment: what was recorded is kept, and a call that was begun without an outcome may have run. A machine
/// that loses its power may lose the last lines, since the files are not synchronized with the disk.
///
/// One process at a time writes a journal; the system releases its lock when the process ends.
///
/// ```
/// use agentcore_client::{InputDigest, Journal};
///
/// # let directory = std::env::temp_dir().join(format!("journal-{}", agentcore_client::SessionId::random().as_str()));
/// # std::fs::create_dir(&directory)?;
/// # let path = directory.join("answers.jsonl");
/// let prompts = ["What is a crab?", "What is a lighthouse?"];
/// let inputs: InputDigest = prompts.iter().collect();
/// let journal = Journal::create(&path, &inputs)?;
/// journal.record(0, &serde_json::json!({"line": 1, "text": "It has ten legs.", "error": null}))?;
/// drop(journal);
///
/// let journal = Journal::resume(&path, &inputs)?;
/// assert_eq!((journal.succeeded(), journal.skips(0), journal.skips(1)), (1, true, false));
/// # drop(journal);
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal(Arc<Mutex<State>>);

struct State {
    path: PathBuf,
    outcomes: LineFile,
    started: LineFile,
    calls: Calls,
    reruns_uncertain: bool,
    /// Whether everything could be written so far.
    is_writable: bool,
}

impl Journal {
    /// Begins a journal in new files. One of a batch whose outcomes were removed is begun anew.
    ///
    /// # Errors
    /// If there is a file of that name, another process writes it, or it cannot be made.
    pub fn create(path: impl AsRef<Path>, inputs: &InputDigest) -> Result<Self, Error> {
        let path = path.as_ref();
        let exists = || Error::input(format!("{path:?} exists, and is not overwritten"));
        if path.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let started = lock(path)?;
        // Another process may have made it and ended meanwhile.
        if path.symlink_metadata().is_ok() {
            return Err(exists());
        }
        started.set_len(0).map_err(|error| unusable(path, error))?;
        let mut started = LineFile { file: started, bytes: 0 };
        started.append(inputs.header().as_bytes()).map_err(|error| unusable(path, error))?;
        let outcomes = OpenOptions::new().append(true).create_new(true).open(path);
        let outcomes = LineFile { file: outcomes.map_err(|error| unusable(path, error))?, bytes: 0 };
        Ok(Self::of(path, outcomes, started, Calls::new(inputs.inputs())))
    }

    /// Goes on with a journal, or begins it where there is none. What was written of a last line without its end is cut off.
    ///
    /// # Errors
    /// If the inputs are not those with which it was begun, another process writes it, the file is no journal, or it cannot be used.
    pub fn resume(path: impl AsRef<Path>, inputs: &InputDigest) -> Result<Self, Error> {
        let path = path.as_ref();
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::input(format!("{path:?} is no regular file, so a batch cannot be resumed from it")));
        }
        if path.metadata().is_ok_and(|found| found.len() > 0) && started_path(path).metadata().is_err() {
            return Err(not_begun(path));
        }
        let started = lock(path)?;
        let outcomes = OpenOptions::new().read(true).append(true).create(true).open(path);
        let outcomes = outcomes.map_err(|error| unusable(path, error))?;
        let replayed = replay(path, &outcomes, &started, inputs)?;
        let mut started = LineFile { file: started, bytes: replayed.started_bytes };
        let outcomes = LineFile { file: outcomes, bytes: replayed.outcomes_bytes };
        let cut = started.cut().and_then(|()| outcomes.cut());
        let begun = cut.and_then(|()| match started.bytes {
            0 => started.append(inputs.header().as_bytes()),
            _ => Ok(()),
        });
        begun.map_err(|error| unusable(path, error))?;
        Ok(Self::of(path, outcomes, started, replayed.calls))
    }

    fn of(path: &Path, outcomes: LineFile, started: LineFile, calls: Calls) -> Self {
        let path = path.to_owned();
        Self(Arc::new(Mutex::new(State { path, outcomes, started, calls, reruns_uncertain: false, is_writable: true })))
    }

    /// Sets whether calls that failed although their agents may have run are made again. Default: no, because an agent that runs twice
    /// may do harm.
    #[must_use]
    pub fn rerun_uncertain(self, rerun: bool) -> Self {
        self.state().reruns_uncertain = rerun;
        self
    }

    /// Returns the calls that were begun and whose outcome is not recorded, by their index: of a process that was killed, their agents may
    /// have run. None of them is made again before an outcome was recorded for it.
    #[must_use]
    pub fn interrupted(&self) -> Vec<usize> {
        self.state().calls.open()
    }

    /// Returns whether a call is not made: it succeeded, or its agent may have run and it is not to run again.
    #[must_use]
    pub fn skips(&self, index: usize) -> bool {
        let state = self.state();
        state.calls.skips(index, state.reruns_uncertain)
    }

    /// Returns how many calls have succeeded.
    #[must_use]
    pub fn succeeded(&self) -> usize {
        self.state().calls.succeeded()
    }

    /// Returns how many calls have failed although their agents may have run.
    #[must_use]
    pub fn uncertain(&self) -> usize {
        self.state().calls.uncertain()
    }

    /// Returns whether everything could be written so far. If not, no further call is sent.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.state().is_writable
    }

    /// Records the outcome of a call, as a line of its own that is written whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written, or is no object with the members `line`, which is the index and 1, and `error`.
    pub fn record(&self, index: usize, outcome: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(outcome)?;
        let OutcomeHead { line: number, error } = serde_json::from_slice(&line)?;
        if index.checked_add(1) != usize::try_from(number).ok() {
            let message = format!("the outcome of call {index} is numbered {number}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        line.push(b'\n');
        let mut state = self.state();
        state.write(|state| state.outcomes.append(&line))?;
        state.calls.end(index, error);
        Ok(())
    }

    /// Notes that a call is about to be sent.
    pub(super) fn begin(&self, index: usize) -> io::Result<()> {
        let mut state = self.state();
        state.write(|state| state.started.append(format!("{}\n", index + 1).as_bytes()))?;
        state.calls.begin(index);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if !self.is_writable {
            return Err(io::Error::other("it could not be written before"));
        }
        let written = write(self);
        self.is_writable = written.is_ok();
        written
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.state().path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
