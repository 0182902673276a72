//! The loop of all calls: authorize, send, decide, pause, give up. Knows no operation and reads no accepted answer.

use std::{
    fmt,
    future::Future,
    pin::pin,
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
use tokio::time::{Instant, error::Elapsed, sleep, timeout_at};

use crate::{Body, Network, RetryBudget, SendError, challenge, sent_secrets::SentSecrets};

/// Makes calls: invocations, upgrades and requests to issuers.
///
/// Each attempt is authorized again, with the newest token or a new signature. [`retry`](agentcore_core::retry) has the table of
/// what is sent again.
///
/// ```
/// use std::sync::Arc;
/// use agentcore_transport::{CallEngine, SystemClock, Transport};
///
/// let transport = Transport::builder().build()?;
/// let engine = CallEngine::new(Arc::new(transport), Arc::new(SystemClock::default()));
/// # let _ = engine;
/// # Ok::<(), agentcore_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct CallEngine {
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    /// Returns a number in `0.0..1.0`, for the jitter of pauses.
    random: fn() -> f64,
    budget: RetryBudget,
}

/// The settings of a call.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of arguments")]
pub struct CallSpec<'a> {
    /// The operation's name, for traces.
    pub operation: &'a str,
    /// The URL.
    pub url: &'a Uri,
    /// The runtime's ARN, for errors.
    pub arn: Option<&'a str>,
    /// The session's id, for errors.
    pub session_id: Option<&'a str>,
    /// Whether making the call twice does no harm.
    pub idempotent: bool,
    /// Bounds the time from sending an attempt to the head of its answer. `None`: no bound.
    pub first_byte: Option<Duration>,
    /// The beginning of the error message when [`first_byte`](Self::first_byte) has passed, such as `no answer began`.
    pub first_byte_missed: &'static str,
    /// Bounds the whole call: attempts, pauses and, if the caller keeps to [`Called::deadline`], the answer. `None`: no bound.
    pub total: Option<Duration>,
    /// Bounds attempts and pauses.
    pub retry: &'a RetryPolicy,
    /// Whether a session that is busy (409 `RetryableConflictException`) is waited for longer than the policy says: up to 16 minutes.
    pub waits_while_busy: bool,
    /// The pause before the first attempt.
    pub pause: Duration,
}

/// Prepares, sends and judges the attempts of one call.
pub trait Call: Sync {
    /// The body of an accepted answer.
    type Body: Send;

    /// Returns the mechanism that is informed of a refusal.
    fn auth(&self) -> &Auth;

    /// Makes the request of an attempt and authorizes it.
    ///
    /// # Errors
    /// If the request cannot be made. The call then fails without a further attempt.
    fn prepare(
        &self,
        now: SystemTime,
    ) -> impl Future<Output = Result<(Request<Bytes>, AppliedCredential), Error>> + Send;

    /// Sends the request of an attempt and judges its answer.
    ///
    /// # Errors
    /// If no answer came.
    fn send(
        &self,
        network: &dyn Network,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Reception<Self::Body>, SendError>> + Send;
}

/// The judgement of an answer.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the engine handles each of them")]
pub enum Reception<B> {
    /// The answer is accepted.
    Accepted(Response<B>),
    /// The answer is a refusal. The engine reads it.
    Refused(Response<Body>),
    /// The request is sent again as far as the policy allows. After that this answer is accepted.
    Busy(Response<B>, Error),
    /// The answer cannot be used, and the next one would be the same.
    Useless(Error),
}

/// An accepted answer, with the facts of its call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Called<B> {
    /// The answer.
    pub response: Response<B>,
    /// The number of attempts.
    pub attempts: u32,
    /// The time at which the call began.
    pub started: Instant,
    /// The time at which the call's total time ends.
    pub deadline: Option<Instant>,
}

/// What a refusal refers to: the credential of an attempt, when it was made, and what must not be repeated of it.
struct Sent {
    at: SystemTime,
    credential: AppliedCredential,
    secrets: SentSecrets,
}

