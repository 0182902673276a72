//! MCP servers through the transport alone, without an MCP client: ids, versions, answers, losses.

use agentcore_client::{Client, Error, ErrorKind, Mcp, SessionId, Target};
use agentcore_mock::{AgentRequest, AgentResponse, Mock};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::{bearer, mock, sigv4, start};

pub(crate) const MCP_SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const RUNTIME_SESSION: &str = "x-amzn-bedrock-agentcore-runtime-session-id";

fn request(id: u32, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method})
}

fn initialize() -> Value {
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

fn call(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2}}})
}

/// A server that initializes, and answers everything else by this function.
pub(crate) async fn server(answer: impl Fn(&AgentRequest) -> AgentResponse + Send + Sync + Clone + 'static) -> Mock {
    let agent = move |request: AgentRequest| {
        let message = request.json();
        let response = match message["method"].as_str() {
            Some("initialize") => {
                let result = json!({
                    "protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"},
                });
                let response = AgentResponse::json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
                response.with_header(
                    MCP_SESSION,
                    HeaderValue::try_from(format!("mcp-session-{}", request.attempt)).unwrap(),
                )
            }
            Some("notifications/initialized") => AgentResponse::text("").with_status(StatusCode::ACCEPTED),
            _ => answer(&request),
        };
        std::future::ready(response)
    };
    start(Mock::builder().agent("server", agent)).await
}

async fn begun(mock: &Mock) -> Mcp {
    let mcp = bearer(mock).runtime(mock.arn("server")).mcp();
    mcp.send(&initialize()).await.unwrap().result().await.unwrap();
    let _ = mock.take_requests();
    mcp
}

#[tokio::test]
async fn what_every_message_says() {
    let mock = mock().await;
    for (client, credential) in [(bearer(&mock), "Bearer "), (sigv4(&mock), "AWS4-HMAC-SHA256 ")] {
        let mcp = client.runtime(mock.arn("mcp")).mcp();
        let result = mcp.send(&initialize()).await.unwrap().result().await.unwrap();
        assert_eq!(result.parse::<Value>().unwrap()["protocolVersion"], "2025-06-18");
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
        let answer = mcp.send(&call(1)).await.unwrap();
        let result = answer.await.unwrap().parse::<Value>().unwrap();
        assert_eq!(result["content"][0]["text"], "3");

        let requests = mock.take_requests();
        let header = |n: usize, name: &str| requests[n].header(name).map(str::to_owned);
        for request in &requests {
            assert_eq!(request.method, "POST");
            assert_eq!(request.header("accept"), Some("application/json, text/event-stream"));
            assert_eq!(request.header("content-type"), Some("application/json"));
            assert!(request.headers["authorization"].to_str().unwrap().starts_with(credential));
        }
        for name in [RUNTIME_SESSION, "mcp-session-id", "mcp-protocol-version"] {
            assert_eq!(header(0, name), None, "{name}");
        }
        let session = mcp.session().unwrap();
        for n in 1..3 {
            assert_eq!(header(n, RUNTIME_SESSION).unwrap(), session.id().as_str());
            assert_eq!(header(n, "mcp-session-id"), mcp.mcp_session_id());
            assert_eq!(header(n, "mcp-protocol-version").unwrap(), "2025-06-18");
            assert_eq!(header(n, "mcp-method"), None);
        }
        assert_eq!(mcp.protocol_version().as_deref(), Some("2025-06-18"));
        let said = format!("{mcp:?}");
        assert!(!said.contains(&mcp.mcp_session_id().unwrap()), "{said}");
        session.stop().await.unwrap();
        assert_eq!(mock.take_requests()[0].session_id.as_deref(), Some(session.id().as_str()));
    }
}

