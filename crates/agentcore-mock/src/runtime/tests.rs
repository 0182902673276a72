//! The routes, driven over TCP by hand-written requests, so that no client stands between the test and the bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agents;
mod cognito;
mod handshake;
mod refusals;
mod websocket;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Caller, InboundAuth, Mock};

const SESSION: &str = "session-0123456789-0123456789-0123456789";
const SESSION_HEADER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The subject of [`Mock::token`].
const SUBJECT: &str = "5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01";

/// The errors that the tables below repeat.
const INVALID: (u16, &str) = (400, "ValidationException");
const UNAUTHORIZED: (u16, &str) = (401, "UnauthorizedException");
const DENIED: (u16, &str) = (403, "AccessDeniedException");
const INCOMPLETE: (u16, &str) = (403, "IncompleteSignatureException");
const MISSING: (u16, &str) = (403, "MissingAuthenticationTokenException");
const NOT_FOUND: (u16, &str) = (404, "ResourceNotFoundException");
const UNKNOWN: (u16, &str) = (404, "UnknownOperationException");
const UNSUPPORTED: (u16, &str) = (424, "RuntimeClientError");

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn error(&self) -> (u16, &str) {
        assert!(self.json()["message"].is_string(), "{}", self.body);
        (self.status, self.header("x-amzn-errortype"))
    }
}

/// Connects and sends bytes.
async fn connect(mock: &Mock, bytes: &str) -> TcpStream {
    let mut socket = TcpStream::connect(mock.url().trim_start_matches("http://")).await.unwrap();
    socket.write_all(bytes.as_bytes()).await.unwrap();
    socket
}

/// Sends bytes, closes nothing, and reads to the end of the connection.
async fn raw(mock: &Mock, request: &str) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    connect(mock, request).await.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Receives until the last bytes are these.
async fn receive(socket: &mut TcpStream, end: &[u8]) {
    let mut answer = Vec::new();
    while !answer.ends_with(end) {
        assert_ne!(socket.read_buf(&mut answer).await.unwrap(), 0);
    }
}

/// Waits on tokio's clock, which is paused and so runs ahead while nothing happens.
async fn hears_nothing(socket: &mut TcpStream) {
    tokio::time::pause();
    let heard = tokio::time::timeout(Duration::from_secs(3600), socket.read_u8()).await;
    assert!(heard.is_err(), "{heard:?}");
    tokio::time::resume();
}

/// Returns the head of a request: its line, its headers and the empty line.
fn head(line: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}\r\n{headers}\r\n")
}

async fn send(mock: &Mock, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let length = body.len().to_string();
    let headers = [&[("Host", "x"), ("Content-Length", &length)], headers].concat();
    // HTTP/1.0 has no chunks, so that the body can be compared as it is.
    let answer = raw(mock, &(head(&format!("{line} HTTP/1.0"), &headers) + body)).await.unwrap();
    Answer::read(&String::from_utf8(answer).unwrap())
}

fn bearer(mock: &Mock) -> String {
    format!("Bearer {}", mock.token())
}

fn path(agent: &str) -> String {
    format!("/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2F{agent}/invocations")
}

async fn invoke_with(mock: &Mock, agent: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let bearer = bearer(mock);
    let headers = [&[("Authorization", bearer.as_str())], headers].concat();
    send(mock, &format!("POST {}", path(agent)), &headers, body).await
}

