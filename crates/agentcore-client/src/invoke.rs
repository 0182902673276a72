//! One invocation as a sentence: payload, options, and then whole, streamed or raw.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use agentcore_core::{CustomHeader, SessionId, Target, UserId};
use agentcore_http::{Invocation, McpContext, Payload, Protocol, Response, RetryPolicy, Timeouts, TraceContext};

#[cfg(feature = "cache")]
use {
    crate::response_cache::{CachePolicy, Question, ResponseCache},
    agentcore_auth::Auth,
    tokio::time::Instant,
};

use crate::{
    BoxFuture, Dialect, Error, Event, Events, Reader, Reply, SseEvent, call::MeteredCall, event::ReaderSettings,
    shared::Shared,
};

/// An invocation about to be made. Nothing is sent before it is awaited, [streamed](Self::stream) or [sent](Self::send).
///
/// Awaiting it collects the whole answer into a [`Reply`].
///
/// ```
/// # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
/// use std::time::Duration;
///
/// let reply = agent.invoke("Summarize the report.").idempotent().total_timeout(Duration::from_secs(90)).await?;
/// println!("{}", reply.text);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before the invocation is awaited, streamed or sent"]
pub struct Invoke {
    shared: Arc<Shared>,
    target: Target,
    invocation: Invocation,
    reading: ReaderSettings,
    /// Whether the caller passes a trace of its own on.
    #[cfg(feature = "otel")]
    traced: bool,
    #[cfg(feature = "cache")]
    policy: CachePolicy,
}

impl Invoke {
    pub(crate) fn new(shared: Arc<Shared>, target: Target, payload: Payload) -> Self {
        Self {
            shared,
            target,
            invocation: Invocation::new(payload),
            reading: ReaderSettings::default(),
            #[cfg(feature = "otel")]
            traced: false,
            #[cfg(feature = "cache")]
            policy: CachePolicy::default(),
        }
    }

    /// Passes a trace on. Default: none; with the feature `otel` that of the current span, where OpenTelemetry records it.
    #[cfg_attr(not(feature = "otel"), expect(unused_mut, reason = "what is noted is for `otel`"))]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        #[cfg(feature = "otel")]
        {
            self.traced = true;
        }
        self.map(|invocation| invocation.trace(trace))
    }

    /// Sets the total timeout, and leaves the others as they are.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        let timeouts = self.shared.http.timeouts(&self.invocation).clone().total(timeout);
        self.timeouts(timeouts)
    }

    /// Asks the agent in any case, and keeps no answer; see [`ClientBuilder::cache`](crate::ClientBuilder::cache).
    #[cfg(feature = "cache")]
    pub fn uncached(mut self) -> Self {
        self.policy = CachePolicy::Bypass;
        self
    }

    /// Keeps the answer so long, if the client keeps answers; see [`ClientBuilder::cache`](crate::ClientBuilder::cache).
    #[cfg(feature = "cache")]
    pub fn cached_for(mut self, ttl: Duration) -> Self {
        self.policy = CachePolicy::For(ttl);
        self
    }

    /// Reads the answer by this dialect only; see [`Reader::dialect`].
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.reading.dialect(dialect);
        self
    }

    /// Understands events by a dialect of the agent's own, before the known ones; see [`Reader::own_dialect`].
    pub fn own_dialect(
        mut self,
        read: impl Fn(&SseEvent) -> Option<Result<Event, Error>> + Send + Sync + 'static,
    ) -> Self {
        self.reading.own_dialect(read);
        self
    }

    /// The session this invocation belongs to.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.invocation.session_id()
    }

    /// Returns the retry policy that applies: its own, else the client's.
    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        self.shared.http.retry(&self.invocation)
    }

    /// Counts its last sending, which was throttled, as one that is followed by another.
    pub(crate) fn sent_again(&self) {
        self.shared.meter.sent_again();
    }

    /// Sends it and waits for the head of the answer, whose bytes or server-sent events can then be read as they are.
    ///
    /// # Errors
    /// If the invocation is not fit to be sent, was refused, or no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more; an attempt on its way is cut off, and the agent may have run.
    pub async fn send(mut self) -> Result<Response, Error> {
        let (mut call, response) = self.answer().await?;
        call.handed_over(&response);
        Ok(response)
    }

    /// Sends it and streams what the agent says, as it says it. An answer that is no event stream is taken as one event.
    ///
    /// # Errors
    /// As [`send`](Self::send), and if the answer is a page of a proxy or a captive portal; see
    /// [`Response::page_of_another`].
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    #[doc(alias = "invoke_agent_with_streaming")]
    pub async fn stream(mut self) -> Result<Events, Error> {
        let (mut call, mut response) = self.answer().await?;
        if let Some(error) = response.page_of_another().await {
            call.failed(&error);
            return Err(error);
        }
        Ok(Events::new(response, Reader::with(self.reading), self.target.arn().cloned(), call))
    }

    /// Sends it, and waits for the head of the answer.
    async fn answer(&mut self) -> Result<(MeteredCall, Response), Error> {
        let mut call = MeteredCall::begin(&self.shared, &self.target, &self.invocation)?;
        #[cfg(feature = "otel")]
        if !self.traced {
            call.add_trace(&mut self.invocation);
        }
        let response = call.send(&self.shared, &self.target, &mut self.invocation, |error| error).await?;
        Ok((call, response))
    }

    async fn reply(self) -> Result<Reply, Error> {
        self.stream().await?.into_reply().await
    }

    #[cfg(feature = "cache")]
    async fn cached(self, cache: ResponseCache) -> Result<Reply, Error> {
        let (shared, started) = (self.shared.clone(), Instant::now());
        let question = Question {
            policy: self.policy,
            target: self.target.clone(),
            cache_key: self.invocation.cache_key(),
            dialect: self.reading.shared_dialect(),
            session: self.session_id().clone(),
            started,
            deadline: shared.http.timeouts(&self.invocation).deadline(started),
        };
        let auth = if self.target.is_local() { &Auth::None } else { &shared.auth };
        let ask = |left| match left {
            Some(left) => self.total_timeout(left).reply(),
            None => self.reply(),
        };
        cache.answer(question, auth.principal(shared.clock.now()), &shared.meter, ask).await
    }

    fn map(mut self, change: impl FnOnce(Invocation) -> Invocation) -> Self {
        self.invocation = change(self.invocation);
        self
    }
}

