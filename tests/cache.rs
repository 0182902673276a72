//! Answers that are kept: for what, how long, for whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use agentcore_client::{
    BoxFuture, CacheSettings, Client, Dialect, Error, ErrorKind, Invoke, Payload, Principal, SessionId, Token,
    TokenSource, metrics::CacheMetrics,
};
use agentcore_mock::{AgentResponse, Mock};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{endpoint, start};

/// A mock whose agent `counter` says how often it was asked, and a client that keeps what it says.
async fn world(cache: CacheSettings) -> (Mock, Client) {
    let asked = Arc::new(AtomicU32::new(0));
    let mock = start(Mock::builder().endpoint("other").agent("counter", move |_| {
        let asked = asked.clone();
        async move { AgentResponse::json((asked.fetch_add(1, Ordering::SeqCst) + 1).to_string()) }
    }))
    .await;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).cache(cache).build().unwrap();
    (mock, client)
}

fn counts(client: &Client) -> (u64, u64, u64) {
    let CacheMetrics { hits, misses, shared, .. } = client.metrics().cache;
    (hits, misses, shared)
}

#[tokio::test]
async fn what_counts_as_the_same_question() {
    let (mock, client) = world(CacheSettings::default()).await;
    let runtime = client.runtime(mock.arn("counter"));
    let other_endpoint = runtime.clone().qualifier("other".parse().unwrap());
    let (one, other) = (SessionId::random(), SessionId::random());
    let ask = |prompt: &str| runtime.invoke(prompt).session(&one);
    let json = |text: &'static str| runtime.invoke(Payload::json_text(text).unwrap()).session(&one);
    let own = |ask: Invoke| ask.own_dialect(|_| None);
    let cases: Vec<(&str, Invoke, u32)> = vec![
        ("the first", ask("x"), 1),
        ("the same", ask("x"), 1),
        ("another prompt", ask("y"), 2),
        ("another endpoint", other_endpoint.invoke("x").session(&one), 3),
        ("another user", ask("x").user("jane".parse().unwrap()), 4),
        ("that user again", ask("x").user("jane".parse().unwrap()), 4),
        ("no user", ask("x").no_user(), 5),
        ("a header", ask("x").header("X-A=1".parse().unwrap()), 6),
        ("the same header", ask("x").header("X-A=1".parse().unwrap()), 6),
        ("another value", ask("x").header("X-A=2".parse().unwrap()), 7),
        ("in no named session", runtime.invoke("x"), 8),
        ("each session that is not named is new", runtime.invoke("x"), 9),
        ("another session", ask("x").session(&other), 10),
        ("that session again", ask("x").session(&other), 10),
        ("no trace wanted", runtime.invoke(Payload::prompt("x").enable_trace(false)).session(&one), 11),
        ("other bytes", json("{}"), 12),
        ("the same bytes", json("{}"), 12),
        ("equal JSON, other bytes", json("{ }"), 13),
        ("patience is no part of it", ask("x").total_timeout(Duration::from_secs(9)).idempotent(), 1),
        ("a named dialect", ask("x").dialect(Dialect::OpenAi), 14),
        ("the same dialect", ask("x").dialect(Dialect::OpenAi), 14),
        ("a dialect of one's own", own(ask("x")), 15),
        ("which nobody else reads", own(ask("x")), 16),
    ];
    for (case, invoke, answer) in cases {
        assert_eq!(invoke.await.unwrap().text, answer.to_string(), "{case}");
    }
    assert_eq!(counts(&client), (7, 12, 0));
    assert_eq!(client.metrics().calls, 16, "what the cache answers is no call");
}

