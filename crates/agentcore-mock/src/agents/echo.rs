//! The agents that tell what they were given, at once and whole. They judge nothing.

use serde_json::{Value, json};

use crate::{AgentAnswer, AgentRequest};

pub(crate) fn echo(request: &AgentRequest) -> AgentAnswer {
    AgentAnswer::json(json!({
        "payload": request.json(),
        "session_id": request.session_id,
        "user_id": request.user_id,
        "qualifier": request.qualifier,
    }))
}

pub(super) fn text(request: &AgentRequest) -> AgentAnswer {
    let prompt = request.prompt().unwrap_or_else(|| "nothing".into());
    AgentAnswer::text(format!("You asked: {prompt}"))
}

/// Pairs rather than an object, because a header may come twice and the order is worth seeing.
pub(super) fn headers(request: &AgentRequest) -> AgentAnswer {
    let pairs =
        request.headers.iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
    AgentAnswer::json(json!({ "headers": Value::from_iter(pairs) }))
}
