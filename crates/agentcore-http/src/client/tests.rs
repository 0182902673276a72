//! Calls against a scripted network under a paused clock, so that every wait is exact.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use agentcore_auth::{Auth, BoxFuture, ManualClock, StaticToken, Token, TokenSource, credentials::Credentials};
use agentcore_core::{SessionId, Target};
use agentcore_transport::testing::{Piece, Script, Step, answer, body, refusal};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::{Error, ErrorKind, HttpClient, HttpClientBuilder, Invocation, Response, RetryPolicy, Timeouts};

fn target() -> Target {
    Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap())
}

fn bearer() -> HttpClientBuilder {
    HttpClient::builder(Auth::bearer(StaticToken::parse("fixed").unwrap()))
}

async fn run(builder: HttpClientBuilder, script: &Script, invocation: Invocation) -> Result<Response, Error> {
    // The shortest pause of each range, so that waits can be written down.
    builder.over(script.network(), || 0.0).invoke(&target(), &invocation).await
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the network does, what the call comes to, after how many attempts and how much time.
#[tokio::test(start_paused = true)]
async fn attempts_by_where_they_failed() {
    use ErrorKind::{
        Agent, Authentication, Authorization, Conflict, Refused, Service, Throttled, Timeout, Unavailable,
    };
    type Expected = (Result<u16, (ErrorKind, bool)>, u32, u64);
    let (ok, once) = (|| answer(200, &[], "\"fine\""), |kind, may_have_run| (Err((kind, may_have_run)), 1, 0));
    let lost = || Step::SendError { sent: true, lasting: false };
    let unreached = |lasting| Step::SendError { sent: false, lasting };
    let throttled = || refusal(429, "ThrottlingException");
    let redirect = answer(307, &[("location", "https://evil.example")], "");
    let gzip = answer(200, &[("content-encoding", "gzip")], "\u{1f}");
    let identity = answer(200, &[("content-encoding", "Identity")], "x");
    let hung = || Step::Hang;
    let cases: Vec<(&str, Vec<Step>, bool, Expected)> = vec![
        ("first time", vec![ok()], false, (Ok(200), 1, 0)),
        ("throttled twice", vec![throttled(), throttled(), ok()], false, (Ok(200), 3, 200)),
        ("throttled thrice", vec![throttled(), throttled(), throttled()], false, (Err((Throttled, false)), 3, 200)),
        ("unavailable", vec![refusal(503, ""), ok()], false, (Ok(200), 2, 100)),
        ("session busy", vec![refusal(409, "RetryableConflictException"), ok()], false, (Ok(200), 2, 100)),
        ("conflict", vec![refusal(409, "ConflictException")], true, once(Conflict, false)),
        ("no connection", vec![unreached(false), unreached(false), ok()], false, (Ok(200), 3, 200)),
        ("bad certificate", vec![unreached(true)], true, once(Unavailable, false)),
        ("lost", vec![lost()], false, once(Unavailable, true)),
        ("lost, idempotent", vec![lost(), ok()], true, (Ok(200), 2, 100)),
        ("server error", vec![refusal(500, "InternalServerException")], false, once(Service, true)),
        ("server error, idempotent", vec![refusal(500, ""), refusal(502, ""), ok()], true, (Ok(200), 3, 200)),
        ("agent failed, idempotent", vec![refusal(424, "RuntimeClientError")], true, once(Agent, true)),
        ("refused token", vec![refusal(401, "UnauthorizedException")], true, once(Authentication, false)),
        ("forbidden", vec![refusal(403, "AccessDeniedException")], true, once(Authorization, false)),
        ("silence", vec![hung()], false, (Err((Timeout, true)), 1, 5_000)),
        ("silence, idempotent", vec![hung(), hung(), hung()], true, (Err((Timeout, true)), 3, 15_200)),
        // That the agent may have run at the first attempt is not forgotten at the second.
        ("lost, then throttled", vec![lost(), throttled(), throttled()], true, (Err((Throttled, true)), 3, 200)),
        ("redirect", vec![redirect], true, once(Refused, false)),
        ("gzip", vec![gzip], true, once(Service, true)),
        ("identity", vec![identity], false, (Ok(200), 1, 0)),
    ];
    for (name, steps, idempotent, (outcome, attempts, millis)) in cases {
        let script = Script::of(steps);
        let builder = bearer().timeouts(Timeouts::default().first_byte(secs(5)));
        let invocation = Invocation::new("x");
        let invocation = if idempotent { invocation.idempotent() } else { invocation };
        let started = Instant::now();
        let found = run(builder, &script, invocation).await;
        assert_eq!(started.elapsed(), Duration::from_millis(millis), "{name}");
        assert_eq!(script.left(), 0, "{name}: the whole script was played");
        let found = match found {
            Ok(response) => (Ok(response.status()), response.attempts()),
            Err(error) => {
                assert_eq!(error.elapsed(), Duration::from_millis(millis), "{name}");
                (Err((error.kind(), error.may_have_run())), error.attempts())
            }
        };
        assert_eq!(found, (outcome, attempts), "{name}");
    }
}

/// How long a busy session is waited for, by the shortest pauses: what the invocation says, how often it is busy, and what it comes to.
#[tokio::test(start_paused = true)]
async fn a_busy_session_is_waited_for_after_a_loss() {
    let (plain, waits) = (Invocation::new("x"), Invocation::new("x").wait_while_busy());
    for (invocation, busy, fine, attempts) in [
        (plain, 3, false, 3),
        (waits.clone(), 50, true, 51),
        (waits.clone().retry(RetryPolicy::default().max_attempts(2).max_elapsed(Duration::ZERO)), 50, true, 51),
        (waits.clone().retry(RetryPolicy::off()), 1, false, 1),
        (waits.timeouts(Timeouts::off().total(Duration::from_millis(450))), 5, false, 5),
    ] {
        let mut steps: Vec<_> = (0..busy).map(|_| refusal(409, "RetryableConflictException")).collect();
        if fine {
            steps.push(answer(200, &[], "\"fine\""));
        }
        let script = Script::of(steps);
        let found = run(bearer(), &script, invocation).await;
        assert_eq!((found.is_ok(), script.left(), script.seen().len()), (fine, 0, attempts));
    }
    let script = Script::of(vec![refusal(429, "ThrottlingException"), refusal(429, ""), refusal(429, "")]);
    let error = run(bearer(), &script, Invocation::new("x").wait_while_busy()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Throttled, 3), "throttling is no busy session");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_and_never_past_the_deadline() {
    let asking = |seconds: &str| answer(429, &[("retry-after", seconds)], "{}");
    for (steps, total, waited, attempts) in [
        (vec![asking("3"), answer(200, &[], "")], None, 3, 2),
        (vec![asking("Thu, 01 Jan 1970 00:00:07 GMT"), answer(200, &[], "")], None, 7, 2),
        (vec![asking("119"), answer(200, &[], "")], None, 119, 2),
        (vec![asking("120")], None, 0, 1),
        (vec![asking("3")], Some(3), 0, 1),
        (vec![asking("3"), answer(200, &[], "")], Some(4), 3, 2),
    ] {
        let script = Script::of(steps);
        let builder = bearer().clock(ManualClock::new(UNIX_EPOCH)).timeouts(Timeouts::off().total(total.map(secs)));
        let started = Instant::now();
        let found = run(builder, &script, Invocation::new("x")).await;
        assert_eq!(started.elapsed(), secs(waited));
        assert_eq!(script.seen().len(), attempts);
        if let Err(error) = found {
            assert!(error.retry_after().is_some(), "the caller learns when to come back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_total_time_cuts_whatever_it_meets() {
    let asking = answer(429, &[("retry-after", "3")], "{}");
    let script = Script::of(vec![asking, Step::Hang]);
    let started = Instant::now();
    let builder = bearer().timeouts(Timeouts::off().total(secs(5)));
    let error = run(builder, &script, Invocation::new("x").idempotent()).await.unwrap_err();
    assert_eq!(started.elapsed(), secs(5));
    assert_eq!((error.kind(), error.attempts(), error.may_have_run()), (ErrorKind::Timeout, 2, true));
}

#[tokio::test(start_paused = true)]
async fn an_invocations_own_settings_win() {
    let script = Script::of(vec![refusal(429, "")]);
    let invocation = Invocation::new("x").retry(RetryPolicy::off());
    assert_eq!(run(bearer(), &script, invocation).await.unwrap_err().attempts(), 1);
    let script = Script::of(vec![Step::Hang]);
    let invocation = Invocation::new("x").timeouts(Timeouts::off().first_byte(secs(1)));
    let error = run(bearer(), &script, invocation).await.unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(1)));
}

/// Numbers its tokens, and reports whether there is another.
#[derive(Debug, Default)]
struct Numbered {
    given: AtomicUsize,
    renewable: bool,
}

impl TokenSource for Numbered {
    fn token(&self) -> BoxFuture<'_, Result<Token, agentcore_auth::Error>> {
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(std::future::ready(Token::parse(&format!("token-{number}"))))
    }

    fn reject(&self, _token: &Token) -> bool {
        self.renewable
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_authorized_anew() {
    let unauthorized = || refusal(401, "UnauthorizedException");
    for (renewable, steps, status) in [
        (false, vec![refusal(503, ""), answer(200, &[], "")], Ok(200)),
        (true, vec![unauthorized(), answer(200, &[], "")], Ok(200)),
        (true, vec![unauthorized(), unauthorized()], Err(401)),
        (true, vec![refusal(503, ""), unauthorized(), refusal(503, ""), answer(200, &[], "")], Ok(200)),
        (false, vec![unauthorized()], Err(401)),
    ] {
        let script = Script::of(steps);
        let builder = HttpClient::builder(Auth::bearer(Numbered { renewable, ..Numbered::default() }));
        let found = run(builder, &script, Invocation::new("x")).await;
        assert_eq!(found.map(|ok| ok.status()).map_err(|error| error.status().unwrap()), status);
        assert_eq!(script.left(), 0);
        for (index, request) in script.seen().iter().enumerate() {
            assert_eq!(request.headers()["authorization"], format!("Bearer token-{}", index + 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_skewed_clock_is_corrected_once() {
    // Ours shows 12:34:56, the service's an hour more.
    let clock = ManualClock::new(UNIX_EPOCH + secs(1_755_261_296));
    let signed = || {
        let keys = Credentials::new("AKID", "hush", None, None, "test");
        HttpClient::builder(Auth::sigv4(keys)).clock(clock.clone())
    };
    let late = || {
        let headers = [("date", "Fri, 15 Aug 2025 13:34:56 GMT"), ("x-amzn-errortype", "InvalidSignatureException")];
        answer(403, &headers, r#"{"message":"Signature expired"}"#)
    };
    let script = Script::of(vec![late(), answer(200, &[], "")]);
    run(signed(), &script, Invocation::new("x")).await.unwrap();
    let dates: Vec<_> = script.seen().iter().map(|request| request.headers()["x-amz-date"].clone()).collect();
    assert_eq!(dates, ["20250815T123456Z", "20250815T133456Z"]);

    let script = Script::of(vec![late(), late()]);
    let error = run(signed(), &script, Invocation::new("x")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Authorization, 2));
    assert_eq!(error.code(), Some("InvalidSignatureException"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_not_sent() {
    // {"exp":1000}
    let token = StaticToken::parse("e30.eyJleHAiOjEwMDB9.c2ln").unwrap();
    let script = Script::of(vec![]);
    let builder = HttpClient::builder(Auth::bearer(token)).clock(ManualClock::new(UNIX_EPOCH + secs(1300)));
    let error = run(builder, &script, Invocation::new("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ExpiredToken);
    assert_eq!(error.to_string(), "the bearer token expired 5 min ago and was not sent");
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_credential_goes_to_a_local_container() {
    let script = Script::of(vec![answer(200, &[], "")]);
    let client = bearer().over(script.network(), || 0.0);
    client.invoke(&Target::local("http://agent:8080").unwrap(), &Invocation::new("x")).await.unwrap();
    let seen = script.seen();
    assert!(!seen[0].headers().contains_key("authorization"));
    assert!(!seen[0].headers().contains_key("x-amzn-bedrock-agentcore-runtime-user-id"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_never_ends_is_still_reported() {
    let step = Step::Answer { status: 500, headers: vec![], body: vec![Piece::Data("{\"mess"), Piece::Hang] };
    let error = run(bearer(), &Script::of(vec![step]), Invocation::new("x")).await.unwrap_err();
    assert_eq!((error.status(), error.message(), error.elapsed()), (Some(500), "{\"mess", secs(10)));
}

#[tokio::test(start_paused = true)]
async fn the_head_of_an_answer() {
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-amzn-requestid", "r-1"),
        ("x-amzn-bedrock-agentcore-runtime-session-id", "theirs"),
        ("x-amzn-trace-id", "Root=1"),
        ("mcp-session-id", "m-1"),
    ];
    let script = Script::of(vec![answer(202, &headers, "{\"a\":1}")]);
    let response = run(bearer(), &script, Invocation::new("x")).await.unwrap();
    assert_eq!((response.status(), response.session_id().as_str()), (202, "theirs"));
    assert_eq!((response.request_id(), response.trace_id()), (Some("r-1"), Some("Root=1")));
    assert_eq!(response.header("mcp-session-id"), Some("m-1"));
    assert!(response.is_json() && !response.is_event_stream());
    assert_eq!(response.json::<serde_json::Value>().await.unwrap(), serde_json::json!({"a": 1}));

    let session = SessionId::random();
    let script = Script::of(vec![answer(200, &[("content-type", "Text/Event-Stream;charset=utf-8")], "")]);
    let response = run(bearer(), &script, Invocation::new("x").session(&session)).await.unwrap();
    assert_eq!((response.session_id().as_str(), response.request_id()), (session.as_str(), None));
    assert!(response.is_event_stream() && !response.is_json());
}

#[tokio::test(start_paused = true)]
async fn bodies_are_collected_within_bounds() {
    let answered = async |builder: HttpClientBuilder, pieces: &[&'static str]| {
        let pieces: Vec<Piece> = pieces.iter().map(|piece| Piece::Data(piece)).collect();
        let script = Script::of(vec![body(&pieces)]);
        run(builder, &script, Invocation::new("x")).await.unwrap()
    };
    let bounded = || bearer().max_answer_bytes(10);
    for (pieces, whole) in [(&[][..], ""), (&["one"], "one"), (&["one", "", " two", " three"], "one two three")] {
        assert_eq!(answered(bearer(), pieces).await.text().await.unwrap(), whole);
    }
    for pieces in [&["12345678901"][..], &["123456", "78901"], &["12345", "67890", "1"]] {
        let error = answered(bounded(), pieces).await.bytes().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::TooLarge, "the answer is longer than 10 bytes"));
    }
    assert_eq!(answered(bounded(), &["1234567890"]).await.bytes().await.unwrap(), "1234567890");
    let error = answered(bearer(), &["{nope"]).await.json::<serde_json::Value>().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Service, "the answer is not the JSON expected"));
}

/// What of a stream is delivered, and how it ends.
#[tokio::test(start_paused = true)]
async fn streams_deliver_what_came_and_then_say_why_they_ended() {
    use Piece::{Break, Data, Hang};
    type Case = (&'static str, Vec<Piece>, bool, Vec<&'static str>, Option<(ErrorKind, u64)>);
    let (first, pause, comment) = (Data("data: one\n\n"), Piece::Pause(secs(3)), Data(": still here\n"));
    let slow = vec![first, pause, first, pause, comment, pause, first];
    let slower = vec![first, pause, first, pause, first, pause, first, pause, first];
    let huge = vec![first, Data("data: 123456789012345678901\n\n"), first];
    let cases: Vec<Case> = vec![
        ("clean", vec![first, Data("data: two\n\n")], false, vec!["one", "two"], None),
        ("unterminated, strict", vec![first, Data("data: two")], false, vec!["one"], None),
        ("unterminated, lenient", vec![first, Data("data: two")], true, vec!["one", "two"], None),
        ("broken", vec![first, Data("data: tw"), Break], true, vec!["one"], Some((ErrorKind::BrokenOff, 0))),
        ("still", vec![first, Hang], false, vec!["one"], Some((ErrorKind::Timeout, 4))),
        ("slow but moving", slow, false, vec!["one"; 3], None),
        ("too long in total", slower, false, vec!["one"; 4], Some((ErrorKind::Timeout, 10))),
        ("huge event", huge, false, vec!["one"], Some((ErrorKind::BrokenOff, 0))),
    ];
    for (name, pieces, lenient, expected, end) in cases {
        let script = Script::of(vec![body(&pieces)]);
        let timeouts = Timeouts::off().idle(secs(4)).total(secs(10));
        let builder = bearer().timeouts(timeouts).lenient_sse(lenient).max_event_bytes(20);
        let started = Instant::now();
        let mut events = run(builder, &script, Invocation::new("x")).await.unwrap().events();
        let mut found = Vec::new();
        let failed = loop {
            match events.next().await {
                Some(Ok(event)) => found.push(event.data.to_string()),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert_eq!(found, expected, "{name}");
        let failed = failed.map(|error| {
            assert!(error.may_have_run(), "{name}");
            assert_eq!(error.is_retryable(), name != "huge event", "{name}");
            (error.kind(), started.elapsed().as_secs())
        });
        assert_eq!(failed, end, "{name}");
        assert!(events.next().await.is_none(), "{name}: nothing follows the end");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_a_broken_byte_stream() {
    let script = Script::of(vec![body(&[Piece::Data("one"), Piece::Break, Piece::Data("two")])]);
    let mut bytes = run(bearer(), &script, Invocation::new("x")).await.unwrap().into_stream();
    assert_eq!(bytes.next().await.unwrap().unwrap(), "one");
    assert_eq!(bytes.next().await.unwrap().unwrap_err().kind(), ErrorKind::BrokenOff);
    assert!(bytes.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_never_asked_for_again() {
    let broken = body(&[Piece::Data("data: one\n\n"), Piece::Break]);
    let script = Script::of(vec![broken, answer(200, &[], "data: again\n\n")]);
    let response = run(bearer(), &script, Invocation::new("x").idempotent()).await.unwrap();
    let error = response.events().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::BrokenOff, 1));
    assert_eq!(script.left(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_sends_nothing_more() {
    let script = Script::of(vec![refusal(429, ""), answer(200, &[], "")]);
    let call = run(bearer(), &script, Invocation::new("x"));
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    tokio::time::advance(secs(600)).await;
    assert_eq!((script.seen().len(), script.left()), (1, 1));
}

/// A page without a header of the service is not the agent's; what a local container answers is.
#[tokio::test(start_paused = true)]
async fn whose_page_it_is() {
    const PAGE: &str = "\n<!DOCTYPE html><p>Please pay";
    let kind = |kind| ("content-type", kind);
    let html = kind("text/html; charset=utf-8");
    let session = ("x-amzn-bedrock-agentcore-runtime-session-id", "s");
    let local = Target::local("http://127.0.0.1:8080").unwrap();
    for (name, target, headers, text, foreign) in [
        ("a portal's", &target(), &[html][..], PAGE, true),
        ("a portal's, by its media type", &target(), &[html], "Please pay", true),
        ("a portal's, without one", &target(), &[], PAGE, true),
        ("a portal's, as text", &target(), &[kind("text/plain")], PAGE, true),
        ("an agent's", &target(), &[html, session], PAGE, false),
        ("text", &target(), &[kind("text/plain")], "less than < html", false),
        ("events", &target(), &[kind("text/event-stream")], PAGE, false),
        ("a container's", &local, &[html], PAGE, false),
    ] {
        let script = Script::of(vec![answer(200, headers, text)]);
        let client = bearer().over(script.network(), || 0.0);
        let mut response = client.invoke(target, &Invocation::new("x")).await.unwrap();
        let error = response.page_of_another().await;
        assert_eq!(
            error.as_ref().map(|error| (error.kind(), error.status())),
            foreign.then_some((ErrorKind::Service, Some(200))),
            "{name}"
        );
        assert!(error.is_none_or(|error| error.message().contains("bedrock-agentcore.us-east-1.amazonaws.com")));
        assert_eq!(response.text().await.unwrap(), text, "{name}: whoever wants it may read it");
    }
}

/// Bounds that no clock can hold are none.
#[tokio::test(start_paused = true)]
async fn timeouts_without_end() {
    let year = Piece::Pause(secs(365 * 24 * 3600));
    let ever = Timeouts::off().first_byte(Duration::MAX).idle(Duration::MAX).total(Duration::MAX);
    let script = Script::of(vec![body(&[Piece::Data("one"), year, Piece::Data("two")])]);
    let response = run(bearer().timeouts(ever), &script, Invocation::new("x")).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "onetwo");
}

/// What has one answer and no events: the requests, and what a target without sessions says.
#[tokio::test]
async fn stopping_and_cards() {
    let session: SessionId = "session-0123456789-0123456789-0123456789".parse().unwrap();
    let script = Script::of(vec![refusal(503, ""), answer(200, &[], ""), answer(200, &[], r#"{"name":"x"}"#)]);
    let client = bearer().over(script.network(), || 0.0);
    client.stop(&target(), &session).await.unwrap();
    let card: serde_json::Value = client.card(&target(), None).await.unwrap().json().await.unwrap();
    assert_eq!(card["name"], "x");
    let seen = script.seen();
    let arn = "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx";
    let sent: Vec<_> = seen.iter().map(|request| format!("{} {}", request.method(), request.uri().path())).collect();
    let stop = format!("POST {arn}/stopruntimesession");
    let card = format!("GET {arn}/invocations/.well-known/agent-card.json");
    assert_eq!(sent, [stop.clone(), stop, card]);
    assert_eq!(seen[0].body(), seen[1].body(), "a repetition carries the same client token");
    let body: serde_json::Value = serde_json::from_slice(seen[0].body()).unwrap();
    let token = body["clientToken"].as_str().unwrap();
    assert!((33..=256).contains(&token.len()) && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    assert_eq!(seen[0].headers()["x-amzn-bedrock-agentcore-runtime-session-id"], session.as_str());
    assert!(!seen[2].headers().contains_key("x-amzn-bedrock-agentcore-runtime-session-id"));
    let local = Target::local("http://127.0.0.1:8080").unwrap();
    assert_eq!(client.stop(&local, &session).await.unwrap_err().kind(), ErrorKind::Input);
}
