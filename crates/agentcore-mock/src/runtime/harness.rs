//! `InvokeHarness`: the agents of the mock as harnesses, whose answers are AWS event streams. Calls no model.

use std::io;

use axum::{body::Body, extract::State};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Response;
use serde_json::{Value, json};

use super::{
    incoming::{IncomingRequest, send},
    limits,
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
    target::{Target, refuse_account},
};
use crate::{
    agents::{Agent, story::words},
    event_stream::{self, EVENT_STREAM},
    faults::{Fault, broken_off},
    invocation::{AgentRequest, AgentResponse},
    service_error::ServiceError,
};

/// Answers `POST /harnesses/invoke`.
pub(super) async fn invoke(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    let admitted = admit(&runtime, &mut incoming);
    let response = match runtime.record(incoming.request, admitted) {
        Ok((agent, request, said)) => respond(agent, &request, &said).await,
        Err(error) => error.into(),
    };
    headers.apply(send(&incoming.control, response))
}

/// What the last message says.
enum Said {
    Text(String),
    /// The result of a function that was asked for.
    Result(String),
}

fn admit(runtime: &RuntimeState, incoming: &mut IncomingRequest) -> Result<(Agent, AgentRequest, Said), ServiceError> {
    incoming.check_payload()?;
    let request = &mut incoming.request;
    let target = Target::harness(request);
    runtime.authenticate(target.as_ref().ok(), request)?;
    refuse_account(request)?;
    let session_id = limits::require_session_id(request)?;
    request.session_id = Some(session_id.clone());
    let target = target?;
    let (agent, agent_request) = runtime
        .resolve(&target, Some(session_id), request)
        .map_err(|error| if error.status == 404 { not_found(&target) } else { error })?;
    let said = Said::parse(&agent_request.payload)?;
    Ok((agent, agent_request, said))
}

fn not_found(target: &Target) -> ServiceError {
    ServiceError::not_found(format!("There is no harness '{}'.", target.id))
}

impl Said {
    fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let invalid =
            |rule: &str| ServiceError::validation(format!("Value at 'messages' failed to satisfy constraint: {rule}"));
        let body: Value =
            serde_json::from_slice(body).map_err(|_| ServiceError::validation("The body is not JSON."))?;
        let messages = body["messages"].as_array().ok_or_else(|| invalid("Member must not be null"))?;
        let is_valid = |message: &Value| {
            matches!(message["role"].as_str(), Some("user" | "assistant")) && message["content"].is_array()
        };
        let last = messages.last().filter(|_| messages.iter().all(is_valid));
        let blocks =
            last.and_then(|last| last["content"].as_array()).ok_or_else(|| invalid("Member must be messages"))?;
        if let Some(result) = blocks.iter().find_map(|block| block.get("toolResult")) {
            let content = &result["content"][0];
            return Ok(Self::Result(
                content["text"].as_str().map_or_else(|| content["json"].to_string(), str::to_owned),
            ));
        }
        let text: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        Ok(Self::Text(text.join(" ")))
    }
}

async fn respond(agent: Agent, request: &AgentRequest, said: &Said) -> AgentResponse {
    let frames = |events: Vec<(&'static str, Value)>| {
        events.into_iter().map(|(name, event)| Ok(event_stream::event(name, &event)))
    };
    let streamed = |frames: Vec<io::Result<Bytes>>| AgentResponse::stream(EVENT_STREAM, stream::iter(frames));
    let begun = || frames(vec![("messageStart", json!({ "role": "assistant" })), delta("Once"), delta(" upon")]);
    match (agent, said) {
        (Agent::Ask, Said::Text(_)) => streamed(frames(asks()).collect()),
        (_, Said::Result(result)) => streamed(frames(says(&[&format!("You answered: {result}")])).collect()),
        (Agent::Story(_), Said::Text(prompt)) => {
            let words = words(prompt);
            let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
            streamed(frames(says(&words)).collect())
        }
        (Agent::Fault(Fault::ResetMidstream), _) => {
            AgentResponse::stream(EVENT_STREAM, broken_off(stream::iter(begun().collect::<Vec<_>>())))
        }
        (Agent::Fault(Fault::FailMidstream), _) => {
            let exception = event_stream::exception("runtimeClientError", "the harness lost its thread");
            streamed(begun().chain([Ok(exception)]).collect())
        }
        (Agent::Fault(Fault::Stall), _) => {
            AgentResponse::stream(EVENT_STREAM, stream::iter(begun().collect::<Vec<_>>()).chain(stream::pending()))
        }
        // A message that does not end.
        (Agent::Fault(Fault::Empty), _) => streamed(begun().collect()),
        (Agent::Fault(fault), Said::Text(prompt)) => match fault.respond(request).await {
            Some(response) => response,
            None => streamed(frames(says(&[prompt])).collect()),
        },
        (_, Said::Text(prompt)) => streamed(frames(says(&[prompt])).collect()),
    }
}

fn delta(text: &str) -> (&'static str, Value) {
    ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": text } }))
}

/// Returns the events of a whole message.
fn says(pieces: &[&str]) -> Vec<(&'static str, Value)> {
    let mut events = vec![("messageStart", json!({ "role": "assistant" }))];
    events.extend(pieces.iter().map(|piece| delta(piece)));
    events.extend([
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        ("messageStop", json!({ "stopReason": "end_turn" })),
        (
            "metadata",
            json!({ "usage": { "inputTokens": 7, "outputTokens": 5, "totalTokens": 12 }, "metrics": { "latencyMs": 3 } }),
        ),
    ]);
    events
}

/// Returns the events of a message that calls a function of the caller's.
fn asks() -> Vec<(&'static str, Value)> {
    let call = json!({ "toolUse": { "toolUseId": "call-1", "name": "approve", "type": "tool_use" } });
    vec![
        ("messageStart", json!({ "role": "assistant" })),
        delta("I have to ask."),
        ("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        ("contentBlockStart", json!({ "contentBlockIndex": 1, "start": call })),
        (
            "contentBlockDelta",
            json!({ "contentBlockIndex": 1, "delta": { "toolUse": { "input": "{\"question\":\"May I?\"}" } } }),
        ),
        ("contentBlockStop", json!({ "contentBlockIndex": 1 })),
        ("messageStop", json!({ "stopReason": "tool_use" })),
    ]
}