/// A question waits in its session for an answer, and what models used was used once.
#[tokio::test]
async fn questions_are_not_kept_nor_is_usage() {
    let asked = Arc::new(AtomicU32::new(0));
    let mock = start(Mock::builder().agent("asks", move |request| {
        let asked = asked.clone();
        let is_question = request.prompt().as_deref() == Some("ask");
        async move {
            let said = json!({"data": (asked.fetch_add(1, Ordering::SeqCst) + 1).to_string()});
            let used = json!({"event": {"metadata": {"usage": {"outputTokens": 4}}}});
            let question = json!({"tool_interrupt_event": {"interrupts": [{"id": "i1"}]}});
            AgentResponse::events([said, if is_question { question } else { used }])
        }
    }))
    .await;
    let cache = CacheSettings::default();
    let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).cache(cache).build().unwrap();
    let session = client.runtime(mock.arn("asks")).new_session();
    for (prompt, text, used, asks) in
        [("ask", "1", None, 1), ("ask", "2", None, 1), ("say", "3", Some(4), 0), ("say", "3", None, 0)]
    {
        let reply = session.invoke(prompt).await.unwrap();
        let output = reply.usage.and_then(|usage| usage.output_tokens);
        assert_eq!((&*reply.text, output, reply.interrupts.len()), (text, used, asks), "{prompt}");
    }
    assert_eq!(client.metrics().usage.output_tokens, Some(4));
}

#[tokio::test]
async fn across_sessions_if_wanted() {
    let (mock, client) = world(CacheSettings::default().across_sessions(true)).await;
    let runtime = client.runtime(mock.arn("counter"));
    assert_eq!(runtime.invoke("x").await.unwrap().metadata.attempts, 1);
    for session in [SessionId::random(), SessionId::random()] {
        let reply = runtime.invoke("x").session(&session).await.unwrap();
        assert_eq!((reply.text.as_ref(), reply.session_id), ("1", session), "the caller stays in its own session");
        assert_eq!((reply.metadata.attempts, reply.first_event), (0, None));
    }
}

tokio::task_local! {
    static TOKEN: Token;
}

/// Gives each task the token of the user for whom it works.
#[derive(Debug)]
struct OfTheTask;

impl TokenSource for OfTheTask {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        Box::pin(async { Ok(TOKEN.get()) })
    }
}

/// Gives all users one name.
#[derive(Debug)]
struct AsOne;

impl TokenSource for AsOne {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        OfTheTask.token()
    }

    fn cache_identity(&self, _: &Token) -> Principal {
        Principal::named("everybody")
    }
}

#[tokio::test]
async fn no_user_sees_another_s_answer() {
    for (source, shared) in [(Arc::new(OfTheTask) as Arc<dyn TokenSource>, false), (Arc::new(AsOne), true)] {
        let (mock, _) = world(CacheSettings::default()).await;
        let client = Client::builder().token_source(source).endpoints(endpoint(&mock));
        let client = client.cache(CacheSettings::default().across_sessions(true)).build().unwrap();
        let runtime = client.runtime(mock.arn("counter"));
        let token = |user: &str, n: u32| {
            Token::parse(&mock.token_with(|claims| {
                claims.insert("sub".into(), user.into());
                claims.insert("jti".into(), n.into());
            }))
            .unwrap()
        };
        let ask = |token| TOKEN.scope(token, async { runtime.invoke("x").await.unwrap().text.to_string() });
        let said = [ask(token("ada", 1)).await, ask(token("joe", 2)).await, ask(token("ada", 3)).await];
        assert_eq!(said, if shared { ["1", "1", "1"] } else { ["1", "2", "1"] });
    }
}

#[tokio::test]
async fn bypassing_and_a_time_to_live_of_one_s_own() {
    let (mock, client) = world(CacheSettings::default()).await;
    let runtime = client.runtime(mock.arn("counter")).new_session();
    assert_eq!(runtime.invoke("x").await.unwrap().text, "1");
    assert_eq!(runtime.invoke("x").uncached().await.unwrap().text, "2");
    assert_eq!(runtime.invoke("x").await.unwrap().text, "1", "what was bypassed is not kept");
    assert_eq!(runtime.invoke("y").cached_for(Duration::ZERO).await.unwrap().text, "3");
    assert_eq!(runtime.invoke("y").await.unwrap().text, "4", "kept for no time at all");
}

#[tokio::test]
async fn streams_and_errors_are_not_kept() {
    let (mock, client) = world(CacheSettings::default()).await;
    let runtime = client.runtime(mock.arn("counter")).new_session();
    runtime.invoke("x").stream().await.unwrap();
    runtime.invoke("x").send().await.unwrap();
    assert_eq!(runtime.invoke("x").await.unwrap().text, "3");
    for (name, kind) in [("error-404", ErrorKind::NotFound), ("fail-midstream", ErrorKind::Agent)] {
        let failing = client.runtime(mock.arn(name)).new_session();
        for _ in 0..2 {
            assert_eq!(failing.invoke("x").await.unwrap_err().kind(), kind);
        }
        let asked = mock.requests().iter().filter(|request| request.agent.as_deref() == Some(name)).count();
        assert_eq!(asked, 2, "{name}");
    }
}

