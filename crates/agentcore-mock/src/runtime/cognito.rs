//! Amazon Cognito's API for the mock's one user pool: logins, challenges, renewals, revocations. Hosts no pages.
//!
//! Written from the API reference and the developer guide, and from no client's code: what a client proves by `SECRET_HASH`
//! or SRP is computed here a second time.

mod operation;
mod pool;
mod srp;
pub(crate) mod user;

use std::sync::{Arc, atomic::Ordering};

use axum::{body::Body, extract::State};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Exchange, Runtime};
use crate::{AgentAnswer, RecordedRequest, refusal::Refusal};

pub(crate) use pool::{POOL, Pool};

/// Answers `POST /`, where the operation is named by a header.
pub(super) async fn call(State(runtime): State<Arc<Runtime>>, mut exchange: Exchange) -> Response<Body> {
    let outages = &runtime.token_endpoint.outages;
    let down = outages.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let answered = if down {
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Try again."))
    } else {
        operation::answer(&runtime, &mut exchange.request)
    };
    let refusal = answered.as_ref().err().map(|refusal| refusal.name);
    runtime.log.push(RecordedRequest { refusal, ..exchange.request });
    let answer = match answered {
        Ok(Value::Null) => AgentAnswer::text(""),
        Ok(value) => AgentAnswer::json(value),
        Err(Refusal { status, name, message }) => {
            AgentAnswer::json(json!({ "__type": name, "message": message })).with_status(status)
        }
    };
    let answer = answer.with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    exchange.connection.send(answer, |response| response)
}

#[cfg(test)]
mod tests;
