//! The end of a client, and what it remembers of calls that were lost.

use std::{sync::Arc, time::Duration};

use agentcore_client::{ErrorKind, RetryPolicy, SessionId};
use agentcore_mock::{AgentResponse, Mock};
use futures_util::{FutureExt as _, future::join};
use tokio::sync::Semaphore;

use crate::support::{bearer, mock, start};

#[tokio::test]
async fn a_shutdown_waits_for_the_calls_under_way_and_lets_no_more_begin() {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let mock = start(Mock::builder().agent("gated", move |_| {
        let held = held.clone();
        async move {
            held.acquire().await.unwrap().forget();
            AgentResponse::json("done")
        }
    }))
    .await;
    let client = bearer(&mock);
    let runtime = client.runtime(mock.arn("gated"));
    let call = tokio::spawn(runtime.invoke("x").into_future());
    while mock.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let late = client.shutdown(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!((late.kind(), late.may_have_run()), (ErrorKind::Timeout, true));
    assert!(late.to_string().starts_with("calls were still under way when the client was shut down: 1"), "{late}");

    let refused = runtime.invoke("x").await.unwrap_err();
    assert_eq!((refused.kind(), refused.may_have_run()), (ErrorKind::Input, false));
    assert_eq!(refused.to_string(), "the client was shut down, and nothing was sent");
    assert_eq!(runtime.ping().await.unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(runtime.websocket().connect().await.unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(mock.requests().len(), 1);

    let released = async {
        gate.add_permits(1);
        call.await.unwrap().unwrap().text
    };
    let (ended, text) = join(client.shutdown(Duration::from_secs(60)), released).await;
    ended.unwrap();
    assert_eq!(text, "done", "what was under way came to its end");
}

#[tokio::test]
async fn a_session_in_which_a_call_was_lost_is_waited_for() {
    let mock = mock().await;
    let client = bearer(&mock);
    let (lost, other) = (SessionId::random(), SessionId::random());
    let busy = client.runtime(mock.arn("conflict-5"));
    let ask = |session| {
        busy.invoke("x").session(session).retry(RetryPolicy::default().pauses(Duration::ZERO, Duration::ZERO))
    };
    // It is dropped while it waits for its answer.
    assert!(client.runtime(mock.arn("hang")).invoke("x").session(&lost).into_future().now_or_never().is_none());
    assert_eq!(ask(&lost).await.unwrap().metadata.attempts, 6);
    let refused = ask(&other).await.unwrap_err();
    assert_eq!((refused.kind(), refused.attempts()), (ErrorKind::Conflict, 3), "nothing was lost in this one");
    // A complete answer ends the loss: the session of the first call is as any other now.
    let again = client.runtime(mock.arn("conflict-9"));
    let refused = again.invoke("x").session(&lost).await.unwrap_err();
    assert_eq!((refused.kind(), refused.attempts()), (ErrorKind::Conflict, 3));
}