/// A version that each message says itself has no handshake, and headers that repeat the message (MCP specification 2026-07-28).
#[tokio::test]
async fn messages_that_say_their_version() {
    let mock = mock().await;
    let session = bearer(&mock).runtime(mock.arn("mcp")).new_session();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let params = json!({"name": "say", "arguments": {"text": "é"}, "_meta": meta});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    session.mcp().send(&message).await.unwrap().result().await.unwrap();
    let [request] = &mock.take_requests()[..] else { panic!("one request") };
    for (name, value) in [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "say"),
        (RUNTIME_SESSION, session.id().as_str()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

/// What an answer holds, and what its result is: the text, or the kind and the code of the error.
#[tokio::test]
async fn answers() {
    const PRIMED: &str = "id: 1/0\nretry: 60000\ndata: \n\n: a comment\n\nevent: message\nid: 1/1\n\
        data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n\
        data: {\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":\"ping\"}\n\n\
        data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"ok\":1}}\n\ndata: nobody reads this\n\n";
    use ErrorKind::{Agent, BrokenOff, Service, Throttled};
    type Expected = Result<&'static str, (ErrorKind, Option<&'static str>)>;
    let cases: [(&str, &str, Expected); 20] = [
        ("application/json", r#"{"jsonrpc":"2.0","id":7,"result":{"n":1.10}}"#, Ok(r#"{"n":1.10}"#)),
        ("application/json; charset=utf-8", "\u{feff} {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null} \n", Ok("null")),
        ("text/event-stream", PRIMED, Ok(r#"{"ok":1}"#)),
        ("text/event-stream; charset=utf-8", "data: {\"id\":7,\ndata: \"result\":{}}\n\n", Ok("{}")),
        // The last event lacks its empty line, and ends cleanly.
        ("text/event-stream", "data: {\"id\":7,\"result\":{}}", Ok("{}")),
        // Batches of 2025-03-26.
        ("application/json", r#"[{"method":"notifications/x"},{"id":7,"result":{"b":2}}]"#, Ok(r#"{"b":2}"#)),
        // Servers that do not say what they send.
        ("text/plain", r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, Ok("{}")),
        (
            "application/json",
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}"#,
            Err((Agent, Some("-32601"))),
        ),
        ("text/event-stream", "data: {\"id\":7,\"error\":{\"code\":-32000}}\n\n", Err((Agent, Some("-32000")))),
        ("application/json", r#"{"id":null,"error":{"code":-32700,"message":"no"}}"#, Err((Agent, Some("-32700")))),
        ("application/json", r#"{"id":7,"error":{"code":-32003,"message":"slow"}}"#, Err((Throttled, Some("-32003")))),
        ("text/event-stream", "event: error\ndata: it broke\n\n", Err((Agent, None))),
        ("text/event-stream", "", Err((BrokenOff, None))),
        ("text/event-stream", "id: 1\ndata:\n\n", Err((BrokenOff, None))),
        ("text/event-stream", "data: {\"id\":8,\"result\":{}}\n\n", Err((BrokenOff, None))),
        ("text/event-stream", "data: {\"id\":\"7\",\"result\":{}}\n\n", Err((BrokenOff, None))),
        ("text/event-stream", "data: not JSON\n\n", Err((Service, None))),
        ("application/json", "", Err((BrokenOff, None))),
        ("application/json", "{\"id\":7,", Err((Service, None))),
        ("text/plain", "Accepted", Err((Service, None))),
    ];
    for (content_type, body, expected) in cases {
        let mock = server(move |_| AgentResponse::stream(content_type, pieces(body))).await;
        let answer = begun(&mock).await.send(&request(7, "tools/list")).await.unwrap();
        assert!(answer.request_id().is_some() && answer.session_id().is_some());
        let found = answer.result().await;
        match (&found, expected) {
            (Ok(result), Ok(text)) => assert_eq!(result.text(), text, "{body}"),
            (Err(error), Err(expected)) => {
                assert_eq!((error.kind(), error.code()), expected, "{body}: {error}");
                assert_eq!((error.status(), error.may_have_run()), (Some(200), true), "{body}");
            }
            _ => panic!("{body}: {found:?}"),
        }
    }
}

/// A body that comes byte by byte.
fn pieces(body: &'static str) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    futures_util::stream::iter(body.as_bytes().chunks(1).map(|byte| Ok(Bytes::from_static(byte))))
}

/// A stream of events that comes whole, and then breaks off.
pub(crate) fn broken_off(pieces: Vec<Bytes>) -> AgentResponse {
    let pieces = futures_util::stream::iter(pieces).map(Ok);
    let end = futures_util::stream::once(async {
        // The server writes what it has while a body is pending.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("reset"))
    });
    AgentResponse::stream("text/event-stream", pieces.chain(end))
}

#[tokio::test]
async fn messages_one_by_one_until_it_breaks_off() {
    let lost = || {
        let progress = Bytes::from_static(b"data: {\"method\":\"notifications/progress\"}\n\n");
        let half = Bytes::from_static(b"data: {\"id\":7,\"res");
        broken_off(vec![progress, half])
    };
    let mock = server(move |_| lost()).await;
    let mut messages = begun(&mock).await.send(&call(7)).await.unwrap().messages();
    let first = messages.try_next().await.unwrap().unwrap();
    assert_eq!(first.text(), r#"{"method":"notifications/progress"}"#);
    let error = messages.try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true));
    assert!(messages.next().await.is_none());
}

/// 202 and nothing is the rule, and nothing else matters.
#[tokio::test]
async fn answers_to_notifications() {
    type Answer = fn() -> AgentResponse;
    let answers: [Answer; 5] = [
        || AgentResponse::text("").with_status(StatusCode::ACCEPTED),
        || AgentResponse::text("").with_status(StatusCode::NO_CONTENT),
        || AgentResponse::json(json!(null)),
        || {
            AgentResponse::json(
                json!({"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "x"}}),
            )
        },
        || AgentResponse::text("<html>"),
    ];
    for answer in answers {
        let mock = server(move |_| answer()).await;
        let mcp = begun(&mock).await;
        for message in [
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
            json!({"jsonrpc": "2.0", "id": "s1", "result": {}}),
        ] {
            mcp.send(&message).await.unwrap();
            let error = mcp.send(&message).await.unwrap().result().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(mcp.send(&message).await.unwrap().messages().try_next().await.unwrap().is_none());
        }
    }
}

/// What a 404 says of the session, whether the tool may have run, and that nothing is sent until the session is begun again.
#[tokio::test]
async fn lost_sessions() {
    type Answer = fn() -> AgentResponse;
    let of_no_request: Answer = || {
        let error = json!({"code": -32600, "message": "Session not found"});
        AgentResponse::json(json!({"jsonrpc": "2.0", "id": "server-error", "error": error}))
            .with_status(StatusCode::NOT_FOUND)
    };
    let of_the_request: Answer = || {
        let error = json!({"code": -32001, "message": "no such city"});
        AgentResponse::json(json!({"jsonrpc": "2.0", "id": 7, "error": error})).with_status(StatusCode::NOT_FOUND)
    };
    let plain: Answer = || AgentResponse::text("Not Found").with_status(StatusCode::NOT_FOUND);
    let services: Answer = || AgentResponse::error(StatusCode::NOT_FOUND, "ResourceNotFoundException", "no");
    for (answer, message, may_have_run) in [
        (of_no_request, call(7), false),
        (services, call(7), false),
        (of_the_request, call(7), true),
        (plain, call(7), true),
        (plain, request(7, "tools/list"), false),
    ] {
        let mock = server(move |_| answer()).await;
        let mcp = begun(&mock).await;
        let error = mcp.send(&message).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::SessionLost, Some(404)));
        assert_eq!(error.may_have_run(), may_have_run, "{error}");
        assert_eq!((mock.take_requests().len(), mcp.mcp_session_id()), (1, None));
        let unsent = mcp.send(&message).await.unwrap_err();
        assert_eq!((unsent.kind(), unsent.may_have_run()), (ErrorKind::SessionLost, false));
        assert_eq!(mock.take_requests().len(), 0);
        mcp.send(&initialize()).await.unwrap().result().await.unwrap();
        assert_eq!(mock.take_requests()[0].header("mcp-session-id"), None);
        assert!(mcp.mcp_session_id().is_some());
    }
}

/// Without a session there is none to lose: a wrong ARN, a server that answers 404 to everybody.
#[tokio::test]
async fn a_404_of_no_session_is_none() {
    let mock = server(|_| AgentResponse::text("Not Found").with_status(StatusCode::NOT_FOUND)).await;
    for name in ["server", "no-such-agent"] {
        let error = bearer(&mock).runtime(mock.arn(name)).mcp().send(&request(1, "tools/list")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}");
    }
}

/// A tool is not called twice where the first call may have run; what only asks is asked again.
#[tokio::test]
async fn what_is_sent_again() {
    for (agent, message, requests) in [
        ("error-500", call(1), 1),
        ("error-500", request(1, "tools/list"), 3),
        ("reset", call(1), 1),
        ("reset", initialize(), 3),
        ("throttle-2", call(1), 3),
        ("error-424", request(1, "tools/list"), 1),
    ] {
        let mock = mock().await;
        let _ = bearer(&mock).runtime(mock.arn(agent)).new_session().mcp().send(&message).await;
        assert_eq!(mock.take_requests().len(), requests, "{agent} {message}");
    }
}

#[tokio::test]
async fn get_and_delete_are_answered_here() {
    let mock = mock().await;
    let mcp = bearer(&mock).runtime(mock.arn("mcp")).mcp();
    for method in ["GET", "DELETE", "PUT"] {
        let request = Request::builder().method(method).uri("http://localhost/mcp").body(Bytes::new()).unwrap();
        let error = mcp.forward(request).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Refused, Some(405)), "{method}");
        assert!(!error.may_have_run());
    }
    assert!(mock.take_requests().is_empty());
}

/// A bridge passes on what its own client says.
#[tokio::test]
async fn forwarded_messages() {
    let mock = mock().await;
    let mcp = bearer(&mock).runtime(mock.arn("mcp")).mcp();
    let request = Request::post("http://localhost/mcp")
        .header("authorization", "Bearer local")
        .header("origin", "http://localhost")
        .header("mcp-session-id", "of-the-client")
        .header("mcp-protocol-version", "2025-03-26")
        .header("mcp-param-city", "Paris")
        .body(call(1).to_string().into())
        .unwrap();
    let response = mcp.forward(request).await.unwrap();
    assert_eq!(response.header("mcp-session-id"), Some("of-the-client"));
    assert!(response.text().await.unwrap().contains(r#""text":"3""#));
    let [request] = &mock.take_requests()[..] else { panic!("one request") };
    for (name, value) in [
        ("mcp-session-id", Some("of-the-client")),
        ("mcp-protocol-version", Some("2025-03-26")),
        ("mcp-param-city", Some("Paris")),
        ("origin", None),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert_eq!(mcp.mcp_session_id(), None);
}

#[tokio::test]
async fn a_local_container() {
    let mock = start(Mock::builder().local_agent("mcp")).await;
    let client = Client::builder().auth(agentcore_client::Auth::None).build().unwrap();
    let mcp = client.target(Target::local(mock.url()).unwrap()).mcp();
    mcp.send(&initialize()).await.unwrap().result().await.unwrap();
    let tools = mcp.send(&request(1, "tools/list")).await.unwrap().result().await.unwrap();
    assert!(tools.text().contains("say"));
    for request in mock.take_requests() {
        assert_eq!((&*request.path, request.header("authorization")), ("/mcp", None));
    }
}

/// The session's own endpoint is told, and a request to it is signed as those to the service are.
#[tokio::test]
async fn the_endpoint_of_a_session() {
    const URL: &str = "x-amzn-bedrock-agentcore-runtime-session-endpoint-url";
    let mock = server(|request| {
        let body = json!({"jsonrpc": "2.0", "id": request.json()["id"], "result": {}});
        let url = HeaderValue::from_static("https://s-1.sessions.example.com/");
        AgentResponse::json(body).with_header(HeaderName::from_static(URL), url)
    })
    .await;
    for (client, credential) in [(bearer(&mock), "Bearer "), (sigv4(&mock), "AWS4-HMAC-SHA256 ")] {
        let agent = client.runtime(mock.arn("server"));
        let answer = agent.mcp().send(&request(1, "tools/list")).await.unwrap();
        let url = answer.session_endpoint_url().unwrap();
        let mut request = Request::get(format!("{url}files?a=1")).body(Bytes::new()).unwrap();
        agent.authorize(&mut request).await.unwrap();
        let value = request.headers()["authorization"].to_str().unwrap();
        assert!(value.starts_with(credential) && !value.contains("us-west-2"), "{value}");
        let mut plain = Request::get("http://s-1.sessions.example.com/").body(Bytes::new()).unwrap();
        let error: Error = agent.authorize(&mut plain).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(!plain.headers().contains_key("authorization"));
    }
    let local = bearer(&mock).target(Target::local("http://127.0.0.1:8000").unwrap());
    let mut request = Request::get("https://s-1.sessions.example.com/").body(Bytes::new()).unwrap();
    assert_eq!(local.authorize(&mut request).await.unwrap_err().kind(), ErrorKind::Input);
}

#[tokio::test]
async fn the_numbers_of_a_client() {
    let mock = mock().await;
    let client = bearer(&mock);
    let mcp = client.runtime(mock.arn("mcp")).session(SessionId::random()).mcp();
    mcp.send(&initialize()).await.unwrap().result().await.unwrap();
    mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
    let error = mcp.send(&request(1, "no/such")).await.unwrap().result().await.unwrap_err();
    assert_eq!(error.code(), Some("-32601"));
    let metrics = client.metrics();
    assert_eq!((metrics.succeeded, metrics.cancelled, metrics.in_flight), (2, 0, 0));
    assert_eq!(metrics.errors.get("agent"), Some(&1));
}
