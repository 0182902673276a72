//! How an invocation ended, as one object: the answer as far as it came, and the failure. Prints nothing.

use std::time::Duration;

use agentcore_client::{AnswerJson, Error, Interrupt, Metadata, Reply, SessionId, Usage};
use serde::Serialize;

use crate::errors::{FailedCall, Failure, Mechanism};

/// What `--output json` prints. The members are a contract with other programs; each is there, whatever happened.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    text: &'a str,
    /// The body of a JSON answer.
    json: Option<&'a AnswerJson>,
    session_id: &'a str,
    status: Option<u16>,
    request_id: Option<&'a str>,
    elapsed_ms: u64,
    first_event_ms: Option<u64>,
    events: u64,
    metadata: Metadata,
    usage: Option<Usage>,
    interrupts: &'a [Interrupt],
    error: Option<FailedCall>,
}

impl<'a> Outcome<'a> {
    /// The outcome of a call that brought this; nothing where nothing was called.
    pub(super) fn of(result: &'a Result<Reply, Error>, session: &'a SessionId, mechanism: Mechanism) -> Option<Self> {
        let error = match result {
            Ok(reply) => return Some(Self::answered(reply, None)),
            Err(error) => error,
        };
        let failed = FailedCall::of(error, mechanism)?;
        if let Some(reply) = error.partial::<Reply>() {
            return Some(Self::answered(reply, Some(failed)));
        }
        let session = error.session_id().unwrap_or(session.as_str());
        let mut outcome = Self::empty(session, failed);
        outcome.metadata.attempts = error.attempts();
        (outcome.status, outcome.request_id, outcome.elapsed_ms) =
            (error.status(), error.request_id(), millis(error.elapsed()));
        Some(outcome)
    }

    /// The outcome of a call that was not made; nothing where the input was bad.
    pub(super) fn uncalled(failure: &Failure, session: &'a SessionId) -> Option<Self> {
        Some(Self::empty(session.as_str(), FailedCall::of_failure(failure)?))
    }

    fn empty(session_id: &'a str, failed: FailedCall) -> Self {
        Self {
            text: "",
            json: None,
            session_id,
            status: None,
            request_id: None,
            elapsed_ms: 0,
            first_event_ms: None,
            events: 0,
            metadata: Metadata::default(),
            usage: None,
            interrupts: &[],
            error: Some(failed),
        }
    }

    fn answered(reply: &'a Reply, error: Option<FailedCall>) -> Self {
        Self {
            text: &reply.text,
            json: reply.json.as_ref(),
            session_id: reply.session_id.as_str(),
            status: Some(reply.status),
            request_id: reply.request_id.as_deref(),
            elapsed_ms: millis(reply.elapsed),
            first_event_ms: reply.first_event.map(millis),
            events: reply.events,
            metadata: reply.metadata.clone(),
            usage: reply.usage,
            interrupts: &reply.interrupts,
            error,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
