//! One call as it is counted and traced, from its beginning to the last of its answer. Knows nothing of what is said.

use std::sync::Arc;

use agentcore_core::{SessionId, Target};
use agentcore_http::Response;
use tracing::{Instrument as _, Span};

use crate::{
    Done, Error,
    metrics::{Measured, Meter},
    trace,
};

/// A call that goes on.
#[derive(Debug)]
pub(crate) struct MeteredCall {
    measured: Measured,
    span: Span,
}

impl MeteredCall {
    pub(crate) fn begin(meter: &Arc<Meter>, target: &Target, session: &SessionId) -> Self {
        Self { measured: meter.begin(), span: trace::span(target, session) }
    }

    /// The trace to pass on, where somebody records it.
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

    /// The span, to be entered while the answer is read.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The answer is read by the caller, as bytes or server-sent events.
    pub(crate) fn handed_over(&mut self, response: &Response) {
        self.measured.handed_over(response.attempts(), response.elapsed());
    }

    /// The answer is complete.
    pub(crate) fn done(&mut self, done: &Done, attempts: u32, agent_failed: bool) {
        if agent_failed {
            trace::agent_failed(&self.span);
        }
        self.measured.done(done, attempts, agent_failed);
    }

    /// No answer came, or it broke off.
    pub(crate) fn failed(&mut self, error: &Error) {
        trace::failed(&self.span, error);
        self.measured.failed(error);
    }
}