#[tokio::test]
async fn forgetting_by_agent() {
    let (mock, client) = world(CacheSettings::default()).await;
    let [counter, echo] = ["counter", "echo"].map(|name| client.runtime(mock.arn(name)).new_session());
    echo.invoke("x").await.unwrap();
    assert_eq!(counter.invoke("x").await.unwrap().text, "1");
    client.forget(&mock.arn("counter"));
    assert_eq!(counter.invoke("x").await.unwrap().text, "2");
    echo.invoke("x").await.unwrap();
    assert_eq!(counts(&client), (1, 3, 0), "the other agent's answer stays");
    client.forget_all();
    echo.invoke("x").await.unwrap();
    assert_eq!(counts(&client), (1, 4, 0));
}

/// An agent that answers once it may.
fn gated() -> (agentcore_mock::MockBuilder, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let builder = Mock::builder().agent("gated", move |request| {
        let held = held.clone();
        async move {
            held.acquire().await.unwrap().forget();
            match request.prompt().as_deref() {
                Some("fail") => AgentResponse::json(json!({"error": "boom"})),
                _ => AgentResponse::json("done"),
            }
        }
    });
    (builder, gate)
}

#[tokio::test]
async fn equal_calls_at_once_ask_once_and_share_the_outcome() {
    let (builder, gate) = gated();
    let mock = start(builder).await;
    let client =
        Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).cache(CacheSettings::default());
    let client = client.build().unwrap();
    let runtime = client.runtime(mock.arn("gated")).new_session();
    for (prompt, fine) in [("succeed", true), ("fail", false)] {
        drop(mock.take_requests());
        let calls = (0..5).map(|_| tokio::spawn(runtime.invoke(prompt).into_future())).collect::<Vec<_>>();
        // One has asked, so the others can only wait for it.
        while mock.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1);
        for outcome in join_all(calls).await {
            assert_eq!(outcome.unwrap().is_ok(), fine);
        }
        assert_eq!(mock.requests().len(), 1, "{prompt}");
    }
}

#[tokio::test]
async fn one_who_waited_takes_over_from_one_who_left() {
    let (builder, gate) = gated();
    let mock = start(builder).await;
    let client =
        Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).cache(CacheSettings::default());
    let client = client.build().unwrap();
    let runtime = client.runtime(mock.arn("gated")).new_session();
    let leaves = tokio::spawn(runtime.invoke("x").into_future());
    while mock.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let stays = tokio::spawn(runtime.invoke("x").into_future());
    tokio::task::yield_now().await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    gate.add_permits(2);
    assert_eq!(stays.await.unwrap().unwrap().text, "done");
}

#[tokio::test]
async fn one_who_waits_gives_up_by_its_own_deadline() {
    let (builder, gate) = gated();
    let mock = start(builder).await;
    let client =
        Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).cache(CacheSettings::default());
    let client = client.build().unwrap();
    let session = client.runtime(mock.arn("gated")).new_session();
    let patient = tokio::spawn(session.invoke("x").into_future());
    while mock.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let hurried = session.invoke("x").total_timeout(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!((hurried.kind(), hurried.may_have_run()), (ErrorKind::Timeout, true));
    assert_eq!(mock.requests().len(), 1);
    gate.add_permits(1);
    let reply = patient.await.unwrap().unwrap();
    let kept = session.invoke("x").await.unwrap();
    assert_eq!((kept.text.as_ref(), kept.session_id), ("done", session.id().clone()));
    assert!(kept.elapsed < reply.elapsed, "{:?} is not less than {:?}", kept.elapsed, reply.elapsed);
}

#[tokio::test]
async fn the_bound_on_bytes_holds() {
    let (mock, client) = world(CacheSettings::default().max_bytes(10_000)).await;
    let large = client.runtime(mock.arn("echo")).new_session();
    let payload = "x".repeat(20_000);
    for _ in 0..2 {
        large.invoke(payload.as_str()).await.unwrap();
    }
    assert_eq!(counts(&client), (0, 2, 0), "an answer larger than all of it is not kept");
}
