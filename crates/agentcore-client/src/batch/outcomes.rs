//! The calls of a batch on their way: each waits for its turn, is sent, and again where it was throttled. Sets no rate.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use agentcore_core::retry::{FailurePoint, Progress, RetryPolicy, Verdict, decide};
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::{journal::Journal, rate_limiter::RateLimiter, session_queues::SessionQueues};
use crate::{Error, ErrorKind, Invoke, Reply};

/// The outcomes of a batch as they arrive, each with the index of its call; see [`Batch::stream`](crate::Batch::stream).
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no outcome is lost.
#[must_use = "nothing is sent before it is polled"]
pub struct Outcomes<'a> {
    outcomes: Pin<Box<dyn Stream<Item = Outcome> + Send + 'a>>,
    under_way: UnderWay,
}

type Outcome = (usize, Result<Reply, Error>);

/// The calls that were begun and have not ended, and whether their agents may have run.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<BTreeMap<usize, bool>>>);

/// What the calls of a batch share.
#[derive(Clone)]
pub(super) struct Caller {
    limiter: RateLimiter,
    sessions: SessionQueues,
    journal: Option<Journal>,
    under_way: UnderWay,
}

impl<'a> Outcomes<'a> {
    /// The outcomes of these calls, of which so many are made at a time.
    pub(super) fn new(
        caller: Caller,
        calls: impl Iterator<Item = (usize, Invoke)> + Send + 'a,
        concurrency: usize,
    ) -> Self {
        let under_way = caller.under_way.clone();
        let calls = calls.map(move |(index, invoke)| {
            let caller = caller.clone();
            async move { (index, caller.call(index, invoke).await) }
        });
        Self { outcomes: Box::pin(stream::iter(calls).buffer_unordered(concurrency)), under_way }
    }

    /// Returns the next outcome; nothing after the last.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<(usize, Result<Reply, Error>)> {
        self.outcomes.next().await
    }

    /// Returns the calls that were begun and whose outcome has not been returned, by their index, each with whether its agent may have run.
    /// One that waits after it was throttled has not.
    #[must_use]
    pub fn under_way(&self) -> Vec<(usize, bool)> {
        self.under_way.lock().iter().map(|(index, may_have_run)| (*index, *may_have_run)).collect()
    }
}

impl Stream for Outcomes<'_> {
    type Item = (usize, Result<Reply, Error>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.outcomes.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.outcomes.size_hint()
    }
}

impl fmt::Debug for Outcomes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes").field("under_way", &self.under_way()).finish_non_exhaustive()
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    pub(super) fn new(limiter: RateLimiter, journal: Option<Journal>) -> Self {
        Self { limiter, sessions: SessionQueues::default(), journal, under_way: UnderWay::default() }
    }

    /// Makes a call, with its waits.
    async fn call(&self, index: usize, invoke: Invoke) -> Result<Reply, Error> {
        let _turn = self.sessions.turn(invoke.session_id()).await;
        let policy = invoke.retry_policy().clone();
        let invoke = invoke.retry(policy.clone().retry_throttled(false));
        let mut permit = self.limiter.permit(false).await;
        if let Some(journal) = &self.journal {
            journal.begin(index).map_err(|error| {
                Error::input("the call was not sent, because the journal cannot be written").with_source(error)
            })?;
        }
        let begun = Instant::now();
        let mut before = Earlier::default();
        let outcome = loop {
            self.under_way.lock().insert(index, true);
            let sent = Instant::now();
            let error = match invoke.clone().await {
                Err(error) if error.kind() == ErrorKind::Throttled && error.status() == Some(429) => error,
                Ok(reply) => break Ok(before.added_to(reply, sent - begun)),
                Err(error) => break Err(before.added_to_error(error, sent - begun)),
            };
            self.limiter.refused(permit, error.retry_after());
            before.attempts += error.attempts();
            if !is_sent_again(&policy, &error, before.attempts, begun.elapsed()) {
                break Err(error.with_attempts(before.attempts, begun.elapsed()));
            }
            invoke.sent_again();
            self.under_way.lock().insert(index, false);
            tracing::debug!(call = index, retry_after = ?error.retry_after(), "throttled, and waits to be sent again");
            permit = self.limiter.permit(true).await;
        };
        self.under_way.lock().remove(&index);
        outcome
    }
}

/// Returns whether a call that was throttled is sent again. The rate limiter bounds how often; how long is the policy's.
fn is_sent_again(policy: &RetryPolicy, error: &Error, attempts: u32, elapsed: Duration) -> bool {
    let (retry_after, pause) = (error.retry_after(), Duration::ZERO);
    let progress =
        Progress { attempts, replayed: false, idempotent: false, elapsed, remaining: None, retry_after, pause };
    let patient = policy.clone().max_attempts(u32::MAX);
    let verdict = decide(&patient, FailurePoint::NotAccepted, &progress);
    !policy.is_off() && !error.may_have_run() && matches!(verdict, Verdict::Retry { .. })
}

/// The attempts before the last sending of a call.
#[derive(Clone, Copy, Default)]
struct Earlier {
    attempts: u32,
}

impl Earlier {
    /// Counts them in a reply, with the time that passed before it was sent.
    fn added_to(self, mut reply: Reply, passed: Duration) -> Reply {
        if self.attempts > 0 {
            reply.metadata.attempts += self.attempts;
            reply.elapsed += passed;
            reply.first_event = reply.first_event.map(|first| first + passed);
        }
        reply
    }

    /// Counts them in an error, and in what arrived before it.
    fn added_to_error(self, error: Error, passed: Duration) -> Error {
        if self.attempts == 0 {
            return error;
        }
        let (attempts, elapsed) = (error.attempts() + self.attempts, error.elapsed() + passed);
        let partial = error.partial::<Reply>().cloned();
        let error = error.with_attempts(attempts, elapsed);
        match partial {
            Some(reply) => error.with_partial(self.added_to(reply, passed)),
            None => error,
        }
    }
}
