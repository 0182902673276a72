//! The run of a batch: requests in, rows out, each row written as its line ends. What is under way when it is cut off gets its row, too.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    io::IsTerminal as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use agentcore_client::{Error, Journal, Outcomes, RateLimiter, Reply, SessionId};
use serde_json::value::RawValue;

use super::{
    bar::{Bar, Counts},
    lines::{Input, Lines},
    row::{Asked, Row},
};
use crate::{
    context::Agent,
    errors::{Exit, Failure},
    flags::RequestFlags,
    output::{Output, note},
    progress::Spinner,
    terminal,
};

/// A batch on its way.
pub(super) struct Run {
    outcomes: Outcomes<'static>,
    rows: Rows,
    reading: Reading,
    lines: usize,
    spinner: Spinner,
}

/// Where the rows go.
pub(super) enum Sink {
    Output(Output),
    Journal(Journal, PathBuf),
}

/// What writes the rows, and counts them.
struct Rows {
    sink: Sink,
    under_way: UnderWay,
    counts: Counts,
    /// The first line that failed in this run, and why.
    first_failure: Option<(usize, String)>,
    /// Whether a row could not be written.
    failed: bool,
}

/// The lines that were handed out, with what their rows need.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<BTreeMap<usize, Line>>>);

struct Line {
    id: Option<Box<RawValue>>,
    session: Option<SessionId>,
}

/// The error that ended the reading of the input, if one did.
#[derive(Clone, Default)]
struct Reading(Arc<Mutex<Option<Failure>>>);

impl Sink {
    pub(super) fn standard_output() -> Self {
        Self::Output(Output::default())
    }

    pub(super) fn journal(journal: Journal, path: PathBuf) -> Self {
        Self::Journal(journal, path)
    }

    fn journaled(&self) -> Option<&Journal> {
        match self {
            Self::Journal(journal, _) => Some(journal),
            Self::Output(_) => None,
        }
    }

    /// Writes a row, as a line of its own and at once.
    fn write(&mut self, index: usize, row: &Row<'_>) -> Result<(), Failure> {
        match self {
            Self::Journal(journal, path) => journal.record(index, row).map_err(|error| unwritable(path, &error)),
            Self::Output(output) => {
                let mut line = serde_json::to_vec(row)
                    .map_err(|error| Failure::internal("a row cannot be written as JSON").caused_by(&error))?;
                line.push(b'\n');
                output.write(&line)
            }
        }
    }

    fn is_a_terminal(&self) -> bool {
        matches!(self, Self::Output(_)) && std::io::stdout().is_terminal()
    }
}

impl Run {
    /// Begins it: lines that were interrupted before get their rows, and nothing is sent yet.
    pub(super) fn begin(
        agent: &Agent,
        input: Input,
        (flags, trace): (RequestFlags, bool),
        sink: Sink,
        limiter: &RateLimiter,
        concurrency: usize,
    ) -> Result<Self, Failure> {
        let (lines, journal) = (input.lines(), sink.journaled().cloned());
        let mut rows = Rows {
            sink,
            under_way: UnderWay::default(),
            counts: Counts::default(),
            first_failure: None,
            failed: false,
        };
        if lines == 0 {
            note("the input has no lines");
        }
        if let Some(journal) = &journal {
            rows.interrupted_before(&journal.interrupted(), input.rewind()?)?;
            let left_out = (0..lines).filter(|index| journal.skips(*index)).count();
            rows.counts.add(left_out, left_out - journal.succeeded());
        }
        let (reading, under_way, runtime) = (Reading::default(), rows.under_way.clone(), agent.runtime.clone());
        let retry = match flags.retry() {
            once if once.is_off() => once,
            retry => retry.max_elapsed(THROTTLED),
        };
        let (mut requests, failed, skipped) = (input.rewind()?, reading.clone(), journal.clone());
        let calls = std::iter::from_fn(move || {
            let wanted = |index| !skipped.as_ref().is_some_and(|journal| journal.skips(index));
            let (index, request) = match requests.next(wanted) {
                Ok(next) => next?,
                Err(failure) => {
                    *failed.lock() = Some(failure);
                    return None;
                }
            };
            let session = request.session.unwrap_or_else(SessionId::random);
            let invoke =
                flags.apply(runtime.invoke(request.payload.enable_trace(trace)).session(&session)).retry(retry.clone());
            under_way.lock().insert(index, Line { id: request.id, session: Some(session) });
            Some((index, invoke))
        });
        let batch = agent.runtime.invoke_numbered(calls).concurrency(concurrency).rate_limiter(limiter);
        let outcomes = journal.iter().fold(batch, |batch, journal| batch.journal(journal)).stream();
        let mut spinner = Spinner::none();
        if !rows.sink.is_a_terminal() {
            let mut bar = Bar::new(rows.counts.clone(), lines, limiter.clone());
            spinner = Spinner::show(move || bar.draw(Instant::now(), terminal::columns()));
        }
        Ok(Self { outcomes, rows, reading, lines, spinner })
    }

