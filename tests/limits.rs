//! Every bound, at its limit and one past it. `docs/limits.md` lists them all, and where those are held that are not here.

use std::{
    io::{self, Write as _},
    net::TcpListener,
    thread,
};

use agentcore_client::{
    Client, Error, ErrorKind, Proxy, Reply, RetryPolicy, Transport, TransportBuilder,
    auth::oauth::ClientCredentialsConfig,
};

use agentcore_http::HttpClientBuilder;

use crate::wire::{Wire, http2, tls};

/// Serves each connection anew, over TLS if HTTP/2 is wanted, and returns the URL.
fn serve(encrypted: bool, answer: impl Fn(&mut Wire) -> io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{}://{}", if encrypted { "https" } else { "http" }, listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || -> io::Result<()> {
                if encrypted {
                    answer(&mut tls::TRUSTED.accept(stream)?)
                } else {
                    let mut wire = Wire::Plain(stream);
                    wire.request()?;
                    answer(&mut wire)?;
                    wire.flush()
                }
            });
        }
    });
    url
}

fn transport() -> TransportBuilder {
    Transport::builder().proxy(Proxy::None).system_roots(false).root_certificates(tls::TRUSTED.root_pem.as_str())
}

async fn invoke(
    url: &str,
    transport: TransportBuilder,
    change: impl FnOnce(HttpClientBuilder) -> HttpClientBuilder,
) -> Result<Reply, Error> {
    let client =
        Client::builder().map(change).bearer_token("t").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let client = client.transport(transport.build().unwrap()).retry(RetryPolicy::off()).build().unwrap();
    client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a".parse().unwrap()).invoke("x").await
}

/// Answers with this head and this body.
fn text(head: &str, body: &str) -> impl Fn(&mut Wire) -> io::Result<()> + Clone + Send + use<> {
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    move |wire| wire.write_all(answer.as_bytes())
}

/// The error of an answer from there whose head cannot be read.
fn protocol(url: &str) -> String {
    let place = url.rsplit('/').next().unwrap_or_default();
    format!("the server broke the protocol: the head of the answer of {place} cannot be read (the agent may have run)")
}

#[tokio::test]
async fn headers_by_number() {
    // `content-length` is one of them.
    for (setting, headers, fine) in
        [(None, 100, true), (None, 101, false), (Some(10), 10, true), (Some(10), 11, false), (Some(300), 300, true)]
    {
        let head = (1..headers).fold("HTTP/1.1 200 OK\r\n".to_owned(), |head, n| format!("{head}x-{n}: y\r\n"));
        let url = serve(false, text(&head, "\"hello\""));
        let transport = setting.into_iter().fold(transport(), TransportBuilder::max_headers);
        let reply = invoke(&url, transport, |http| http).await;
        match reply {
            Ok(reply) => assert!(fine && reply.text.contains("hello"), "{headers}"),
            Err(error) => assert!(!fine && error.to_string() == protocol(&url), "{headers}: {error}"),
        }
    }
}

/// A head of exactly so many bytes, its last line feed included; of one that is longer, no more than that is waited for.
#[tokio::test]
async fn headers_by_size() {
    for (setting, limit) in [(None, 400 * 1024), (Some(10_000), 10_000), (Some(1), 8 * 1024)] {
        for (bytes, fine) in [(limit, true), (limit + 1, false)] {
            let (begin, end) = ("HTTP/1.1 200 OK\r\nx: ", "\r\ncontent-length: 0\r\n\r\n");
            let head = format!("{begin}{}{end}", "y".repeat(bytes - begin.len() - end.len()));
            let url = serve(false, move |wire| {
                wire.write_all(&head.as_bytes()[..limit])?;
                wire.hold();
                Ok(())
            });
            let transport = setting.into_iter().fold(transport(), TransportBuilder::max_head_bytes);
            let ended = invoke(&url, transport, |http| http).await.map_err(|error| error.to_string());
            assert_eq!(ended.err(), (!fine).then(|| protocol(&url)), "{bytes}");
        }
    }
}

/// The same over HTTP/2, where each field counts for 32 bytes more.
#[tokio::test]
async fn headers_by_size_over_http2() {
    for (last, fine) in [(100, true), (101, false)] {
        let url = serve(true, move |wire| {
            http2::greet(wire)?;
            loop {
                let frame = http2::read(wire)?;
                if frame.flags & http2::END_STREAM == 0 || ![http2::HEADERS, http2::DATA].contains(&frame.kind) {
                    continue;
                }
                let fields =
                    (0..89).map(|_| 100).chain([last]).flat_map(|length| http2::field("x", &"y".repeat(length)));
                let block: Vec<u8> = [0x88].into_iter().chain(fields).collect();
                let flags = http2::END_HEADERS | http2::END_STREAM;
                wire.write_all(&http2::frame(http2::HEADERS, flags, frame.stream, &block))?;
                wire.flush()?;
            }
        });
        // 7 + 3 + 32 of `:status: 200`, and 90 times 1 + 100 + 32.
        let transport = transport().http2(true).max_head_bytes(12_012);
        let ended = invoke(&url, transport, |http| http).await;
        assert_eq!(ended.is_ok(), fine, "{ended:?}");
    }
}

