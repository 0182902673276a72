//! Many invocations at once: bounded, in order or as they complete, each with its own outcome. Sends nothing itself.

use std::{fmt, time::Duration};

use agentcore_http::Payload;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use crate::{Error, Invoke, Reply, Runtime};

/// Invocations of one agent, not yet sent; see [`Runtime::invoke_all`].
///
/// Each has a new session, unless [`each`](Self::each) sets another, and its own outcome: the failure of one does not affect the
/// others.
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
#[must_use = "nothing is sent before the batch is collected or streamed"]
pub struct Batch<'a, P> {
    runtime: Runtime,
    payloads: P,
    concurrency: usize,
    timeout: Option<Duration>,
    change: Change<'a>,
}

/// Changes an invocation before it is sent. The number is the index of its payload.
type Change<'a> = Box<dyn Fn(Invoke, usize) -> Invoke + Send + 'a>;

impl Runtime {
    /// Returns an invocation for each payload, to [`collect`](Batch::collect) in order or [`stream`](Batch::stream) as they complete.
    pub fn invoke_all<'a, P>(&self, payloads: P) -> Batch<'a, P>
    where
        P: IntoIterator,
        P::Item: Into<Payload>,
        P::IntoIter: Send + 'a,
    {
        Batch::new(self.clone(), payloads)
    }
}

impl<'a, P> Batch<'a, P>
where
    P: IntoIterator,
    P::Item: Into<Payload>,
    P::IntoIter: Send + 'a,
{
    fn new(runtime: Runtime, payloads: P) -> Self {
        let change = Box::new(|invoke, _| invoke);
        Self { runtime, payloads, concurrency: DEFAULT_CONCURRENCY, timeout: None, change }
    }

    /// Bounds the invocations at a time. Default: 8. More finish sooner, until the service throttles them (429) or the runtime's
    /// quota of sessions is used up. Each has a connection of its own, unless HTTP/2 is on. Zero counts as one.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Bounds the time of each, retries included. Default: the client's [`Timeouts::total`](crate::Timeouts::total).
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
        self.change = Box::new(change);
        self
    }

    /// Sends all of them and waits for the last. The outcomes are in the order of the payloads.
    ///
    /// # Cancel safety
    /// As [`stream`](Self::stream); the outcomes are lost.
    pub async fn collect(self) -> Vec<Result<Reply, Error>> {
        let mut outcomes: Vec<_> = self.stream().collect().await;
        outcomes.sort_unstable_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Sends them and returns each outcome as it arrives, with the index of its payload.
    ///
    /// Payloads are taken from their iterator as earlier invocations end. The stream makes progress only while it is polled.
    ///
    /// # Cancel safety
    /// A `next()` future may be dropped at any time. Dropping the stream cuts off the attempts that were begun, which may have run,
    /// and sends nothing more.
    pub fn stream(self) -> impl Stream<Item = (usize, Result<Reply, Error>)> + Send + Unpin + 'a {
        let Self { runtime, payloads, concurrency, timeout, change } = self;
        let calls = payloads.into_iter().enumerate().map(move |(place, payload)| {
            let mut invoke = runtime.invoke(payload);
            if let Some(timeout) = timeout {
                invoke = invoke.total_timeout(timeout);
            }
            let invoke = change(invoke, place);
            async move { (place, invoke.await) }
        });
        Box::pin(stream::iter(calls).buffer_unordered(concurrency))
    }
}

impl<P> fmt::Debug for Batch<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("runtime", &self.runtime)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

const DEFAULT_CONCURRENCY: usize = 8;
