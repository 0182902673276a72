//! TLS, HTTP/2, keep-alive, proxies, certificates.

use std::{
    convert::Infallible,
    io::{self, Write as _},
    net,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use agentcore_auth::{Clock as _, ManualClock};
use agentcore_client::{
    Client, ErrorKind, Event, Proxy, RateLimiter, Runtime, TlsVersion, Transport, TransportBuilder,
    auth::oauth::ClientCredentialsConfig,
    rustls::{
        self,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};
use agentcore_mock::{AgentResponse, Mock};
use bytes::Bytes;
use futures_util::{StreamExt as _, future::join_all, stream};
use http::Version;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::{
    support::{endpoint, mock, start},
    wire::{http2, tls},
};

fn trusting(mock: &Mock) -> TransportBuilder {
    Transport::builder().root_certificates(mock.root_certificate_pem().unwrap())
}

fn over(mock: &Mock, transport: TransportBuilder, agent: &str) -> Runtime {
    let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(mock));
    client.transport(transport.build().unwrap()).build().unwrap().runtime(mock.arn(agent))
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let mock = mock().await;
    let runtime = over(&mock, Transport::builder(), "story");
    for _ in 0..5 {
        runtime.invoke("x").await.unwrap();
    }
    assert_eq!((mock.requests().len(), mock.connections()), (5, 1));
    assert_eq!(mock.requests()[0].version, Version::HTTP_11);
}

/// A client's clocks are its connections' too: after a sleep it takes new ones, though the old seem open.
#[tokio::test]
async fn after_a_sleep_a_client_connects_anew() {
    let mock = mock().await;
    let clock = ManualClock::new(SystemTime::now());
    let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock)).clock(clock.clone());
    let runtime = client.build().unwrap().runtime(mock.arn("echo"));
    for (slept, connections) in [(0, 1), (0, 1), (60, 2), (0, 2)] {
        clock.set(clock.now() + Duration::from_secs(slept));
        runtime.invoke("x").await.unwrap();
        assert_eq!(mock.connections(), connections);
    }
}

/// What is being read when the machine falls asleep is read to its end, if its connection is alive.
#[tokio::test]
async fn a_stream_outlives_a_sleep() {
    let awake = Arc::new(Notify::new());
    let waking = awake.clone();
    let agent = move |_| {
        let (event, waking) = (|text: &'static str| Ok::<_, Infallible>(Bytes::from(text)), waking.clone());
        let second = stream::once(async move {
            waking.notified().await;
            event("data: \"two\"\n\n")
        });
        let body = stream::iter([event("data: \"one\"\n\n")]).chain(second);
        std::future::ready(AgentResponse::stream("text/event-stream", body))
    };
    let mock = start(Mock::builder().tls(true).agent("sleeper", agent)).await;
    for http2 in [false, true] {
        let clock = ManualClock::new(SystemTime::now());
        let transport = trusting(&mock).http2(http2).clock(clock.clone()).build().unwrap();
        let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock));
        let client = client.transport(transport.clone()).build().unwrap();
        let mut events = client.runtime(mock.arn("sleeper")).invoke("x").stream().await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().text(), Some("one"));
        clock.set(clock.now() + Duration::from_secs(3600));
        client.runtime(mock.arn("echo")).invoke("x").await.unwrap();
        assert_eq!(transport.connections().made, 2);
        awake.notify_one();
        assert_eq!(events.next().await.unwrap().unwrap().text(), Some("two"), "HTTP/2: {http2}");
        assert!(matches!(events.next().await, Some(Ok(Event::Done(_)))), "HTTP/2: {http2}");
    }
}

/// Without HTTP/2 it is not offered, though the server would rather have it; upgrades never use it.
#[tokio::test]
async fn http1_is_the_default() {
    let mock = start(Mock::builder().tls(true)).await;
    for (http2, version) in [(false, Version::HTTP_11), (true, Version::HTTP_2)] {
        let runtime = over(&mock, trusting(&mock).http2(http2), "echo");
        runtime.invoke("x").await.unwrap();
        runtime.websocket().connect().await.unwrap();
        let versions: Vec<_> = mock.take_requests().iter().map(|request| request.version).collect();
        assert_eq!(versions, [version, Version::HTTP_11]);
    }
}

