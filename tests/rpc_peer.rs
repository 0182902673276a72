//! MCP servers and A2A agents that are not ours, on the Python SDKs, behind a proxy that verifies tokens. Without the variables that name
//! them these tests do nothing: `cargo xtask interop` sets them.

use std::time::Duration;

use agentcore_client::{Client, Endpoint, ErrorKind, Runtime};
use rmcp::{
    ServiceExt as _,
    model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt as _, ServiceError},
};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Runs a test with the agent that this variable names, if there is one.
async fn with_peer(variable: &str, test: impl AsyncFnOnce(Runtime)) {
    let Ok(url) = std::env::var(variable) else { return };
    let token = std::env::var("AGENTCORE_TEST_TOKEN").unwrap();
    let client = Client::builder().bearer_token(&token).endpoints(url.parse::<Endpoint>().unwrap()).build().unwrap();
    timeout(PATIENCE, test(client.runtime(ARN.parse().unwrap()))).await.unwrap();
}

fn tool(name: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(arguments.as_object().cloned().unwrap_or_default())
}

fn text(result: &CallToolResult) -> String {
    result.content.iter().filter_map(|block| Some(block.as_text()?.text.clone())).collect()
}

#[tokio::test]
async fn tools_by_rmcp() {
    with_peer(MCP, async |agent| {
        let mcp = agent.mcp();
        let server = ClientConfig::default().serve(mcp.clone().into_transport()).await.unwrap();
        let names: Vec<_> = server.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["add", "count", "boom"]);
        assert_eq!(text(&server.call_tool(tool("add", json!({"a": 1, "b": 2}))).await.unwrap()), "3");
        assert_eq!(text(&server.call_tool(tool("count", json!({"to": 3}))).await.unwrap()), "counted to 3");
        let failed = server.call_tool(tool("boom", json!({}))).await.unwrap();
        assert_eq!((failed.is_error, &*text(&failed)), (Some(true), "Error executing tool boom: mcp boom é"));
        assert!(mcp.session().is_some());
        server.cancel().await.unwrap();
    })
    .await;
}

/// The server needs no handshake in this version, and rmcp finds that out.
#[tokio::test]
async fn tools_without_a_handshake() {
    with_peer(MCP, async |agent| {
        let lifecycle =
            ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None };
        let transport = agent.mcp().into_transport();
        let server = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        assert_eq!(text(&server.call_tool(tool("add", json!({"a": 1, "b": 2}))).await.unwrap()), "3");
        server.cancel().await.unwrap();
    })
    .await;
}

fn initialize() -> Value {
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

#[tokio::test]
async fn errors_of_json_rpc() {
    with_peer(MCP, async |agent| {
        let mcp = agent.mcp();
        mcp.send(&initialize()).await.unwrap().result().await.unwrap();
        assert_eq!(mcp.protocol_version().as_deref(), Some("2025-06-18"));
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
        let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "no/such"});
        let error = mcp.send(&unknown).await.unwrap().result().await.unwrap_err();
        assert_eq!((error.kind(), error.code(), error.status()), (ErrorKind::Agent, Some("-32601"), Some(200)));
        let server = ClientConfig::default().serve(agent.mcp().into_transport()).await.unwrap();
        let error = server.list_resource_templates(None).await.map(|_| ()).or_else(|error| match error {
            ServiceError::McpError(_) => Ok(()),
            other => Err(other),
        });
        assert!(error.is_ok(), "{error:?}");
        server.cancel().await.unwrap();
    })
    .await;
}

/// A session that the server has ended: the transport says so, and rmcp calls the tool once in a new one.
#[tokio::test]
async fn a_lost_session() {
    with_peer(STATEFUL, async |agent| {
        let mcp = agent.mcp();
        let server = ClientConfig::default().serve(mcp.clone().into_transport()).await.unwrap();
        let before = (mcp.mcp_session_id().unwrap(), mcp.session().unwrap());
        assert_eq!(text(&server.call_tool(tool("add", json!({"a": 1, "b": 2}))).await.unwrap()), "3");
        before.1.stop().await.unwrap();
        assert_eq!(text(&server.call_tool(tool("add", json!({"a": 2, "b": 2}))).await.unwrap()), "4");
        assert_ne!(mcp.mcp_session_id().unwrap(), before.0);
        server.cancel().await.unwrap();

        let mcp = agent.mcp();
        mcp.send(&initialize()).await.unwrap().result().await.unwrap();
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
        mcp.session().unwrap().stop().await.unwrap();
        let params = json!({"name": "add", "arguments": {"a": 1, "b": 2}});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let error = mcp.send(&call).await.unwrap_err();
        assert_eq!((error.kind(), error.status(), error.may_have_run()), (ErrorKind::SessionLost, Some(404), false));
    })
    .await;
}

fn v0_3(said: &str) -> Value {
    let parts = json!([{"kind": "text", "text": said}]);
    let message = json!({"kind": "message", "messageId": "m1", "role": "user", "parts": parts});
    json!({"jsonrpc": "2.0", "id": "1", "method": "message/stream", "params": {"message": message}})
}

fn v1(said: &str) -> Value {
    let message = json!({"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": said}]});
    json!({"jsonrpc": "2.0", "id": "1", "method": "SendStreamingMessage", "params": {"message": message}})
}

/// A task to its end: as many messages as there are, its text, and one session.
async fn a_task(agent: &Runtime, request: Value) {
    let a2a = agent.a2a();
    let mut messages = a2a.send(&request).await.unwrap().messages();
    let mut count = 0;
    while messages.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 6);
    let session = a2a.session().unwrap();
    let answer = a2a.send(&request).await.unwrap();
    assert_eq!(answer.session_id(), Some(session.id()));
    assert_eq!(&*answer.events().into_reply().await.unwrap().text, "Hello é hi");
}

/// Reads a stream to the error that ends it.
async fn failure(agent: &Runtime, request: Value) -> agentcore_client::Error {
    let mut messages = agent.a2a().send(&request).await.unwrap().messages();
    loop {
        match messages.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if all were well"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn a2a_0_3() {
    with_peer("AGENTCORE_TEST_A2A_0_3", async |agent| {
        a_task(&agent, v0_3("hi")).await;
        let error = failure(&agent, v0_3("raise")).await;
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::BrokenOff, true), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a2a_1() {
    with_peer("AGENTCORE_TEST_A2A_1", async |agent| {
        a_task(&agent, v1("hi")).await;
        let error = failure(&agent, v1("raise")).await;
        assert_eq!((error.kind(), error.code(), error.message()), (ErrorKind::Agent, Some("-32603"), "a2a boom"));
        // The older generation is spoken by the same agent.
        a_task(&agent, v0_3("hi")).await;
    })
    .await;
}

const MCP: &str = "AGENTCORE_TEST_MCP";
const STATEFUL: &str = "AGENTCORE_TEST_MCP_STATEFUL";
const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_agent-AbC1234567";

/// No test takes more than a few seconds.
const PATIENCE: Duration = Duration::from_secs(40);
