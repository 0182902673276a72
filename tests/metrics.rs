//! The numbers of a client, over calls that go well and calls that do not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use agentcore_client::{CachedToken, Client, Metrics, RetryPolicy, auth};
use agentcore_mock::{AgentResponse, Mock};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::support::{bearer, endpoint, mock, start};

#[tokio::test]
async fn calls_of_every_outcome() {
    let mock = mock().await;
    let client = bearer(&mock);
    let agent = |name: &str| client.runtime(mock.arn(name));
    let story = agent("story").invoke("x").await.unwrap();
    agent("echo").invoke("x").send().await.unwrap();
    agent("throttle-2").invoke("x").await.unwrap();
    agent("error-404").invoke("x").await.unwrap_err();
    agent("error-403").invoke("x").await.unwrap_err();
    agent("error-429").invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
    agent("fail-midstream").invoke("x").await.unwrap_err();
    agent("reset-midstream").invoke("x").await.unwrap_err();
    let mut events = agent("stall").invoke("x").stream().await.unwrap();
    events.try_next().await.unwrap();
    let midway = client.metrics();
    assert_eq!((midway.in_flight, midway.cancelled), (1, 0));
    drop(events);

    let metrics = client.metrics();
    let counted = (metrics.calls, metrics.in_flight, metrics.succeeded, metrics.failed, metrics.cancelled);
    assert_eq!(counted, (9, 0, 3, 5, 1));
    let errors = [("agent", 1), ("authorization", 1), ("broken_off", 1), ("not_found", 1), ("throttled", 1)];
    assert_eq!(metrics.errors, BTreeMap::from(errors));
    assert_eq!(metrics.retries, 2);
    // The story, one whole answer, and what `fail-midstream` sends: two texts and the error.
    assert_eq!(metrics.events, story.events + 1 + 3);
    assert!(metrics.bytes > 300, "{}", metrics.bytes);
    assert_eq!((metrics.first_event.count(), metrics.duration.count()), (3, 4));
    assert!(metrics.first_event.max() <= metrics.duration.max());
    assert!(metrics.connections.made >= 1, "{:?}", metrics.connections);
}

/// What models used counts wherever an answer ends: complete, failed, broken off, or dropped. So do questions.
#[tokio::test]
async fn what_models_used_and_what_was_asked() {
    let used = json!({"metadata": {"usage": {"inputTokens": 10, "outputTokens": 4}, "metrics": {"latencyMs": 7}}});
    let asks = json!({"tool_interrupt_event": {"interrupts": [{"id": "i1", "reason": "May I?"}]}});
    let [whole, failing] = [[used.clone(), asks], [used.clone(), json!({"error": "no"})]];
    let endless = format!("data: {used}\n\n");
    let mock = Mock::builder()
        .agent("whole", move |_| std::future::ready(AgentResponse::events(whole.clone())))
        .agent("failing", move |_| std::future::ready(AgentResponse::events(failing.clone())))
        .agent("endless", move |_| {
            let first = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(endless.clone().into())]);
            let body = first.chain(futures_util::stream::pending());
            std::future::ready(AgentResponse::stream("text/event-stream", body))
        });
    let mock = start(mock).await;
    let client = bearer(&mock);
    let agent = |name: &str| client.runtime(mock.arn(name));
    let reply = agent("whole").invoke("x").await.unwrap();
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cached_tokens), (Some(10), Some(4), None));
    assert_eq!((usage.latency, &*reply.interrupts[0].reason), (Some(Duration::from_millis(7)), "May I?"));
    agent("failing").invoke("x").await.unwrap_err();
    let mut events = agent("endless").invoke("x").stream().await.unwrap();
    events.try_next().await.unwrap();
    drop(events);
    let mut metrics = client.metrics();
    assert_eq!((metrics.usage.input_tokens, metrics.usage.output_tokens), (Some(30), Some(12)));
    assert_eq!((metrics.usage.latency, metrics.interrupts), (Some(Duration::from_millis(21)), 1));
    metrics.merge(&client.metrics());
    assert_eq!((metrics.usage.input_tokens, metrics.interrupts), (Some(60), 2));
    let written = serde_json::to_value(&metrics).unwrap();
    let usage = json!({"input_tokens": 60, "output_tokens": 24, "cached_tokens": null, "latency_ms": 42});
    assert_eq!((&written["usage"], &written["interrupts"]), (&usage, &json!(2)));
}

