//! One call with its metrics and its span, from its beginning to the end of its answer. Reads no answer.

use std::sync::Arc;

use agentcore_core::{SessionId, Target};
use agentcore_http::Response;
use tracing::{Instrument as _, Span};

use crate::{
    Done, Error,
    metrics::{Measured, Meter},
    trace,
};

/// A call that has not ended.
#[derive(Debug)]
pub(crate) struct MeteredCall {
    measured: Measured,
    span: Span,
}

impl MeteredCall {
    pub(crate) fn begin(meter: &Arc<Meter>, target: &Target, session: &SessionId) -> Self {
        Self { measured: meter.begin(), span: trace::span(target, session) }
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
        self.measured.handed_over(response.attempts(), response.elapsed());
    }

    /// Ends the call after a complete answer.
    pub(crate) fn done(&mut self, done: &Done, attempts: u32, agent_failed: bool) {
        if agent_failed {
            trace::agent_failed(&self.span);
        }
        self.measured.done(done, attempts, agent_failed);
    }

    /// Ends the call without a complete answer.
    pub(crate) fn failed(&mut self, error: &Error) {
        trace::failed(&self.span, error);
        self.measured.failed(error);
    }
}
