//! Sockets of our own against the mock: every way in, refusals, long messages, ends, and coming back.

use std::{
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use agentcore_client::{
    Client, ErrorKind, Proxy, RetryPolicy, Runtime, SessionId, Token, Transport,
    auth::{self, BoxFuture, TokenSource},
    ws::{AuthMode, Close, Expiry, Incoming, Settings, Socket},
};
use agentcore_mock::{self, InboundAuth, Mock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    support::{agent, bearer, endpoint, keys, mock, sigv4, start},
    transport::{TUNNEL, proxy, via},
};

async fn text(socket: &mut Socket) -> Option<String> {
    socket.try_next().await.unwrap().map(|incoming| incoming.text().unwrap().to_owned())
}

async fn error(runtime: &Runtime, settings: Settings) -> agentcore_client::Error {
    runtime.websocket().settings(settings).connect().await.unwrap_err()
}

/// A policy that loses no time.
fn quick() -> RetryPolicy {
    RetryPolicy::default().pauses(Duration::ZERO, Duration::from_millis(1))
}

#[tokio::test]
async fn every_way_in() {
    let mock = mock().await;
    let (by_token, by_keys) = (bearer(&mock), sigv4(&mock));
    let presigned = AuthMode::Presigned(Expiry::from_secs(60).unwrap());
    for (client, auth_mode, seen) in [
        (&by_token, AuthMode::Headers, agentcore_mock::CredentialForm::Bearer),
        (&by_token, AuthMode::Subprotocol, agentcore_mock::CredentialForm::Subprotocol),
        (&by_keys, AuthMode::Headers, agentcore_mock::CredentialForm::Signature),
        (&by_keys, presigned, agentcore_mock::CredentialForm::PresignedUrl),
    ] {
        let session = SessionId::random();
        let opening = client.runtime(mock.arn("echo")).websocket().session(&session).param("room", "a b").unwrap();
        let mut socket = opening.auth_mode(auth_mode).connect().await.unwrap();
        assert_eq!(socket.session_id(), &session);
        socket.send("héllo").await.unwrap();
        socket.send(vec![0, 159, 146, 150]).await.unwrap();
        assert_eq!(text(&mut socket).await.as_deref(), Some("héllo"));
        assert!(
            matches!(socket.try_next().await, Ok(Some(Incoming::Binary(bytes))) if bytes == [0, 159, 146, 150][..])
        );
        assert_eq!(socket.close().await.unwrap(), Close::normal());
        let request = mock.take_requests().pop().unwrap();
        assert_eq!((request.credential_form, request.session_id.as_deref()), (Some(seen), Some(session.as_str())));
        assert!(request.query.unwrap().contains("room=a%20b"));
    }
}

#[tokio::test]
async fn a_way_in_that_the_credential_cannot_take() {
    let mock = mock().await;
    for (client, auth_mode, message) in [
        (bearer(&mock), AuthMode::Presigned(Expiry::MAX), "a presigned URL needs AWS credentials"),
        (sigv4(&mock), AuthMode::Subprotocol, "the subprotocol needs a bearer token"),
    ] {
        let opening = client.runtime(mock.arn("echo")).websocket().auth_mode(auth_mode);
        let error = opening.connect().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, message));
    }
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn json_both_ways() {
    let mock = mock().await;
    let mut socket = agent(&mock, "echo").websocket().connect().await.unwrap();
    let said = json!({"inputText": "Hello!", "n": [1, null]});
    socket.send_json(&said).await.unwrap();
    assert_eq!(socket.try_next_json::<Value>().await.unwrap(), Some(said));
    socket.send("no JSON").await.unwrap();
    assert_eq!(socket.try_next_json::<Value>().await.unwrap_err().kind(), ErrorKind::Service);
}

#[tokio::test]
async fn the_halves_work_apart() {
    let mock = mock().await;
    let (sender, mut receiver) = agent(&mock, "echo").websocket().connect().await.unwrap().split();
    let sending = tokio::spawn(async move {
        for number in 0..200 {
            sender.send(number.to_string()).await.unwrap();
        }
        sender.close(Close::normal()).await.unwrap();
    });
    for number in 0..200 {
        assert_eq!(receiver.try_next().await.unwrap().unwrap().text(), Some(number.to_string().as_str()));
    }
    assert!(receiver.try_next().await.unwrap().is_none());
    assert_eq!(receiver.closed(), Some(&Close::normal()));
    sending.await.unwrap();
}

