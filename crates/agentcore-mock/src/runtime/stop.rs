//! `StopRuntimeSession`: ends a session of a runtime, and its machine. One that has not begun is none to end, and that is no error.

use axum::{body::Body, extract::State};
use http::Response;
use serde_json::{Value, json};

use super::{
    incoming::{IncomingRequest, send},
    limits,
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
    target::{Target, refuse_account},
};
use crate::{invocation::AgentResponse, record::RecordedRequest, service_error::ServiceError};

/// Answers `POST /runtimes/{arn}/stopruntimesession`.
pub(super) async fn stop(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    let stopped = stop_session(&runtime, &mut incoming.request);
    let stopped = runtime.record(incoming.request, stopped).map(|()| json!({}));
    headers.apply(send(&incoming.control, stopped.map_or_else(AgentResponse::from, AgentResponse::json)))
}

fn stop_session(runtime: &RuntimeState, request: &mut RecordedRequest) -> Result<(), ServiceError> {
    let target = Target::parse(request);
    runtime.authenticate(target.as_ref().ok(), request)?;
    refuse_account(request)?;
    let session_id = limits::require_session_id(request)?;
    check_client_token(&request.body)?;
    let target = target?;
    runtime.check_endpoint(&target)?;
    let agent = runtime.agent_name(&target.id)?;
    request.session_id = Some(session_id.clone());
    runtime.machines.end(&agent, &session_id);
    runtime.sessions.stop(&target.id, &session_id);
    Ok(())
}

/// Checks the member `clientToken`, which may be absent.
fn check_client_token(body: &[u8]) -> Result<(), ServiceError> {
    let invalid = |rule: &str| {
        Err(ServiceError::validation(format!("Value at 'clientToken' failed to satisfy constraint: {rule}")))
    };
    let body: Value = match body {
        [] => return Ok(()),
        body => serde_json::from_slice(body).map_err(|_| ServiceError::validation("The body is not JSON."))?,
    };
    match &body["clientToken"] {
        Value::Null => Ok(()),
        Value::String(token) if !(33..=256).contains(&token.len()) => invalid("Member must have length from 33 to 256"),
        Value::String(token) if is_client_token(token) => Ok(()),
        _ => invalid("Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,256}"),
    }
}

fn is_client_token(token: &str) -> bool {
    let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    end(token.bytes().next())
        && end(token.bytes().next_back())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
