//! MCP servers by rmcp over the transport: tools, errors, lost sessions, and that no tool is called twice.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use agentcore_client::{Error, ErrorKind, Mcp};
use agentcore_mock::{AgentRequest, AgentResponse, Mock};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt, RunningService, ServiceError},
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{
            StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
        },
    },
};
use serde_json::{Value, json};
use tokio::{sync::Barrier, time::timeout};

use crate::{
    mcp::{MCP_SESSION, broken_off, server},
    support::{bearer, mock, sigv4},
};

type Served = RunningService<RoleClient, ClientConfig>;

fn transport(mock: &Mock, agent: &str) -> Mcp {
    bearer(mock).runtime(mock.arn(agent)).mcp()
}

async fn served(mock: &Mock) -> Served {
    ClientConfig::default().serve(transport(mock, "server").into_transport()).await.unwrap()
}

fn add() -> CallToolRequestParams {
    let arguments = json!({"a": 1, "b": 2}).as_object().cloned();
    CallToolRequestParams::new("add").with_arguments(arguments.unwrap_or_default())
}

fn text(result: &CallToolResult) -> String {
    result.content.iter().filter_map(|block| Some(block.as_text()?.text.clone())).collect()
}

/// Returns the error of this client that rmcp passes on.
fn cause(error: &ServiceError) -> &Error {
    let ServiceError::TransportSend(error) = error else { panic!("{error:?}") };
    match error.error.downcast_ref::<StreamableHttpError<Error>>() {
        Some(StreamableHttpError::Client(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// What rmcp sent, without what it says at the beginning.
fn methods(mock: &Mock) -> Vec<String> {
    let method =
        |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["method"].as_str().unwrap_or("-").to_owned();
    mock.take_requests().iter().map(|request| format!("{} {}", request.method, method(&request.body))).collect()
}

fn called(request: &AgentRequest) -> bool {
    request.json()["method"] == "tools/call"
}

fn result(request: &AgentRequest) -> AgentResponse {
    let result = match called(request) {
        true => json!({"content": [{"type": "text", "text": "3"}]}),
        false => json!({"tools": []}),
    };
    AgentResponse::json(json!({"jsonrpc": "2.0", "id": request.json()["id"], "result": result}))
}

#[tokio::test]
async fn tools_by_token_and_by_signature() {
    let mock = mock().await;
    for client in [bearer(&mock), sigv4(&mock)] {
        let server =
            ClientConfig::default().serve(client.runtime(mock.arn("mcp")).mcp().into_transport()).await.unwrap();
        let names: Vec<_> = server.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["add", "say"]);
        assert_eq!(text(&server.call_tool(add()).await.unwrap()), "3");
        let error = server.call_tool(CallToolRequestParams::new("no_such")).await.unwrap_err();
        assert!(matches!(&error, ServiceError::McpError(error) if error.code.0 == -32602), "{error:?}");
        server.cancel().await.unwrap();
        let sent = mock.take_requests();
        // One session from the first answer on, one version, and nothing but POST.
        assert!(sent.iter().all(|request| request.method == "POST"));
        assert!(sent[1..].iter().all(|request| request.header("mcp-session-id") == sent[1].header("mcp-session-id")));
        let session = "x-amzn-bedrock-agentcore-runtime-session-id";
        assert!(sent[1].header(session).is_some() && sent[0].header(session).is_none());
        assert!(sent[1..].iter().all(|request| request.header(session) == sent[1].header(session)));
        assert!(sent[1..].iter().all(|request| request.header("mcp-protocol-version").is_some()));
    }
}

/// A server that needs no handshake tells so, and one that needs one is found out, whatever it answers.
#[tokio::test]
async fn how_rmcp_begins() {
    let auto =
        || ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None };
    type Answer = fn(&AgentRequest) -> AgentResponse;
    let refusals: [Answer; 4] = [
        |_| AgentResponse::text("Bad Request").with_status(StatusCode::BAD_REQUEST),
        |_| AgentResponse::text("Not Found").with_status(StatusCode::NOT_FOUND),
        |_| {
            let error = json!({"code": -32600, "message": "Missing session ID"});
            let body = json!({"jsonrpc": "2.0", "id": "server-error", "error": error});
            AgentResponse::json(body).with_status(StatusCode::BAD_REQUEST)
        },
        |request| {
            let error = json!({"code": -32601, "message": "Method not found"});
            AgentResponse::json(json!({"jsonrpc": "2.0", "id": request.json()["id"], "error": error}))
        },
    ];
    for refuse in refusals {
        let mock = server(move |request| match request.json()["method"] == "server/discover" {
            true => refuse(request),
            false => result(request),
        })
        .await;
        let transport = transport(&mock, "server").into_transport();
        let server = ClientConfig::default().serve_with_lifecycle(transport, auto()).await.unwrap();
        assert_eq!(text(&server.call_tool(add()).await.unwrap()), "3");
        server.cancel().await.unwrap();
        let sent = methods(&mock);
        assert_eq!(sent[..2], ["POST server/discover", "POST initialize"], "{sent:?}");
    }
}

/// Which 404 lets rmcp send a call again in a new session; how often the tool was asked for; and that the next call goes on.
#[tokio::test]
async fn lost_sessions() {
    type Answer = fn(&AgentRequest) -> AgentResponse;
    let of_no_request: Answer = |_| {
        let error = json!({"code": -32600, "message": "Session not found"});
        AgentResponse::json(json!({"jsonrpc": "2.0", "id": "server-error", "error": error}))
            .with_status(StatusCode::NOT_FOUND)
    };
    let services: Answer = |_| AgentResponse::error(StatusCode::NOT_FOUND, "ResourceNotFoundException", "no");
    let of_the_request: Answer = |request| {
        let error = json!({"code": -32001, "message": "no such city"});
        let body = json!({"jsonrpc": "2.0", "id": request.json()["id"], "error": error});
        AgentResponse::json(body).with_status(StatusCode::NOT_FOUND)
    };
    let plain: Answer = |_| AgentResponse::text("Not Found").with_status(StatusCode::NOT_FOUND);
    for (name, answer, is_sent_again) in [
        ("of no request", of_no_request, true),
        ("the service's", services, true),
        ("of the request", of_the_request, false),
        ("plain", plain, false),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let mock = server(move |request| {
            let is_first = called(request) && counted.fetch_add(1, Ordering::Relaxed) == 0;
            if is_first { answer(request) } else { result(request) }
        })
        .await;
        let server = served(&mock).await;
        let _ = mock.take_requests();
        let first = server.call_tool(add()).await;
        if is_sent_again {
            assert_eq!(text(&first.unwrap()), "3", "{name}");
            let sent = ["POST tools/call", "POST initialize", "POST notifications/initialized", "POST tools/call"];
            assert_eq!(methods(&mock), sent, "{name}");
        } else {
            let error = first.unwrap_err();
            assert_eq!((cause(&error).kind(), cause(&error).may_have_run()), (ErrorKind::SessionLost, true), "{name}");
            assert_eq!(methods(&mock), ["POST tools/call"], "{name}");
            // What is called next was not sent in the old session.
            assert_eq!(text(&server.call_tool(add()).await.unwrap()), "3", "{name}");
            let sent = ["POST initialize", "POST notifications/initialized", "POST tools/call"];
            assert_eq!(methods(&mock), sent, "{name}");
        }
        assert_eq!(calls.load(Ordering::Relaxed), 2, "{name}");
        server.cancel().await.unwrap();
    }
}

/// What only asks is asked again in a new session, whatever the 404 is.
#[tokio::test]
async fn a_list_in_a_lost_session() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mock = server(move |request| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => AgentResponse::text("Not Found").with_status(StatusCode::NOT_FOUND),
        _ => result(request),
    })
    .await;
    let server = served(&mock).await;
    assert!(server.list_all_tools().await.unwrap().is_empty());
    server.cancel().await.unwrap();
}

