//! `InvokeAgentRuntimeCommand`: a command in the session's machine, or by a script. Runs no agent.

use std::{io, time::Duration};

use axum::{body::Body, extract::State};
use futures_util::{StreamExt as _, stream};
use http::Response;
use serde_json::{Value, json};

use super::{
    incoming::{IncomingRequest, send},
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
};
use crate::{
    agents::Agent,
    event_stream::{self, EVENT_STREAM},
    faults::{Fault, broken_off},
    invocation::{AgentRequest, AgentResponse},
    machine::{Commands, commands_refused},
    service_error::ServiceError,
};

/// Answers `POST /runtimes/{arn}/commands`.
pub(super) async fn run(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    incoming.request.session_id = Some(headers.session_id());
    let admitted = runtime.admit(&mut incoming).and_then(|(agent, request)| {
        let command = Command::parse(&request.payload)?;
        Ok((agent, request, command))
    });
    let admitted = runtime.record(incoming.request, admitted);
    let response = match admitted {
        Ok((agent, request, command)) => respond(&runtime, agent, request, command).await,
        Err(error) => error.into(),
    };
    headers.apply(send(&incoming.control, response))
}

async fn respond(runtime: &RuntimeState, agent: Agent, request: AgentRequest, command: Command) -> AgentResponse {
    if let Agent::Fault(fault) = agent {
        let broken = match fault {
            Fault::ResetMidstream => Some(AgentResponse::stream(EVENT_STREAM, broken_off(started()))),
            Fault::FailMidstream => Some(failed()),
            Fault::Stall => Some(AgentResponse::stream(EVENT_STREAM, started().chain(stream::pending()))),
            Fault::Empty => Some(AgentResponse::whole(EVENT_STREAM, "")),
            _ => fault.respond(&request).await,
        };
        if let Some(broken) = broken {
            return broken;
        }
    }
    match &runtime.commands {
        Commands::Scripted(script) => script(&command.command),
        Commands::Refused => ServiceError::forbidden("AccessDeniedException", commands_refused()).into(),
        Commands::Processes => {
            let machine = runtime.machines.of(&request.agent, request.session_id.as_deref().unwrap_or_default());
            match machine {
                Ok(machine) => AgentResponse::stream(EVENT_STREAM, machine.run(&command.command, command.timeout)),
                Err(error) => ServiceError::new(
                    http::StatusCode::INTERNAL_SERVER_ERROR,
                    "InternalServerException",
                    format!("The session's directory cannot be made: {error}"),
                )
                .into(),
            }
        }
    }
}

/// The members of the request's body.
struct Command {
    command: String,
    timeout: Duration,
}

impl Command {
    fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let invalid = |member: &str, rule: &str| {
            ServiceError::validation(format!("Value at '{member}' failed to satisfy constraint: {rule}"))
        };
        let body: Value =
            serde_json::from_slice(body).map_err(|_| ServiceError::validation("The body is not JSON."))?;
        let command = body["command"].as_str().filter(|text| (1..=65_536).contains(&text.chars().count()));
        let command = command.ok_or_else(|| invalid("command", "Member must have length from 1 to 65536"))?;
        let timeout = match &body["timeout"] {
            Value::Null => Some(300),
            seconds => seconds.as_u64().filter(|seconds| (1..=3600).contains(seconds)),
        };
        let timeout = timeout.ok_or_else(|| invalid("timeout", "Member must be from 1 to 3600"))?;
        Ok(Self { command: command.to_owned(), timeout: Duration::from_secs(timeout) })
    }
}

/// Returns the frames before the fault of a command.
fn started() -> impl futures_util::Stream<Item = io::Result<bytes::Bytes>> {
    let events = [json!({ "contentStart": {} }), json!({ "contentDelta": { "stdout": "Once\n" } })];
    stream::iter(events.map(|event| Ok(event_stream::event("chunk", &event))))
}

fn failed() -> AgentResponse {
    let exception = event_stream::exception("runtimeClientError", "the machine went away");
    AgentResponse::stream(EVENT_STREAM, started().chain(stream::iter([Ok(exception)])))
}
