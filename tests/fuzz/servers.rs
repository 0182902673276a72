//! What servers answer: HTTP, and WebSockets after the upgrade.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use agentcore_client::{Client, RetryPolicy, Runtime, Timeouts, ws::Settings};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use fastrand::Rng;
use serde_json::json;

use super::{Target, parsers, texts};

pub(crate) fn targets() -> Vec<Target> {
    let head = "HTTP/1.1 200 OK\r\nx-amzn-requestid: r\r\ncontent-type: ";
    let mut answers = texts([
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{\"result\":\"text\"}",
        "HTTP/1.1 400 Bad Request\r\nx-amzn-errortype: ValidationException\r\ncontent-length: 17\r\n\r\n{\"message\":\"bad\"}",
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n you\r\n0\r\nt: v\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Slow\r\nretry-after: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"skills\":[]}}",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{}}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\"}}\n\n",
        "HTTP/1.1 302 Found\r\nlocation: https://example.com/\r\nset-cookie: a=b\r\nconnection: close\r\n\r\n",
    ]);
    answers
        .extend(parsers::streams().iter().map(|body| [head.as_bytes(), b"text/event-stream\r\n\r\n", body].concat()));
    let stream = [head.as_bytes(), b"application/vnd.amazon.eventstream\r\n\r\n", &parsers::frames().concat()].concat();
    answers.push(stream);
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n";
    let frames: [&[u8]; 6] = [
        b"\x81\x05hello\x82\x02\x00\x01\x89\x01p\x8a\x01p\x88\x02\x03\xe8",
        b"\x01\x03one\x80\x03two\x88\x00",
        b"\x82\x7e\x00\x80\x01",
        b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x82\x12\x03{\"status\":\"Failure\"",
        b"\x82\x06\x01hello\x82\x02\x04{\x88\x05\x0f\xa0bye",
    ];
    let upgrades: Vec<_> = frames.iter().map(|frames| [upgrade.as_bytes(), frames].concat()).collect();
    vec![
        target("http answer", answers, 400, |runtime, random| {
            let runtime = runtime.clone();
            match random.u8(..7) {
                0 => Box::pin(async move { drop(runtime.invoke("x").await) }),
                1 => Box::pin(async move {
                    let Ok(mut events) = runtime.invoke("x").stream().await else { return };
                    while let Some(event) = events.next().await {
                        drop(format!("{event:?}"));
                    }
                }),
                2 => Box::pin(async move { drop(runtime.run("ls").await) }),
                3 => Box::pin(async move {
                    let mcp = runtime.mcp();
                    for method in ["initialize", "tools/list"] {
                        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method});
                        let Ok(answer) = mcp.send(&message).await else { return };
                        let mut messages = answer.messages();
                        while let Some(message) = messages.next().await {
                            drop(format!("{message:?}"));
                        }
                    }
                }),
                4 => Box::pin(async move {
                    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "message/stream"});
                    let Ok(answer) = runtime.a2a().send(&message).await else { return };
                    let mut events = answer.events();
                    while let Some(event) = events.next().await {
                        drop(format!("{event:?}"));
                    }
                }),
                5 => Box::pin(async move { drop(runtime.card().await) }),
                _ => Box::pin(async move { drop(runtime.websocket().connect().await) }),
            }
        }),
        target("websocket", upgrades, 100, |runtime, random| {
            let (runtime, settings) = (runtime.clone(), Settings::default().retry(RetryPolicy::off()));
            if random.bool() {
                return Box::pin(async move {
                    let Ok(mut socket) = runtime.websocket().settings(settings).connect().await else { return };
                    let _ = socket.send("hello").await;
                    while let Some(Ok(message)) = socket.next().await {
                        drop(format!("{message:?}"));
                    }
                });
            }
            Box::pin(async move {
                let Ok(mut shell) = runtime.shell().connect().await else { return };
                let _ = shell.input().send("ls\n").await;
                while let Some(Ok(event)) = shell.try_next().await.transpose() {
                    drop(format!("{event:?}"));
                }
            })
        }),
    ]
}

type Asking = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn target(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    inputs: u32,
    ask: impl Fn(&Runtime, &mut Rng) -> Asking + 'static,
) -> Target {
    let answer = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let current = Arc::clone(&answer);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = current.lock().unwrap().clone();
            thread::spawn(move || serve(connection, &answer));
        }
    });
    let patience = Some(Duration::from_secs(2));
    let timeouts = Timeouts::default().first_byte(patience).idle(patience).total(patience);
    let client = Client::builder().bearer_token("t").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let client = client.timeouts(timeouts).retry(RetryPolicy::off()).build().unwrap();
    let agent = client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/agent-abc".parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = move |input: &[u8], random: &mut Rng| {
        input.clone_into(&mut answer.lock().unwrap());
        let asking = ask(&agent, random);
        runtime.block_on(async {
            let _ = tokio::time::timeout(Duration::from_secs(3), asking).await;
        });
    };
    Target { name, seeds, inputs, read: Box::new(read) }
}

/// Reads a request's head, answers, and reads until the client goes away.
fn serve(mut connection: TcpStream, answer: &[u8]) {
    let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut buffer) {
            Ok(bytes) if bytes > 0 => request.extend(&buffer[..bytes]),
            _ => return,
        }
    }
    let answer = with_accept(answer, &String::from_utf8_lossy(&request));
    let _ = connection.write_all(&answer).and_then(|()| connection.shutdown(Shutdown::Write));
    while connection.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
}

/// Puts the key's answer (RFC 6455 §4.2.2) where the input has a place for it.
fn with_accept(answer: &[u8], request: &str) -> Vec<u8> {
    let place = answer.windows(PLACE.len()).position(|found| found == PLACE);
    let lower = request.to_lowercase();
    let line = lower.find("sec-websocket-key: ").map(|at| &request[at + 19..]);
    let (Some(place), Some(key)) = (place, line.and_then(|line| line.lines().next())) else { return answer.to_vec() };
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes());
    let accept = BASE64_STANDARD.encode(hash);
    [&answer[..place], accept.as_bytes(), &answer[place + PLACE.len()..]].concat()
}

const PLACE: &[u8] = b"{accept}";