/// Events of a few bytes, a frame each, in streams that nobody reads for now: together more than one connection's window is by
/// default, and more frames than h2 lets wait behind that. Other calls pass them, and everything is delivered.
#[tokio::test]
async fn many_streams_whose_readers_pause() {
    const STREAMS: usize = 100;
    const WORDS: usize = 500;
    let words = || (0..WORDS).map(|n| Ok::<_, Infallible>(Bytes::from(format!("data: \"{n} \"\n\n"))));
    let mock = Mock::builder()
        .tls(true)
        .agent("words", move |_| std::future::ready(AgentResponse::stream("text/event-stream", stream::iter(words()))));
    let mock = start(mock).await;
    let expected: String = (0..WORDS).map(|n| format!("{n} ")).collect();
    for http2 in [false, true] {
        let transport = trusting(&mock).http2(http2).build().unwrap();
        let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint(&mock));
        let client = client.transport(transport.clone()).build().unwrap();
        let (runtime, quick) = (client.runtime(mock.arn("words")), client.runtime(mock.arn("echo")));
        let mut paused = Vec::new();
        for _ in 0..STREAMS {
            let mut events = runtime.invoke("x").stream().await.unwrap();
            let first = events.next().await.unwrap().unwrap();
            paused.push((first.text().unwrap().to_owned(), events));
        }
        let all = quick.invoke_all((0..1000).map(|n| n.to_string())).concurrency(50);
        let replies = all.rate_limiter(&RateLimiter::at_most(u32::MAX, Duration::from_secs(1))).collect().await;
        assert!(replies.into_iter().enumerate().all(|(n, reply)| reply.unwrap().text.contains(&n.to_string())));
        for (mut text, mut events) in paused {
            while let Some(event) = events.next().await {
                text.push_str(event.unwrap().text().unwrap_or_default());
            }
            assert_eq!(text, expected, "HTTP/2: {http2}");
        }
        let made = usize::try_from(transport.connections().made).unwrap();
        assert!(if http2 { made == 1 } else { (STREAMS..=STREAMS + 50).contains(&made) }, "HTTP/2: {http2}, {made}");
    }
}

#[tokio::test]
async fn http2_carries_many_calls_on_one_connection() {
    let mock = start(Mock::builder().tls(true)).await;
    let runtime = over(&mock, trusting(&mock).http2(true), "echo");
    runtime.invoke("first").await.unwrap();
    let calls = (0..20).map(|n| runtime.invoke(n.to_string()).into_future());
    assert!(join_all(calls).await.into_iter().all(|reply| reply.is_ok()));
    assert_eq!(mock.connections(), 1);
    assert!(mock.requests().iter().all(|request| request.version == Version::HTTP_2));
}