/// A new session that is lost at once too: the error is told, and there is no loop.
#[tokio::test]
async fn a_server_that_loses_every_session() {
    let mock = server(|_| AgentResponse::error(StatusCode::NOT_FOUND, "ResourceNotFoundException", "no")).await;
    let server = served(&mock).await;
    let _ = mock.take_requests();
    let error = server.call_tool(add()).await.unwrap_err();
    assert!(matches!(&error, ServiceError::TransportSend(_)), "{error:?}");
    let sent = ["POST tools/call", "POST initialize", "POST notifications/initialized", "POST tools/call"];
    assert_eq!(methods(&mock), sent);
    server.cancel().await.unwrap();
}

/// A call that runs while another one is told that the session has ended is not sent again.
#[tokio::test]
async fn a_call_that_runs_meanwhile() {
    let (calls, both) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
    let refused = Arc::new(AtomicBool::new(false));
    let agent = {
        let calls = calls.clone();
        move |request: AgentRequest| {
            let (calls, both, refused) = (calls.clone(), both.clone(), refused.clone());
            async move {
                let message = request.json();
                match (message["method"].as_str(), message["params"]["name"].as_str()) {
                    (Some("initialize"), _) => {
                        let info = json!({"name": "s", "version": "1"});
                        let result = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": info});
                        let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
                        AgentResponse::json(body).with_header(MCP_SESSION, http::HeaderValue::from_static("m"))
                    }
                    (Some("tools/call"), Some("slow")) => {
                        calls.fetch_add(1, Ordering::Relaxed);
                        both.wait().await;
                        result(&request)
                    }
                    (Some("tools/call"), _) if !refused.swap(true, Ordering::Relaxed) => {
                        both.wait().await;
                        AgentResponse::error(StatusCode::NOT_FOUND, "ResourceNotFoundException", "no")
                    }
                    (Some("tools/call"), _) => result(&request),
                    _ => AgentResponse::text("").with_status(StatusCode::ACCEPTED),
                }
            }
        }
    };
    let mock = crate::support::start(Mock::builder().agent("server", agent)).await;
    let server = served(&mock).await;
    let (slow, quick) = tokio::join!(server.call_tool(CallToolRequestParams::new("slow")), server.call_tool(add()));
    assert_eq!((text(&slow.unwrap()), text(&quick.unwrap())), ("3".to_owned(), "3".to_owned()));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    server.cancel().await.unwrap();
}

