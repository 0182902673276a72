//! The routes of the service, of a local agent container and of the issuer of tokens. Checks no signature and runs no
//! agent.

mod card;
mod command;
mod handshake;
mod harness;
mod identity;
mod incoming;
mod limits;
mod response_headers;
mod sessions;
mod state;
mod stop;
mod target;
mod upgrade;

use std::sync::Arc;

use agentcore_core::header::SESSION_ID;
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    middleware,
    routing::{get, post},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    agents::Agent,
    clock::unix_seconds,
    invocation::{AgentRequest, AgentResponse},
    lock::lock,
    service_error::ServiceError,
    verify::InboundAuth,
};
use incoming::{IncomingRequest, send};
use response_headers::ResponseHeaders;
use state::Shared;
use target::Target;

pub(crate) use sessions::Sessions;
pub(crate) use state::RuntimeState;
pub(crate) use target::{ACCOUNT, REGION};

/// Returns the routes over a runtime.
pub(crate) fn router(runtime: Arc<RuntimeState>) -> Router {
    Router::new()
        .route("/runtimes/{runtime}/invocations", post(invoke))
        .route("/runtimes/{runtime}/invocations/.well-known/oauth-protected-resource", get(protected_resource))
        .route("/runtimes/{runtime}/invocations/.well-known/agent-card.json", get(card::card))
        .route("/.well-known/agent-card.json", get(card::card_local))
        .route("/runtimes/{runtime}/ws", get(handshake::open))
        .route("/runtimes/{runtime}/commands", post(command::run))
        .route("/runtimes/{runtime}/ws/shells", get(handshake::open_shell))
        .route("/runtimes/{runtime}/stopruntimesession", post(stop::stop))
        .route("/harnesses/invoke", post(harness::invoke))
        .route("/invocations", post(invoke_local))
        .route("/mcp", post(invoke_local))
        .route("/ws", get(handshake::open_local))
        .route("/ping", get(ping))
        .route("/.well-known/jwks.json", get(identity::key_set))
        .route("/.well-known/openid-configuration", get(identity::configuration))
        .route("/", post(at_root))
        .route("/oauth2/token", post(identity::token))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::map_response_with_state(runtime.clone(), date))
        .with_state(runtime)
}

async fn invoke(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    incoming.request.session_id = Some(headers.session_id());
    let admitted = runtime.admit(&mut incoming);
    let admitted = runtime.record(incoming.request, admitted);
    headers.apply(send(&incoming.control, respond(admitted).await))
}

/// Answers as a container without a service in front, which needs no credentials and makes no session.
async fn invoke_local(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let session_id = incoming.request.header(SESSION_ID.as_str()).map(str::to_owned);
    incoming.request.session_id = session_id.clone();
    let admitted = incoming
        .check_payload()
        .and_then(|()| runtime.find_agent(&runtime.local_agent, None, session_id, &mut incoming.request));
    let admitted = runtime.record(incoming.request, admitted);
    send(&incoming.control, respond(admitted).await)
}

/// Answers for Amazon Cognito, whose operations a header names, else as an A2A agent in a local container.
async fn at_root(State(runtime): Shared, incoming: IncomingRequest) -> Response<Body> {
    match incoming.request.header("x-amz-target") {
        Some(_) => identity::call(State(runtime), incoming).await,
        None => invoke_local(State(runtime), incoming).await,
    }
}

async fn respond(admitted: Result<(Agent, AgentRequest), ServiceError>) -> AgentResponse {
    match admitted {
        Ok((agent, request)) => agent.respond(request).await,
        Err(error) => error.into(),
    }
}

async fn ping(State(runtime): Shared, incoming: IncomingRequest) -> Json<Value> {
    runtime.log.push(incoming.request);
    let (busy, since) = *lock(&runtime.health);
    let status = if busy { "HealthyBusy" } else { "Healthy" };
    Json(json!({ "status": status, "time_of_last_update": unix_seconds(since) }))
}

/// Names the issuer of tokens for a runtime (RFC 9728 section 3). Needs no token.
async fn protected_resource(State(runtime): Shared, incoming: IncomingRequest) -> Response<Body> {
    let issuer = runtime.user_pool.issuer.url();
    let headers = ResponseHeaders::new(&incoming.request, issuer);
    let metadata = match (runtime.inbound_auth, Target::parse(&incoming.request)) {
        (InboundAuth::SigV4, _) => Err(ServiceError::not_found("The runtime takes no tokens.")),
        (_, Err(error)) => Err(error),
        (_, Ok(target)) => Ok(json!({
            "resource": target.url(issuer, ""),
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        })),
    };
    let response = runtime.record(incoming.request, metadata).map_or_else(AgentResponse::from, AgentResponse::json);
    headers.apply(send(&incoming.control, response))
}

async fn unknown(State(runtime): Shared, incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    let error = ServiceError::new(StatusCode::NOT_FOUND, "UnknownOperationException", "There is no such operation.");
    let refused = runtime.record(incoming.request, Err(error));
    headers.apply(send(&incoming.control, respond(refused).await))
}

/// Sets `Date` by the mock's clock, from which a client corrects its own.
async fn date(State(runtime): Shared, mut response: Response<Body>) -> Response<Body> {
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date((runtime.clock)())) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

#[cfg(test)]
mod tests;
