//! `GetAgentCard`: every agent has a card, as if it spoke A2A. Invokes none.

use agentcore_core::header::SESSION_ID;
use axum::{body::Body, extract::State};
use http::Response;
use serde_json::{Value, json};

use super::{
    incoming::{IncomingRequest, send},
    response_headers::ResponseHeaders,
    state::Shared,
    target::refuse_account,
};
use crate::invocation::AgentResponse;

/// Answers `GET /runtimes/{arn}/invocations/.well-known/agent-card.json`.
pub(super) async fn card(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    incoming.request.session_id = Some(headers.session_id());
    let admitted = runtime.admit(&mut incoming).and_then(|(_, request)| {
        refuse_account(&incoming.request)?;
        Ok(card_of(&request.agent, incoming.request.header("host").unwrap_or_default()))
    });
    let card = runtime.record(incoming.request, admitted).map_or_else(AgentResponse::from, AgentResponse::json);
    headers.apply(send(&incoming.control, card))
}

/// Answers `GET /.well-known/agent-card.json`, as a container does.
pub(super) async fn card_local(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    incoming.request.session_id = incoming.request.header(SESSION_ID.as_str()).map(str::to_owned);
    let card = card_of(&runtime.local_agent, incoming.request.header("host").unwrap_or_default());
    runtime.log.push(incoming.request);
    send(&incoming.control, AgentResponse::json(card))
}

/// Returns the card of an agent, with what A2A 0.3 requires in one.
fn card_of(agent: &str, host: &str) -> Value {
    json!({
        "name": agent,
        "description": format!("The agent {agent} of a mock"),
        "url": format!("http://{host}/"),
        "version": "1.0.0",
        "protocolVersion": "0.3.0",
        "capabilities": { "streaming": true },
        "defaultInputModes": ["text"],
        "defaultOutputModes": ["text"],
        "skills": [],
    })
}
