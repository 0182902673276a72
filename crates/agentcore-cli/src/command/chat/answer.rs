//! What an answer consists of, whichever way it comes. Plain data.

use std::time::Duration;

use agentcore_client::Event;

/// A part of an answer; nothing comes after the end.
pub(super) enum AnswerPart {
    Event(Event),
    End(Statistics),
}

/// The numbers of an answer.
pub(super) struct Statistics {
    pub(super) first_event: Option<Duration>,
    pub(super) duration: Duration,
    pub(super) events: u64,
}
