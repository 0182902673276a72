//! The trace of a call that was throttled twice, by OpenTelemetry, and the numbers of the client.
//!
//! `cargo run -p agentcore-client --features otel --example observability`
//!
//! ```text
//! handle a request: 0 to … ms
//!   invoke_agent throttle-2: … to … ms
//!     gen_ai.operation.name = invoke_agent
//!     http.response.status_code = 200
//!     http.request.resend_count = 2
//!     at … ms: attempt failed, 429
//!     at … ms: attempt failed, 429
//!     at … ms: answered, 200
//! the agent got the trace … of the request
//! 1 calls, 2 retries
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::SystemTime;

use agentcore_client::{Client, Endpoint};
use agentcore_mock::Mock;
use opentelemetry::trace::{SpanId, TracerProvider as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// Prints spans; a program takes an exporter of OTLP in its place.
#[derive(Debug)]
struct Printer;

impl SpanExporter for Printer {
    async fn export(&self, mut spans: Vec<SpanData>) -> OTelSdkResult {
        spans.sort_by_key(|span| span.start_time);
        let Some(begun) = spans.first().map(|span| span.start_time) else { return Ok(()) };
        let since = |time: SystemTime| time.duration_since(begun).unwrap_or_default().as_millis();
        for span in spans {
            let indent = if span.parent_span_id == SpanId::INVALID { "" } else { "  " };
            println!("{indent}{}: {} to {} ms", span.name, since(span.start_time), since(span.end_time));
            let shown = |key: &str| key.starts_with("gen_ai.op") || key.starts_with("http.");
            for it in span.attributes.iter().filter(|it| shown(it.key.as_str())) {
                println!("{indent}  {} = {}", it.key, it.value);
            }
            // Each attempt is an event of the call's span.
            for event in span.events.iter() {
                let attribute = |key: &str| event.attributes.iter().find(|it| it.key.as_str() == key);
                let (Some(_), Some(status)) = (attribute("attempt"), attribute("status")) else { continue };
                println!("{indent}  at {} ms: {}, {}", since(event.timestamp), event.name, status.value);
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = SdkTracerProvider::builder().with_batch_exporter(Printer).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("my-program"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    let mock = Mock::builder().start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    let agent = client.runtime(mock.arn("throttle-2"));
    let request = tracing::info_span!("handle a request");
    agent.invoke("Hello, world!").into_future().instrument(request).await?;
    provider.shutdown()?;
    let requests = mock.requests();
    println!("the agent got the trace {} of the request", requests[0].header("traceparent").ok_or("no trace")?);
    let metrics = client.metrics();
    println!("{} calls, {} retries", metrics.calls, metrics.retries);
    Ok(())
}
