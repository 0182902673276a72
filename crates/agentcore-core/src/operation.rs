//! The operations of the data plane, as a table. Sends nothing and builds no URL.
//!
//! Source: the service model in `aws-sdk-bedrockagentcore` 1.83 and the AWS developer guide; the rows of WebSockets and of the
//! local container follow the guide alone.

use http::Method;

use crate::ResourceType;

/// One operation of the service or of a local container. The statics of this module are all of them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The name, in traces and errors.
    pub name: &'static str,
    /// The method.
    pub method: &'static Method,
    /// The path at the service. It may begin with [`ARN_PATH`], which stands for the resource.
    pub path: &'static str,
    /// The path at a local container, if containers offer the operation.
    pub local_path: Option<&'static str>,
    /// Whether the connection is upgraded to a WebSocket. The URL's scheme is then `wss` or `ws`.
    pub upgrades: bool,
    /// The resources that offer it; none if only a local container does.
    pub resources: &'static [ResourceType],
    /// The query members whose values the target knows.
    pub query: &'static [QueryMember],
    /// Whether it names a session.
    pub session: SessionUse,
    /// Whether the caller has to be authenticated.
    pub authenticated: bool,
    /// Whether requesting it twice does no harm. A caller can say so of a single invocation too.
    pub idempotent: bool,
    /// The most bytes of the request's body.
    pub max_body_bytes: usize,
    /// The media type of the request's body, unless the caller names another.
    pub content_type: Option<&'static str>,
    /// The media types of answers, for `Accept`.
    pub accept: &'static str,
    /// The name in the error of a target that does not offer it.
    pub(crate) noun: &'static str,
}

/// A query member whose value the target knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryMember {
    /// `qualifier`: the endpoint's name.
    Qualifier,
    /// `accountId`: the account, if the path has the runtime's id and not its ARN.
    AccountId,
    /// `harnessArn`: the harness's ARN, which is not in the path.
    HarnessArn,
}

/// How an operation uses sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionUse {
    /// It names none.
    None,
    /// It may name one.
    Optional,
    /// It must name one.
    Required,
}

/// The beginning of a resource's path. The ARN replaces the braces.
pub const ARN_PATH: &str = "/runtimes/{arn}";

const RUNTIME: &[ResourceType] = &[ResourceType::Runtime];
const ANY: &[ResourceType] = &[ResourceType::Runtime, ResourceType::Harness];
/// AgentCore Runtime quota: maximum payload size.
const MAX_PAYLOAD_BYTES: usize = 100_000_000;
const JSON: &str = "application/json";

/// `InvokeAgentRuntime`: invokes an agent.
pub static INVOKE: Operation = INVOCATION;

/// `InvokeAgentRuntime` with a message of the Model Context Protocol (AWS developer guide, "MCP protocol contract"; MCP specification
/// 2025-06-18, "Streamable HTTP", which has both media types in `Accept`).
pub static MCP: Operation = Operation { name: "mcp", noun: "MCP", local_path: Some("/mcp"), ..MESSAGE };

/// `InvokeAgentRuntime` with a message of Agent2Agent over JSON-RPC (AWS developer guide, "A2A protocol contract").
pub static A2A: Operation = Operation { name: "a2a", noun: "A2A", local_path: Some("/"), ..MESSAGE };

/// `InvokeHarness`: invokes a harness.
pub static HARNESS: Operation = Operation {
    name: "harness",
    noun: "harness invocations",
    path: "/harnesses/invoke",
    resources: &[ResourceType::Harness],
    query: &[QueryMember::HarnessArn, QueryMember::Qualifier],
    session: SessionUse::Required,
    accept: EVENT_STREAM,
    ..ROW
};

/// `InvokeAgentRuntimeCommand`: runs a command in a session's microVM.
pub static COMMAND: Operation = Operation {
    name: "command",
    noun: "commands",
    path: "/runtimes/{arn}/commands",
    resources: ANY,
    query: &[QueryMember::Qualifier, QueryMember::AccountId],
    session: SessionUse::Optional,
    accept: EVENT_STREAM,
    ..ROW
};

