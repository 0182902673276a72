//! What the files of a journal say: which calls were begun, and how they ended. Writes nothing.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde::{Deserialize, Deserializer};

use super::{
    files::{started_path, unusable},
    input_digest::InputDigest,
};
use crate::Error;

/// What is known of each call.
#[derive(Debug)]
pub(super) struct Calls(Vec<Call>);

/// One call, in as little memory as there is: a batch may have millions.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    /// How often it was begun and its outcome was not recorded.
    open: u8,
    last: Last,
}

/// The last outcome of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    None,
    Succeeded,
    /// It failed, and the agent did not run.
    Failed,
    /// It failed, and the agent may have run.
    Uncertain,
}

/// The members of an outcome that are read back.
#[derive(Deserialize)]
pub(super) struct OutcomeHead {
    pub(super) line: u64,
    #[serde(deserialize_with = "required")]
    pub(super) error: Option<ErrorHead>,
}

#[derive(Deserialize)]
pub(super) struct ErrorHead {
    may_have_run: bool,
}

/// An optional value whose member must be there.
fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ErrorHead>, D::Error> {
    Option::deserialize(deserializer)
}

impl Calls {
    pub(super) fn new(calls: usize) -> Self {
        Self(vec![Call::default(); calls])
    }

    pub(super) fn begin(&mut self, index: usize) {
        if let Some(call) = self.0.get_mut(index) {
            call.open = call.open.saturating_add(1);
        }
    }

    pub(super) fn end(&mut self, index: usize, error: Option<ErrorHead>) {
        if let Some(call) = self.0.get_mut(index) {
            call.open = call.open.saturating_sub(1);
            call.last = match error {
                None => Last::Succeeded,
                Some(ErrorHead { may_have_run: false }) => Last::Failed,
                Some(ErrorHead { may_have_run: true }) => Last::Uncertain,
            };
        }
    }

    pub(super) fn skips(&self, index: usize, reruns_uncertain: bool) -> bool {
        let Some(Call { open, last }) = self.0.get(index) else { return false };
        *open > 0 || *last == Last::Succeeded || (*last == Last::Uncertain && !reruns_uncertain)
    }

    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|index| self.0[*index].open > 0).collect()
    }

    pub(super) fn succeeded(&self) -> usize {
        self.count(Last::Succeeded)
    }

    pub(super) fn uncertain(&self) -> usize {
        self.count(Last::Uncertain)
    }

    fn count(&self, last: Last) -> usize {
        self.0.iter().filter(|call| call.last == last).count()
    }
}

/// What was read, and how many bytes of each file are whole lines.
pub(super) struct Replayed {
    pub(super) calls: Calls,
    pub(super) started_bytes: u64,
    pub(super) outcomes_bytes: u64,
}

/// Reads both files to their last whole line.
pub(super) fn replay(path: &Path, outcomes: &File, started: &File, inputs: &InputDigest) -> Result<Replayed, Error> {
    let mut calls = Calls::new(inputs.inputs());
    let changed = || Error::input(format!("the inputs are not those with which {path:?} was begun"));
    let mut is_begun = false;
    let started_bytes = whole_lines(path, started, |_, line| {
        if std::mem::replace(&mut is_begun, true) {
            let number = std::str::from_utf8(line).ok().and_then(|text| text.trim_ascii_end().parse().ok());
            calls.begin(index(number, inputs).ok_or_else(changed)?);
            return Ok(());
        }
        match line {
            _ if line == inputs.header().as_bytes() => Ok(()),
            _ if line.starts_with(b"# inputs: ") => Err(changed()),
            _ => Err(not_begun(path)),
        }
    })?;
    let outcomes_bytes = whole_lines(path, outcomes, |number, line| {
        let head: Option<OutcomeHead> = serde_json::from_slice(line).ok();
        let index = head.as_ref().and_then(|head| index(Some(head.line), inputs));
        let (Some(head), Some(index)) = (head, index) else {
            return Err(Error::input(format!("line {number} of {path:?} is no outcome of this batch")));
        };
        calls.end(index, head.error);
        Ok(())
    })?;
    if outcomes_bytes > 0 && !is_begun {
        return Err(not_begun(path));
    }
    Ok(Replayed { calls, started_bytes, outcomes_bytes })
}

/// Returns the index of a call by its number.
fn index(number: Option<u64>, inputs: &InputDigest) -> Option<usize> {
    let index = usize::try_from(number?).ok()?.checked_sub(1)?;
    (index < inputs.inputs()).then_some(index)
}

/// Gives each whole line, with its number and its end, and returns their bytes.
fn whole_lines(path: &Path, file: &File, mut take: impl FnMut(u64, &[u8]) -> Result<(), Error>) -> Result<u64, Error> {
    let mut reader = BufReader::new(file);
    let (mut line, mut bytes) = (Vec::new(), 0);
    for number in 1.. {
        line.clear();
        // One long line is not paid for by all that follow.
        line.shrink_to(SHORT_LINE);
        reader.read_until(b'\n', &mut line).map_err(|error| unusable(path, error))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        take(number, &line)?;
        bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
    }
    Ok(bytes)
}

/// The error about a file of outcomes beside which no calls are noted.
pub(super) fn not_begun(path: &Path) -> Error {
    Error::input(format!(
        "{path:?} cannot be resumed, because {:?} does not say with which inputs it was begun",
        started_path(path)
    ))
}

const SHORT_LINE: usize = 64 * 1024;
