//! An MCP server on AgentCore Runtime as a transport: ids, versions and `Accept` of Streamable HTTP. Speaks no MCP of its own.

mod session;
#[cfg(feature = "mcp")]
mod streamable_http;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentcore_core::{CustomHeader, ServiceResponse, SessionId, header};
use agentcore_http::{Invocation, McpContext, Payload, Protocol, Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};

use self::session::{McpSession, Ticket, may_have_run};
use crate::{
    Dialect, Error, ErrorKind, Runtime, Session,
    rpc::{self, Expects, RpcAnswer, RpcMessage},
};

/// A transport to an MCP server on AgentCore Runtime, or in a local container at `/mcp`. Cheap to clone; clones share the session.
///
/// It sends messages of JSON-RPC and knows what Streamable HTTP wants of a client (MCP specification 2025-11-25, "Transports"): the
/// `Accept` of both media types, `Mcp-Session-Id` and the runtime session of the first answer in all later requests, and
/// `MCP-Protocol-Version` as the answer to `initialize` named it. What the messages say is the caller's, or that of an MCP client over
/// this transport: with the feature `mcp`, `into_transport` makes the one of rmcp.
///
/// The runtime's API has `POST` alone. There is no stream to `GET`, so nothing comes but in answers, and no answer is resumed; and
/// there is nothing to `DELETE`: a session ends after 15 idle minutes, or by [`Session::stop`] of [`session`](Self::session).
///
/// A 404 for a request that named a session is of kind [`SessionLost`](ErrorKind::SessionLost). Until another `initialize` begins a
/// session, every other message fails in the same way and is not sent. [`Error::may_have_run`] tells whether the tool may have run: it
/// did not where the service itself refused the request, or where the answer is a JSON-RPC error without the request's id, because
/// nobody has read the request then.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use agentcore_client::{Client, Endpoint};
/// use serde_json::json;
///
/// # let mock = agentcore_mock::Mock::builder().start().await?;
/// let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
/// let mcp = client.runtime(mock.arn("mcp")).mcp();
///
/// let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "me", "version": "1"}});
/// mcp.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})).await?.result().await?;
/// mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
/// let tools = mcp.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).await?.result().await?;
/// println!("{}", tools.text());
/// # assert!(tools.text().contains("add"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Mcp {
    runtime: Runtime,
    /// A message's settings, without a payload.
    settings: Invocation,
    held: Arc<Mutex<McpSession>>,
}

impl Runtime {
    /// Returns a transport to the MCP server that this runtime is. The service makes the session, at the first message.
    #[must_use]
    pub fn mcp(&self) -> Mcp {
        Mcp::new(self, None)
    }
}

impl Session {
    /// Returns a transport to the MCP server in this session; see [`Runtime::mcp`].
    #[must_use]
    pub fn mcp(&self) -> Mcp {
        Mcp::new(self.runtime(), Some(self.id().clone()))
    }
}

impl Mcp {
    fn new(runtime: &Runtime, session: Option<SessionId>) -> Self {
        let settings = Invocation::new(Payload::raw(None, "")).protocol(Protocol::Mcp).any_session();
        Self { runtime: runtime.clone(), settings, held: Arc::new(Mutex::new(McpSession::new(session))) }
    }

    /// Sends a message: a request, a notification, or a response to a request of the server.
    ///
    /// What only asks (`initialize`, `tools/list` and their like) is sent again where no answer came, by the client's retry policy; a
    /// `tools/call`, and what is not known here, never once it may have run.
    ///
    /// # Errors
    /// If it is not one message of JSON-RPC 2.0, if its session has ended ([`SessionLost`](ErrorKind::SessionLost)), if the server or the
    /// service refused it, if no answer came, or if it is a page of a proxy. An error of JSON-RPC in an answer of status 200 is the
    /// answer's: [`RpcAnswer::result`] returns it.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. An attempt on its way is cut off, and a tool may have run.
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<RpcAnswer, Error> {
        let message = RpcMessage::of(message)?;
        let ticket = self.held().ticket(&message)?;
        self.post(message, ticket, HeaderMap::new()).await
    }

