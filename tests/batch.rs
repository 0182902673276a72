//! Many invocations at once: order, bounds, failures, cancellation.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use agentcore_client::{ErrorKind, RetryPolicy, SessionId};
use agentcore_mock::{AgentResponse, Mock};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::{Barrier, watch};

use crate::support::{agent, mock, start};

#[tokio::test]
async fn outcomes_come_in_the_order_of_the_payloads_whoever_is_first() {
    // The later a call, the earlier its answer.
    let answered = Arc::new(watch::Sender::new(0));
    let mock = start(Mock::builder().agent("backwards", move |request| {
        let answered = answered.clone();
        async move {
            let prompt = request.prompt().unwrap();
            let later = 9 - prompt.parse::<u32>().unwrap();
            answered.subscribe().wait_for(|count| *count >= later).await.unwrap();
            answered.send_modify(|count| *count += 1);
            AgentResponse::json(prompt)
        }
    }))
    .await;
    let runtime = agent(&mock, "backwards");
    let prompts: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    let outcomes = runtime.invoke_all(prompts.clone()).concurrency(10).collect().await;
    let texts: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().text).collect();
    assert_eq!(texts, prompts);
}

#[tokio::test]
async fn as_they_complete() {
    let first = Arc::new(Barrier::new(2));
    let mock = start(Mock::builder().agent("second-first", {
        let first = first.clone();
        move |request| {
            let first = first.clone();
            async move {
                let prompt = request.prompt().unwrap();
                if prompt == "0" {
                    first.wait().await;
                }
                AgentResponse::json(prompt)
            }
        }
    }))
    .await;
    let runtime = agent(&mock, "second-first");
    let mut outcomes = runtime.invoke_all(["0", "1"]).stream();
    let (place, outcome) = outcomes.next().await.unwrap();
    assert_eq!((place, &*outcome.unwrap().text), (1, "1"));
    first.wait().await;
    let (place, outcome) = outcomes.next().await.unwrap();
    assert_eq!((place, &*outcome.unwrap().text), (0, "0"));
    assert!(outcomes.next().await.is_none());
}

#[tokio::test]
async fn no_more_are_on_their_way_than_wanted() {
    for (bound, most) in [(0, 1), (1, 1), (3, 3)] {
        let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mock = start(Mock::builder().agent("counting", {
            let (now, peak) = (now.clone(), peak.clone());
            move |_| {
                let (now, peak) = (now.clone(), peak.clone());
                async move {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    AgentResponse::json(Value::Null)
                }
            }
        }))
        .await;
        let outcomes = agent(&mock, "counting").invoke_all(["x"; 12]).concurrency(bound).collect().await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(peak.load(Ordering::SeqCst), most, "{bound}");
    }
}

#[tokio::test]
async fn one_failure_loses_no_other() {
    let mock = start(Mock::builder().agent("moody", |request| async move {
        match request.prompt().unwrap().as_str() {
            "hang" => std::future::pending().await,
            "break" => AgentResponse::stream(
                "text/event-stream",
                futures_util::stream::iter([Ok::<_, Infallible>("data: \"a".into())]),
            ),
            other => AgentResponse::json(other),
        }
    }))
    .await;
    let runtime = agent(&mock, "moody");
    let batch = runtime.invoke_all(["one", "hang", "two"]).timeout(Duration::from_millis(200));
    let outcomes = batch.each(|invoke, _| invoke.retry(RetryPolicy::off())).collect().await;
    let kinds: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(agentcore_client::Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Timeout), None]);
    assert_eq!(outcomes[2].as_ref().unwrap().text, "two");
}

#[tokio::test]
async fn what_has_not_begun_is_never_sent() {
    let mock = mock().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let payloads = std::iter::repeat_with({
        let taken = taken.clone();
        move || taken.fetch_add(1, Ordering::SeqCst).to_string()
    });
    let mut outcomes = agent(&mock, "echo").invoke_all(payloads.take(1000)).concurrency(2).stream();
    for _ in 0..5 {
        outcomes.next().await.unwrap().1.unwrap();
    }
    drop(outcomes);
    let taken = taken.load(Ordering::SeqCst);
    assert!((5..=7).contains(&taken), "{taken}");
    assert!(mock.requests().len() <= taken);
}

#[tokio::test]
async fn each_is_changed_by_its_place_and_all_share_the_connections() {
    let mock = mock().await;
    let sessions: Vec<_> = (0..6).map(|_| SessionId::random()).collect();
    let runtime = agent(&mock, "echo");
    let batch = runtime.invoke_all(["x"; 6]).concurrency(2).each(|invoke, place| invoke.session(&sessions[place]));
    for (session, outcome) in sessions.iter().zip(batch.collect().await) {
        assert_eq!(outcome.unwrap().session_id, *session);
    }
    assert!(mock.connections() <= 2, "{}", mock.connections());

    let unnamed = runtime.invoke_all(["x", "x"]).collect().await;
    let sessions: Vec<_> = unnamed.into_iter().map(|outcome| outcome.unwrap().session_id).collect();
    assert_ne!(sessions[0], sessions[1], "a session each, unless told otherwise");
}