/// The mock closes with 1009 at a frame above 64 KiB, and with 1008 at the 251st within a second.
#[tokio::test]
async fn a_long_message_is_sent_within_the_service_s_limits() {
    let mock = mock().await;
    let mut socket = agent(&mock, "echo").websocket().connect().await.unwrap();
    let long = "0123456789".repeat(200_000);
    socket.send(long.clone()).await.unwrap();
    assert_eq!(text(&mut socket).await, Some(long));

    let careless = Settings::default().max_frame_bytes(100_000);
    let mut socket = agent(&mock, "echo").websocket().settings(careless).connect().await.unwrap();
    socket.send("x".repeat(70_000)).await.unwrap();
    assert!(socket.try_next().await.unwrap_err().to_string().contains("1009"));
}

#[tokio::test]
async fn refusals_are_those_of_an_invocation() {
    let mock = mock().await;
    let once = || Settings::default().retry(RetryPolicy::off());
    for status in [400, 401, 402, 403, 404, 409, 424, 429, 500, 503] {
        let runtime = agent(&mock, &format!("error-{status}"));
        let of_socket = error(&runtime, once()).await;
        let of_call = runtime.invoke("x").retry(RetryPolicy::off()).await.unwrap_err();
        let facts = |error: &agentcore_client::Error| {
            let call = error;
            let code = call.code().map(str::to_owned);
            (error.kind(), error.status(), code, call.message().to_owned(), call.may_have_run(), call.is_retryable())
        };
        assert_eq!(facts(&of_socket), facts(&of_call));
        assert_eq!(of_socket.status(), Some(status));
        assert!(of_socket.request_id().is_some());
    }
}

#[tokio::test]
async fn what_was_not_accepted_is_asked_for_again() {
    let mock = mock().await;
    for (name, attempts, fine) in [
        ("conflict-2", 3, true),
        ("throttle-2", 3, true),
        ("unavailable-2", 3, true),
        ("conflict-3", 3, false),
        ("error-409", 1, false),
        ("error-424", 1, false),
        ("error-502", 1, false),
    ] {
        let opened = agent(&mock, name).websocket().settings(Settings::default().retry(quick())).connect().await;
        assert_eq!(opened.is_ok(), fine, "{name}: {opened:?}");
        assert_eq!(mock.take_requests().len(), attempts, "{name}");
    }
}

/// Tokens that are numbered, of which each is good.
#[derive(Debug)]
struct Numbered {
    mock: Arc<Mock>,
    given: Arc<AtomicU32>,
}

impl TokenSource for Numbered {
    fn token(&self) -> BoxFuture<'_, Result<Token, auth::Error>> {
        self.given.fetch_add(1, Ordering::SeqCst);
        Box::pin(ready(Token::parse(&self.mock.token())))
    }

    fn reject(&self, _: &Token) -> bool {
        true
    }
}

#[tokio::test]
async fn each_connection_asks_for_a_credential_and_a_refused_one_is_replaced_once() {
    let mock = Arc::new(mock().await);
    let given = Arc::new(AtomicU32::new(0));
    let source = Numbered { mock: mock.clone(), given: given.clone() };
    let client = Client::builder().token_source(source).endpoints(endpoint(&mock)).build().unwrap();
    for (name, tokens, fine) in [("echo", 1, true), ("unauthorized-1", 2, true), ("unauthorized-2", 2, false)] {
        let opened = client.runtime(mock.arn(name)).websocket().connect().await;
        assert_eq!(opened.is_ok(), fine, "{name}");
        assert_eq!(given.swap(0, Ordering::SeqCst), tokens, "{name}");
    }
    let settings = Settings::default().reconnect(quick());
    let mut socket = client.runtime(mock.arn("drop-2")).websocket().settings(settings).connect().await.unwrap();
    for _ in 0..2 {
        socket.send("x").await.unwrap();
        assert!(matches!(socket.try_next().await, Ok(Some(Incoming::Text(_)))));
        assert!(matches!(socket.try_next().await, Ok(Some(Incoming::Reconnected(_)))));
    }
    assert_eq!(given.load(Ordering::SeqCst), 3);
}

