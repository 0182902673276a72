//! The routes of the issuer: key set, metadata, token endpoint, and the Amazon Cognito API. Issues nothing itself.

use axum::{Json, body::Body, extract::State};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    incoming::{IncomingRequest, send},
    state::Shared,
    target::REGION,
};
use crate::{
    identity::{cognito, oauth},
    invocation::AgentResponse,
};

/// Answers `GET /.well-known/jwks.json`.
pub(super) async fn key_set(State(runtime): Shared, incoming: IncomingRequest) -> Json<Value> {
    runtime.log.push(incoming.request);
    Json(runtime.user_pool.issuer.key_set())
}

/// Answers `GET /.well-known/openid-configuration`.
pub(super) async fn configuration(State(runtime): Shared, incoming: IncomingRequest) -> Json<Value> {
    runtime.log.push(incoming.request);
    Json(runtime.user_pool.issuer.configuration())
}

/// Answers `POST /oauth2/token`.
pub(super) async fn token(State(runtime): Shared, incoming: IncomingRequest) -> Response<Body> {
    let granted = oauth::grant(&runtime.user_pool, &incoming.request, (runtime.clock)());
    let response = match runtime.record(incoming.request, granted) {
        Ok(token) => AgentResponse::json(token),
        Err(error) => {
            let response = AgentResponse::json(json!({ "error": error.name })).with_status(error.status);
            // RFC 6749 §5.2: a client that used the header gets the scheme.
            match error.status {
                StatusCode::UNAUTHORIZED => {
                    response.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"mock\""))
                }
                _ => response,
            }
        }
    };
    send(&incoming.control, response.with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Answers `POST /`, where a header names the operation of Cognito.
pub(super) async fn call(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let verifier = runtime.sigv4_verifier(REGION, "cognito-idp");
    let result = cognito::call(&runtime.user_pool, &mut incoming.request, &verifier);
    let response = match runtime.record(incoming.request, result) {
        Ok(Value::Null) => AgentResponse::text(""),
        Ok(value) => AgentResponse::json(value),
        Err(error) => {
            AgentResponse::json(json!({ "__type": error.name, "message": error.message })).with_status(error.status)
        }
    };
    let content_type = HeaderValue::from_static("application/x-amz-json-1.1");
    send(&incoming.control, response.with_header(header::CONTENT_TYPE, content_type))
}