/// Calls that begin together, and calls whose connection goes away with all of them unread, make one connection and not one each.
#[tokio::test]
async fn many_calls_make_one_connection_of_http2() {
    const CALLS: usize = 15;
    let accepted = Arc::new(AtomicUsize::new(0));
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serve = {
        let accepted = accepted.clone();
        move |stream: net::TcpStream| -> io::Result<()> {
            let mut wire = tls::TRUSTED.accept(stream)?;
            let goes_away = accepted.fetch_add(1, Ordering::SeqCst) == 0;
            http2::greet(&mut wire)?;
            let mut requests = 0;
            loop {
                let frame = http2::read(&mut wire)?;
                requests += usize::from(frame.kind == http2::HEADERS);
                if goes_away && requests == CALLS {
                    wire.write_all(&http2::go_away(0))?;
                    return wire.flush();
                }
                let is_whole =
                    frame.flags & http2::END_STREAM != 0 && [http2::HEADERS, http2::DATA].contains(&frame.kind);
                if is_whole && !goes_away {
                    let head = http2::frame(http2::HEADERS, http2::END_HEADERS, frame.stream, &http2::ok("text/plain"));
                    wire.write_all(&head)?;
                    wire.write_all(&http2::frame(http2::DATA, http2::END_STREAM, frame.stream, b"hello"))?;
                    wire.flush()?;
                }
            }
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    let transport = Transport::builder().system_roots(false).root_certificates(tls::TRUSTED.root_pem.clone());
    let transport = transport.http2(true).build().unwrap();
    let client = Client::builder().bearer_token("abc").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let agent = client
        .transport(transport.clone())
        .build()
        .unwrap()
        .runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a".parse().unwrap());
    let calls = (0..CALLS).map(|n| agent.invoke(n.to_string()).into_future());
    for reply in join_all(calls).await {
        assert_eq!(reply.unwrap().text, "hello");
    }
    assert_eq!((accepted.load(Ordering::SeqCst), transport.connections().made), (2, 2));
}

#[tokio::test]
async fn a_certificate_of_nobodys_is_refused_at_once() {
    let mock = start(Mock::builder().tls(true)).await;
    let other = start(Mock::builder().tls(true)).await;
    for transport in [Transport::builder(), trusting(&other), trusting(&other).system_roots(false)] {
        let error = over(&mock, transport, "echo").invoke("x").idempotent().await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Unavailable, false));
        assert_eq!(error.attempts(), 1, "a refused certificate stays refused");
    }
    let error = over(&mock, Transport::builder().system_roots(false), "echo").invoke("x").await.unwrap_err();
    assert_eq!(error.to_string(), "no trusted root certificates were found on this system");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn tls_is_open() {
    let mock = start(Mock::builder().tls(true)).await;
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(mock.root_certificate_pem().unwrap().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let whole = Transport::builder().tls_config(config.clone());
    for transport in [whole, trusting(&mock).min_tls_version(TlsVersion::Tls13)] {
        over(&mock, transport, "echo").invoke("x").await.unwrap();
    }
    let both = trusting(&mock).tls_config(config).build().unwrap_err();
    assert_eq!(both.to_string(), "a whole TLS configuration and single TLS settings exclude each other");
    let key = trusting(&mock).client_certificate(mock.root_certificate_pem().unwrap(), "hush").build().unwrap_err();
    assert_eq!(format!("{key:?}"), "the client certificate's key is not a PEM private key");
}

/// Invocations, upgrades and requests to issuers name the program alike.
#[tokio::test]
async fn who_asks() {
    let mock = mock().await;
    let default = concat!("agentcore-rs/", env!("CARGO_PKG_VERSION"));
    for (transport, name) in
        [(Transport::builder(), default), (Transport::builder().user_agent("my-app/2 (x)"), "my-app/2 (x)")]
    {
        let url = format!("{}/oauth2/token", mock.url()).parse().unwrap();
        let machine = ClientCredentialsConfig::new(url, mock.client_id(), mock.client_secret());
        let client = Client::builder().oauth(machine).endpoints(endpoint(&mock)).transport(transport.build().unwrap());
        let agent = client.build().unwrap().runtime(mock.arn("echo"));
        agent.invoke("x").await.unwrap();
        agent.websocket().connect().await.unwrap();
        let seen = mock.requests().split_off(mock.requests().len() - 3);
        assert!(seen.iter().all(|request| request.header("user-agent") == Some(name)), "{seen:?}");
    }
    let unfit = Transport::builder().user_agent("a\r\nb").build().unwrap_err();
    assert_eq!(unfit.kind(), ErrorKind::Input);
}

#[tokio::test]
async fn a_root_certificate_must_be_one() {
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = Transport::builder().root_certificates(pem).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{pem}");
    }
}

/// A proxy that tunnels (RFC 9110 §9.3.6), and what it was asked.
pub(crate) async fn proxy(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut client = BufReader::new(client);
                let (mut head, mut line) = (String::new(), String::new());
                while client.read_line(&mut line).await.unwrap() > 2 {
                    head.push_str(&std::mem::take(&mut line));
                }
                let to = head.split(' ').nth(1).unwrap().to_owned();
                log.lock().unwrap().push(head);
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer.contains("200") {
                    let mut server = TcpStream::connect(to).await.unwrap();
                    // Either side may close; the test looks at what came through.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (format!("http://user:pa%20ss@{address}"), asked)
}

pub(crate) const TUNNEL: &str = "HTTP/1.1 200 OK\r\n\r\n";

pub(crate) fn via(url: &str, except: &str) -> Proxy {
    Proxy::Url { url: url.to_owned(), except: except.to_owned() }
}

#[tokio::test]
async fn through_a_proxy_and_around_it() {
    let mock = start(Mock::builder().tls(true)).await;
    let (url, asked) = proxy(TUNNEL).await;
    over(&mock, trusting(&mock).http2(true).proxy(via(&url, "")), "echo").invoke("x").await.unwrap();
    let head = asked.lock().unwrap().pop().unwrap();
    let authority = mock.url().trim_start_matches("https://").to_owned();
    assert!(head.starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{head}");
    // base64("user:pa ss")
    assert!(head.to_lowercase().contains("proxy-authorization: basic dxnlcjpwysbzcw=="), "{head}");
    assert_eq!(mock.take_requests()[0].version, Version::HTTP_2, "ALPN goes through the tunnel");

    for around in [via(&url, "127.0.0.1"), via(&url, "127.0.0.0/8"), Proxy::None] {
        over(&mock, trusting(&mock).proxy(around), "echo").invoke("x").await.unwrap();
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn plaintext_to_loopback_takes_no_proxy() {
    let mock = mock().await;
    let (url, asked) = proxy(TUNNEL).await;
    over(&mock, Transport::builder().proxy(via(&url, "")), "echo").invoke("x").await.unwrap();
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_refuses() {
    let mock = start(Mock::builder().tls(true)).await;
    let (url, _) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let runtime = over(&mock, trusting(&mock).proxy(via(&url, "")), "echo");
    let error = runtime.invoke("x").retry(agentcore_client::RetryPolicy::off()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Unavailable, false), "{url}");
    assert_eq!(error.attempts(), 1);
    assert!(!format!("{error:?}").contains("pa%20ss") && !format!("{error:?}").contains("dXNlcjpwYSBzcw"));
    assert!(mock.requests().is_empty());
    for url in ["socks5://user:hush@127.0.0.1:1", "http://user:hush@", "hush hush"] {
        let error = Transport::builder().proxy(via(url, "")).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proxy's URL must look like http://[USER:PASSWORD@]HOST[:PORT] (or https://)"
        );
    }
}

/// A listener whose queue is never served stands for a host that does not answer the TLS handshake.
#[tokio::test]
async fn connecting_is_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let transport = Transport::builder().connect_timeout(Duration::from_millis(50)).build().unwrap();
    let client = Client::builder().bearer_token("x").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let client = client.transport(transport).retry(agentcore_client::RetryPolicy::off()).build().unwrap();
    let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap();
    let error = client.runtime(arn).invoke("x").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Timeout, false), "{error}");
    assert!(error.to_string().ends_with(" in time"), "{error}");
}
