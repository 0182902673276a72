//! The span of a call, by OpenTelemetry's names, and the trace for the agent. Exports nothing.

use agentcore_core::{SessionId, Target};
use tracing::{Span, field::Empty};

use crate::{Error, metrics};

/// Returns the span of one call, to be entered wherever the call makes progress.
///
/// Names are those of OpenTelemetry's semantic conventions: for generative AI (`invoke_agent`), HTTP clients and AWS SDKs;
/// `otel.name`, `otel.kind` and `otel.status_code` are what `tracing-opentelemetry` reads.
pub(crate) fn span(target: &Target, session: Option<&SessionId>) -> Span {
    tracing::info_span!(
        "invoke_agent",
        // It is formatted only if a subscriber records the span.
        otel.name = target.arn().map_or_else(|| "invoke_agent".to_owned(), |arn| format!("invoke_agent {}", arn.id())),
        otel.kind = "client",
        otel.status_code = Empty,
        gen_ai.operation.name = "invoke_agent",
        gen_ai.provider.name = "aws.bedrock",
        gen_ai.agent.id = target.arn().map(|arn| arn.as_str()),
        gen_ai.conversation.id = session.map(SessionId::as_str),
        cloud.region = target.region().map(|region| region.as_str()),
        aws.request_id = Empty,
        http.response.status_code = Empty,
        http.request.resend_count = Empty,
        error.type = Empty,
    )
}

/// Records the session that the answer named, where the call named none.
pub(crate) fn in_session(span: &Span, session: &SessionId) {
    span.record("gen_ai.conversation.id", session.as_str());
}

/// Records the head of an answer.
pub(crate) fn answered(span: &Span, status: u16, request_id: Option<&str>, attempts: u32) {
    span.record("http.response.status_code", status);
    if let Some(request_id) = request_id {
        span.record("aws.request_id", request_id);
    }
    // The conventions leave it out if nothing was sent again.
    if attempts > 1 {
        span.record("http.request.resend_count", attempts - 1);
    }
}

/// Records why the call failed.
pub(crate) fn failed(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", metrics::name(error.kind()));
    let (status, request_id) = (error.status(), error.request_id());
    if let Some(status) = status {
        answered(span, status, request_id, error.attempts().max(1));
    }
}

/// Records that the agent reported an error within its answer.
pub(crate) fn agent_failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", "agent");
}

/// Returns the span's trace, in the headers of W3C Trace Context and Baggage, if a subscriber records it.
#[cfg(feature = "otel")]
pub(crate) fn context(span: &Span) -> Option<agentcore_http::TraceContext> {
    use std::collections::HashMap;

    use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
    use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    BaggagePropagator::new().inject_context(&context, &mut headers);
    let mut trace = agentcore_http::TraceContext::default();
    // A value that is too long for the service is left out: the call matters more than its trace.
    for (name, value) in &headers {
        let with = match name.as_str() {
            "traceparent" => trace.clone().traceparent(value),
            "tracestate" if !value.is_empty() => trace.clone().tracestate(value),
            "baggage" if !value.is_empty() => trace.clone().baggage(value),
            _ => continue,
        };
        trace = with.unwrap_or(trace);
    }
    Some(trace)
}
