//! `InvokeHarness`, as far as the service refuses it: the mock has no harness.

use axum::{body::Body, extract::State};
use http::Response;

use super::{
    incoming::{IncomingRequest, send},
    limits,
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
    target::{Target, refuse_account},
};
use crate::{record::RecordedRequest, service_error::ServiceError};

/// Answers `POST /harnesses/invoke`.
pub(super) async fn invoke(State(runtime): Shared, mut incoming: IncomingRequest) -> Response<Body> {
    let headers = ResponseHeaders::new(&incoming.request, runtime.user_pool.issuer.url());
    let error = match incoming.check_payload().and_then(|()| check(&runtime, &mut incoming.request)) {
        Ok(target) => ServiceError::not_found(format!("There is no harness '{}'.", target.id)),
        Err(error) => error,
    };
    let error = runtime.record::<ServiceError>(incoming.request, Err(error)).unwrap_or_else(|error| error);
    headers.apply(send(&incoming.control, error.into()))
}

fn check(runtime: &RuntimeState, request: &mut RecordedRequest) -> Result<Target, ServiceError> {
    let target = Target::harness(request);
    runtime.authenticate(target.as_ref().ok(), request)?;
    refuse_account(request)?;
    request.session_id = Some(limits::require_session_id(request)?);
    target
}
