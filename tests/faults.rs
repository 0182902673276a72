//! What goes wrong on the way, and what the caller is told: faults of network, service and agent.

use std::time::Duration;

use agentcore_client::{ErrorKind, Event, Reply, RetryPolicy, Timeouts};
use agentcore_mock::Mock;
use futures_util::StreamExt as _;

use crate::support::{agent, bearer, endpoint, mock, start};

/// Short pauses, so that retries on real sockets cost a test nothing.
fn eager() -> RetryPolicy {
    RetryPolicy::default().pauses(Duration::from_millis(1), Duration::from_millis(5))
}

/// Errors of the service by name, as a caller sees them.
#[tokio::test]
async fn every_refusal_has_its_kind() {
    let mock = mock().await;
    for (name, kind, status, code, retryable, may_have_run) in [
        ("error-400", ErrorKind::Refused, 400, "ValidationException", false, false),
        ("error-401", ErrorKind::Authentication, 401, "UnauthorizedException", false, false),
        ("error-402", ErrorKind::Quota, 402, "ServiceQuotaExceededException", false, false),
        ("error-403", ErrorKind::Authorization, 403, "AccessDeniedException", false, false),
        ("error-404", ErrorKind::NotFound, 404, "ResourceNotFoundException", false, false),
        ("error-ConflictException", ErrorKind::Conflict, 409, "ConflictException", false, false),
        ("error-RetryableConflictException", ErrorKind::Conflict, 409, "RetryableConflictException", true, false),
        ("error-424", ErrorKind::Agent, 424, "RuntimeClientError", false, true),
        ("error-429", ErrorKind::Throttled, 429, "ThrottlingException", true, false),
        ("error-500", ErrorKind::Service, 500, "InternalServerException", true, true),
    ] {
        let error = agent(&mock, name).invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{name}");
        assert_eq!(error.code(), Some(code), "{name}");
        assert_eq!((error.is_retryable(), error.may_have_run()), (retryable, may_have_run), "{name}");
        assert!(error.request_id().is_some() && !error.message().is_empty(), "{name}");
    }
    for (name, kind) in
        [("error-408", ErrorKind::Timeout), ("error-503", ErrorKind::Unavailable), ("error-504", ErrorKind::Timeout)]
    {
        let error = agent(&mock, name).invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
    }
    let error = agent(&mock, "error-429-after-7").invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let error = agent(&mock, "html").invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
    assert_eq!(error.message(), "Bad Gateway", "a page is not the text of an error");
}

/// How often the mock is asked, and what comes of it.
#[tokio::test]
async fn what_is_sent_again() {
    let mock = mock().await;
    for (name, idempotent, requests, fine) in [
        ("throttle-2", false, 3, true),
        ("throttle-3", false, 3, false),
        ("unavailable-1", false, 2, true),
        ("conflict-1", false, 2, true),
        ("unauthorized-1", false, 1, false),
        ("reset", false, 1, false),
        ("reset-1", true, 2, true),
        ("error-500", false, 1, false),
        ("error-500", true, 3, false),
        ("error-424", true, 1, false),
    ] {
        let call = agent(&mock, name).invoke("x").retry(eager());
        let call = if idempotent { call.idempotent() } else { call };
        let found = call.await;
        assert_eq!(found.is_ok(), fine, "{name}: {found:?}");
        let mut seen = mock.take_requests();
        // Whoever was refused asks whose tokens are wanted, which is no invocation.
        seen.retain(|request| request.path.ends_with("/invocations"));
        assert_eq!(seen.len(), requests, "{name}");
        let session = |request: &agentcore_mock::RecordedRequest| {
            request.header("x-amzn-bedrock-agentcore-runtime-session-id").unwrap().to_owned()
        };
        assert!(
            seen.iter().all(|request| session(request) == session(&seen[0])),
            "{name}: one session for all attempts"
        );
        match found {
            Ok(reply) => assert_eq!(usize::try_from(reply.metadata.attempts).unwrap(), requests),
            Err(error) => assert_eq!(usize::try_from(error.attempts()).unwrap(), requests),
        }
    }
}

#[tokio::test]
async fn a_lost_connection_says_that_the_agent_may_have_run() {
    let mock = mock().await;
    let error = agent(&mock, "reset").invoke("x").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Unavailable, true));
    let place = mock.url().trim_start_matches("http://");
    let message = format!("the connection to {place} was lost before an answer came (the agent may have run)");
    assert_eq!(error.to_string(), message);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn nobody_there() {
    let gone = mock().await;
    let (client, arn) = (bearer(&gone), gone.arn("echo"));
    drop(gone);
    let error = client.runtime(arn).invoke("x").retry(eager()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Unavailable, false));
    assert_eq!(error.attempts(), 3);
}

