//! Bytes that real agents sent, from socket to events. `samples/` holds whole HTTP answers of agents built on the official
//! Python SDK 1.25, Strands 1.62, LangGraph 1.2, AG-UI 1.0, A2A's SDKs 0.3 and 1.3 and MCP's 2.1, all with scripted models;
//! they are played back by a server that adds and removes nothing.

use std::path::PathBuf;

use agentcore_client::{Client, EndMark, Error, ErrorKind, Event, Events, Reader, Reply, Target, sse};
use futures_util::{StreamExt as _, TryStreamExt as _};
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
    let client = Client::builder().auth(agentcore_client::Auth::None).lenient_sse(lenient).build().unwrap();
    client.target(Target::local(&url).unwrap()).invoke("x").stream().await.unwrap()
}

async fn raw(path: &str, lenient: bool) -> Vec<(String, String, String, Option<u128>)> {
    let url = play(sample(path)).await;
    let client = Client::builder().auth(agentcore_client::Auth::None).lenient_sse(lenient).build().unwrap();
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
    assert_eq!((&*reply.text, reply.events), ("Hello world!", 3));
    assert!(reply.first_event.unwrap() <= reply.elapsed);
}

#[tokio::test]
async fn line_ends_within_strings_stay_within() {
    let found: Vec<_> = events("sdk/stream_nl.resp", false).await.try_collect().await.unwrap();
    assert_eq!(
        found[..2],
        [Event::Text("line1\nline2\r\nline3\rend".into()), Event::Text("a\n\ndata: injected\n\n".into())]
    );
    assert!(matches!(found[2..], [Event::Done(_)]), "{found:?}");
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
    assert_eq!((error.kind(), error.code()), (ErrorKind::Agent, Some("ValueError")));
    assert_eq!(error.message(), "boom mid-stream\nsecond line \"quoted\" é");
    assert_eq!(error.partial::<Reply>().unwrap().events, 3);
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

/// What agents say in their dialects: the text in its pieces, the reasoning, the tools, the numbers, what they ask and the errors, in
/// order.
const SAID: &[(&str, u64, &[&str])] = &[
    (
        "agui/sse.txt",
        17,
        &[
            "say Hel",
            "say lo é\n",
            "say hi",
            "use t1 search ",
            "use t1 search {\"q\":\"x\"}",
            "use t1 search .",
            "result t1 found",
        ],
    ),
    (
        "agui/raise.txt",
        17,
        &[
            "say Hel",
            "say lo é\n",
            "say raise",
            "use t1 search ",
            "use t1 search {\"q\":\"x\"}",
            "use t1 search .",
            "result t1 found",
            "error INTERNAL_ERROR agui boom",
        ],
    ),
    (
        "agui/interrupt.txt",
        17,
        &[
            "say Hel",
            "say lo é\n",
            "say ask",
            "use t1 search ",
            "use t1 search {\"q\":\"x\"}",
            "use t1 search .",
            "result t1 found",
            "ask tool_call May I add é?",
            "used 11 4 0",
        ],
    ),
    ("a2a/v03_stream.txt", 6, &["say Hel", "say lo é ", "say hi"]),
    ("a2a/v03_send.txt", 1, &["say Hel", "say lo é ", "say hi"]),
    ("a2a/v1_stream.txt", 6, &["say Hel", "say lo é ", "say hi"]),
    ("a2a/v1_send.txt", 1, &["say Hel", "say lo é ", "say hi"]),
    ("a2a/v1_raise.txt", 6, &["say Hel", "say lo é ", "say raise", "error -32603 a2a boom"]),
    ("a2a/v03_ask.txt", 1, &["ask input-required Which one, é?"]),
    ("a2a/v1_ask.txt", 3, &["ask input-required Which one, é?"]),
    ("mcp/call.txt", 1, &["say 3"]),
    ("mcp/boom.txt", 1, &["error  Error executing tool boom"]),
    ("strands/clean.txt", 15, STRANDS),
    // As above with Strands' own events between, most of them as Python reprs, and each message once more.
    ("strands/raw.txt", 30, STRANDS_WITH_RESULT),
    (
        "strands/fail.txt",
        12,
        &[
            "say Let me ",
            "say add é",
            "use tu1 add ",
            "use tu1 add {\"a\": 1,",
            "use tu1 add  \"b\": 2}",
            "use tu1 add .",
            "used 1 2 4",
            "error EventLoopException model failed mid-stream",
        ],
    ),
    ("strands/reasoning.txt", 21, &["think I think ", "think so.", "say Hello ", "say there", "used 1 2 4"]),
    // As above, with Strands' own events as JSON, and the result as a string.
    ("strands/plain.txt", 21, &["think I think ", "think so.", "say Hello ", "say there", "used 1 2 4"]),
    ("strands/result.txt", 1, &["think I think so.", "say Hello there", "used 1 2 4"]),
    // An approval that a hook waits for; the result is a Python repr.
    (
        "strands/interrupt.txt",
        20,
        &[
            "say Let me ",
            "say add é. ",
            "use tu1 add ",
            "use tu1 add {\"a\": 1,",
            "use tu1 add  \"b\": 2}",
            "use tu1 add .",
            "used 1 2 4",
            "ask approve {\"question\": \"May I add é?\"}",
        ],
    ),
    ("langgraph/messages.txt", 10, LANGGRAPH),
    (
        "langgraph/updates.txt",
        3,
        &["think hmm ", "say Let me add é", "use tu1 add {\"a\": 1, \"b\": 2}.", "result tu1 3", "say 3"],
    ),
    ("langgraph/values.txt", 4, &["say Let me add é", "use tu1 add {\"a\": 1, \"b\": 2}.", "result tu1 3", "say 3"]),
    // Messages as they come, and each whole as an update.
    ("langgraph/modes.txt", 12, MODES),
    // Messages, updates and states, of which two have the interrupt.
    (
        "langgraph/interrupt.txt",
        12,
        &[
            "think hmm ",
            "say Let me ",
            "say add é. ",
            "use tu1 add ",
            "use tu1 add {\"a\": 1,",
            "use tu1 add  \"b\": 2}",
            "use tu1 add .",
            "ask  {\"question\": \"May I add é?\"}",
        ],
    ),
    ("langgraph/events.txt", 33, LANGGRAPH),
];

const STRANDS: &[&str] = &[
    "say Let me ",
    "say add é",
    "use tu1 add ",
    "use tu1 add {\"a\": 1,",
    "use tu1 add  \"b\": 2}",
    "use tu1 add .",
    "used 1 2 4",
    "say 3",
    "used 1 2 4",
];

const STRANDS_WITH_RESULT: &[&str] = &[
    "say Let me ",
    "say add é",
    "use tu1 add ",
    "use tu1 add {\"a\": 1,",
    "use tu1 add  \"b\": 2}",
    "use tu1 add .",
    "used 1 2 4",
    "result tu1 3",
    "say 3",
    "used 1 2 4",
];

const MODES: &[&str] = &[
    "say Let me ",
    "say add é",
    "use tu1 add ",
    "use tu1 add {\"a\": 1,",
    "use tu1 add  \"b\": 2}",
    "use tu1 add .",
    "result tu1 3",
    "say 3",
];

const LANGGRAPH: &[&str] = &[
    "think hmm ",
    "say Let me ",
    "say add é",
    "use tu1 add ",
    "use tu1 add {\"a\": 1,",
    "use tu1 add  \"b\": 2}",
    "use tu1 add .",
    "result tu1 3",
    "say 3",
];

/// What says that it has ended has ended, and is noted to lack its end where it is cut off.
#[test]
fn ends_that_agents_mark() {
    let end_mark = |path: &str, drop: usize| {
        let answer = String::from_utf8(sample(path)).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let data: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let body: String = data[..data.len() - drop].iter().map(|data| format!("data: {data}\n\n")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url =
                play(format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{body}").into_bytes()).await;
            let client = Client::builder().auth(agentcore_client::Auth::None).build().unwrap();
            let invoke = || client.target(Target::local(&url).unwrap()).invoke("x");
            let found: Vec<Event> = invoke().stream().await.unwrap().try_collect().await.unwrap();
            let Some(Event::Done(done)) = found.last() else { panic!("{path} is complete: {found:?}") };
            done.end_mark
        })
    };
    for (path, whole, cut) in [
        ("agui/sse.txt", EndMark::Seen, EndMark::Missing),
        ("agui/interrupt.txt", EndMark::Seen, EndMark::Missing),
        ("a2a/v03_stream.txt", EndMark::Seen, EndMark::Missing),
        ("a2a/v1_stream.txt", EndMark::Seen, EndMark::Missing),
        ("a2a/v1_ask.txt", EndMark::Seen, EndMark::Missing),
        ("strands/clean.txt", EndMark::None, EndMark::None),
        ("langgraph/messages.txt", EndMark::None, EndMark::None),
    ] {
        assert_eq!((end_mark(path, 0), end_mark(path, 1)), (whole, cut), "{path}");
    }
}

/// In short what an event says, if it says something.
fn said(event: &Result<Event, Error>) -> Option<String> {
    let event = match event {
        Ok(event) => event,
        Err(error) => return Some(format!("error {} {}", error.code().unwrap_or_default(), error.message())),
    };
    Some(match event {
        Event::Text(text) => format!("say {text}"),
        Event::Reasoning(text) => format!("think {text}"),
        Event::ToolUse(call) => {
            format!("use {} {} {}{}", call.id, call.name, call.input, if call.last { "." } else { "" })
        }
        Event::ToolResult(result) => {
            format!("{} {} {}", if result.failed { "failed" } else { "result" }, result.id, result.content)
        }
        Event::Usage(usage) => format!(
            "used {} {} {}",
            usage.input_tokens.unwrap_or_default(),
            usage.output_tokens.unwrap_or_default(),
            usage.latency.unwrap_or_default().as_millis()
        ),
        Event::Interrupt(asked) => format!("ask {} {}", asked.name, asked.reason),
        _ => return None,
    })
}

#[tokio::test]
async fn what_agents_say_in_their_dialects() {
    for (path, count, expected) in SAID {
        let found: Vec<Result<Event, Error>> = events(path, false).await.past_errors().collect().await;
        assert_eq!(found.iter().filter_map(said).collect::<Vec<_>>(), *expected, "{path}");

        let (done, said): (Vec<&Event>, Vec<&Event>) =
            found.iter().filter_map(|event| event.as_ref().ok()).partition(|event| matches!(event, Event::Done(_)));
        let texts = said.into_iter().filter_map(Event::text);
        if let [Event::Done(done)] = done[..] {
            assert!(matches!(found.last(), Some(Ok(Event::Done(_)))), "{path}");
            assert_eq!((done.events, done.texts), (*count, texts.clone().count() as u64), "{path}");
            assert!(done.bytes > 0 && done.first_event.unwrap() <= done.duration, "{path}");
        } else {
            assert!(done.is_empty() && found.iter().any(Result::is_err), "{path} is not complete: the agent failed");
        }

        let text: String = texts.collect();
        let reply = events(path, false).await.into_reply().await;
        let reply = reply.as_ref().unwrap_or_else(|error| error.partial::<Reply>().unwrap());
        assert_eq!((&*reply.text, reply.events), (text.as_str(), *count), "{path}");
        let asked = expected.iter().filter(|said| said.starts_with("ask ")).count();
        let used = expected.iter().any(|said| said.starts_with("used "));
        assert_eq!((reply.interrupts.len(), reply.usage.is_some()), (asked, used), "{path}");
    }
}

#[test]
fn dialects_do_not_depend_on_the_chunks() {
    for (path, _, expected) in SAID {
        let answer = String::from_utf8(sample(path)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if !head.contains("text/event-stream") {
            continue;
        }
        for size in [1, 2, 3, 7, 100, body.len()] {
            let (mut decoder, mut reader) = (sse::Decoder::new(), Reader::new());
            let mut found = Vec::new();
            for chunk in body.as_bytes().chunks(size) {
                decoder.push(chunk.to_vec().into());
                while let Some(event) = decoder.next_event().unwrap() {
                    reader.push(event);
                }
            }
            reader.finish();
            found.extend(std::iter::from_fn(|| reader.next_event()).filter_map(|event| said(&event)));
            assert_eq!(found, *expected, "{path} in chunks of {size}");
        }
    }
}
