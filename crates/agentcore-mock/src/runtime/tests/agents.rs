//! The built-in agents and a user's own, as their answers look on the wire.

use tokio::io::AsyncReadExt;

use super::{handshake::*, *};
use crate::{AgentRequest, AgentResponse};

/// Returns an HTTP/1.1 request of no session, with this header besides.
fn request(mock: &Mock, agent: &str, header: &[(&str, &str)]) -> String {
    let headers = [("Host", "x"), ("Authorization", &*bearer(mock)), ("Content-Length", "0")];
    head(&format!("POST {} HTTP/1.1", path(agent)), &[&headers, header].concat())
}

const CLOSE: &[(&str, &str)] = &[("Connection", "close")];

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
    let answer = raw(&mock, &request(&mock, "split", CLOSE)).await.unwrap();
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
async fn faults_that_go_away() {
    let mock = start().await;
    for (agent, status, name, retry_after) in [
        ("throttle-2", 429, "ThrottlingException", "0"),
        ("unavailable-2", 503, "", "0"),
        ("conflict-2", 409, "RetryableConflictException", ""),
        ("unauthorized-2", 401, "UnauthorizedException", ""),
    ] {
        for _ in 0..2 {
            let answer = invoke(&mock, agent).await;
            assert_eq!(answer.error(), (status, name), "{agent}");
            assert_eq!(answer.header("retry-after"), retry_after, "{agent}");
        }
        assert_eq!(invoke(&mock, agent).await.status, 200, "{agent}");
        // Another session, or none, begins anew.
        assert_eq!(invoke_with(&mock, agent, &[], "").await.status, status, "{agent}");
    }
    for _ in 0..2 {
        assert_eq!(invoke(&mock, "error-429").await.status, 429, "an error by status does not go away");
    }
}

#[tokio::test]
async fn other_odd_answers() {
    let mock = start().await;
    let redirect = invoke(&mock, "redirect").await;
    assert_eq!((redirect.status, redirect.header("location")), (307, "http://127.0.0.1:9/elsewhere"));
    let html = invoke(&mock, "html").await;
    assert_eq!((html.status, html.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(html.body.starts_with("<!DOCTYPE html>"));
    let error = invoke(&mock, "error-429-after-2").await;
    assert_eq!((error.error(), error.header("retry-after")), ((429, "ThrottlingException"), "2"));
    let gateway = invoke(&mock, "error-504").await;
    assert_eq!(gateway.error(), (504, ""));
    let refusals: Vec<_> = mock.requests().into_iter().map(|request| request.error).collect();
    assert_eq!(refusals, [None; 4], "an agent's error is not the mock's refusal");
}

#[tokio::test]
async fn resets() {
    let mock = start().await;
    for agent in ["reset", "reset", "reset-1"] {
        let error = raw(&mock, &request(&mock, agent, CLOSE)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{agent}");
    }
    assert!(raw(&mock, &request(&mock, "reset-1", CLOSE)).await.unwrap().starts_with(b"HTTP/1.1 200"));
    let agents: Vec<_> = mock.requests().into_iter().map(|request| request.agent.unwrap()).collect();
    assert_eq!(agents, ["reset", "reset", "reset-1", "reset-1"]);

    let torn = raw(&mock, &request(&mock, "reset-midstream", CLOSE)).await.unwrap();
    assert!(torn.ends_with(b"data: \"Once\"\n\n\r\nF\r\ndata: \" upon\"\n\n\r\n"), "{}", torn.escape_ascii());
}

/// The clock is paused once the answer's first event is here, and then runs as fast as there is nothing else to do.
#[tokio::test]
async fn a_stalled_stream_is_silent() {
    let mock = start().await;
    let mut socket = connect(&mock, &request(&mock, "stall", &[])).await;
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