    /// Takes a request of Streamable HTTP as any MCP client makes it, such as one that a local bridge has received, and returns the
    /// answer as it is. Of its URL and headers nothing is taken but `Mcp-…`; an `Mcp-Session-Id` there stands in place of the one held.
    ///
    /// # Errors
    /// As [`send`](Self::send). A `GET`, a `DELETE` and every other method is [`Refused`](ErrorKind::Refused) with status 405, and
    /// nothing is sent: so does a server that offers no stream and no end of a session (MCP specification 2025-11-25, "Listening for
    /// Messages from the Server", "Session Management").
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn forward(&self, request: Request<Bytes>) -> Result<Response, Error> {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            let response = ServiceResponse { status: 405, ..ServiceResponse::default() };
            let message = format!("an MCP server on AgentCore Runtime takes no {}, and nothing was sent", head.method);
            return Err(Error::new(ErrorKind::Refused, message).with_response(response));
        }
        let message = RpcMessage::parse(body)?;
        let ticket = self.held().ticket_with(head.headers.get(header::MCP_SESSION_ID), &message)?;
        let mut headers = head.headers;
        let others: Vec<_> = headers.keys().filter(|name| !name.as_str().starts_with("mcp-")).cloned().collect();
        for name in others {
            headers.remove(name);
        }
        Ok(self.post(message, ticket, headers).await?.into_response())
    }

    /// Returns the session to go on in, once the first answer has named it, or the one that this transport was made in: to
    /// [stop](Session::stop) it, or to run commands beside the server.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.held().runtime_session().map(|id| self.runtime.session(id.clone()))
    }

    /// Returns the `Mcp-Session-Id` of the first answer. Whoever knows it can join the session.
    #[must_use]
    pub fn mcp_session_id(&self) -> Option<String> {
        self.held().id()?.to_str().ok().map(str::to_owned)
    }

    /// Returns the protocol version that the answer to `initialize` named, once its result was read.
    #[must_use]
    pub fn protocol_version(&self) -> Option<String> {
        self.held().version().map(str::to_owned)
    }

    /// Sends a message with the ids of its ticket, and learns from the head of the answer.
    async fn post(&self, message: RpcMessage, ticket: Ticket, headers: HeaderMap) -> Result<RpcAnswer, Error> {
        let invocation = self.invocation(&message, &ticket, &headers)?;
        let (held, generation) = (self.held.clone(), ticket.generation);
        let agrees = move |result: &str| {
            if let Ok(Initialized { version }) = serde_json::from_str(result) {
                lock(&held).agreed(generation, version);
            }
        };
        let expects = Expects {
            dialect: Dialect::Mcp,
            arn: self.runtime.target.arn().cloned(),
            id: message.awaits().cloned(),
            learn: if message.is("initialize") { Some(Box::new(agrees)) } else { None },
        };
        let judge = |error| self.refused(&message, &ticket, error);
        let answer = rpc::post(&self.runtime, invocation, expects, judge).await?;
        let id = answer.response.headers().get(header::MCP_SESSION_ID);
        self.held().answered(&ticket, answer.response.answered_session(), id);
        Ok(answer)
    }

    /// Tells the loss of the session from other refusals.
    fn refused(&self, message: &RpcMessage, ticket: &Ticket, error: Error) -> Error {
        if error.status() != Some(404) || ticket.id.is_none() {
            return error;
        }
        self.held().lose(ticket);
        let ran = may_have_run(message, &error);
        error.with_kind(ErrorKind::SessionLost).possibly_run(ran)
    }

    /// Makes the invocation of a message. `headers` are those that its author gave it, and stand in place of ours.
    fn invocation(&self, message: &RpcMessage, ticket: &Ticket, headers: &HeaderMap) -> Result<Invocation, Error> {
        let mut invocation =
            self.settings.clone().payload(Payload::raw(Some("application/json"), message.body.clone()));
        if let Some(session) = &ticket.session {
            invocation = invocation.session(session);
        }
        if message.is_repeatable() {
            invocation = invocation.idempotent();
        }
        let given = |name: &http::HeaderName| headers.get(name).map(text).transpose();
        let mut context = McpContext::default();
        if let Some(id) = &ticket.id {
            context = context.session_id(text(id)?)?;
        }
        if let Some(version) = given(&header::MCP_PROTOCOL_VERSION)?.or(ticket.version.as_deref()) {
            context = context.protocol_version(version)?;
        }
        // The headers that repeat a message belong to the versions in which each message says its own.
        let repeats = message.version.is_some();
        let method = message.method.as_deref().filter(|_| repeats);
        if let Some(method) = given(&header::MCP_METHOD)?.or(method) {
            context = context.method(method)?;
        }
        let subject = message.subject.as_deref().filter(|_| repeats).map(encoded);
        if let Some(name) = given(&header::MCP_NAME)?.map(str::to_owned).or(subject) {
            context = context.name(&name)?;
        }
        let others = headers.iter().filter(|(name, _)| !IN_CONTEXT.contains(name));
        for (name, value) in others {
            invocation = invocation.header(CustomHeader::new(name.as_str(), text(value)?)?);
        }
        Ok(invocation.mcp(context))
    }

    fn held(&self) -> MutexGuard<'_, McpSession> {
        lock(&self.held)
    }
}

rpc::settings!(Mcp);

/// The part of an `initialize` result that later requests repeat.
#[derive(Deserialize)]
struct Initialized {
    #[serde(rename = "protocolVersion")]
    version: String,
}

fn lock(held: &Mutex<McpSession>) -> MutexGuard<'_, McpSession> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(value: &HeaderValue) -> Result<&str, Error> {
    value.to_str().map_err(|error| Error::input("a header of the message is no text").with_source(error))
}

/// Writes a name as a header's value: as it is, or in Base64 where a header cannot hold it (MCP specification 2026-07-28, "Standard
/// Request Headers").
fn encoded(name: &str) -> String {
    let is_plain =
        name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && name.trim_ascii().len() == name.len();
    match is_plain && !(name.starts_with("=?base64?") && name.ends_with("?=")) {
        true => name.to_owned(),
        false => format!("=?base64?{}?=", BASE64_STANDARD.encode(name)),
    }
}

/// The headers that the MCP context holds.
const IN_CONTEXT: [http::HeaderName; 4] =
    [header::MCP_SESSION_ID, header::MCP_PROTOCOL_VERSION, header::MCP_METHOD, header::MCP_NAME];

#[cfg(test)]
mod tests {
    use super::*;

    /// MCP specification 2026-07-28, "Standard Request Headers", whose examples these are not.
    #[test]
    fn names_as_headers() {
        for (name, expected) in [
            ("add", "add"),
            ("say hello", "say hello"),
            ("file:///a%20b", "file:///a%20b"),
            ("é", "=?base64?w6k=?="),
            (" add", "=?base64?IGFkZA==?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
            ("", ""),
        ] {
            assert_eq!(encoded(name), expected, "{name:?}");
        }
    }
}