/// Distinct tokens, each given back when it is refused.
#[derive(Clone, Debug)]
struct Recorded {
    mock: Arc<Mock>,
    given: Arc<Mutex<Vec<String>>>,
    rejected: Arc<Mutex<Vec<String>>>,
}

impl TokenSource for Recorded {
    fn token(&self) -> BoxFuture<'_, Result<Token, auth::Error>> {
        let mut given = self.given.lock().unwrap();
        let number = given.len();
        let token = self.mock.token_with(|claims| {
            claims.insert("jti".into(), number.into());
        });
        given.push(token.clone());
        Box::pin(ready(Token::parse(&token)))
    }

    fn reject(&self, token: &Token) -> bool {
        self.rejected.lock().unwrap().push(token.expose().to_owned());
        true
    }
}

#[tokio::test]
async fn a_token_refused_in_the_subprotocol_goes_back_to_its_source_and_is_replaced_once() {
    let mock = Arc::new(mock().await);
    for (name, given, rejected, fine) in
        [("echo", 1, 0, true), ("unauthorized-1", 2, 1, true), ("unauthorized-2", 2, 2, false)]
    {
        let source = Recorded { mock: mock.clone(), given: Arc::default(), rejected: Arc::default() };
        let client = Client::builder().token_source(source.clone()).endpoints(endpoint(&mock)).build().unwrap();
        let request = client.runtime(mock.arn(name)).websocket().auth_mode(AuthMode::Subprotocol);
        let opened = request.connect().await;
        assert_eq!(opened.is_ok(), fine, "{name}: {opened:?}");
        let tokens = source.given.lock().unwrap().clone();
        assert_eq!(tokens.len(), given, "{name}");
        assert_eq!(*source.rejected.lock().unwrap(), tokens[..rejected], "{name}");
        assert_eq!(
            mock.take_requests().iter().filter(|request| request.path.ends_with("/ws")).count(),
            given,
            "{name}"
        );
    }
}

/// As an invocation does; see `who_is_let_in`.
#[tokio::test]
async fn a_socket_refused_with_401_names_the_issuers_and_the_call() {
    let mock = start(Mock::builder().inbound_auth(InboundAuth::Jwt)).await;
    let client = Client::builder().bearer_token("opaque").endpoints(endpoint(&mock)).build().unwrap();
    let (arn, session) = (mock.arn("echo"), SessionId::random());
    for auth_mode in [AuthMode::Headers, AuthMode::Subprotocol] {
        let request = client.runtime(arn.clone()).websocket().session(&session).auth_mode(auth_mode);
        let error = request.connect().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Authentication, Some(401)), "{error}");
        assert_eq!(error.issuers(), [mock.url()]);
        assert!(error.request_id().is_some_and(|id| !id.is_empty()));
        assert_eq!((error.arn(), error.session_id()), (Some(arn.as_str()), Some(session.as_str())));
        let (upgrades, others): (Vec<_>, Vec<_>) =
            mock.take_requests().into_iter().partition(|request| request.path.ends_with("/ws"));
        assert_eq!((upgrades.len(), others.len()), (1, 1), "the issuers are asked for once");
        for credential in ["authorization", "sec-websocket-protocol"] {
            assert!(others[0].header(credential).is_none(), "the issuers are asked for without a credential");
        }
    }
}

#[tokio::test]
async fn coming_back_keeps_the_session_and_tells_what_was_lost() {
    let mock = mock().await;
    let settings = Settings::default().reconnect(quick());
    let mut socket = agent(&mock, "drop-1").websocket().settings(settings).connect().await.unwrap();
    let session = socket.session_id().clone();
    socket.send("one").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("one"));
    let Some(Incoming::Reconnected(interruption)) = socket.try_next().await.unwrap() else { panic!("an interruption") };
    assert_eq!((interruption.cause.kind(), interruption.attempts), (ErrorKind::BrokenOff, 1));
    assert_eq!(interruption.unconfirmed, 0);
    socket.send("two").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("two"));
    assert_eq!(socket.close().await.unwrap(), Close::normal());
    let requests = mock.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.session_id.as_deref() == Some(session.as_str())));
}

