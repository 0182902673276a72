//! One call with its metrics and its span, from its beginning to the end of its answer. Reads no answer.

use agentcore_core::{SessionId, Target};
use agentcore_http::Response;
use tracing::{Instrument as _, Span};

use crate::{Done, Error, Usage, lifecycle::UnderWay, metrics::Measured, shared::Shared, trace};

/// A call that has not ended.
#[derive(Debug)]
pub(crate) struct MeteredCall {
    measured: Measured,
    under_way: UnderWay,
    span: Span,
}

impl MeteredCall {
    /// Begins a call.
    ///
    /// # Errors
    /// If the client was shut down.
    pub(crate) fn begin(shared: &Shared, target: &Target, session: &SessionId) -> Result<Self, Error> {
        let under_way = shared.lifecycle.begin(session)?;
        Ok(Self { measured: shared.meter.begin(), under_way, span: trace::span(target, session) })
    }

    /// Returns the trace to pass on, if a subscriber records it.
    #[cfg(feature = "otel")]
    pub(crate) fn trace(&self) -> Option<agentcore_http::TraceContext> {
        trace::context(&self.span)
    }

    /// Waits for the head of the answer.
    pub(crate) async fn answered(
        &mut self,
        answer: impl Future<Output = Result<Response, Error>>,
    ) -> Result<Response, Error> {
        let answer = answer.instrument(self.span.clone()).await;
        match &answer {
            Ok(response) => trace::answered(&self.span, response.status(), response.request_id(), response.attempts()),
            Err(error) => self.failed(error),
        }
        answer
    }

    /// Returns the span, to be entered while the answer is read.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Ends the call; the caller reads the answer, as bytes or server-sent events.
    pub(crate) fn handed_over(&mut self, response: &Response) {
        self.under_way.ended(None);
        self.measured.handed_over(response.attempts(), response.elapsed());
    }

    /// Counts what the agent says that its model calls took.
    pub(crate) fn used(&self, usage: &Usage) {
        self.measured.used(usage);
    }

    /// Counts a question of the agent.
    pub(crate) fn interrupted(&self) {
        self.measured.interrupted();
    }

    /// Ends the call after a complete answer.
    pub(crate) fn done(&mut self, done: &Done, attempts: u32, agent_failed: bool) {
        if agent_failed {
            trace::agent_failed(&self.span);
        }
        self.under_way.ended(None);
        self.measured.done(done, attempts, agent_failed);
    }

    /// Ends the call without a complete answer.
    pub(crate) fn failed(&mut self, error: &Error) {
        trace::failed(&self.span, error);
        self.under_way.ended(Some(error));
        self.measured.failed(error);
    }
}
