//! Many invocations at once: order, bounds, failures, cancellation, who sends what again, and what is kept of it.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use agentcore_client::{Client, ErrorKind, InputDigest, Journal, RateLimiter, RetryBudget, RetryPolicy, SessionId};
use agentcore_mock::{AgentResponse, Mock};
use serde_json::{Value, json};
use tokio::sync::{Barrier, watch};

use crate::support::{agent, bearer, endpoint, mock, start};

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

/// Who sends a call again, by the agent and the policy: the rate limiter where it was throttled, the call itself otherwise.
#[tokio::test]
async fn a_throttled_call_is_sent_again_by_the_rate_limiter_alone() {
    let retries = RetryPolicy::default().pauses(Duration::ZERO, Duration::ZERO);
    let impatient = retries.clone().max_elapsed(Duration::from_secs(599));
    // The outcome, the attempts, how many of them were throttled, and what they cost of the budget of retries.
    for (agent, policy, expected) in [
        ("echo", &retries, (None, 1, 0, 0)),
        ("throttle-1", &retries, (None, 2, 1, 0)),
        ("throttle-5", &retries, (None, 6, 5, 0)),
        ("throttle-1", &RetryPolicy::off(), (Some(ErrorKind::Throttled), 1, 1, 0)),
        ("error-429-after-600", &impatient, (Some(ErrorKind::Throttled), 1, 1, 0)),
        ("unavailable-2", &retries, (None, 3, 0, 1)),
        ("error-503", &retries, (Some(ErrorKind::Unavailable), 3, 0, 2)),
        ("error-424", &retries, (Some(ErrorKind::Agent), 1, 0, 0)),
    ] {
        let mock = mock().await;
        let budget = RetryBudget::new(50);
        let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock));
        let client = client.retry_budget(budget.clone()).retry(policy.clone()).build().unwrap();
        let limiter = RateLimiter::at_most(1000, Duration::from_secs(1));
        let outcomes = client.runtime(mock.arn(agent)).invoke_all(["x"]).rate_limiter(&limiter).collect().await;
        let (kind, attempts) = match &outcomes[0] {
            Ok(reply) => (None, reply.metadata.attempts),
            Err(error) => (Some(error.kind()), error.attempts()),
        };
        let found = (kind, attempts, limiter.throttled(), 50 - budget.left());
        assert_eq!(found, expected, "{agent}");
        assert_eq!(mock.requests().len(), attempts as usize, "{agent}");
        let metrics = client.metrics();
        let counted = (metrics.calls, metrics.failed, metrics.errors.values().sum::<u64>(), metrics.retries);
        let failed = u64::from(kind.is_some());
        assert_eq!(counted, (1, failed, failed, u64::from(attempts) - 1), "{agent}");
    }
}

/// A pause of a second, as a call that is throttled without `Retry-After` brings it, holds up every batch of the client.
#[tokio::test]
async fn the_batches_of_a_client_share_what_was_learnt() {
    let mock = start(Mock::builder().max_new_sessions_per_second(2)).await;
    let client = bearer(&mock);
    let (one, two) = (client.runtime(mock.arn("echo")), client.runtime(mock.arn("text")));
    let (outcomes, others) = tokio::join!(one.invoke_all(["x"; 4]).collect(), two.invoke_all(["x"; 4]).collect());
    let outcomes: Vec<_> = outcomes.into_iter().chain(others).map(Result::unwrap).collect();
    let throttled = mock.requests().iter().filter(|request| request.error.is_some()).count();
    assert!((1..=7).contains(&throttled), "{throttled}");
    let attempts: u32 = outcomes.iter().map(|reply| reply.metadata.attempts).sum();
    assert_eq!(attempts as usize, 8 + throttled);
    let patient = outcomes.iter().find(|reply| reply.metadata.attempts > 1).unwrap();
    assert!(patient.elapsed >= Duration::from_secs(1), "the wait counts: {:?}", patient.elapsed);
    let before = mock.requests().len();
    one.invoke_all(["x"; 3]).collect().await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    assert!(mock.requests().len() <= before + 4, "the rate is known");
}

#[tokio::test]
async fn what_is_under_way_is_known() {
    let mock = start(Mock::builder().agent("hang", |request| async move {
        match request.prompt().unwrap().as_str() {
            "hang" => std::future::pending().await,
            other => AgentResponse::json(other),
        }
    }))
    .await;
    let mut outcomes = agent(&mock, "hang").invoke_all(["one", "hang", "two", "hang", "three"]).concurrency(3).stream();
    for _ in 0..3 {
        assert!(outcomes.next().await.unwrap().1.is_ok());
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), outcomes.next()).await.is_err());
    assert_eq!(outcomes.under_way(), [(1, true), (3, true)]);
}

/// The begin of each call stands in the journal when its agent runs, and what ended well does not run again.
#[tokio::test]
async fn a_journal_says_what_was_begun_before_it_is_sent() {
    let directory = std::env::temp_dir().join(format!("agentcore-batch-{}", SessionId::random().as_str()));
    std::fs::create_dir(&directory).unwrap();
    let (path, started) = (directory.join("out"), directory.join("out.started"));
    let mock = start(Mock::builder().agent("reads", {
        move |request| {
            let line = format!("\n{}\n", request.prompt().unwrap());
            let noted = std::fs::read_to_string(&started).unwrap().contains(&line);
            async move { AgentResponse::json(noted) }
        }
    }))
    .await;
    let (runtime, prompts) = (agent(&mock, "reads"), ["1", "2", "3", "4"]);
    let inputs: InputDigest = prompts.iter().collect();
    let journal = Journal::create(&path, &inputs).unwrap();
    let mut outcomes = runtime.invoke_all(prompts).concurrency(2).journal(&journal).stream();
    let mut ended = Vec::new();
    for _ in 0..2 {
        let (index, outcome) = outcomes.next().await.unwrap();
        assert_eq!(outcome.unwrap().text, "true");
        journal.record(index, &json!({"line": index + 1, "error": null})).unwrap();
        ended.push(index);
    }
    drop((outcomes, journal));
    let journal = Journal::resume(&path, &inputs).unwrap();
    for index in journal.interrupted() {
        journal.record(index, &json!({"line": index + 1, "error": {"may_have_run": false}})).unwrap();
    }
    let mut outcomes = runtime.invoke_all(prompts).journal(&journal).stream();
    while let Some((index, outcome)) = outcomes.next().await {
        assert_eq!(outcome.unwrap().text, "true");
        ended.push(index);
    }
    ended.sort_unstable();
    assert_eq!(ended, [0, 1, 2, 3]);
    drop((outcomes, journal));
    std::fs::remove_dir_all(directory).unwrap();
}
