//! The one call loop: authorize, send, decide, pause, and give up. Knows no operation's meaning and reads no accepted answer.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_auth::{AppliedCredential, Auth, Clock, Rejection};
use agentcore_core::{
    Error, ErrorKind, RetryPolicy,
    call::FailurePoint,
    retry::{Progress, Verdict, decide},
    service_error,
};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Body, Network, SendError, challenge};

/// Makes calls: invocations, upgrades and requests to issuers, all by the same rules.
///
/// Each attempt is authorized anew, so that it carries the newest token and a fresh signature. [`retry`](agentcore_core::retry) has
/// the table of what is sent again.
#[derive(Clone)]
pub struct CallEngine {
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    /// A number in `0.0..1.0` for the jitter of pauses.
    random: fn() -> f64,
    budget: Option<Arc<dyn RetryBudget>>,
}

/// A limit on retries that the calls of a client share, so that an outage is not made worse by those who suffer from it.
pub trait RetryBudget: fmt::Debug + Send + Sync {
    /// Takes leave for one retry, or refuses it: the call then fails with the error that it has.
    fn withdraw(&self) -> bool;

    /// Notes a call that was answered without a retry.
    fn deposit(&self);
}

/// What the engine has to know of a call besides how it is made.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of arguments")]
pub struct CallSpec<'a> {
    /// The operation's name, for traces.
    pub operation: &'a str,
    /// Where the call goes.
    pub url: &'a Uri,
    /// The ARN of what is called, for errors.
    pub arn: Option<&'a str>,
    /// The session, for errors.
    pub session_id: Option<&'a str>,
    /// Whether running it twice does no harm.
    pub idempotent: bool,
    /// From handing an attempt to the network to the head of its answer; none waits for ever.
    pub first_byte: Option<Duration>,
    /// What was waited for when [`first_byte`](Self::first_byte) ran out, such as `no answer began`.
    pub first_byte_missed: &'static str,
    /// The whole call: attempts, pauses and, if the caller goes on with the deadline, the answer.
    pub total: Option<Duration>,
    /// How often and how long to try.
    pub retry: &'a RetryPolicy,
    /// A pause before the first attempt.
    pub pause: Duration,
}

/// How a call is made.
pub trait Call: Sync {
    /// The body of an accepted answer, or what stands in its place.
    type Body: Send;

    /// The mechanism that learns from a refusal.
    fn auth(&self) -> &Auth;

    /// Makes the request of an attempt, with a credential that is fresh now.
    ///
    /// # Errors
    /// If it cannot be made; nothing is sent then, and nothing is tried again.
    fn prepare(
        &self,
        now: SystemTime,
    ) -> impl Future<Output = Result<(Request<Bytes>, AppliedCredential), Error>> + Send;

    /// Sends the request of an attempt, and judges the head of its answer.
    ///
    /// # Errors
    /// If no answer came.
    fn send(
        &self,
        network: &dyn Network,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Reception<Self::Body>, SendError>> + Send;
}

/// What the head of an answer is to a call.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the engine handles each of them")]
pub enum Reception<B> {
    /// What was asked for.
    Accepted(Response<B>),
    /// A refusal, to be read by the engine.
    Refused(Response<Body>),
    /// An answer that is asked for again while the policy allows it, and is the answer after that.
    Busy(Response<B>, Error),
    /// An answer that is of no use and would be the same again.
    Useless(Error),
}

/// An accepted answer, and how the call came to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Called<B> {
    /// The answer.
    pub response: Response<B>,
    /// How many times the request was sent, or tried to be.
    pub attempts: u32,
    /// When the call began.
    pub started: Instant,
    /// When the call's total time runs out.
    pub deadline: Option<Instant>,
}

/// An attempt that brought no accepted answer.
struct Failed<B> {
    point: FailurePoint,
    error: Error,
    /// What is the answer if there is no further attempt.
    response: Option<Response<B>>,
}

impl CallEngine {
    /// Makes an engine that sends over this network and tells the time by this clock.
    #[must_use]
    pub fn new(network: Arc<dyn Network>, clock: Arc<dyn Clock>) -> Self {
        Self { network, clock, random: fastrand::f64, budget: None }
    }

    /// Draws the jitter of pauses from this function, in `0.0..1.0`. Default: a pseudo-random generator.
    #[must_use]
    pub fn random(mut self, random: fn() -> f64) -> Self {
        self.random = random;
        self
    }

    /// Limits the retries of all calls together. Default: no limit but each call's own policy.
    #[must_use]
    pub fn budget(mut self, budget: Arc<dyn RetryBudget>) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Makes a call: tries until an answer is accepted or the policy gives up.
    ///
    /// # Errors
    /// If it gives up. The error says how often it was tried and whether the agent may have run in one of the attempts.
    ///
    /// # Cancel safety
    /// Dropping the future between attempts sends nothing more; dropping it during one closes the connection, and the agent may
    /// have run.
    pub async fn run<C: Call>(&self, spec: &CallSpec<'_>, call: &C) -> Result<Called<C::Body>, Error> {
        let started = Instant::now();
        let deadline = spec.total.and_then(|total| started.checked_add(total));
        let mut backoff = spec.retry.backoff();
        let (mut attempts, mut replayed, mut may_have_run) = (0, false, false);
        if !spec.pause.is_zero() {
            sleep(spec.pause.min(spec.total.unwrap_or(spec.pause))).await;
        }
        loop {
            attempts += 1;
            let failed = match self.attempt_in_time(spec, call, attempts, deadline).await {
                Ok(response) => {
                    if let (1, Some(budget)) = (attempts, &self.budget) {
                        budget.deposit();
                    }
                    return Ok(Called { response, attempts, started, deadline });
                }
                Err(failed) => failed,
            };
            let Failed { point, error, response } = failed;
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
            let mut verdict = decide(spec.retry, point, &progress);
            if matches!(verdict, Verdict::Retry { .. }) && self.budget.as_ref().is_some_and(|budget| !budget.withdraw())
            {
                verdict = Verdict::GiveUp;
            }
            tracing::debug!(
                operation = spec.operation,
                host = spec.url.host(),
                attempt = attempts,
                status = error.status(),
                request_id = error.request_id(),
                kind = ?error.kind(),
                ?verdict,
                "attempt failed"
            );
            match (verdict, response) {
                (Verdict::Retry { after }, _) => sleep(after).await,
                (Verdict::Replay, _) => replayed = true,
                (Verdict::GiveUp, Some(response)) => return Ok(Called { response, attempts, started, deadline }),
                (Verdict::GiveUp, None) => {
                    let error = error.possibly_run(may_have_run).with_attempts(attempts, started.elapsed());
                    return Err(error.with_call(spec.arn, spec.session_id));
                }
            }
        }
    }