/// An attempt without an accepted answer.
struct Failed<B> {
    point: FailurePoint,
    error: Error,
    /// The answer to accept if there is no further attempt.
    response: Option<Response<B>>,
}

impl CallEngine {
    /// Makes an engine that sends over this network and authorizes by this clock.
    #[must_use]
    pub fn new(network: Arc<dyn Network>, clock: Arc<dyn Clock>) -> Self {
        Self { network, clock, random: fastrand::f64, budget: RetryBudget::unlimited() }
    }

    /// Makes a call, with attempts until an answer is accepted or the policy gives up.
    ///
    /// # Errors
    /// If it gives up. The error has the number of attempts, and whether the agent may have run in one of them.
    ///
    /// # Cancel safety
    /// Dropping the future between attempts sends nothing more. Dropping it during an attempt closes the connection, and the agent
    /// may have run.
    pub async fn run<C: Call>(&self, spec: &CallSpec<'_>, call: &C) -> Result<Called<C::Body>, Error> {
        let started = Instant::now();
        let deadline = spec.total.and_then(|total| started.checked_add(total));
        let mut backoff = spec.retry.backoff();
        let (mut attempts, mut retried, mut replayed, mut may_have_run) = (0, false, false, false);
        if !spec.pause.is_zero() {
            sleep(spec.pause.min(spec.total.unwrap_or(spec.pause))).await;
        }
        loop {
            attempts += 1;
            let failed = match self.attempt(spec, call, attempts, deadline).await {
                Ok(response) => {
                    self.budget.succeeded(retried);
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
            let busy = spec.waits_while_busy && error.code() == Some("RetryableConflictException");
            let mut verdict = match busy && !spec.retry.is_off() {
                true => decide(&spec.retry.clone().max_attempts(u32::MAX).max_elapsed(LONGEST_BUSY), point, &progress),
                false => decide(spec.retry, point, &progress),
            };
            retried = matches!(verdict, Verdict::Retry { .. }) && !busy;
            if retried && !self.budget.withdraw() {
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

    /// Makes one attempt. A refusal is read even where the call's time ends meanwhile: its status is what went wrong.
    async fn attempt<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        number: u32,
        deadline: Option<Instant>,
    ) -> Result<Response<C::Body>, Failed<C::Body>> {
        let (reception, sent) = self.answer(spec, call, deadline).await?;
        match reception {
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
            Reception::Refused(response) => {
                let until = Instant::now() + TIMEOUT;
                let until = deadline.map_or(until, |deadline| deadline.min(until));
                Err(self.refused(spec, call, response, sent, until).await)
            }
        }
    }

    /// Prepares and sends one attempt.
    async fn answer<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        deadline: Option<Instant>,
    ) -> Result<(Reception<C::Body>, Sent), Failed<C::Body>> {
        let too_late = |sent: bool| {
            let total = spec.total.map(|total| format!(" of {} s", total.as_secs_f32())).unwrap_or_default();
            let message = format!("no answer came within the call's total time{total}");
            Failed::at(FailurePoint::Uncertain, Error::new(ErrorKind::Timeout, message).possibly_run(sent))
        };
        let at = self.clock.now();
        // Pinned here, because a future that is handed on is moved.
        let prepared = until(deadline, pin!(call.prepare(at))).await.map_err(|_| too_late(false))?;
        let (request, credential) = prepared.map_err(|error| Failed::at(FailurePoint::Final, error))?;
        let sent = Sent { at, credential, secrets: SentSecrets::of(request.headers(), request.uri()) };
        // One timer for both bounds, since most calls set it and few need it.
        let first_byte = spec.first_byte.and_then(|bound| Some((bound, Instant::now().checked_add(bound)?)));
        let first_byte = first_byte.filter(|(_, due)| deadline.is_none_or(|deadline| *due < deadline));
        let answering = pin!(call.send(&*self.network, request));
        let reception = until(first_byte.map(|(_, due)| due).or(deadline), answering).await;
        let reception = reception.map_err(|_| match first_byte {
            None => too_late(true),
            Some((bound, _)) => {
                let message = format!("{} within {} s", spec.first_byte_missed, bound.as_secs_f32());
                Failed::at(FailurePoint::Uncertain, Error::new(ErrorKind::Timeout, message).possibly_run(true))
            }
        })?;
        let reception = reception.map_err(|failed| Failed::at(failed.failure_point(), failed.into()))?;
        Ok((reception, sent))
    }

    /// Reads a refusal, until a time at most, and informs the mechanism, which may have another credential for a replay.
    async fn refused<C: Call>(
        &self,
        spec: &CallSpec<'_>,
        call: &C,
        response: Response<Body>,
        sent: Sent,
        until: Instant,
    ) -> Failed<C::Body> {
        let (head, body) = response.into_parts();
        let Sent { at: now, credential, secrets } = sent;
        if head.status.is_redirection() {
            let message = b"the service answered with a redirect, which is not followed";
            return Failed::at(FailurePoint::Final, service_error::read(head.status, &head.headers, message, &[], now));
        }
        let error = service_error::read(head.status, &head.headers, &text(body, until).await, &secrets.texts(), now);
        let rejection =
            Rejection { status: head.status.as_u16(), code: error.code(), date: service_error::date(&head.headers) };
        let is_unauthorized = call.auth().refused(&credential, &rejection, now);
        // A page was written by something on the way, which knows nothing of tokens.
        let error = if service_error::is_page(&head.headers) { error } else { explained(error, &credential) };
        if is_unauthorized {
            return Failed::at(FailurePoint::Unauthorized, error);
        }
        let point = service_error::failure_point(&error);
        match challenge::metadata_url(&head.headers, spec.url) {
            Some(url) if head.status == StatusCode::UNAUTHORIZED => {
                Failed::at(point, error.with_issuers(self.issuers(url, until).await))
            }
            _ => Failed::at(point, error),
        }
    }

    /// Requests the issuers whose tokens a runtime accepts. Returns none if that fails, since the refusal is the error to report.
    async fn issuers(&self, metadata: Uri, until: Instant) -> Vec<String> {
        let Ok(request) = Request::get(metadata).body(Bytes::new()) else { return Vec::new() };
        match timeout_at(until, self.network.send(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => {
                challenge::trusted_issuers(&text(answer.into_body(), until).await)
            }
            _ => Vec::new(),
        }
    }
}

/// Waits for a future until a time at most, if there is one.
async fn until<F: Future>(deadline: Option<Instant>, future: F) -> Result<F::Output, Elapsed> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await,
        None => Ok(future.await),
    }
}

/// Adds what is known of a token that was not accepted. Opaque tokens are legal, and most runtimes take none.
fn explained(error: Error, credential: &AppliedCredential) -> Error {
    let is_refused = matches!(error.status(), Some(401 | 403));
    if is_refused && credential.is_opaque() { error.with_source("the token is no JSON Web Token") } else { error }
}

agentcore_core::setters! {
    impl CallEngine:

    /// Sets the source of jitter, a number in `0.0..1.0` for each pause. Default: a pseudo-random generator.
    random(random: fn() -> f64) => random = random;

    /// Bounds the retries of all calls together. Default: no bound but each call's policy.
    budget(budget: RetryBudget) => budget = budget;
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

/// Reads a refusal's body: at most 64 KiB, and not beyond a time.
///
/// Returns what arrived of a body that stalls or ends too soon, since the status alone is an error to report.
async fn text(mut body: Body, until: Instant) -> Bytes {
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
    let _ = timeout_at(until, reading).await;
    read.freeze()
}

const MAX_BYTES: usize = 64 * 1024;
/// Bounds what is read after the head of a refusal: its body, and the metadata it points to.
const TIMEOUT: Duration = Duration::from_secs(10);

/// As long as the service lets an invocation take (AgentCore Runtime quotas: 15 minutes), and a minute more.
const LONGEST_BUSY: Duration = Duration::from_secs(16 * 60);

#[cfg(test)]
mod tests;