#[tokio::test]
async fn after_what_it_comes_back() {
    let mock = mock().await;
    let settings = || Settings::default().reconnect(quick());
    for (code, comes_back) in [
        (1000, false),
        (1001, true),
        (1003, false),
        (1008, true),
        (1009, false),
        (1011, false),
        (1012, true),
        (4000, false),
    ] {
        let runtime = agent(&mock, &format!("close-{code}-now"));
        let mut socket = runtime.websocket().settings(settings()).connect().await.unwrap();
        let next = socket.try_next().await;
        assert_eq!(matches!(next, Ok(Some(Incoming::Reconnected(_)))), comes_back, "{code}: {next:?}");
        drop(socket);
    }
    let mut socket = agent(&mock, "drop").websocket().connect().await.unwrap();
    socket.send("x").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
    assert_eq!(socket.try_next().await.unwrap_err().kind(), ErrorKind::BrokenOff, "not unless it is asked to");
}

#[tokio::test]
async fn it_gives_up_when_it_is_not_let_in_again() {
    let mock = mock().await;
    let settings = Settings::default().reconnect(quick().max_attempts(2));
    let mut socket = agent(&mock, "drop-1").websocket().settings(settings).connect().await.unwrap();
    socket.send("x").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
    drop(mock);
    let error = socket.try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unavailable, 2));
    assert!(socket.try_next().await.unwrap().is_none());
    assert!(socket.send("more").await.is_err());
}

#[tokio::test]
async fn what_breaks_a_bound_would_break_it_again() {
    let mock = mock().await;
    let settings = Settings::default().reconnect(quick()).max_message_bytes(10);
    let mut socket = agent(&mock, "echo").websocket().settings(settings).connect().await.unwrap();
    socket.send("eleven bytes").await.unwrap();
    assert_eq!(socket.try_next().await.unwrap_err().kind(), ErrorKind::BrokenOff);
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn a_socket_can_be_closed_while_there_is_no_connection() {
    let mock = mock().await;
    let hour = Duration::from_secs(3600);
    let settings = Settings::default().reconnect(RetryPolicy::default().pauses(hour, hour).max_elapsed(2 * hour));
    let mut socket = agent(&mock, "drop").websocket().settings(settings).connect().await.unwrap();
    socket.send("x").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
    let closed = tokio::time::timeout(Duration::from_secs(60), socket.close()).await.unwrap();
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::BrokenOff);
}

#[tokio::test]
async fn a_goodbye_with_a_code_of_one_s_own() {
    let mock = mock().await;
    let (sender, mut receiver) = agent(&mock, "echo").websocket().connect().await.unwrap().split();
    sender.close(Close::new(4001, "enough").unwrap()).await.unwrap();
    assert!(receiver.try_next().await.unwrap().is_none());
    assert_eq!(receiver.closed().map(|close| close.code), Some(4001));
}

/// The server upgrades, and answers the key of another request.
#[tokio::test]
async fn an_answer_to_somebody_else_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = agentcore_client::Target::local(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        socket.write_all(answer.as_bytes()).await.unwrap();
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
    });
    let client = Client::builder().auth(agentcore_client::Auth::None).build().unwrap();
    let error = error(&client.target(target), Settings::default()).await;
    assert!(error.to_string().contains("it belongs to another request"), "{error}");
}

#[tokio::test]
async fn how_the_agent_s_goodbye_is_told() {
    let mock = mock().await;
    for (code, kind) in [
        (1000, None),
        (1001, None),
        (1008, Some(ErrorKind::Throttled)),
        (1011, Some(ErrorKind::Agent)),
        (1013, Some(ErrorKind::Unavailable)),
        (4000, Some(ErrorKind::Agent)),
    ] {
        let mut socket = agent(&mock, &format!("close-{code}")).websocket().connect().await.unwrap();
        socket.send("x").await.unwrap();
        assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
        let end = socket.try_next().await;
        assert_eq!(end.as_ref().err().map(agentcore_client::Error::kind), kind, "{code}: {end:?}");
        let (_, receiver) = socket.split();
        assert_eq!(receiver.closed().map(|close| close.code), Some(code));
    }
}

#[tokio::test]
async fn an_agent_that_does_not_say_goodbye_is_left() {
    let mock = mock().await;
    let settings = Settings::default().close_timeout(Duration::from_millis(50));
    for name in ["silent", "no-close"] {
        let socket = agent(&mock, name).websocket().settings(settings.clone()).connect().await.unwrap();
        assert_eq!(socket.close().await.unwrap_err().kind(), ErrorKind::Timeout, "{name}");
    }
}

