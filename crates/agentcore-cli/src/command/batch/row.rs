//! How a line ended, as a JSON object on a line. Prints nothing.

use std::time::Duration;

use agentcore_client::{AnswerJson, Error, Reply, Usage};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::errors::word;

/// The members are a contract with other programs; each is there, whatever happened.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    line: usize,
    id: Option<&'a RawValue>,
    text: &'a str,
    /// The body of a JSON answer.
    json: Option<&'a AnswerJson>,
    session_id: Option<&'a str>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    elapsed_ms: u64,
    attempts: u32,
    usage: Option<Usage>,
    error: Option<RowError>,
}

#[derive(Serialize)]
struct RowError {
    /// One word of the table of exit codes, or `interrupted`.
    kind: &'static str,
    message: String,
    may_have_run: bool,
}

/// Which line it was.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) index: usize,
    pub(super) id: Option<&'a RawValue>,
    pub(super) session: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// The row of a call that ended.
    pub(super) fn ended(asked: Asked<'a>, outcome: &'a Result<Reply, Error>) -> Self {
        let error = match outcome {
            Ok(reply) => return Self::answered(asked, reply, None),
            Err(error) => error,
        };
        let kind = word(error.kind());
        let row_error = RowError { kind, message: error.to_string(), may_have_run: error.may_have_run() };
        if let Some(reply) = error.partial::<Reply>() {
            return Self::answered(asked, reply, Some(row_error));
        }
        Self {
            session_id: error.session_id().or(asked.session),
            status: error.status(),
            request_id: error.request_id(),
            elapsed_ms: millis(error.elapsed()),
            attempts: error.attempts(),
            ..Self::without_answer(asked, row_error)
        }
    }

    /// The row of a call that was begun and cut off.
    pub(super) fn interrupted(asked: Asked<'a>, may_have_run: bool) -> Self {
        let message = match may_have_run {
            true => "interrupted before it ended (the agent may have run)",
            false => "interrupted while it waited to be sent again, after it was throttled",
        };
        Self::without_answer(asked, RowError { kind: "interrupted", message: message.to_owned(), may_have_run })
    }

    fn answered(asked: Asked<'a>, reply: &'a Reply, error: Option<RowError>) -> Self {
        Self {
            line: asked.index + 1,
            id: asked.id,
            text: &reply.text,
            json: reply.json.as_ref(),
            session_id: Some(reply.session_id.as_str()),
            status: Some(reply.status),
            request_id: reply.request_id.as_deref(),
            elapsed_ms: millis(reply.elapsed),
            attempts: reply.metadata.attempts,
            usage: reply.usage,
            error,
        }
    }

    fn without_answer(asked: Asked<'a>, error: RowError) -> Self {
        Self {
            line: asked.index + 1,
            id: asked.id,
            text: "",
            json: None,
            session_id: asked.session,
            status: None,
            request_id: None,
            elapsed_ms: 0,
            attempts: 0,
            usage: None,
            error: Some(error),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
