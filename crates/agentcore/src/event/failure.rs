//! Errors within an answer: the official Python SDK's, JSON-RPC's (MCP, A2A) and AG-UI's.

use serde_json::Value;

use super::{AgentError, Event};

pub(super) fn read(json: &Value) -> Option<Event> {
    let (message, name) = match json.get("error") {
        Some(Value::String(message)) => (message.clone(), json.get("error_type")),
        Some(Value::Object(error)) if json.get("jsonrpc").is_some() => {
            (error.get("message").map(plain)?, error.get("code"))
        }
        _ if json.get("type")? == "RUN_ERROR" => (json.get("message").map(plain)?, json.get("code")),
        _ => return None,
    };
    let name = name.filter(|name| !name.is_null()).map(plain);
    Some(Event::Error(AgentError { message, name }))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