#[tokio::test]
async fn an_agent_that_is_silent_after_a_ping_is_lost() {
    let mock = mock().await;
    let millis = Duration::from_millis;
    let settings = Settings::default().ping_interval(millis(20)).pong_timeout(millis(100));
    let mut socket = agent(&mock, "silent").websocket().settings(settings.clone()).connect().await.unwrap();
    let error = socket.try_next().await.unwrap_err();
    assert_eq!(error.message(), "the agent's side was silent after a ping");

    let socket = agent(&mock, "deaf").websocket().settings(settings.ping_interval(None)).connect().await.unwrap();
    let error = socket.send("x".repeat(30_000_000)).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true));
}

#[tokio::test]
async fn over_tls_and_through_a_proxy() {
    let mock = start(Mock::builder().tls(true)).await;
    let (url, asked) = proxy(TUNNEL).await;
    let roots = || Transport::builder().root_certificates(mock.root_certificate_pem().unwrap());
    for (transport, tunnels) in [(roots().proxy(Proxy::None), 0), (roots().proxy(via(&url, "")), 1)] {
        let client = Client::builder().credentials(keys(&mock)).endpoints(endpoint(&mock));
        let client = client.transport(transport.build().unwrap()).build().unwrap();
        let opening = client.runtime(mock.arn("echo")).websocket();
        for auth_mode in [AuthMode::Headers, AuthMode::Presigned(Expiry::default())] {
            let mut socket = opening.clone().auth_mode(auth_mode).connect().await.unwrap();
            socket.send("x").await.unwrap();
            assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
            socket.close().await.unwrap();
        }
        assert_eq!(asked.lock().unwrap().len(), 2 * tunnels);
    }
    let stranger = Client::builder().credentials(keys(&mock)).endpoints(endpoint(&mock)).build().unwrap();
    let error = error(&stranger.runtime(mock.arn("echo")), Settings::default()).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unavailable, 1));
}

#[tokio::test]
async fn opening_is_bounded() {
    let mock = mock().await;
    let settings = Settings::default().open_timeout(Duration::from_millis(30));
    let error = error(&agent(&mock, "slow-60000"), settings).await;
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Timeout, true));
    assert!(error.to_string().starts_with("the socket was not open within 0.03 s"), "{error}");
}

/// `unavailable` answers each attempt at once, so that only a bound on all of them ends the call: in an attempt or in a pause.
#[tokio::test]
async fn opening_is_bounded_over_all_attempts() {
    let mock = mock().await;
    let patient = RetryPolicy::default().max_attempts(u32::MAX).pauses(Duration::ZERO, Duration::from_millis(1));
    let settings = Settings::default().open_timeout(None).open_deadline(Duration::from_millis(200)).retry(patient);
    for (name, repeated, kinds) in [
        ("unavailable-1000000", true, &[ErrorKind::Unavailable, ErrorKind::Timeout][..]),
        ("slow-60000", false, &[ErrorKind::Timeout]),
    ] {
        let runtime = agent(&mock, name);
        let refused = tokio::time::timeout(Duration::from_secs(30), error(&runtime, settings.clone())).await.unwrap();
        assert!(kinds.contains(&refused.kind()), "{name}: {refused}");
        assert_eq!(refused.attempts() > 1, repeated, "{name}: {refused}");
        assert!(refused.elapsed() >= Duration::from_millis(150), "{name}: {refused}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_says_so() {
    let mock = mock().await;
    for (name, status, kind) in [("html", 502, ErrorKind::Service), ("redirect", 307, ErrorKind::Refused)] {
        let error = error(&agent(&mock, name), Settings::default()).await;
        assert_eq!((error.status(), error.kind()), (Some(status), kind), "{error}");
    }
}

#[tokio::test]
async fn a_local_container_is_shown_no_credential() {
    let mock = start(Mock::builder().local_agent("echo")).await;
    let target = agentcore_client::Target::local(mock.url()).unwrap();
    let mut socket = sigv4(&mock).target(target).websocket().connect().await.unwrap();
    socket.send("x").await.unwrap();
    assert_eq!(text(&mut socket).await.as_deref(), Some("x"));
    let request = mock.requests().pop().unwrap();
    assert_eq!((request.path.as_str(), request.credential_form), ("/ws", None));
    assert!(request.header("authorization").is_none());
}
