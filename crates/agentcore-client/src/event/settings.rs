//! How an answer is to be read, as far as the caller says so before it comes. Reads nothing.

use std::sync::Arc;

use super::{Dialect, Error, Event, SseEvent};

/// A dialect of the user's own.
type Own = dyn Fn(&SseEvent) -> Option<Result<Event, Error>> + Send + Sync;

/// The settings of a [`Reader`](super::Reader).
#[derive(Clone, Default)]
pub(crate) struct ReaderSettings {
    own: Vec<Arc<Own>>,
    pub(super) only: Option<Dialect>,
}

impl ReaderSettings {
    /// Reads by this dialect only.
    pub(crate) fn dialect(&mut self, dialect: Dialect) {
        self.only = Some(dialect);
    }

    /// Asks this too, after those given before and before the known dialects.
    pub(crate) fn own_dialect(
        &mut self,
        read: impl Fn(&SseEvent) -> Option<Result<Event, Error>> + Send + Sync + 'static,
    ) {
        self.own.push(Arc::new(read));
    }

    /// Returns the only dialect that is read by, if one was named; none if there is a dialect of the user's own, because nobody else
    /// reads an answer as it does.
    #[cfg(feature = "cache")]
    pub(crate) fn shared_dialect(&self) -> Option<Option<Dialect>> {
        self.own.is_empty().then_some(self.only)
    }

    /// What the user's own dialects make of an event.
    pub(super) fn ask(&self, event: &SseEvent) -> Option<Result<Event, Error>> {
        self.own.iter().find_map(|read| read(event))
    }
}

impl std::fmt::Debug for ReaderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReaderSettings").field("only", &self.only).field("own_dialects", &self.own.len()).finish()
    }
}
