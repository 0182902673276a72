//! How often each agent was called in each session, for the faults that go away when a client tries again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Counts by agent and session; the requests without a session id are one session.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<(String, Option<String>), u64>>);

impl Attempts {
    /// Counts a call, and gives how many there were, this one included.
    pub(super) fn count(&self, agent: &str, session_id: Option<String>) -> u64 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((agent.to_owned(), session_id)).or_default();
        *count += 1;
        *count
    }
}
