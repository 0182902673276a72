//! A small MCP server of two tools, stateless as the service wants it. Keeps no session, and takes any.
//!
//! Source: MCP specification 2025-11-25, "Lifecycle", "Tools" and "Streamable HTTP".

use agentcore_core::header::MCP_SESSION_ID;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::invocation::{AgentRequest, AgentResponse};

/// Answers a message: tool calls by a stream of events, other requests by JSON, and what is no request by 202.
pub(crate) fn respond(request: &AgentRequest) -> AgentResponse {
    let message = request.json();
    let response = match (message["method"].as_str(), message.get("id")) {
        (Some(method), Some(id)) => {
            let answer = match result(method, &message["params"]) {
                Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                Err((code, text)) => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } }),
            };
            if method == "tools/call" { AgentResponse::events([answer]) } else { AgentResponse::json(answer) }
        }
        (None, None) => {
            let error = json!({ "code": -32600, "message": "Invalid Request" });
            let answer = json!({ "jsonrpc": "2.0", "id": null, "error": error });
            AgentResponse::json(answer).with_status(StatusCode::BAD_REQUEST)
        }
        _ => AgentResponse::text("").with_status(StatusCode::ACCEPTED),
    };
    // The service gives a session an id where the server gives none.
    let id = request.headers.get(MCP_SESSION_ID).cloned();
    let id = id.or_else(|| HeaderValue::from_str(request.session_id.as_deref()?).ok());
    match id {
        Some(id) => response.with_header(MCP_SESSION_ID, id),
        None => response,
    }
}

/// Returns the result of a request, or the code and the message of an error (JSON-RPC 2.0 section 5.1).
fn result(method: &str, params: &Value) -> Result<Value, (i32, String)> {
    match method {
        "initialize" => Ok(json!({
            "protocolVersion": params["protocolVersion"].as_str().filter(|it| VERSIONS.contains(it)).unwrap_or(VERSIONS[0]),
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "agentcore-mock", "version": env!("CARGO_PKG_VERSION") },
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": [
            tool("add", "Adds two whole numbers.", json!({ "a": { "type": "integer" }, "b": { "type": "integer" } })),
            tool("say", "Says what it is given.", json!({ "text": { "type": "string" } })),
        ] })),
        "tools/call" => call(&params["name"], &params["arguments"]),
        _ => Err((-32601, "Method not found".to_owned())),
    }
}

fn tool(name: &str, description: &str, properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().into_iter().flat_map(|it| it.keys().cloned()).collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "name": name, "description": description, "inputSchema": schema })
}

fn call(name: &Value, arguments: &Value) -> Result<Value, (i32, String)> {
    let text = match name.as_str() {
        Some("add") => {
            let sum = arguments["a"].as_i64().zip(arguments["b"].as_i64()).and_then(|(a, b)| a.checked_add(b));
            sum.map(|sum| sum.to_string())
        }
        Some("say") => arguments["text"].as_str().map(str::to_owned),
        _ => return Err((-32602, format!("Unknown tool: {}", name.as_str().unwrap_or_default()))),
    };
    // What is wrong with a tool's arguments is for the model to read (MCP specification 2025-11-25, "Error Handling" of tools).
    let is_error = text.is_none();
    let text = text.unwrap_or_else(|| "The arguments do not fit the tool.".to_owned());
    Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": is_error }))
}

/// The versions that need a handshake, the newest first.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
