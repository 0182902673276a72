//! One call, from a request to the head of its answer: authorize, send, decide, pause, again. Knows no operation's meaning.

use std::{fmt, sync::Arc, time::Duration};

use agentcore_auth::{Auth, Clock};
use agentcore_core::{Region, SessionId, refusal};
use agentcore_transport::{
    Body, SendError,
    refusal::{refused, text},
};
use bytes::Bytes;
use http::{Request, Response as HttpResponse, StatusCode, Uri, header::CONTENT_ENCODING};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    ByteStream, Error, ErrorKind, Response, RetryPolicy, Timeouts, challenge,
    dispatch::Dispatch,
    response::{Call, Limits},
    retry::{FailurePoint, Progress, Verdict, decide},
};

/// What every call of a client has in common.
pub(crate) struct Service {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// A number in `0.0..1.0` for the jitter of pauses.
    pub(crate) random: fn() -> f64,
}

/// What is this call's own.
pub(crate) struct CallSpec<'a> {
    pub(crate) operation: &'static str,
    pub(crate) request: Request<Bytes>,
    pub(crate) auth: &'a Auth,
    pub(crate) region: Option<&'a Region>,
    pub(crate) session: SessionId,
    pub(crate) idempotent: bool,
    pub(crate) timeouts: &'a Timeouts,
    pub(crate) retry: &'a RetryPolicy,
}

impl Service {
    /// Sends the request until it is answered or the policy gives up.
    ///
    /// Cancel safety: dropping the future between attempts sends nothing more; dropping it during one closes the connection,
    /// and the agent may have run.
    pub(crate) async fn call(&self, spec: CallSpec<'_>) -> Result<Response, Error> {
        let started = Instant::now();
        let deadline = spec.timeouts.total.and_then(|total| started.checked_add(total));
        let mut backoff = spec.retry.backoff();
        let (mut attempts, mut replayed, mut may_have_run) = (0, false, false);
        loop {
            attempts += 1;
            let (failure, error) = match self.attempt(&spec, attempts, started, deadline).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            may_have_run |= error.may_have_run();
            let progress = Progress {
                attempts,
                replayed,
                idempotent: spec.idempotent,
                elapsed: started.elapsed(),
                remaining: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
                retry_after: error.retry_after(),
                pause: backoff.next((self.random)()),
            };
            let verdict = decide(spec.retry, failure, &progress);
            tracing::debug!(
                operation = spec.operation,
                host = spec.request.uri().host(),
                attempt = attempts,
                status = error.status(),
                kind = ?error.kind(),
                ?verdict,
                "attempt failed"
            );
            match verdict {
                Verdict::Retry { after } => tokio::time::sleep(after).await,
                Verdict::Replay => replayed = true,
                Verdict::GiveUp => {
                    return Err(error.possibly_run(may_have_run).with_attempts(attempts, started.elapsed()));
                }
            }
        }
    }

    /// One attempt, within the call's total time.
    async fn attempt(
        &self,
        spec: &CallSpec<'_>,
        attempts: u32,
        started: Instant,
        deadline: Option<Instant>,
    ) -> Result<Response, (FailurePoint, Error)> {
        let mut sent = false;
        let answered = self.exchange(spec, &mut sent);
        let answer = match deadline {
            None => answered.await?,
            Some(deadline) => match timeout_at(deadline, answered).await {
                Ok(answer) => answer?,
                Err(_) => {
                    let error = Error::new(ErrorKind::Timeout, "no answer came within the call's total time");
                    return Err((FailurePoint::Uncertain, error.possibly_run(sent)));
                }
            },
        };
        let (head, body) = answer.into_parts();
        let request_id = refusal::request_id(&head.headers).map(str::to_owned);
        tracing::debug!(
            operation = spec.operation,
            host = spec.request.uri().host(),
            attempt = attempts,
            status = head.status.as_u16(),
            request_id,
            "answered"
        );
        let call = Call { started, attempts, status: head.status, request_id };
        Ok(Response {
            status: head.status,
            headers: head.headers,
            session: spec.session.clone(),
            limits: self.limits.clone(),
            bytes: ByteStream::new(body, spec.timeouts.idle, deadline, call),
        })
    }

    /// Authorizes and sends, and takes only a success for an answer. `sent` tells a caller that cuts it short how far it came.
    async fn exchange(
        &self,
        spec: &CallSpec<'_>,
        sent: &mut bool,
    ) -> Result<HttpResponse<Body>, (FailurePoint, Error)> {
        let now = self.clock.now();
        let mut request = spec.request.clone();
        let authorized = spec.auth.authorize(&mut request, spec.region, now).await;
        let applied = authorized.map_err(|error| (FailurePoint::Final, Error::from(error)))?;
        *sent = true;
        let answered = self.dispatch.dispatch(request);
        let answer = match spec.timeouts.first_byte {
            None => answered.await.map_err(send_error)?,
            Some(bound) => match timeout(bound, answered).await {
                Ok(answer) => answer.map_err(send_error)?,
                Err(_) => {
                    let message = format!("no answer began within {} s", bound.as_secs_f32());
                    let error = Error::new(ErrorKind::Timeout, message).possibly_run(true);
                    return Err((FailurePoint::Uncertain, error));
                }
            },
        };
        if answer.status().is_success() {
            return unencoded(answer);
        }
        let (head, body) = answer.into_parts();
        if head.status.is_redirection() {
            let message = "the service answered with a redirect, which is not followed";
            let refused = refusal::read(head.status, &head.headers, message.as_bytes(), now);
            return Err((FailurePoint::Final, refused));
        }
        let (failure, error) = refused(&head, body, spec.auth, Some(&applied), now).await;
        if failure == FailurePoint::Unauthorized {
            return Err((failure, error));
        }
        match challenge::metadata_url(&head.headers, spec.request.uri()) {
            Some(url) if head.status == StatusCode::UNAUTHORIZED => {
                Err((failure, error.with_issuers(self.issuers(url).await)))
            }
            _ => Err((failure, error)),
        }
    }

    /// Asks a runtime that refused a token whose tokens it takes. Whatever goes wrong, the refusal itself is told.
    async fn issuers(&self, metadata: Uri) -> Vec<String> {
        let Ok(request) = Request::get(metadata).body(Bytes::new()) else { return Vec::new() };
        match timeout(METADATA_TIMEOUT, self.dispatch.dispatch(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => challenge::issuers(&text(answer.into_body()).await),
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("dispatch", &self.dispatch).finish_non_exhaustive()
    }
}

fn send_error(failed: SendError) -> (FailurePoint, Error) {
    (failed.failure(), failed.into())
}

/// Refuses an answer in a content coding, which was not asked for: its bytes would be mistaken for text.
fn unencoded(answer: HttpResponse<Body>) -> Result<HttpResponse<Body>, (FailurePoint, Error)> {
    let coding =
        answer.headers().get(CONTENT_ENCODING).filter(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(coding) = coding else { return Ok(answer) };
    let coding: String = String::from_utf8_lossy(coding.as_bytes()).chars().take(40).collect();
    let message = format!("the answer has the content coding {coding:?}, which was not asked for");
    let error = refusal::read(StatusCode::OK, answer.headers(), message.as_bytes(), std::time::SystemTime::UNIX_EPOCH);
    Err((FailurePoint::Final, error.possibly_run(true)))
}

const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