    /// Makes one attempt within the call's total time.
    async fn attempt_in_time<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        number: u32,
        deadline: Option<Instant>,
    ) -> Result<Response<C::Body>, Failed<C::Body>> {
        let mut sent = false;
        let attempt = self.attempt(spec, call, number, &mut sent);
        let Some(deadline) = deadline else { return attempt.await };
        match timeout_at(deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let error = Error::new(ErrorKind::Timeout, "no answer came within the call's total time");
                Err(Failed::at(FailurePoint::Uncertain, error.possibly_run(sent)))
            }
        }
    }

    /// Makes one attempt. `sent` tells a caller that cuts it short how far it came.
    async fn attempt<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        number: u32,
        sent: &mut bool,
    ) -> Result<Response<C::Body>, Failed<C::Body>> {
        let now = self.clock.now();
        let prepared = call.prepare(now).await;
        let (request, credential) = prepared.map_err(|error| Failed::at(FailurePoint::Final, error))?;
        *sent = true;
        let sending = call.send(&*self.network, request);
        let reception = match spec.first_byte {
            None => sending.await,
            Some(bound) => match timeout(bound, sending).await {
                Ok(reception) => reception,
                Err(_) => {
                    let message = format!("{} within {} s", spec.first_byte_missed, bound.as_secs_f32());
                    let error = Error::new(ErrorKind::Timeout, message).possibly_run(true);
                    return Err(Failed::at(FailurePoint::Uncertain, error));
                }
            },
        };
        match reception.map_err(|failed| Failed::at(failed.failure_point(), failed.into()))? {
            Reception::Accepted(response) => {
                tracing::debug!(
                    operation = spec.operation,
                    host = spec.url.host(),
                    attempt = number,
                    status = response.status().as_u16(),
                    request_id = service_error::request_id(response.headers()),
                    "answered"
                );
                Ok(response)
            }
            Reception::Busy(response, error) => {
                Err(Failed { point: service_error::failure_point(&error), error, response: Some(response) })
            }
            Reception::Useless(error) => Err(Failed::at(FailurePoint::Final, error)),
            Reception::Refused(response) => Err(self.refused(spec, call, response, &credential, now).await),
        }
    }

    /// Reads a refusal, and lets the mechanism learn from it: a credential that can be replaced is worth another attempt.
    async fn refused<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        response: Response<Body>,
        credential: &AppliedCredential,
        now: SystemTime,
    ) -> Failed<C::Body> {
        let (head, body) = response.into_parts();
        if head.status.is_redirection() {
            let message = b"the service answered with a redirect, which is not followed";
            return Failed::at(FailurePoint::Final, service_error::read(head.status, &head.headers, message, now));
        }
        let error = service_error::read(head.status, &head.headers, &text(body).await, now);
        let rejection =
            Rejection { status: head.status.as_u16(), code: error.code(), date: service_error::date(&head.headers) };
        if call.auth().refused(credential, &rejection, now) {
            return Failed::at(FailurePoint::Unauthorized, error);
        }
        let point = service_error::failure_point(&error);
        match challenge::metadata_url(&head.headers, spec.url) {
            Some(url) if head.status == StatusCode::UNAUTHORIZED => {
                Failed::at(point, error.with_issuers(self.issuers(url).await))
            }
            _ => Failed::at(point, error),
        }
    }

    /// Asks a runtime that refused a token whose tokens it takes. Whatever goes wrong, the refusal itself is told.
    async fn issuers(&self, metadata: Uri) -> Vec<String> {
        let Ok(request) = Request::get(metadata).body(Bytes::new()) else { return Vec::new() };
        match timeout(METADATA_TIMEOUT, self.network.send(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => challenge::issuers(&text(answer.into_body()).await),
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for CallEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallEngine").field("network", &self.network).finish_non_exhaustive()
    }
}

impl<B> Failed<B> {
    fn at(point: FailurePoint, error: Error) -> Self {
        Self { point, error, response: None }
    }
}

/// Reads as much of a refusal's body as its message can need: 64 KiB, and what comes within 10 seconds.
///
/// A body that stands still or breaks off is as good as it is: a refusal without its message is better than none.
async fn text(mut body: Body) -> Bytes {
    let mut read = BytesMut::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(piece) = frame.data_ref() {
                read.extend_from_slice(&piece[..piece.len().min(MAX_BYTES - read.len())]);
            }
            if read.len() == MAX_BYTES {
                break;
            }
        }
    };
    let _ = timeout(TIMEOUT, reading).await;
    read.freeze()
}

const MAX_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
