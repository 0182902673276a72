//! The transport against a peer that says byte by byte what a server may say: frames of HTTP/2, heads of HTTP/1.1, dead connections.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentcore_auth::ManualClock;
use agentcore_core::{ErrorKind, call::FailurePoint};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::rustls::pki_types::PrivatePkcs8KeyDer;

const LOST: (ErrorKind, FailurePoint) = (ErrorKind::Unavailable, FailurePoint::Uncertain);
const REFUSED: (ErrorKind, FailurePoint) = (ErrorKind::Unavailable, FailurePoint::NotSent { lasting: false });
const MALFORMED: (ErrorKind, FailurePoint) = (ErrorKind::Service, FailurePoint::Uncertain);

/// Sends a request and returns its body, what broke it off, or the kind of failure and where it was.
async fn outcome(transport: &Transport, url: &str) -> Result<Result<Bytes, String>, (ErrorKind, FailurePoint)> {
    let request = Request::post(url).body(Bytes::from_static(b"x")).unwrap();
    match transport.send(request).await {
        Ok(answer) => {
            let body = answer.into_body().collect().await;
            Ok(body.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string()))
        }
        Err(error) => Err((error.kind, error.failure_point())),
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = payload.len().to_be_bytes();
    [&[a, b, c, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// HEADERS with `:status: 200` (RFC 7541, static table), and END_HEADERS.
fn head(fields: &[u8]) -> Vec<u8> {
    frame(1, 4, 1, &[&[0x88], fields].concat())
}

fn data(text: &str, flags: u8) -> Vec<u8> {
    frame(0, flags, 1, text.as_bytes())
}

fn reset(code: u8) -> Vec<u8> {
    frame(3, 0, 1, &[0, 0, 0, code])
}

fn go_away(last_stream: u8, code: u8) -> Vec<u8> {
    frame(7, 0, 0, &[0, 0, 0, last_stream, 0, 0, 0, code])
}

/// Makes a server that speaks HTTP/2 with one client: it sends its settings, waits for a whole request on stream 1, sends these bytes
/// and waits for the client to leave, if it is not to leave first. Returns its URL and its certificate.
async fn http2_server(said: Vec<u8>, leaves: bool) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let mut client = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        client.read_exact(&mut [0; 24]).await.unwrap();
        client.write_all(&frame(4, 0, 0, &[])).await.unwrap();
        let mut head = [0; 9];
        loop {
            client.read_exact(&mut head).await.unwrap();
            let size = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            client.read_exact(&mut vec![0; size]).await.unwrap();
            if head[3] == 4 && head[4] & 1 == 0 {
                client.write_all(&frame(4, 1, 0, &[])).await.unwrap();
            }
            if head[3] <= 1 && head[4] & 1 == 1 {
                break;
            }
        }
        // A client that has seen enough may be gone.
        let _ = client.write_all(&said).await;
        if leaves {
            let _ = client.shutdown().await;
        }
        let _ = client.read_to_end(&mut Vec::new()).await;
    });
    (url, made.cert.pem())
}

async fn over_http2(said: Vec<u8>, leaves: bool) -> Result<Result<Bytes, String>, (ErrorKind, FailurePoint)> {
    let (url, certificate) = http2_server(said, leaves).await;
    let builder = Transport::builder().system_roots(false).proxy(Proxy::None).root_certificates(certificate);
    outcome(&builder.http2(true).build().unwrap(), &url).await
}

#[tokio::test]
async fn what_becomes_of_a_stream_of_http2() {
    const NO_ERROR: u8 = 0;
    const INTERNAL_ERROR: u8 = 2;
    const REFUSED_STREAM: u8 = 7;
    const CANCEL: u8 = 8;
    const ENHANCE_YOUR_CALM: u8 = 11;
    const END: u8 = 1;
    // The static table's `content-length`, 9.
    let nine: &[u8] = &[0x0f, 0x0d, 1, b'9'];
    let whole = || Ok(Ok("hi".into()));
    let broken = |why: &str| Ok(Err(why.to_owned()));
    let reset_early = "the stream was reset before its end";
    for (name, said, leaves, expected) in [
        ("whole", [head(&[]), data("hi", END)].concat(), false, whole()),
        ("whole, then reset", [head(&[]), data("hi", END), reset(NO_ERROR)].concat(), false, whole()),
        ("reset without an error", [head(&[]), data("hi", 0), reset(NO_ERROR)].concat(), false, broken(reset_early)),
        ("no body, reset", [head(&[]), reset(NO_ERROR)].concat(), false, broken(reset_early)),
        (
            "cancelled",
            [head(&[]), data("hi", 0), reset(CANCEL)].concat(),
            false,
            broken("error reading a body from connection"),
        ),
        ("too short", [head(nine), data("hi", END)].concat(), false, broken("error reading a body from connection")),
        ("left midway", [head(nine), data("hi", 0)].concat(), true, broken("error reading a body from connection")),
        ("refused", reset(REFUSED_STREAM), false, Err(REFUSED)),
        ("failed", reset(INTERNAL_ERROR), false, Err(LOST)),
        ("reset before the head", reset(NO_ERROR), false, Err(LOST)),
        ("going away before it", go_away(0, NO_ERROR), true, Err(REFUSED)),
        ("going away before it, in anger", go_away(0, ENHANCE_YOUR_CALM), true, Err(REFUSED)),
        ("going away at it", go_away(1, NO_ERROR), true, Err(LOST)),
        ("going away at it, in anger", go_away(1, ENHANCE_YOUR_CALM), true, Err(LOST)),
        ("going away after it", go_away(3, NO_ERROR), true, Err(LOST)),
        ("going away in two steps", [go_away(3, NO_ERROR), go_away(0, NO_ERROR)].concat(), true, Err(REFUSED)),
        ("left", vec![], true, Err(LOST)),
        ("no status", frame(1, 5, 1, &[]), false, Err(MALFORMED)),
        ("no HPACK", frame(1, 5, 1, &[0xff; 9]), false, Err(MALFORMED)),
        ("no frame", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true, Err(MALFORMED)),
    ] {
        assert_eq!(over_http2(said, leaves).await, expected, "{name}");
    }
}

