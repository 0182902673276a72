//! The built-in agents and a user's own, as their answers look on the wire.

use tokio::io::AsyncReadExt;

use super::{handshake::*, *};
use crate::{AgentRequest, AgentResponse};

/// Returns the HTTP/1.1 request of an invocation without a session.
fn request(mock: &Mock, agent: &str, connection: &str) -> String {
    let bearer = bearer(mock);
    let headers = [("Host", "x"), ("Connection", connection), ("Authorization", &bearer), ("Content-Length", "0")];
    head(&format!("POST {} HTTP/1.1", path(agent)), &headers)
}

#[tokio::test]
async fn whole_and_streamed_answers() {
    let mock = start().await;
    for (agent, content_type, body) in [
        ("text", "text/plain; charset=utf-8", "You asked: Hi"),
        ("empty", "text/event-stream; charset=utf-8", ""),
        (
            "fail-midstream",
            "text/event-stream; charset=utf-8",
            "data: \"Once\"\n\ndata: \" upon\"\n\ndata: {\"error\":\"the agent lost its thread\",\
             \"error_type\":\"ValueError\",\"message\":\"An error occurred during streaming\"}\n\n",
        ),
        ("split", "text/event-stream; charset=utf-8", "data: \"Grüße\"\n\ndata: \" an die 世界\"\n\ndata: \" 🌍\"\n\n"),
        ("huge-5", "text/event-stream; charset=utf-8", "data: \"xxxxx\"\n\n"),
    ] {
        let answer = invoke(&mock, agent).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{agent}");
        assert_eq!(answer.body, body, "{agent}");
    }
    let story = invoke(&mock, "story").await.body;
    assert!(story.starts_with("data: \"Once\"\n\ndata: \" upon\"\n\ndata: \" a\"\n\n"), "{story}");
    assert!(story.contains("data: \" “Hi”.\"\n\n"), "{story}");
    assert!(story.ends_with("data: \" end.\"\n\n"), "{story}");
    let huge = invoke(&mock, "huge").await.body;
    assert_eq!(huge.len(), 20 * 1024 * 1024 + "data: \"\"\n\n".len());
    assert!(huge.starts_with("data: \"xx") && huge.ends_with("xx\"\n\n"));
}

#[tokio::test]
async fn every_byte_of_split_is_a_chunk() {
    let mock = start().await;
    let answer = raw(&mock, &request(&mock, "split", "close")).await.unwrap();
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let chunks = &answer[head + 4..];
    assert!(chunks.starts_with(b"1\r\nd\r\n1\r\na\r\n1\r\nt\r\n"));
    assert!(chunks.ends_with(b"1\r\n\n\r\n1\r\n\n\r\n0\r\n\r\n"));
    assert_eq!(chunks.len() - 5, 6 * "data: \"Grüße\"\n\ndata: \" an die 世界\"\n\ndata: \" 🌍\"\n\n".len());
}

#[tokio::test]
async fn headers_as_the_agent_sees_them() {
    let mock = start().await;
    let headers = [("X-Tenant", "blue"), ("Accept", "text/event-stream"), ("x-tenant", "green")];
    let answer = invoke_with(&mock, "headers", &headers, "").await;
    assert_eq!(
        answer.json(),
        json!({"headers": [
            ["host", "x"], ["content-length", "0"], ["authorization", "…"],
            ["x-tenant", "blue"], ["x-tenant", "green"], ["accept", "text/event-stream"],
        ]})
    );
}

#[tokio::test]
async fn errors_over_both_protocols() {
    let mock = start().await;
    let bearer = bearer(&mock);
    let headers = [("Authorization", bearer.as_str()), (SESSION_HEADER, SESSION)];
    for (name, expected, header, value) in [
        ("throttle-N", (429, "ThrottlingException"), "retry-after", "0"),
        ("unavailable-N", (503, ""), "retry-after", "0"),
        ("conflict-N", (409, "RetryableConflictException"), "retry-after", ""),
        ("unauthorized-N", UNAUTHORIZED, "retry-after", ""),
        ("error-429", (429, "ThrottlingException"), "retry-after", ""),
        ("error-429-after-2", (429, "ThrottlingException"), "retry-after", "2"),
        ("error-504", (504, ""), "retry-after", ""),
        ("error-RuntimeClientError", UNSUPPORTED, "retry-after", ""),
        ("redirect", (307, ""), "location", "http://127.0.0.1:9/elsewhere"),
        ("html", (502, ""), "content-type", "text/html; charset=utf-8"),
    ] {
        for (is_websocket, times, success) in [(false, 2, 200), (true, 1, 101)] {
            let agent = name.replace('N', &times.to_string());
            let call = async || match is_websocket {
                false => invoke(&mock, &agent).await,
                true => open(&mock, &target(&agent), &headers).await.0,
            };
            for _ in 0..times {
                let answer = call().await;
                assert_eq!((answer.status, answer.header("x-amzn-errortype")), expected, "{agent}");
                assert_eq!(answer.header(header), value, "{agent}");
                assert_eq!(answer.header("x-amzn-requestid").len(), 36, "{agent}");
                assert_eq!(answer.header("www-authenticate").is_empty(), expected.0 != 401, "{agent}");
                match name {
                    "redirect" => {}
                    "html" => assert!(answer.body.starts_with("<!DOCTYPE html>")),
                    _ => assert!(answer.json()["message"].is_string(), "{agent}: {}", answer.body),
                }
                let last = mock.requests().pop().unwrap();
                assert_eq!((last.error, last.agent), (None, Some(agent.clone())), "an agent's error is no refusal");
            }
            if agent != name {
                assert_eq!(call().await.status, success, "{agent}");
                // Without a session it begins anew.
                assert_eq!(invoke_with(&mock, &agent, &[], "").await.status, expected.0, "{agent}");
            }
        }
    }
    // So does another session in the query.
    let other = format!("{}?{SESSION_HEADER}={}", target("throttle-1"), SESSION.replace("session", "another"));
    assert_eq!(open(&mock, &other, &headers[..1]).await.0.status, 429);
    assert_eq!(open(&mock, &other, &headers[..1]).await.0.status, 101);
}