#[tokio::test]
async fn tokens_where_the_source_counts_them() {
    let mock = Arc::new(mock().await);
    let issuing = mock.clone();
    let source = CachedToken::new(auth::token::from_fn(move || {
        let token = issuing.token();
        async move { Ok(auth::Issued::new(agentcore_client::Token::parse(&token)?)) }
    }));
    let client = Client::builder().token_source(source).endpoints(endpoint(&mock)).build().unwrap();
    for _ in 0..3 {
        client.runtime(mock.arn("echo")).invoke("x").await.unwrap();
    }
    assert_eq!((client.metrics().tokens.fetches, client.metrics().tokens.rejected), (1, 0));
    client.runtime(mock.arn("unauthorized-1")).invoke("x").await.unwrap();
    assert_eq!((client.metrics().tokens.fetches, client.metrics().tokens.rejected), (2, 1));
    assert_eq!(bearer(&mock).metrics().tokens.fetches, 0, "a fixed token is never fetched");
}

#[tokio::test]
async fn beginning_anew_and_adding_up() {
    let mock = mock().await;
    let client = bearer(&mock);
    let runtime = client.runtime(mock.arn("echo"));
    runtime.invoke("x").await.unwrap();
    let held = client.runtime(mock.arn("stall")).invoke("x").stream().await.unwrap();
    let before = client.reset_metrics();
    assert_eq!((before.calls, before.in_flight, before.succeeded), (2, 1, 1));
    let after = client.metrics();
    assert_eq!((after.calls, after.in_flight, after.succeeded, after.duration.count()), (0, 1, 0, 0));
    drop(held);
    runtime.invoke("x").await.unwrap();
    let mut sum = before;
    sum.merge(&client.metrics());
    assert_eq!((sum.calls, sum.succeeded, sum.cancelled, sum.duration.count()), (3, 2, 1, 2));
}

#[tokio::test]
async fn connections_that_were_made_and_those_that_are_open() {
    let mock = mock().await;
    let client = bearer(&mock);
    let connections = || {
        let metrics = client.metrics().connections;
        (metrics.made, metrics.open)
    };
    assert_eq!(connections(), (0, 0));
    for _ in 0..3 {
        client.runtime(mock.arn("echo")).invoke("x").await.unwrap();
    }
    assert_eq!(connections(), (1, 1), "one is kept and used again");
    let socket = client.runtime(mock.arn("echo")).websocket().connect().await.unwrap();
    assert_eq!(connections(), (2, 2));
    socket.close().await.unwrap();
    while connections().1 > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(connections(), (2, 1));
}

#[tokio::test]
async fn as_json() {
    let mock = Mock::builder().start().await.unwrap();
    let client = bearer(&mock);
    client.runtime(mock.arn("error-404")).invoke("x").await.unwrap_err();
    let json = json!(client.metrics());
    let empty = json!({
        "count": 0, "min_ms": null, "mean_ms": null, "p50_ms": null, "p90_ms": null, "p99_ms": null, "max_ms": null
    });
    let expected = json!({
        "calls": 1, "in_flight": 0, "succeeded": 0, "failed": 1, "cancelled": 0, "errors": {"not_found": 1}, "retries": 0,
        "events": 0, "bytes": 0, "interrupts": 0,
        "usage": {"input_tokens": null, "output_tokens": null, "cached_tokens": null, "latency_ms": null},
        "first_event": empty, "duration": empty, "connections": {"made": 1, "open": 1},
        "cache": {"hits": 0, "misses": 0, "shared": 0, "entries": 0, "bytes": 0},
        "tokens": {"fetches": 0, "refreshes": 0, "failures": 0, "served_stale": 0, "rejected": 0},
    });
    assert_eq!(json, expected);
    assert_eq!(json!(Metrics::default())["calls"], 0);
}
