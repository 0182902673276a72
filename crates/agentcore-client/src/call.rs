//! One call with its metrics and its span, from its beginning to the end of its answer. Reads no answer.

use agentcore_core::Target;
use agentcore_http::{Invocation, Response};
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
    pub(crate) fn begin(shared: &Shared, target: &Target, invocation: &Invocation) -> Result<Self, Error> {
        let under_way = shared.lifecycle.begin(invocation.session_id())?;
        Ok(Self { measured: shared.meter.begin(), under_way, span: trace::span(target, invocation.named_session()) })
    }

    /// Adds the trace to pass on, if a subscriber records it.
    #[cfg(feature = "otel")]
    pub(crate) fn add_trace(&self, invocation: &mut Invocation) {
        if let Some(trace) = trace::context(&self.span) {
            *invocation = invocation.clone().trace(trace);
        }
    }

    /// Sends the invocation and waits for the head of the answer. `judge` adds to a failure what its protocol knows of it. The future of
    /// the call itself is kept elsewhere, because those around it are moved.
    pub(crate) async fn send(
        &mut self,
        shared: &Shared,
        target: &Target,
        invocation: &mut Invocation,
        judge: impl FnOnce(Error) -> Error,
    ) -> Result<Response, Error> {
        if shared.lifecycle.was_lost(invocation.session_id()) {
            *invocation = invocation.clone().wait_while_busy();
        }
        let answering = Box::pin(shared.http.invoke(target, invocation));
        let answer = answering.instrument(self.span.clone()).await.map_err(judge);
        match &answer {
            Ok(response) => {
                trace::answered(&self.span, response.status(), response.request_id(), response.attempts());
                if let (None, Some(session)) = (invocation.named_session(), response.answered_session()) {
                    trace::in_session(&self.span, session);
                    self.under_way.in_session(session);
                }
            }
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
