//! One invocation as a sentence: payload, options, and then whole, streamed or raw.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use agentcore_auth::BoxFuture;
use agentcore_core::{CustomHeader, SessionId, Target, UserId};
use agentcore_http::{Invocation, McpContext, Payload, Response, RetryPolicy, Timeouts, TraceContext};

#[cfg(feature = "cache")]
use crate::cache::CachePolicy;
use crate::{Error, Event, Events, Reader, Reply, SseEvent, call::Call, client::Shared};

/// An invocation about to be made. Nothing is sent before it is awaited, [streamed](Self::stream) or [sent](Self::send).
///
/// Awaiting it collects the whole answer into a [`Reply`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before the invocation is awaited, streamed or sent"]
pub struct Invoke {
    pub(crate) shared: Arc<Shared>,
    pub(crate) target: Target,
    pub(crate) invocation: Invocation,
    reader: Reader,
    /// Whether the caller passes a trace of its own on.
    #[cfg(feature = "otel")]
    pub(crate) traced: bool,
    #[cfg(feature = "cache")]
    wish: CachePolicy,
}

impl Invoke {
    pub(crate) fn new(shared: Arc<Shared>, target: Target, payload: Payload) -> Self {
        Self {
            shared,
            target,
            invocation: Invocation::new(payload),
            reader: Reader::new(),
            #[cfg(feature = "otel")]
            traced: false,
            #[cfg(feature = "cache")]
            wish: CachePolicy::default(),
        }
    }

    /// Goes on in this session. Default: a new, random one, which the reply tells.
    pub fn session(self, session: &SessionId) -> Self {
        self.map(|invocation| invocation.session(session))
    }

    /// Names the user; see [`Invocation::user`].
    pub fn user(self, user: UserId) -> Self {
        self.map(|invocation| invocation.user(user))
    }

    /// Sends no user id.
    pub fn no_user(self) -> Self {
        self.map(Invocation::no_user)
    }

    /// Adds a header for the agent; at most 20.
    pub fn header(self, header: CustomHeader) -> Self {
        self.map(|invocation| invocation.header(header))
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

    /// Passes MCP headers on.
    pub fn mcp(self, mcp: McpContext) -> Self {
        self.map(|invocation| invocation.mcp(mcp))
    }

    /// Says that running the agent twice does no harm; see [`Invocation::idempotent`].
    pub fn idempotent(self) -> Self {
        self.map(Invocation::idempotent)
    }

    /// Uses other timeouts than the client's.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.map(|invocation| invocation.timeouts(timeouts))
    }

    /// Tries more or less hard than the client does by default.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.map(|invocation| invocation.retry(policy))
    }

    /// Uses another total timeout than the client's, and its others.
    pub fn total_timeout(self, timeout: Duration) -> Self {
        let timeouts = self.shared.http.timeouts().clone().total(timeout);
        self.timeouts(timeouts)
    }

    /// Asks the agent in any case, and keeps no answer; see [`ClientBuilder::cache`](crate::ClientBuilder::cache).
    #[cfg(feature = "cache")]
    pub fn uncached(mut self) -> Self {
        self.wish = CachePolicy::Bypass;
        self
    }

    /// Keeps the answer so long, if the client keeps answers; see [`ClientBuilder::cache`](crate::ClientBuilder::cache).
    #[cfg(feature = "cache")]
    pub fn cached_for(mut self, ttl: Duration) -> Self {
        self.wish = CachePolicy::For(ttl);
        self
    }

    /// Understands events by a dialect of the agent's own, before the known ones; see [`Reader::dialect`].
    pub fn dialect(mut self, read: impl Fn(&SseEvent) -> Option<Event> + Send + Sync + 'static) -> Self {
        self.reader = self.reader.dialect(read);
        self
    }

    /// The session this invocation belongs to.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.invocation.session_id()
    }

    /// Sends it and waits for the head of the answer, whose bytes or server-sent events can then be read as they are.
    ///
    /// # Errors
    /// If the invocation is not fit to be sent, was refused, or no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more; an attempt on its way is cut off, and the agent may have run.
    pub async fn send(self) -> Result<Response, Error> {
        let mut call = Call::begin(&self);
        let response = call.answer(self).await?;
        call.handed_over(&response);
        Ok(response)
    }

    /// Sends it and streams what the agent says, as it says it. An answer that is no event stream is taken as one event.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn stream(self) -> Result<Events, Error> {
        let mut call = Call::begin(&self);
        let (reader, arn) = (self.reader.clone(), self.target.arn().cloned());
        let response = call.answer(self).await?;
        Ok(Events::new(response, reader, arn, call))
    }

    async fn reply(self) -> Result<Reply, Error> {
        self.stream().await?.into_reply().await
    }

    fn map(mut self, change: impl FnOnce(Invocation) -> Invocation) -> Self {
        self.invocation = change(self.invocation);
        self
    }
}

impl IntoFuture for Invoke {
    type Output = Result<Reply, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        #[cfg(feature = "cache")]
        if let Some(cache) = self.shared.cache.clone() {
            return Box::pin(async move {
                let (shared, target, wish) = (self.shared.clone(), self.target.clone(), self.wish);
                let question = self.invocation.cache_key();
                cache.answer(&target, question, wish, &shared.meter, self.reply()).await
            });
        }
        Box::pin(self.reply())
    }
}