    /// Sends the lines and writes their rows, until the last has ended or a row cannot be written.
    pub(super) async fn drive(mut self) -> Result<(), Failure> {
        while let Some((index, outcome)) = self.outcomes.next().await {
            let written = self.rows.ended(index, &outcome);
            if let Err(failure) = written {
                self.spinner.clear();
                let lost = self.outcomes.under_way().len() + 1;
                if let Failure::OutputClosed = failure {
                    note(&format!(
                        "nobody reads the answers any more; agents that may have run without one that is kept: {lost}"
                    ));
                }
                return Err(failure);
            }
        }
        self.spinner.clear();
        if let Some(failure) = self.reading.lock().take() {
            return Err(failure);
        }
        match self.rows.counts.failed() {
            0 => Ok(()),
            failed => Err(self.rows.failure(failed, self.lines)),
        }
    }
}

/// A signal, or a row that could not be written, ends it in the middle.
impl Drop for Run {
    fn drop(&mut self) {
        self.spinner.clear();
        for (index, may_have_run) in self.outcomes.under_way() {
            if self.rows.interrupted(index, may_have_run).is_err() {
                break;
            }
        }
    }
}

impl Rows {
    /// Writes the row of a line that ended.
    fn ended(&mut self, index: usize, outcome: &Result<Reply, Error>) -> Result<(), Failure> {
        if let (Err(error), Sink::Journal(journal, path)) = (outcome, &self.sink)
            && !journal.is_writable()
        {
            self.failed = true;
            return Err(unwritable(path, error));
        }
        let line = self.under_way.lock().remove(&index).unwrap_or(Line { id: None, session: None });
        self.write(index, &Row::ended(line.asked(index), outcome))?;
        self.counts.add(1, outcome.is_err().into());
        if let Err(error) = outcome
            && self.first_failure.as_ref().is_none_or(|(first, _)| index < *first)
        {
            self.first_failure = Some((index, error.to_string()));
        }
        Ok(())
    }

    /// Writes the row of a line that is cut off.
    fn interrupted(&mut self, index: usize, may_have_run: bool) -> Result<(), Failure> {
        let line = self.under_way.lock().remove(&index).unwrap_or(Line { id: None, session: None });
        self.write(index, &Row::interrupted(line.asked(index), may_have_run))
    }

    /// Writes the rows of lines that a process before this one began and did not end.
    fn interrupted_before(&mut self, indexes: &[usize], mut lines: Lines) -> Result<(), Failure> {
        for _ in indexes {
            let Some((index, request)) = lines.next(|index| indexes.binary_search(&index).is_ok())? else { break };
            let line = Line { id: request.id, session: request.session };
            self.write(index, &Row::interrupted(line.asked(index), true))?;
        }
        Ok(())
    }

    fn write(&mut self, index: usize, row: &Row<'_>) -> Result<(), Failure> {
        if self.failed {
            return Err(Failure::Reported(Exit::Internal));
        }
        let written = self.sink.write(index, row);
        self.failed = written.is_err();
        written
    }

    fn failure(&self, failed: usize, lines: usize) -> Failure {
        let mut failure = Failure::new(Exit::Failed, format!("{failed} of {lines} lines failed"));
        if let Some((index, why)) = &self.first_failure {
            let first: Box<dyn StdError> = format!("line {}: {why}", index + 1).into();
            failure = failure.caused_by(&*first);
        }
        let Some(journal) = self.sink.journaled() else { return failure };
        failure.hint(match (journal.uncertain(), failed - journal.uncertain()) {
            (0, _) => "--resume sends them again".to_owned(),
            (_, 0) => "their agents may have run; --resume --rerun-uncertain sends them again nevertheless".to_owned(),
            (uncertain, rest) => format!(
                "--resume sends {rest} of them again, and with --rerun-uncertain also the {uncertain} whose agents may have run"
            ),
        })
    }
}

impl Line {
    fn asked(&self, index: usize) -> Asked<'_> {
        Asked { index, id: self.id.as_deref(), session: self.session.as_ref().map(SessionId::as_str) }
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritable(path: &std::path::Path, error: &(dyn StdError + 'static)) -> Failure {
    Failure::internal(format!("cannot write to {path:?}"))
        .caused_by(error)
        .hint("--resume goes on with what was written")
}

/// How long a line that was throttled waits to be sent again. Whoever runs a batch would rather wait than have it fail.
const THROTTLED: Duration = Duration::from_secs(3600);