/// After every other failure nothing is sent again, nor is a stream resumed: there is no GET.
#[tokio::test]
async fn calls_that_fail() {
    type Answer = fn() -> AgentResponse;
    const PRIMED: &[u8] = b"id: 1/0\nretry: 3600000\ndata:\n\n";
    let cut: Answer = || broken_off(vec![Bytes::from_static(PRIMED)]);
    let ended: Answer = || {
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(PRIMED))]);
        AgentResponse::stream("text/event-stream", body)
    };
    let answers: [(&str, Answer); 8] = [
        ("a stream that is cut", cut),
        ("a stream that ends", ended),
        ("accepted, and no more", || AgentResponse::text("").with_status(StatusCode::ACCEPTED)),
        ("no MCP", || AgentResponse::text("hello")),
        ("a server error", || AgentResponse::error(StatusCode::INTERNAL_SERVER_ERROR, "", "no")),
        ("the agent failed", || AgentResponse::error(StatusCode::FAILED_DEPENDENCY, "RuntimeClientError", "no")),
        ("no permission", || AgentResponse::error(StatusCode::FORBIDDEN, "AccessDeniedException", "no")),
        ("no connection", AgentResponse::reset),
    ];
    for (name, answer) in answers {
        let mock = server(move |_| answer()).await;
        let server = served(&mock).await;
        let _ = mock.take_requests();
        let error = timeout(Duration::from_secs(60), server.call_tool(add())).await.unwrap();
        assert!(error.is_err(), "{name}");
        assert_eq!(methods(&mock), ["POST tools/call"], "{name}");
        server.cancel().await.unwrap();
    }
}

/// What rmcp is told: no id that it would write to its log, no event id that it would resume by, and of GET and DELETE that there is none.
#[tokio::test]
async fn what_rmcp_is_given() {
    const STREAM: &[u8] = b"id: 1/0\nretry: 3600000\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
    let mock = server(|_| {
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(STREAM))]);
        AgentResponse::stream("text/event-stream", body)
    })
    .await;
    let mcp = transport(&mock, "server");
    let post = async |message: Value, session: Option<&str>| {
        let message = serde_json::from_value(message).unwrap();
        mcp.post_message("".into(), message, session.map(Into::into), None, HashMap::new()).await
    };
    let client = json!({"name": "t", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let Ok(StreamableHttpPostResponse::Json(_, session)) = post(initialize, None).await else { panic!("no JSON") };
    assert_eq!((session.as_deref(), mcp.mcp_session_id().as_deref()), (Some("1"), Some("mcp-session-1")));
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "add"}});
    let Ok(StreamableHttpPostResponse::Sse(events, _)) = post(call.clone(), Some("1")).await else {
        panic!("no events")
    };
    let events: Vec<_> = events.collect().await;
    let [Ok(event)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&event.id, &event.retry, event.event.as_deref()), (&None, &None, Some("message")));
    // A session that is not the one held has been lost, and nothing is sent.
    let _ = mock.take_requests();
    assert!(matches!(post(call, Some("0")).await, Err(StreamableHttpError::SessionExpired)));
    let stream = mcp.get_stream("".into(), Some("1".into()), Some("1/0".into()), None, HashMap::new()).await;
    assert!(matches!(stream, Err(StreamableHttpError::ServerDoesNotSupportSse)));
    let deleted = mcp.delete_session("".into(), "1".into(), None, HashMap::new()).await;
    assert!(matches!(deleted, Err(StreamableHttpError::ServerDoesNotSupportDeleteSession)));
    assert!(mock.take_requests().is_empty());
}

/// rmcp's own limits hold, and what would send a credential of rmcp's or a second session is refused.
#[tokio::test]
async fn settings_of_rmcp() {
    let mock = mock().await;
    let config = || StreamableHttpClientTransportConfig::with_uri("https://not-used.example.com/mcp");
    let mut small = config();
    small.max_json_response_size = 100;
    let serve = |config| {
        ClientConfig::default().serve(StreamableHttpClientTransport::with_client(transport(&mock, "mcp"), config))
    };
    serve(config()).await.unwrap().cancel().await.unwrap();
    let _ = mock.take_requests();
    for (config, words) in [
        (small, "exceeded the maximum size of 100 bytes"),
        (config().auth_header("token"), "`auth_header`"),
        (config().custom_headers([(MCP_SESSION, http::HeaderValue::from_static("x"))].into()), "reserved"),
    ] {
        let error = serve(config).await.unwrap_err();
        assert!(format!("{error:?} {error}").contains(words), "{error:?}");
    }
    assert_eq!(mock.take_requests().len(), 1);
}
