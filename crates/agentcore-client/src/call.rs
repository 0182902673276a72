//! One call as it is counted and traced, from its beginning to the last of its answer. Knows nothing of what is said.

use agentcore_http::Response;
use tracing::{Instrument as _, Span};

use crate::{Done, Error, Invoke, metrics::Measured, trace};

/// A call that goes on.
#[derive(Debug)]
pub(crate) struct Call {
    measured: Measured,
    span: Span,
}

impl Call {
    pub(crate) fn begin(invoke: &Invoke) -> Self {
        let span = trace::span(&invoke.target, invoke.session_id());
        Self { measured: invoke.shared.meter.begin(), span }
    }

    /// Sends it, and waits for the head of the answer.
    pub(crate) async fn answer(&mut self, invoke: Invoke) -> Result<Response, Error> {
        #[cfg(feature = "otel")]
        let invoke = match trace::context(&self.span).filter(|_| !invoke.traced) {
            Some(trace) => invoke.trace(trace),
            None => invoke,
        };
        let answer = invoke.shared.http.invoke(&invoke.target, &invoke.invocation).instrument(self.span.clone()).await;
        match answer {
            Ok(response) => {
                trace::answered(&self.span, response.status(), response.request_id(), response.attempts());
                Ok(response)
            }
            Err(error) => {
                let error = Error::from(error);
                self.failed(&error);
                Err(error)
            }
        }
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
