//! Many invocations at once: bounded, paced, in order or as they complete, each with its own outcome.
//!
//! | file | what it decides |
//! |---|---|
//! | [`adaptive_rate`] | how many calls a second, learnt from those that were throttled |
//! | [`rate_limiter`] | whose turn it is |
//! | [`session_queues`] | that the calls of a session are made one after the other |
//! | [`journal`] | what was begun and how it ended, in files |
//! | [`outcomes`] | one call, with its waits and its attempts |

mod adaptive_rate;
mod journal;
mod outcomes;
mod rate_limiter;
mod session_queues;

use std::{fmt, time::Duration};

use agentcore_http::Payload;
use futures_util::StreamExt as _;

use self::outcomes::Caller;
pub use self::{
    journal::{InputDigest, Journal},
    outcomes::Outcomes,
    rate_limiter::RateLimiter,
};
use crate::{Error, Invoke, Reply, Runtime};

/// Invocations of one agent, not yet sent; see [`Runtime::invoke_all`].
///
/// Each has a new session, unless [`each`](Self::each) sets another, and its own outcome: the failure of one does not affect the
/// others. Those of one session are made one after the other, as the service wants it.
///
/// The rate of all of them together is that of a [`RateLimiter`]. It is the limiter, and not the call, that sends a call again which was
/// throttled (429): every other call waits as well, and no retry of the client's [`RetryBudget`](crate::RetryBudget) is used. How long a
/// call may wait for that is the policy's [`max_elapsed`](crate::RetryPolicy::max_elapsed), whatever its `max_attempts` are; a policy that
/// is [off](crate::RetryPolicy::off) fails the call at once. All other retries are the call's own, by its policy.
///
/// ```
/// # async fn example(agent: agentcore_client::Runtime) {
/// use std::time::Duration;
///
/// let questions = ["What is a crab?", "What is a lighthouse?"];
/// let outcomes = agent.invoke_all(questions).concurrency(16).timeout(Duration::from_secs(60)).collect().await;
/// for (question, outcome) in questions.iter().zip(outcomes) {
///     match outcome {
///         Ok(reply) => println!("{question} {}", reply.text),
///         Err(error) => eprintln!("{question} {error}"),
///     }
/// }
/// # }
/// ```
///
/// With a [`Journal`] a batch of any size can be killed and resumed; the example `evaluate` does it.
#[must_use = "nothing is sent before the batch is collected or streamed"]
pub struct Batch<'a> {
    calls: Calls<'a>,
    concurrency: usize,
    timeout: Option<Duration>,
    change: Option<Change<'a>>,
    limiter: RateLimiter,
    journal: Option<Journal>,
}

/// The invocations, each with its index.
type Calls<'a> = Box<dyn Iterator<Item = (usize, Invoke)> + Send + 'a>;

/// Changes an invocation before it is sent. The number is the index of its payload.
type Change<'a> = Box<dyn Fn(Invoke, usize) -> Invoke + Send + 'a>;

impl Runtime {
    /// Returns an invocation for each payload, to [`collect`](Batch::collect) in order or [`stream`](Batch::stream) as they complete.
    pub fn invoke_all<'a, P>(&self, payloads: P) -> Batch<'a>
    where
        P: IntoIterator,
        P::Item: Into<Payload>,
        P::IntoIter: Send + 'a,
    {
        let runtime = self.clone();
        self.invoke_numbered(payloads.into_iter().map(move |payload| runtime.invoke(payload)).enumerate())
    }

    /// Returns a batch of invocations that are numbered and set up by the caller, such as the lines of a file of which some were done
    /// before. A number stands for one of them.
    pub fn invoke_numbered<'a, I>(&self, calls: I) -> Batch<'a>
    where
        I: IntoIterator<Item = (usize, Invoke)>,
        I::IntoIter: Send + 'a,
    {
        Batch {
            calls: Box::new(calls.into_iter()),
            concurrency: DEFAULT_CONCURRENCY,
            timeout: None,
            change: None,
            limiter: self.shared.rate_limiter.clone(),
            journal: None,
        }
    }
}

impl<'a> Batch<'a> {
    /// Bounds the invocations at a time. Default: 8. More finish sooner, until the rate limiter holds them back. Each has a connection
    /// of its own, unless HTTP/2 is on. Zero counts as one.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Bounds the time of each, retries included; waiting for its turn, at first and after it was throttled, does not count. Default: the
    /// client's [`Timeouts::total`](crate::Timeouts::total).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Changes each invocation before it is sent: its session, its user, its headers. The change receives the index of the payload.
    ///
    /// ```
    /// # async fn example(agent: agentcore_client::Runtime, session: agentcore_client::SessionId) {
    /// let batch = agent.invoke_all(["one", "two"]).each(|invoke, _| invoke.session(&session).idempotent());
    /// # batch.collect().await; }
    /// ```
    pub fn each(mut self, change: impl Fn(Invoke, usize) -> Invoke + Send + 'a) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Sets the rate limiter. Default: the client's own, which all its batches share. Clients that use the same account can share one,
    /// since its quotas are the account's.
    pub fn rate_limiter(mut self, limiter: &RateLimiter) -> Self {
        self.limiter = limiter.clone();
        self
    }

    /// Leaves out the calls that the journal [skips](Journal::skips), and notes there that a call is begun before it is sent. The caller
    /// [records](Journal::record) how it ended. Default: none.
    ///
    /// A call whose begin cannot be noted is not sent, and fails with [`ErrorKind::Input`](crate::ErrorKind::Input).
    pub fn journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// Sends all of them and waits for the last. The outcomes are in the order of the payloads.
    ///
    /// # Cancel safety
    /// As [`stream`](Self::stream); the outcomes are lost.
    pub async fn collect(self) -> Vec<Result<Reply, Error>> {
        let mut outcomes: Vec<_> = self.stream().collect().await;
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Sends them and returns each outcome as it arrives, with the index of its payload.
    ///
    /// Payloads are taken from their iterator as earlier invocations end. The stream makes progress only while it is polled.
    ///
    /// # Cancel safety
    /// A `next()` future may be dropped at any time. Dropping the stream cuts off the attempts that were begun, which may have run,
    /// and sends nothing more; [`Outcomes::under_way`] returns which they are.
    pub fn stream(self) -> Outcomes<'a> {
        let Self { calls, concurrency, timeout, change, limiter, journal } = self;
        let caller = Caller::new(limiter, journal.clone());
        let calls = calls.filter(move |(index, _)| !journal.as_ref().is_some_and(|journal| journal.skips(*index)));
        let calls = calls.map(move |(index, mut invoke)| {
            if let Some(timeout) = timeout {
                invoke = invoke.total_timeout(timeout);
            }
            (index, change.iter().fold(invoke, |invoke, change| change(invoke, index)))
        });
        Outcomes::new(caller, calls, concurrency)
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("concurrency", &self.concurrency)
            .field("rate_limiter", &self.limiter)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

const DEFAULT_CONCURRENCY: usize = 8;