/// A stream that breaks is told from one that ends, and what came before is delivered.
#[tokio::test]
async fn a_stream_that_breaks_midway() {
    for tls in [false, true] {
        let mock = start(Mock::builder().tls(tls)).await;
        let transport =
            agentcore_client::Transport::builder().root_certificates(mock.root_certificate_pem().unwrap_or_default());
        let transport = if tls { transport } else { agentcore_client::Transport::builder() };
        let client = agentcore_client::Client::builder()
            .bearer_token(&mock.token())
            .endpoints(endpoint(&mock))
            .transport(transport.build().unwrap())
            .build()
            .unwrap();
        let runtime = client.runtime(mock.arn("reset-midstream"));
        let mut events = runtime.invoke("x").idempotent().stream().await.unwrap();
        let mut text = String::new();
        let error = loop {
            match events.next().await.unwrap() {
                Ok(event) => text.push_str(event.text().unwrap()),
                Err(error) => break error,
            }
        };
        assert!(!text.is_empty());
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true), "{error}");
        assert!(events.next().await.is_none());

        let error = runtime.invoke("x").await.unwrap_err();
        assert_eq!(error.partial::<Reply>().unwrap().text, text);
        assert_eq!(mock.requests().len(), 2, "what has begun is never asked for again");
    }
}

#[tokio::test]
async fn an_agent_that_fails_midway() {
    let mock = mock().await;
    for past_errors in [false, true] {
        let mut events = agent(&mock, "fail-midstream").invoke("x").stream().await.unwrap();
        if past_errors {
            events = events.past_errors();
        }
        let events: Vec<_> = events.collect().await;
        let [Ok(Event::Text(_)), Ok(Event::Text(_)), Err(error)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((error.kind(), error.status()), (ErrorKind::Agent, Some(200)));
    }
    let error = agent(&mock, "fail-midstream").invoke("x").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Agent, Some(200)));
    assert!(error.code().is_some() && !error.partial::<Reply>().unwrap().text.is_empty());
}

/// Characters of several bytes, a byte at a time.
#[tokio::test]
async fn every_byte_its_own_chunk() {
    let mock = mock().await;
    let reply = agent(&mock, "split").invoke("é😀").await.unwrap();
    assert!(!reply.text.contains('\u{fffd}') && reply.text.chars().any(|c| c.len_utf8() > 1), "{}", reply.text);
}

#[tokio::test]
async fn a_huge_event_is_refused_and_a_large_one_is_not() {
    let mock = mock().await;
    let reply = agent(&mock, "huge-9000000").invoke("x").await.unwrap();
    assert_eq!(reply.text.len(), 9_000_000);
    let error = agent(&mock, "huge").invoke("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenOff);
    assert!(error.message().contains("16777216"), "{error}");
}

#[tokio::test]
async fn silence_is_bounded_by_the_callers_timeouts() {
    let mock = mock().await;
    let brief = Duration::from_millis(60);
    let call = agent(&mock, "slow-60000").invoke("x").timeouts(Timeouts::off().first_byte(brief));
    let error = call.await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Timeout, true));
    for timeouts in [Timeouts::off().idle(brief), Timeouts::off().total(brief)] {
        let error = agent(&mock, "stall").invoke("x").timeouts(timeouts).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.partial::<Reply>().unwrap().events, 1);
    }
}

#[tokio::test]
async fn an_empty_stream_is_an_empty_answer() {
    let mock = mock().await;
    let reply = agent(&mock, "empty").invoke("x").await.unwrap();
    assert_eq!((&*reply.text, reply.events, reply.first_event), ("", 0, None));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_taken() {
    let mock = mock().await;
    for (name, kind, status, words) in
        [("redirect", ErrorKind::Refused, 307, "redirect"), ("gzip", ErrorKind::Service, 200, "\"gzip\"")]
    {
        let error = agent(&mock, name).invoke("x").idempotent().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{name}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(mock.requests().len(), 2, "nothing was followed or repeated");
}

/// An outage is not amplified: the first thousand calls use the budget up, and from then on each call is one request, until the
/// service answers again.
#[tokio::test]
async fn a_thousand_callers_of_a_dead_runtime() {
    let mock = mock().await;
    let client = bearer(&mock);
    let wave = async |agent: &str, calls: usize| {
        let runtime = client.runtime(mock.arn(agent));
        let asked = (0..calls).map(|_| runtime.invoke("x").retry(eager()).into_future());
        let done = futures_util::future::join_all(asked).await;
        (done.iter().filter(|done| done.is_ok()).count(), mock.take_requests().len())
    };
    for expected in [1100, 1000, 1000] {
        let (succeeded, requests) = wave("error-503", 1000).await;
        assert_eq!((succeeded, requests), (0, expected));
    }
    // Ten successes pay for two retries.
    assert_eq!(wave("echo", 10).await, (10, 10));
    assert_eq!(wave("error-503", 10).await, (0, 12));
}