#[tokio::test]
async fn resets() {
    for is_websocket in [false, true] {
        let mock = start().await;
        let bearer = ("Authorization", &*bearer(&mock));
        let request = |agent: &str| match is_websocket {
            false => request(&mock, agent, "close"),
            true => head(&format!("GET {} HTTP/1.1", target(agent)), &[UPGRADE, &[bearer]].concat()),
        };
        for agent in ["reset", "reset", "reset-1"] {
            let error = raw(&mock, &request(agent)).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{agent}");
        }
        let mut status = [0; 12];
        connect(&mock, &request("reset-1")).await.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, if is_websocket { b"HTTP/1.1 101" } else { b"HTTP/1.1 200" });
        let agents: Vec<_> = mock.requests().into_iter().map(|request| request.agent.unwrap()).collect();
        assert_eq!(agents, ["reset", "reset", "reset-1", "reset-1"]);
    }
    let mock = start().await;
    let torn = raw(&mock, &request(&mock, "reset-midstream", "close")).await.unwrap();
    assert!(torn.ends_with(b"data: \"Once\"\n\n\r\nF\r\ndata: \" upon\"\n\n\r\n"), "{}", torn.escape_ascii());
}

/// The clock is paused once the answer's first event is here, and then runs as fast as there is nothing else to do.
#[tokio::test]
async fn a_stalled_stream_is_silent() {
    let mock = start().await;
    let mut socket = connect(&mock, &request(&mock, "stall", "keep-alive")).await;
    receive(&mut socket, b"data: \"Once\"\n\n\r\n").await;
    hears_nothing(&mut socket).await;

    // What is stalled ends with the mock all the same.
    drop(mock);
    assert!(matches!(socket.read(&mut [0]).await, Ok(0) | Err(_)));
}

#[tokio::test(start_paused = true)]
async fn slow_agents_wait_on_tokios_clock() {
    let mock = start().await;
    for (agent, late) in [("slow", 1000), ("slow-250", 250)] {
        let before = tokio::time::Instant::now();
        assert_eq!(invoke(&mock, agent).await.status, 200);
        assert_eq!(before.elapsed().as_millis(), late, "{agent}");
        let before = tokio::time::Instant::now();
        assert_eq!(open(&mock, &target(agent), &[("Authorization", &bearer(&mock))]).await.0.status, 101);
        assert_eq!(before.elapsed().as_millis(), late, "{agent} over a WebSocket");
    }
}

#[tokio::test(start_paused = true)]
async fn a_story_is_paced() {
    let mock = Mock::builder().pace(Duration::from_millis(40)).start().await.unwrap();
    let before = tokio::time::Instant::now();
    let words = invoke(&mock, "story").await.body.matches("data: ").count();
    assert_eq!(before.elapsed().as_millis(), 40 * (words as u128 - 1));
}

#[tokio::test]
async fn agents_of_ones_own() {
    let mock = Mock::builder()
        .agent("mine", |request: AgentRequest| async move {
            assert!(!format!("{request:?}").contains("secret"));
            AgentResponse::json(json!({"attempt": request.attempt, "agent": request.agent}))
                .with_status(http::StatusCode::CREATED)
                .with_header(http::header::ETAG, http::HeaderValue::from_static("x"))
        })
        .local_agent("mine")
        .start()
        .await
        .unwrap();
    for attempt in 1..3 {
        let answer = invoke(&mock, "mine").await;
        assert_eq!((answer.status, answer.header("etag")), (201, "x"));
        assert_eq!(answer.json(), json!({"attempt": attempt, "agent": "mine"}));
    }
    assert_eq!(send(&mock, "POST /invocations", &[], "secret").await.json()["agent"], "mine");
    let listed = mock.agents();
    assert_eq!(listed.last().unwrap().name, "mine");
    assert_eq!(listed[0].name, "echo");
}
