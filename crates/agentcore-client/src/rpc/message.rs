//! A message of JSON-RPC 2.0 before it is sent: what it asks for, and what can be sent twice. Sends nothing.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::Error;

/// One request, notification or response, as it will be sent.
#[derive(Clone)]
pub(crate) struct RpcMessage {
    pub(crate) body: Bytes,
    pub(crate) method: Option<String>,
    /// What a request is answered by; a notification has none.
    pub(crate) id: Option<Value>,
    /// The version in the message itself, which needs no handshake (MCP specification 2026-07-28, `_meta`).
    pub(crate) version: Option<String>,
    /// The tool, the prompt or the resource that it names.
    pub(crate) subject: Option<String>,
}

impl RpcMessage {
    /// Writes a message.
    ///
    /// # Errors
    /// If it is not one message of JSON-RPC.
    pub(crate) fn of(message: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let body = serde_json::to_vec(message)
            .map_err(|error| Error::input("the message cannot be written as JSON").with_source(error))?;
        Self::parse(body.into())
    }

    /// Reads a message.
    ///
    /// # Errors
    /// If it is not one message of JSON-RPC.
    pub(crate) fn parse(body: Bytes) -> Result<Self, Error> {
        if body.trim_ascii_start().first() == Some(&b'[') {
            // MCP removed batches in 2025-06-18, and A2A has none.
            return Err(Error::input("the message is a batch: send its messages one by one"));
        }
        let head: Head<'_> = serde_json::from_slice(&body)
            .map_err(|error| Error::input("the message is not JSON-RPC").with_source(error))?;
        if head.jsonrpc != "2.0" || (head.method.is_none() && head.id.is_none()) {
            return Err(Error::input("the message is not JSON-RPC 2.0: it needs `jsonrpc`, and `method` or `id`"));
        }
        let params: Params<'_> = head.params.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let id = head.id.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let [version, name, uri] = [params.meta.version, params.name, params.uri].map(|text| text.map(Cow::into_owned));
        let method = head.method.map(Cow::into_owned);
        Ok(Self { method, id, version, subject: name.or(uri), body })
    }

    /// Returns whether it is this method, with or without an id.
    pub(crate) fn is(&self, method: &str) -> bool {
        self.method.as_deref() == Some(method)
    }

    /// Returns the id of the response that it waits for: none for a notification, or a response of this side.
    pub(crate) fn awaits(&self) -> Option<&Value> {
        self.method.as_ref().and(self.id.as_ref())
    }

    /// Returns whether sending it twice does no harm: it only asks, or informs. What runs a tool is not among these, nor what is unknown.
    pub(crate) fn is_repeatable(&self) -> bool {
        let method = self.method.as_deref().unwrap_or_default();
        method.starts_with("notifications/") || REPEATABLE.contains(&method)
    }
}

/// Prints the method alone, because the rest may be private.
impl fmt::Debug for RpcMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcMessage").field("method", &self.method).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    jsonrpc: Cow<'a, str>,
    #[serde(default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(default)]
    name: Option<Cow<'a, str>>,
    #[serde(default)]
    uri: Option<Cow<'a, str>>,
    #[serde(rename = "_meta", default)]
    meta: Meta<'a>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", default)]
    version: Option<Cow<'a, str>>,
}

/// What MCP (specification 2025-11-25, "Server Features") and A2A (0.3.0 §7 and 1.0 §9.4) only ask.
const REPEATABLE: [&str; 18] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "agent/getAuthenticatedExtendedCard",
    "GetTask",
    "ListTasks",
    "GetExtendedAgentCard",
    "GetAgentCard",
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_a_message() {
        for (message, expected) in [
            (json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}), Ok(())),
            (json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), Ok(())),
            (json!({"jsonrpc": "2.0", "id": "e1", "result": {}}), Ok(())),
            (json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]), Err("the message is a batch")),
            (json!({"id": 1, "method": "ping"}), Err("the message is not JSON-RPC 2.0")),
            (json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}), Err("the message is not JSON-RPC 2.0")),
            (json!({"jsonrpc": "2.0"}), Err("the message is not JSON-RPC 2.0")),
            (json!("tools/list"), Err("the message is not JSON-RPC")),
            (json!({"jsonrpc": 2, "id": 1, "method": "ping"}), Err("the message is not JSON-RPC")),
        ] {
            match (RpcMessage::of(&message), expected) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(words)) => {
                    assert_eq!(error.kind(), crate::ErrorKind::Input);
                    assert!(error.to_string().starts_with(words), "{message}: {error}");
                }
                (found, _) => panic!("{message}: {found:?}"),
            }
        }
    }

    #[test]
    fn what_it_waits_for() {
        for (message, id) in [
            (json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}), Some(json!(7))),
            (json!({"jsonrpc": "2.0", "id": "7", "method": "ping"}), Some(json!("7"))),
            (json!({"jsonrpc": "2.0", "id": null, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "method": "notifications/cancelled"}), None),
            (json!({"jsonrpc": "2.0", "id": 7, "result": {}}), None),
        ] {
            assert_eq!(RpcMessage::of(&message).unwrap().awaits(), id.as_ref(), "{message}");
        }
    }

    #[test]
    fn what_it_names() {
        let of = |params: Value| {
            RpcMessage::of(&json!({"jsonrpc": "2.0", "id": 1, "method": "x", "params": params})).unwrap()
        };
        for (params, version, subject) in [
            (json!({"name": "add", "uri": "u"}), None, Some("add")),
            (json!({"uri": "file:///\"a\""}), None, Some("file:///\"a\"")),
            (
                json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "x": [1]}, "name": "é"}),
                Some("2026-07-28"),
                Some("é"),
            ),
            (json!({"_meta": {"io.modelcontextprotocol/protocolVersion": 7}}), None, None),
            (json!([1, 2]), None, None),
        ] {
            let message = of(params.clone());
            assert_eq!((message.version.as_deref(), message.subject.as_deref()), (version, subject), "{params}");
        }
    }

    #[test]
    fn what_may_be_sent_twice() {
        for (method, expected) in [
            ("initialize", true),
            ("notifications/initialized", true),
            ("tools/list", true),
            ("tools/call", false),
            ("tools/calls", false),
            ("message/send", false),
            ("SendMessage", false),
            ("tasks/cancel", false),
            ("GetTask", true),
            ("my/own", false),
            ("", false),
        ] {
            let message = RpcMessage::of(&json!({"jsonrpc": "2.0", "id": 1, "method": method})).unwrap();
            assert_eq!(message.is_repeatable(), expected, "{method}");
        }
        assert!(!RpcMessage::of(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})).unwrap().is_repeatable());
    }

    #[test]
    fn debug_tells_no_argument() {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hush"}});
        assert!(!format!("{:?}", RpcMessage::of(&message).unwrap()).contains("hush"));
    }
}
