//! Requests to issuers through the call engine, for `agentcore-auth`: whole answers, retried within bounds. Reads no token.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_auth::{AppliedCredential, Auth, BoxFuture, Exchange, Repeat, SystemClock};
use agentcore_core::{BoxError, Error, RetryPolicy, service_error};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, response::Parts};
use http_body_util::BodyExt as _;

use crate::{Body, Call, CallEngine, CallSpec, Network, Reception, SendError, Transport, send_error::place};

/// Returns answers of at most 1 MiB, within 30 seconds for all attempts together.
impl Exchange for Transport {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        let engine = CallEngine::new(Arc::new(self.clone()), Arc::new(SystemClock::default()));
        Box::pin(async move { exchange(&engine, request).await.map_err(Into::into) })
    }
}

async fn exchange(engine: &CallEngine, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    let repeat = Repeat::of(&request);
    let retry = if repeat == Repeat::Never { RetryPolicy::off() } else { RetryPolicy::default() };
    let spec = CallSpec {
        waits_while_busy: false,
        operation: "issuer",
        url: request.uri(),
        arn: None,
        session_id: None,
        idempotent: repeat == Repeat::Always,
        first_byte: None,
        first_byte_missed: "",
        total: Some(TIMEOUT),
        retry: &retry.max_elapsed(TIMEOUT),
        pause: Duration::ZERO,
    };
    Ok(engine.run(&spec, &IssuerCall { request: &request }).await?.response)
}

/// A request that already has its credentials, if it needs any.
struct IssuerCall<'a> {
    request: &'a Request<Bytes>,
}

impl Call for IssuerCall<'_> {
    type Body = Bytes;

    fn auth(&self) -> &Auth {
        &Auth::None
    }

    async fn prepare(&self, _: SystemTime) -> Result<(Request<Bytes>, AppliedCredential), Error> {
        Ok((self.request.clone(), AppliedCredential::none()))
    }

    /// Accepts any answer; 408, 429, 5xx and a throttle of another status only after the request was sent again.
    async fn send(&self, network: &dyn Network, request: Request<Bytes>) -> Result<Reception<Bytes>, SendError> {
        let (head, body) = network.send(request).await?.into_parts();
        let body = whole(body).await.map_err(|error| SendError::lost(error, &place(self.request.uri())))?;
        let status = match head.status.as_u16() {
            408 | 429 | 500..=599 => head.status,
            400 if is_throttled(&head, &body) => StatusCode::TOO_MANY_REQUESTS,
            _ => return Ok(Reception::Accepted(Response::from_parts(head, body))),
        };
        // An issuer's body may repeat a secret; the engine needs only the status and `Retry-After`.
        let message = b"the issuer does not serve now";
        let error = service_error::read(status, &head.headers, message, &[], SystemTime::now());
        Ok(Reception::Busy(Response::from_parts(head, body), error))
    }
}

/// Returns whether an answer names a throttle, as Cognito does with 400 (API reference, "Common Errors").
fn is_throttled(head: &Parts, body: &[u8]) -> bool {
    let error = service_error::read(head.status, &head.headers, body, &[], SystemTime::now());
    error.code().is_some_and(service_error::is_throttling)
}

/// Reads a body to its end, at most 1 MiB.
async fn whole(mut body: Body) -> Result<Bytes, BoxError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if read.len() + piece.len() > MAX_BYTES {
            return Err(format!("the answer is longer than {MAX_BYTES} bytes").into());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
