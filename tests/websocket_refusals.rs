//! Sockets that are not opened: what is asked for again, with which credential, within which bounds, and what the error says.

use std::{
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use agentcore_client::{
    Client, ErrorKind, RetryPolicy, SessionId, Token,
    auth::{self, BoxFuture, TokenSource},
    ws::{AuthMode, Incoming, Settings},
};
use agentcore_mock::{InboundAuth, Mock};

use crate::{
    support::{agent, endpoint, mock, start},
    websocket::{error, quick},
};

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
