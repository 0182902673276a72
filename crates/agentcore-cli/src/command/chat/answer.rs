//! What an answer consists of, whichever way it comes. Plain data.

use std::time::Duration;

use agentcore_client::Event;

use crate::errors::Failure;

/// A part of an answer; nothing comes after the end or a failure.
pub(super) enum AnswerPart {
    Event(Event),
    /// The agent says that it failed.
    Failed(Failure),
    End(Statistics),
}

/// The numbers of an answer.
pub(super) struct Statistics {
    pub(super) first_event: Option<Duration>,
    pub(super) duration: Duration,
    pub(super) events: u64,
}