/// Passes settings on to the [`Invocation`].
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident($($value:ident: $type:ty)?);)*) => {
        impl Invoke {
            $(
                #[doc = concat!("See [`Invocation::", stringify!($name), "`].")]
                $(#[$attribute])*
                pub fn $name(self $(, $value: $type)?) -> Self {
                    self.map(|invocation| invocation.$name($($value)?))
                }
            )*
        }
    };
}

settings! {
    session(session: &SessionId);
    user(user: UserId);
    no_user();
    #[doc(alias = "custom_headers")]
    header(header: CustomHeader);
    protocol(protocol: Protocol);
    mcp(mcp: McpContext);
    idempotent();
    timeouts(timeouts: Timeouts);
    retry(policy: RetryPolicy);
}

impl IntoFuture for Invoke {
    type Output = Result<Reply, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        #[cfg(feature = "cache")]
        if let Some(cache) = self.shared.cache.clone() {
            return Box::pin(self.cached(cache));
        }
        Box::pin(self.reply())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use crate::{Client, Events};

    /// Futures and streams are moved several times before they are polled, byte by byte.
    #[test]
    fn what_is_moved_is_small() {
        let client = Client::builder().bearer_token("token").build().unwrap();
        let agent = client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/x-1".parse().unwrap());
        let invoke = || agent.invoke("Hello");
        assert_eq!(
            [
                ("invocation", size_of_val(&invoke()) <= 512),
                ("events", size_of::<Events>() <= 1400),
                ("stream()", size_of_val(&invoke().stream()) <= 2600),
                ("send()", size_of_val(&invoke().send()) <= 1800),
            ],
            [("invocation", true), ("events", true), ("stream()", true), ("send()", true)],
            "{} {} {} {}",
            size_of_val(&invoke()),
            size_of::<Events>(),
            size_of_val(&invoke().stream()),
            size_of_val(&invoke().send()),
        );
    }
}
