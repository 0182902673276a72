//! Spans by OpenTelemetry's names, and the trace that goes on to the agent.

use std::sync::{Arc, Mutex};

use agentcore_client::{RetryPolicy, TraceContext};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider},
};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::{Instrument, instrument::WithSubscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{agent, mock};

/// Keeps what was exported.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> opentelemetry_sdk::error::OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Exported {
    fn attribute(&self, name: &str) -> Option<String> {
        let spans = self.0.lock().unwrap();
        let span = spans.iter().find(|span| span.name.starts_with("invoke_agent"))?;
        span.attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == name)
            .map(|attribute| attribute.value.to_string())
    }
}

fn subscriber(exported: &Exported) -> (impl tracing::Subscriber + Send + Sync + 'static, SdkTracerProvider) {
    let provider = SdkTracerProvider::builder().with_simple_exporter(exported.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    (tracing_subscriber::registry().with(layer), provider)
}

/// A remote parent, with baggage.
fn parent() -> Context {
    let context = SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::from_hex("b7ad6b7169203331").unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "value")]).unwrap(),
    );
    Context::new().with_remote_span_context(context).with_baggage([KeyValue::new("tenant", "blue sky")])
}

#[tokio::test]
async fn the_current_trace_goes_on_to_the_agent() {
    let mock = mock().await;
    let exported = Exported::default();
    let (subscriber, _provider) = subscriber(&exported);
    let runtime = agent(&mock, "echo");
    let own = TraceContext::default().traceparent("00-11111111111111111111111111111111-2222222222222222-01").unwrap();
    async {
        let span = tracing::info_span!("request");
        span.set_parent(parent()).unwrap();
        runtime.invoke("x").into_future().instrument(span.clone()).await.unwrap();
        runtime.invoke("x").trace(own).into_future().instrument(span).await.unwrap();
    }
    .with_subscriber(subscriber)
    .await;
    let requests = mock.requests();
    let header = |place: usize, name: &str| requests[place].header(name).map(str::to_owned);
    let traceparent = header(0, "traceparent").unwrap();
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && traceparent.ends_with("-01"));
    assert!(!traceparent.contains("b7ad6b7169203331"), "the call's own span is the agent's parent");
    assert_eq!(header(0, "tracestate").as_deref(), Some("vendor=value"));
    assert_eq!(header(0, "baggage").as_deref(), Some("tenant=blue%20sky"));
    let explicit = header(1, "traceparent");
    assert_eq!(explicit.as_deref(), Some("00-11111111111111111111111111111111-2222222222222222-01"));
    assert_eq!(header(1, "baggage"), None, "a trace of the caller's own is passed on as it is");

    agent(&mock, "echo").invoke("x").await.unwrap();
    assert_eq!(mock.requests()[2].header("traceparent"), None, "none where nothing records one");
}

#[tokio::test]
async fn what_a_span_tells() {
    let mock = mock().await;
    let arn = mock.arn("throttle-1");
    for (name, status, resent, error_type) in [
        ("throttle-1", "200", Some("1"), None),
        ("error-404", "404", None, Some("not_found")),
        ("fail-midstream", "200", None, Some("agent")),
        ("reset-midstream", "200", None, Some("broken_off")),
    ] {
        let exported = Exported::default();
        let (subscriber, provider) = subscriber(&exported);
        let runtime = agent(&mock, name);
        let outcome =
            async { runtime.invoke("x").retry(RetryPolicy::default()).await }.with_subscriber(subscriber).await;
        drop(provider);
        assert_eq!(outcome.is_err(), error_type.is_some());
        let attribute = |key: &str| exported.attribute(key);
        assert_eq!(attribute("gen_ai.operation.name").as_deref(), Some("invoke_agent"), "{name}");
        assert_eq!(attribute("gen_ai.provider.name").as_deref(), Some("aws.bedrock"));
        assert_eq!(attribute("gen_ai.agent.id").as_deref(), Some(mock.arn(name).as_str()));
        assert_eq!(attribute("cloud.region").as_deref(), Some(arn.region().as_str()));
        assert!(attribute("gen_ai.conversation.id").is_some_and(|session| session.len() == 36));
        assert_eq!(attribute("http.response.status_code").as_deref(), Some(status), "{name}");
        assert_eq!(attribute("http.request.resend_count").as_deref(), resent, "{name}");
        assert_eq!(attribute("error.type").as_deref(), error_type, "{name}");
        assert!(attribute("aws.request_id").is_some(), "{name}");
        let spans = exported.0.lock().unwrap();
        assert_eq!(spans[0].name, format!("invoke_agent {}", mock.arn(name).id()));
        assert_eq!(spans[0].span_kind, opentelemetry::trace::SpanKind::Client);
    }
}
