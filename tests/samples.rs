//! Bytes that real agents sent, from socket to events. `samples/` holds whole HTTP answers of agents built on the official
//! Python SDK, Strands, AG-UI, A2A and MCP; they are played back by a server that adds and removes nothing.

use std::path::PathBuf;

use agentcore::{Client, Event, Events, Target};
use futures_util::{StreamExt, TryStreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers one request with these very bytes, then closes.
async fn play(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 64 * 1024];
        let read = socket.read(&mut request).await.unwrap();
        assert!(request[..read].starts_with(b"POST /invocations HTTP/1.1\r\n"));
        socket.write_all(&answer).await.unwrap();
        socket.shutdown().await.unwrap();
    });
    url
}

/// What the samples hold is chunked where it is a capture of the wire, and else has lost its chunk sizes to the tool that
/// captured it: those are sent until the connection closes.
fn sample(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(path);
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let text = if text.starts_with("HTTP/1.1") {
        text
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n{text}")
    };
    let captured = text.contains("\r\nConnection: close\r\n");
    let text = if captured { text } else { text.replacen("Transfer-Encoding: chunked\r\n", "", 1) };
    text.into_bytes()
}

async fn events(path: &str, lenient: bool) -> Events {
    let url = play(sample(path)).await;
    let client = Client::builder().auth(agentcore::Auth::None).lenient_sse(lenient).build().unwrap();
    client.target(Target::local(&url).unwrap()).invoke("x").stream().await.unwrap()
}

async fn raw(path: &str, lenient: bool) -> Vec<(String, String, String, Option<u128>)> {
    let url = play(sample(path)).await;
    let client = Client::builder().auth(agentcore::Auth::None).lenient_sse(lenient).build().unwrap();
    let response = client.target(Target::local(&url).unwrap()).invoke("x").send().await.unwrap();
    let events: Vec<_> = response.events().try_collect().await.unwrap();
    events
        .into_iter()
        .map(|event| {
            (event.event.into(), event.data.into(), event.id.into(), event.retry.map(|retry| retry.as_millis()))
        })
        .collect()
}

#[tokio::test]
async fn streamed_strings_are_text() {
    let reply = events("sdk/stream_str.resp", false).await.into_reply().await.unwrap();
    assert_eq!((reply.text.as_str(), reply.events), ("Hello world!", 3));
    assert!(reply.first_event.unwrap() <= reply.elapsed);
}

#[tokio::test]
async fn line_ends_within_strings_stay_within() {
    let found: Vec<_> = events("sdk/stream_nl.resp", false).await.try_collect().await.unwrap();
    assert_eq!(
        found,
        [Event::Text("line1\nline2\r\nline3\rend".into()), Event::Text("a\n\ndata: injected\n\n".into())]
    );
}

#[tokio::test]
async fn whatever_python_can_yield_comes_through() {
    let found = raw("sdk/stream_mixed.resp", false).await;
    let data: Vec<&str> = found.iter().map(|(_, data, _, _)| data.as_str()).collect();
    assert_eq!(
        data,
        [
            "1",
            "null",
            "true",
            "\"s\"",
            "[\"l\", 1]",
            "{\"k\": \"v\"}",
            r#""b'\\xff\\x00'""#,
            "{\"a\": 1, \"b\": \"x\"}",
            "[1]",
            "NaN",
            "\"é😀\u{2028}\"",
        ]
    );
    let reply = events("sdk/stream_mixed.resp", false).await.into_reply().await.unwrap();
    assert_eq!(reply.text, "sb'\\xff\\x00'é😀\u{2028}");
}

#[tokio::test]
async fn an_error_in_mid_stream_is_the_agents() {
    let error = events("sdk/stream_raise.resp", false).await.into_reply().await.unwrap_err();
    let agent = error.agent().unwrap();
    assert_eq!(agent.name.as_deref(), Some("ValueError"));
    assert_eq!(agent.message, "boom mid-stream\nsecond line \"quoted\" é");
    assert_eq!(error.partial().unwrap().events, 3);
    let error = events("strands/fail.txt", false).await.into_reply().await.unwrap_err();
    assert_eq!(error.to_string(), "the agent failed: EventLoopException: model failed mid-stream");
}

/// Comments, an id, a retry, mixed line ends, an event in two chunks, a byte order mark in the middle, no space, no colon,
/// and no end.
#[tokio::test]
async fn odd_but_valid_events() {
    fn row(event: &str, data: &str, retry: Option<u128>) -> (String, String, String, Option<u128>) {
        (event.into(), data.into(), "1".into(), retry)
    }
    let strict = vec![
        row("start", "{\"a\":1}", Some(100)),
        row("message", "line1\nline2", None),
        row("message", "{\"split\": true}", None),
        // The mark makes `\u{feff}data` an unknown field, so its event never was.
        row("message", "nospace", None),
        row("message", "", None),
        row("done", "[DONE]", None),
    ];
    assert_eq!(raw("sdk/resp_sse_custom.resp", false).await, strict);
    let mut lenient = strict;
    lenient.push(row("message", "unterminated", None));
    assert_eq!(raw("sdk/resp_sse_custom.resp", true).await, lenient);
}

/// Dialects that are not understood yet pass through whole: as many events as the agent sent.
#[tokio::test]
async fn other_dialects_pass_untouched() {
    for (path, count) in [
        ("agui/sse.txt", 17),
        ("a2a/v03_stream.txt", 6),
        ("a2a/v1_stream.txt", 6),
        ("mcp/call.txt", 1),
        ("strands/clean.txt", 15),
    ] {
        let found: Vec<_> = events(path, false).await.collect().await;
        assert_eq!(found.len(), count, "{path}");
        assert!(found.iter().all(|event| matches!(event, Ok(Event::Other(_)))), "{path}");
    }
}

#[tokio::test]
async fn python_reprs_are_not_text() {
    let reply = events("strands/raw.txt", false).await.into_reply().await.unwrap();
    assert!(!reply.text.contains("agent"), "{}", reply.text);
}
