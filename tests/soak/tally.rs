//! What is counted, and the table of it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use agentcore_client::{Error, Metrics};

#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    counts: BTreeMap<String, u64>,
    outcomes: BTreeMap<String, u64>,
    /// The first error of each kind.
    examples: BTreeMap<String, String>,
    /// The first failures, in words.
    failures: Vec<String>,
    /// KiB, once a second.
    memory: Vec<u64>,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, what: &str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &str, count: u64) {
        *self.counts().counts.entry(what.to_owned()).or_default() += count;
    }

    /// Counts what must not be.
    pub(crate) fn fail(&self, what: &str, failure: &str) {
        self.count(what);
        let mut counts = self.counts();
        if counts.failures.len() < 20 {
            counts.failures.push(format!("{what}: {failure}"));
        }
    }

    pub(crate) fn outcome(&self, of: &str, outcome: &Result<&'static str, Error>) {
        let mut counts = self.counts();
        let name = match outcome {
            Ok(name) => format!("{of}: {name}"),
            Err(error) => {
                let name = format!("{of}: {:?}", error.kind());
                counts.examples.entry(name.clone()).or_insert_with(|| format!("{error:?}"));
                name
            }
        };
        *counts.outcomes.entry(name).or_default() += 1;
    }

    /// Adds what a client counted.
    pub(crate) fn client(&self, metrics: &Metrics) {
        self.add("calls", metrics.calls);
        self.add("retries", metrics.retries);
        self.add("token fetches", metrics.tokens.fetches);
        self.add("token fetches that failed", metrics.tokens.failures);
        self.add("connections made", metrics.connections.made);
        if metrics.in_flight > 0 {
            self.fail("calls left", &format!("{} calls are in flight", metrics.in_flight));
        }
        if metrics.connections.open > 0 {
            // They are kept for the next call, and closed with the client.
            self.add("connections kept", metrics.connections.open);
        }
    }

    pub(crate) fn memory_is(&self, kibibytes: u64) {
        self.counts().memory.push(kibibytes);
    }

    pub(crate) fn memory(&self) -> Vec<u64> {
        self.counts().memory.clone()
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        self.counts().failures.clone()
    }

    /// Whether the last quarter of the time took no more memory than the second, but for a quarter and what a mock remembers of sessions.
    /// Less than a minute says nothing.
    pub(crate) fn memory_is_flat(&self) -> bool {
        let memory = self.memory();
        let quarter = memory.len() / 4;
        let peak = |range: std::ops::Range<usize>| memory[range].iter().max().copied().unwrap_or_default();
        quarter < 15 || peak(3 * quarter..memory.len()) <= peak(quarter..2 * quarter) * 5 / 4 + 16 * 1024
    }

    pub(crate) fn table(&self, peak: u64, descriptors: (usize, usize), tasks: (usize, usize)) -> String {
        let counts = self.counts();
        let mut table = String::new();
        let mut row = |name: &str, value: String| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(table, "| {name:<34} | {value:>16} |");
        };
        for (name, count) in &counts.counts {
            row(name, count.to_string());
        }
        for name in ["lost events", "double runs"] {
            if !counts.counts.contains_key(name) {
                row(name, "0".to_owned());
            }
        }
        for (name, count) in &counts.outcomes {
            row(name, count.to_string());
        }
        row("peak memory, client and mock", format!("{} MiB", peak / 1024));
        row("descriptors, start and end", format!("{} / {}", descriptors.0, descriptors.1));
        row("tasks of the client, start and end", format!("{} / {}", tasks.0, tasks.1));
        for (name, example) in &counts.examples {
            let _ = writeln!(table, "{name}, for example {example}");
        }
        table
    }
}