/// A refusal's JSON is read up to 64 KiB; what is longer is cut, and then it is no JSON, whose beginning is shown.
#[tokio::test]
async fn the_body_of_a_refusal() {
    for (bytes, message) in [(65_536, Some("it is wrong")), (65_537, None)] {
        let (begin, end) = (r#"{"message":"it is wrong","more":""#, "\"}");
        let body = format!("{begin}{}{end}", "x".repeat(bytes - begin.len() - end.len()));
        let url = serve(false, text("HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n", &body));
        let error = invoke(&url, transport(), |http| http).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!((error.message() == "it is wrong").then_some("it is wrong"), message, "{bytes}");
        assert!(error.message().chars().count() <= 601, "{}", error.message().len());
    }
}

/// An issuer's answer: 1 MiB.
#[tokio::test]
async fn the_answer_of_an_issuer() {
    for (bytes, fine) in [(1_048_576, true), (1_048_577, false)] {
        let (begin, end) = (r#"{"access_token":"t","token_type":"Bearer","more":""#, "\"}");
        let body = format!("{begin}{}{end}", "x".repeat(bytes - begin.len() - end.len()));
        let url = serve(false, text("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n", &body));
        let machine = ClientCredentialsConfig::new(format!("{url}/token").parse().unwrap(), "id", "secret");
        let issuer = machine.over(std::sync::Arc::new(transport().build().unwrap()));
        let issued = agentcore_client::auth::TokenIssuer::issue(&issuer).await;
        match issued {
            Ok(_) => assert!(fine, "{bytes}"),
            Err(error) => assert!(!fine && format!("{error:?}").contains("longer than 1048576 bytes"), "{error:?}"),
        }
    }
}

/// A payload by its bytes as they are sent, and by the setting.
#[tokio::test]
async fn a_payload() {
    let url = serve(false, text("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n", "ok"));
    let client = Client::builder().bearer_token("t").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let client =
        client.transport(transport().build().unwrap()).map(|http| http.max_payload_bytes(100)).build().unwrap();
    let runtime = client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a".parse().unwrap());
    for (bytes, fine) in [(100, true), (101, false)] {
        let payload = agentcore_client::Payload::json(&"x".repeat(bytes - 2)).unwrap();
        match runtime.invoke(payload).await {
            Ok(_) => assert!(fine, "{bytes}"),
            Err(error) => assert!(!fine && error.kind() == ErrorKind::Input && !error.may_have_run(), "{error}"),
        }
    }
}

/// The text that a `Reply` collects from a stream, and what is kept of it where it is too long.
#[tokio::test]
async fn the_text_of_a_reply() {
    for (last, fine) in [("6789 10", true), ("6789 101", false)] {
        let events = format!("data: \"123\"\n\ndata: \"{last}\"\n\n");
        let url = serve(false, text("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n", &events));
        let client = |http: HttpClientBuilder| http.max_answer_bytes(10);
        match invoke(&url, transport(), client).await {
            Ok(reply) => assert!(fine && reply.text.len() == 10, "{}", reply.text),
            Err(error) => {
                assert!(!fine && error.kind() == ErrorKind::TooLarge, "{error}");
                assert_eq!(error.message(), "the answer's text is longer than 10 bytes");
                assert_eq!(&*error.partial::<Reply>().unwrap().text, "123");
            }
        }
    }
}

/// One event, by default and by the setting.
#[tokio::test]
async fn an_event() {
    for (setting, limit) in [(None, 16 * 1024 * 1024), (Some(100), 100)] {
        for (bytes, fine) in [(limit, true), (limit + 1, false)] {
            let event = format!("data: \"{}\"\n\n", "x".repeat(bytes - 2));
            let url = serve(false, text("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n", &event));
            let client = |http: HttpClientBuilder| match setting {
                Some(bytes) => http.max_event_bytes(bytes),
                None => http,
            };
            match invoke(&url, transport(), client).await {
                Ok(reply) => assert!(fine && reply.text.len() == bytes - 2, "{bytes}"),
                Err(error) => {
                    assert!(!fine && error.kind() == ErrorKind::BrokenOff, "{error}");
                    assert!(error.message().contains(&format!("{limit} bytes")), "{error}");
                }
            }
        }
    }
}