async fn invoke(mock: &Mock, agent: &str) -> Answer {
    invoke_with(mock, agent, &[(SESSION_HEADER, SESSION)], r#"{"prompt": "Hi"}"#).await
}

const PING: &str = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";

/// A mock is shared by the tasks of a test.
const _: fn() = || {
    fn check<T: Send + Sync>() {}
    check::<Mock>();
};

async fn start() -> Mock {
    Mock::builder().start().await.unwrap()
}

#[tokio::test]
async fn echo_sees_what_was_sent() {
    let mock = Mock::builder().endpoint("my endpoint").start().await.unwrap();
    let bearer = format!("bearer {}", mock.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-amzn-bedrock-agentcore-runtime-session-id", SESSION),
        ("x-amzn-bedrock-agentcore-runtime-user-id", "user"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("mcp-session-id", "mcp"),
    ];
    let line = format!("POST {}?qualifier=my%20endpoint", path("echo-AbCdE12345"));
    let answer = send(&mock, &line, &headers, r#"{"prompt": "Hi"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"payload": {"prompt": "Hi"}, "session_id": SESSION, "user_id": "user", "qualifier": "my endpoint"})
    );
    for (name, value) in &headers[3..] {
        assert_eq!(answer.header(name), *value);
    }
    assert_eq!(answer.header("x-amzn-bedrock-agentcore-runtime-session-id"), SESSION);
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    assert_eq!(answer.header("content-type"), "application/json");

    let [request] = mock.take_requests().try_into().unwrap();
    assert_eq!(request.path, path("echo-AbCdE12345"));
    assert_eq!(request.query.as_deref(), Some("qualifier=my%20endpoint"));
    assert_eq!(&request.body[..], br#"{"prompt": "Hi"}"#);
    assert_eq!(request.header("traceparent"), Some(headers[4].1));
    assert_eq!((request.agent.as_deref(), request.error), (Some("echo"), None));
    assert_eq!(request.caller, Some(Caller::Jwt { subject: SUBJECT.to_owned() }));
    let debug = format!("{request:?} {:?}", request.headers);
    assert!(!debug.contains(&bearer[7..]), "{debug}");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_session_is_made_where_none_is_sent() {
    let mock = Mock::builder().endpoint("prod").start().await.unwrap();
    let answer = invoke_with(&mock, "echo", &[], "not json").await;
    let session = answer.header("x-amzn-bedrock-agentcore-runtime-session-id").to_owned();
    assert_eq!(session.len(), 36);
    assert_eq!(
        answer.json(),
        json!({"payload": "not json", "session_id": session, "user_id": null, "qualifier": null})
    );
    let endpoint = invoke(&mock, "echo%2Fruntime-endpoint%2Fprod").await;
    assert_eq!(endpoint.json()["qualifier"], "prod");
}

#[tokio::test]
async fn a_local_container_asks_for_nothing() {
    let (mock, clock) = start_with_clock().await;
    let answer = send(&mock, "POST /invocations", &[], r#"{"prompt": "Hi"}"#).await;
    assert_eq!(
        answer.json(),
        json!({"payload": {"prompt": "Hi"}, "session_id": null, "user_id": null, "qualifier": null})
    );
    assert_eq!(answer.header("x-amzn-requestid"), "");
    assert_eq!(answer.header("date"), "Fri, 15 Aug 2025 12:34:56 GMT");
    assert_eq!(mock.requests()[0].caller, None);
    // The time is that of the last change of the status, by a clock that goes on.
    for (seconds, busy, status, since) in [
        (0, false, "Healthy", 1_755_261_296),
        (60, false, "Healthy", 1_755_261_296),
        (60, true, "HealthyBusy", 1_755_261_356),
        (90, true, "HealthyBusy", 1_755_261_356),
        (120, false, "Healthy", 1_755_261_416),
    ] {
        clock.store(1_755_261_296 + seconds, Ordering::Relaxed);
        mock.set_busy(busy);
        let ping = send(&mock, "GET /ping", &[], "").await;
        assert_eq!(ping.json(), json!({"status": status, "time_of_last_update": since}), "{seconds}");
    }
    assert_eq!(mock.requests().len(), 6);
}

#[tokio::test]
async fn who_comes_before_what_and_what_before_where() {
    let mock = start().await;
    let bearer = bearer(&mock);
    let good = ("authorization", bearer.as_str());
    let bad = ("authorization", "Bearer x");
    let short = (SESSION_HEADER, "short");
    let arn = |account: &str, agent: &str| path(agent).replace("123456789012", account);
    for (path, headers, expected) in [
        (path("echo"), vec![], MISSING),
        (path("nobody"), vec![bad, short], UNAUTHORIZED),
        (path("nobody"), vec![good, short], INVALID),
        (path("nobody"), vec![good], NOT_FOUND),
        (path("echo"), vec![("authorization", "Basic eA==")], INCOMPLETE),
        (path("echo"), vec![good, good], INCOMPLETE),
        (arn("210987654321", "echo"), vec![good], DENIED),
        ("/runtimes/echo/invocations".to_owned(), vec![good], INVALID),
        ("/runtimes/echo/invocations?accountId=".to_owned(), vec![good], INVALID),
        ("/runtimes/echo/invocations?accountId=210987654321".to_owned(), vec![good], DENIED),
        ("/runtimes/arn%3Aaws%3As3%3A%3A%3Ax/invocations".to_owned(), vec![good], INVALID),
        ("/runtimes/arn%3Aaws%3As3%3A%3A%3Ax/invocations".to_owned(), vec![], MISSING),
        ("/runtimes/%FF/invocations".to_owned(), vec![good], INVALID),
        (path("echo%2Fx"), vec![good], INVALID),
        ("/nowhere".to_owned(), vec![], UNKNOWN),
        ("/ping".to_owned(), vec![], UNKNOWN),
    ] {
        let answer = send(&mock, &format!("POST {path}"), &headers, "").await;
        assert_eq!(answer.error(), expected, "{path} {headers:?}");
        assert_eq!(answer.header("x-amzn-requestid").len(), 36, "{path}");
        let last = mock.requests().pop().unwrap();
        assert_eq!((last.error, last.agent), (Some(expected.1), None), "{path}");
    }
    let by_id = send(&mock, "POST /runtimes/echo/invocations?accountId=123456789012", &[good], "").await;
    assert_eq!(by_id.status, 200);
}

#[tokio::test]
async fn one_way_in_only() {
    let sigv4 = ("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=f");
    let jwt = Mock::builder().inbound_auth(InboundAuth::Jwt).start().await.unwrap();
    let signed = Mock::builder().inbound_auth(InboundAuth::SigV4).start().await.unwrap();
    let bearer = bearer(&signed);
    let line = format!("POST {}", path("echo"));
    for (mock, headers, expected) in [
        (&jwt, vec![sigv4], DENIED),
        (&signed, vec![("authorization", &*bearer)], DENIED),
        (&jwt, vec![], UNAUTHORIZED),
        (&signed, vec![], MISSING),
    ] {
        let answer = send(mock, &line, &headers, "").await;
        assert_eq!(answer.error(), expected, "{headers:?}");
        assert_eq!(answer.body.contains("Authorization method mismatch."), expected == DENIED, "{}", answer.body);
    }
    assert_eq!(invoke(&jwt, "echo").await.status, 200);
    let metadata = path("echo") + "/.well-known/oauth-protected-resource";
    assert_eq!(send(&signed, &format!("GET {metadata}"), &[], "").await.error(), NOT_FOUND);
}

#[tokio::test]
async fn a_401_leads_to_the_issuer_and_its_keys() {
    let mock = start().await;
    let line = format!("POST {}?qualifier=a%20b", path("echo"));
    let refused = send(&mock, &line, &[("authorization", "Bearer x")], "").await;
    let metadata = format!("{}{}/.well-known/oauth-protected-resource?qualifier=a%20b", mock.url(), path("echo"));
    assert_eq!(refused.header("www-authenticate"), format!("Bearer resource_metadata=\"{metadata}\""));

    let metadata = send(&mock, &format!("GET {}", metadata.trim_start_matches(mock.url())), &[], "").await.json();
    assert_eq!(metadata["resource"], format!("{}{}?qualifier=a%20b", mock.url(), path("echo")));
    assert_eq!(metadata["authorization_servers"], json!([mock.url()]));

    let issuer = send(&mock, "GET /.well-known/openid-configuration", &[], "").await.json();
    assert_eq!(issuer["issuer"], mock.url());
    let keys = issuer["jwks_uri"].as_str().unwrap().trim_start_matches(mock.url()).to_owned();
    let keys = send(&mock, &format!("GET {keys}"), &[], "").await.json();
    assert_eq!(keys, mock.runtime.user_pool.issuer.key_set());
}

/// Starts a mock whose clock a test sets, in seconds.
async fn start_with_clock() -> (Mock, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(1_755_261_296));
    let clock = now.clone();
    let read = move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst));
    (Mock::builder().clock(read).start().await.unwrap(), now)
}

#[tokio::test]
async fn tokens_age_by_the_mocks_clock() {
    let (mock, now) = start_with_clock().await;
    let bearer = bearer(&mock);
    let call = async || send(&mock, &format!("POST {}", path("echo")), &[("authorization", &bearer)], "").await;
    now.fetch_add(3599, Ordering::SeqCst);
    assert_eq!(call().await.status, 200);
    now.fetch_add(1, Ordering::SeqCst);
    assert_eq!(call().await.error(), UNAUTHORIZED);
}

#[tokio::test]
async fn a_ping_reports_the_last_change_of_status() {
    let (mock, now) = start_with_clock().await;
    for _ in 0..2 {
        now.fetch_add(60, Ordering::SeqCst);
        let ping = send(&mock, "GET /ping", &[], "").await;
        assert_eq!(ping.json(), json!({"status": "Healthy", "time_of_last_update": 1_755_261_296}));
    }
}

#[tokio::test]
async fn payloads_that_are_too_large() {
    let mock = start().await;
    let headers = [("Authorization", &*bearer(&mock)), ("Content-Length", "104857601")];
    let announced = raw(&mock, &head(&format!("POST {} HTTP/1.0", path("echo")), &headers)).await.unwrap();
    assert_eq!(Answer::read(&String::from_utf8(announced).unwrap()).error(), INVALID);
    assert_eq!(mock.requests()[0].error, Some("ValidationException"));
}

#[tokio::test]
async fn connections_are_counted_and_kept_alive() {
    let mock = start().await;
    let mut socket = connect(&mock, "").await;
    for _ in 0..3 {
        socket.write_all(PING.as_bytes()).await.unwrap();
        receive(&mut socket, b"}").await;
    }
    assert_eq!((mock.connections(), mock.requests().len()), (1, 3));
    send(&mock, "GET /ping", &[], "").await;
    assert_eq!(mock.connections(), 2);
}

#[tokio::test]
async fn dropping_a_mock_frees_its_port_and_ends_its_connections() {
    let mock = start().await;
    let mut idle = connect(&mock, PING).await;
    receive(&mut idle, b"}").await;
    let address = idle.peer_addr().unwrap();
    let runtime = Arc::downgrade(&mock.runtime);
    drop(mock);
    assert!(matches!(idle.read(&mut [0]).await, Ok(0) | Err(_)));
    while runtime.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let mock = start().await;
    let port = mock.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Mock::builder().port(port).start().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on port {port} of 127.0.0.1"));
}
