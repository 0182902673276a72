//! Sockets of our own against the mock: every way in, long messages, ends, and coming back.

use std::time::Duration;

use agentcore_client::{
    Client, ErrorKind, Proxy, RetryPolicy, Runtime, SessionId, Transport,
    ws::{AuthMode, Close, Expiry, Incoming, Settings, Socket},
};
use agentcore_mock::Mock;
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

pub(crate) async fn error(runtime: &Runtime, settings: Settings) -> agentcore_client::Error {
    runtime.websocket().settings(settings).connect().await.unwrap_err()
}

/// A policy that loses no time.
pub(crate) fn quick() -> RetryPolicy {
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