/// As many frames of four bytes as a stream's window holds, at once: h2 would end the connection behind a smaller window.
#[tokio::test]
async fn a_burst_of_small_events_is_delivered() {
    let words = usize::try_from(HTTP2_STREAM_WINDOW).unwrap() / 4;
    let said = [head(&[]), data("word", 0).repeat(words - 1), data("word", 1)].concat();
    let body = over_http2(said, false).await.unwrap().unwrap();
    assert_eq!(body, "word".repeat(words));
}

/// Answers one request and returns the connection.
async fn answer_one(listener: &TcpListener, answer: &[u8]) -> TcpStream {
    let mut client = listener.accept().await.unwrap().0;
    read_request(&mut client).await;
    client.write_all(answer).await.unwrap();
    client
}

async fn read_request(client: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\nx") {
        assert_ne!(client.read_buf(&mut seen).await.unwrap(), 0);
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn heads_that_cannot_be_read() {
    let many: String = (0..120).map(|n| format!("x-{n}: v\r\n")).collect();
    let long = format!("x: {}\r\n", "v".repeat(600_000));
    let with = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nhi");
    for (name, said, expected) in [
        ("none", with(""), Ok(Ok("hi".into()))),
        ("many", with(&many), Err(MALFORMED)),
        ("long", with(&long), Err(MALFORMED)),
        ("a name with a space", with("x y: v\r\n"), Err(MALFORMED)),
        ("two lengths", with("content-length: 3\r\n"), Err(MALFORMED)),
        ("no status", "HTTP/1.1 abc\r\n\r\n".to_owned(), Err(MALFORMED)),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(), Err(MALFORMED)),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-le".to_owned(), Err(LOST)),
        ("nothing", String::new(), Err(LOST)),
    ] {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut client = answer_one(&listener, said.as_bytes()).await;
            // A client that has seen enough may be gone.
            let _ = client.shutdown().await;
            let _ = client.read_to_end(&mut Vec::new()).await;
        });
        let transport = Transport::builder().system_roots(false).build().unwrap();
        assert_eq!(outcome(&transport, &url).await, expected, "{name}");
        server.await.unwrap();
    }
}

/// The server left while nothing was sent: the next request takes another connection, and nobody hears of it.
#[tokio::test]
async fn a_kept_connection_that_was_closed_fails_no_call() {
    let (listener, url) = listen().await;
    let (gone, closed) = oneshot::channel();
    tokio::spawn(async move {
        drop(answer_one(&listener, ANSWER).await);
        gone.send(()).unwrap();
        answer_one(&listener, ANSWER).await.read_to_end(&mut Vec::new()).await.unwrap();
    });
    // Bounds that no clock can hold are none.
    let transport = Transport::builder().system_roots(false).connect_timeout(Duration::MAX);
    let transport = transport.pool_idle_timeout(Duration::MAX).build().unwrap();
    assert_eq!(outcome(&transport, &url).await, Ok(Ok("hi".into())));
    closed.await.unwrap();
    assert_eq!(outcome(&transport, &url).await, Ok(Ok("hi".into())));
    assert_eq!(transport.connections().made, 2);
}

/// The first connection is dead after its answer, and nobody says so: whoever uses it waits without end.
#[tokio::test]
async fn after_a_sleep_no_kept_connection_is_used() {
    let minute = Duration::from_secs(60);
    for (name, awake, slept, made) in [
        ("at once", Duration::ZERO, Duration::ZERO, 1),
        ("awake", minute, Duration::ZERO, 1),
        ("a nap", minute, LONGEST_NAP, 1),
        ("asleep", Duration::ZERO, minute, 2),
        ("awake and asleep", minute, minute, 2),
    ] {
        let (listener, url) = listen().await;
        tokio::spawn(async move {
            let mut first = answer_one(&listener, ANSWER).await;
            if made == 1 {
                read_request(&mut first).await;
                first.write_all(ANSWER).await.unwrap();
            } else {
                answer_one(&listener, ANSWER).await;
            }
            std::future::pending::<()>().await;
        });
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + minute);
        let transport = Transport::builder().system_roots(false).clock(clock.clone()).build().unwrap();
        assert_eq!(outcome(&transport, &url).await, Ok(Ok("hi".into())), "{name}");
        clock.advance(awake);
        clock.set(clock.now() + slept);
        let again = tokio::time::timeout(Duration::from_secs(9), outcome(&transport, &url)).await.expect(name);
        assert_eq!(again, Ok(Ok("hi".into())), "{name}");
        assert_eq!(transport.connections().made, made, "{name}");
        // A clock that is set back is no sleep.
        clock.set(SystemTime::UNIX_EPOCH);
        drop(transport.0.request(Request::default()));
    }
}