/// `StopRuntimeSession`: ends a session. The client token in its body makes it idempotent.
pub static STOP: Operation = Operation {
    name: "stop",
    noun: "stopping of sessions",
    path: "/runtimes/{arn}/stopruntimesession",
    session: SessionUse::Required,
    idempotent: true,
    ..ROW
};

/// `GetAgentCard`: returns the card of an A2A agent.
pub static AGENT_CARD: Operation = Operation {
    name: "card",
    noun: "agent card",
    path: "/runtimes/{arn}/invocations/.well-known/agent-card.json",
    local_path: Some("/.well-known/agent-card.json"),
    session: SessionUse::Optional,
    idempotent: true,
    ..GET
};

/// Returns the protected-resource metadata, which name the issuers that a runtime trusts (RFC 9728).
pub static RESOURCE_METADATA: Operation = Operation {
    name: "resource metadata",
    noun: "resource metadata",
    path: "/runtimes/{arn}/invocations/.well-known/oauth-protected-resource",
    authenticated: false,
    idempotent: true,
    ..GET
};

/// Opens an agent's WebSocket.
pub static WEBSOCKET: Operation = Operation {
    name: "connect",
    noun: "WebSocket",
    path: "/runtimes/{arn}/ws",
    local_path: Some("/ws"),
    upgrades: true,
    session: SessionUse::Optional,
    ..GET
};

/// Opens a shell in a session's microVM. The caller adds the query member `shellId`.
pub static SHELL: Operation = Operation {
    name: "shell",
    noun: "shell",
    path: "/runtimes/{arn}/ws/shells",
    upgrades: true,
    resources: ANY,
    session: SessionUse::Optional,
    ..GET
};

/// Returns the health of a local container.
pub static PING: Operation = Operation {
    name: "ping",
    noun: "ping",
    path: "",
    local_path: Some("/ping"),
    resources: &[],
    query: &[],
    authenticated: false,
    idempotent: true,
    ..GET
};

/// Every operation.
pub static ALL: [&Operation; 11] =
    [&INVOKE, &MCP, &A2A, &HARNESS, &COMMAND, &STOP, &AGENT_CARD, &RESOURCE_METADATA, &WEBSOCKET, &SHELL, &PING];

/// The values of most operations.
const ROW: Operation = Operation {
    name: "",
    noun: "",
    method: &Method::POST,
    path: "",
    local_path: None,
    upgrades: false,
    resources: RUNTIME,
    query: &[QueryMember::Qualifier],
    session: SessionUse::None,
    authenticated: true,
    idempotent: false,
    max_body_bytes: MAX_PAYLOAD_BYTES,
    content_type: Some(JSON),
    accept: JSON,
};

/// An invocation, whatever the protocol of its payload is.
const INVOCATION: Operation = Operation {
    name: "invoke",
    noun: "invocations",
    path: "/runtimes/{arn}/invocations",
    local_path: Some("/invocations"),
    query: &[QueryMember::Qualifier, QueryMember::AccountId],
    session: SessionUse::Optional,
    accept: "text/event-stream, application/json",
    ..ROW
};

/// An invocation with a message of JSON-RPC.
const MESSAGE: Operation = Operation { accept: "application/json, text/event-stream", ..INVOCATION };

/// The values of most operations without a body.
const GET: Operation = Operation { method: &Method::GET, max_body_bytes: 0, content_type: None, ..ROW };

const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resources_offer_has_a_path() {
        for operation in ALL {
            assert_eq!(operation.path.is_empty(), operation.resources.is_empty(), "{}", operation.name);
        }
    }

    /// The service model in `aws-sdk-bedrockagentcore` 1.83: `StopRuntimeSession` and `GetAgentCard` have no `accountId`.
    #[test]
    fn who_takes_an_account() {
        let takes: Vec<_> =
            ALL.iter().filter(|row| row.query.contains(&QueryMember::AccountId)).map(|row| row.name).collect();
        assert_eq!(takes, ["invoke", "mcp", "a2a", "command"]);
    }
}
