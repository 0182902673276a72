//! The Rust client for agents on Amazon Bedrock AgentCore Runtime.
//!
//! An agent on AgentCore Runtime is invoked over HTTPS with a JSON Web Token or with SigV4, and answers in JSON or as a stream of
//! server-sent events. This crate is one client for all of it. Its parts are crates of their own: `agentcore-core` (ARNs, endpoints,
//! sessions), [`agentcore-auth`](auth) (tokens, SigV4), `agentcore-http` (invocations, events, retries), `agentcore-ws` (WebSockets)
//! and `agentcore-transport` (connections).
//!
#![cfg_attr(
    feature = "full",
    doc = "The [`guide`] has a chapter and an example for each thing that a program does with agents.\n"
)]
//! # A first call
//!
//! ```
//! use agentcore_client::{Client, Endpoint};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In place of the service: a mock of it on loopback, which verifies tokens.
//! let mock = agentcore_mock::Mock::builder().start().await?;
//!
//! let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
//! let agent = client.runtime(mock.arn("story"));
//!
//! let reply = agent.invoke("Tell me a story").await?;
//! println!("{} (in session {})", reply.text, reply.session_id);
//! # assert!(reply.text.contains("Tell me a story"));
//! # Ok(()) }
//! ```
//!
//! # Streaming
//!
//! ```
//! # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
//! let mut events = agent.invoke("Tell me a story").stream().await?;
//! while let Some(event) = events.try_next().await? {
//!     if let Some(text) = event.text() {
//!         print!("{text}");
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # Conversations
//!
//! A session is the agent's memory. Keep its id and pass it to the next call. [`SessionId::derive`] makes a valid id of a short name.
//!
//! ```
//! # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
//! use agentcore_client::SessionId;
//!
//! let session = SessionId::derive("my_session_123");
//! agent.invoke("My name is Ada.").session(&session).await?;
//! agent.invoke("What is my name?").session(&session).await?;
//! # Ok(()) }
//! ```
//!
//! # MCP and A2A
//!
//! A runtime may be an MCP server or an A2A agent. [`Runtime::mcp`] and [`Runtime::a2a`] are transports for their messages: sessions,
//! versions and errors are theirs, and the messages the caller's. With the feature `mcp` [`Mcp`] is a transport of rmcp.
//!
//! ```
//! # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
//! use serde_json::json;
//!
//! let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
//! println!("{}", agent.mcp().send(&request).await?.result().await?.text());
//! # Ok(()) }
//! ```
//!
//! # Tokens that are renewed
//!
//! A [`CachedToken`] fetches a token once, renews it before it expires, and is shared by all calls. It fetches from Cognito (feature
//! `cognito`), by OAuth client credentials (feature `oauth`), from a program (feature `command`) or by the caller's function
//! ([`auth::token::from_fn`]). [`auth::Stored`] shares one login among processes.
//!
#![cfg_attr(feature = "cognito", doc = "```no_run")]
#![cfg_attr(not(feature = "cognito"), doc = "```ignore")]
//! use agentcore_client::{Client, auth::cognito::{CognitoConfig, Login, PoolId}};
//!
//! # fn example(password: String) -> Result<(), agentcore_client::Error> {
//! let pool: PoolId = "us-east-1_ABC123DEF".parse()?;
//! let login = Login::user_srp("ada@example.com", password);
//! let client = Client::builder().cognito(CognitoConfig::new(pool, "my-client-id", login)).build()?;
//! # Ok(()) }
//! ```
//!
//! # When it fails
//!
//! [`Error::kind`] is what a program decides by, and [`Error::may_have_run`] returns whether the agent may have run. [`retry`] has the
//! table of failures that are retried.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `connect` | off | open WebSockets and shells: pings, close handshakes, and reconnecting if wanted |
//! | `cache` | off | a cache of answers to equal invocations |
//! | `otel` | off | OpenTelemetry's trace, passed on to the agent |
//! | `aws-config` | off | the default AWS credential chain |
//! | `cognito` | off | tokens of Amazon Cognito users: login, renewal, logout |
//! | `command` | off | tokens that a program prints |
//! | `jwks` | off | verification of received tokens with their issuer's keys |
//! | `mcp` | off | the client transport of rmcp, over [`Mcp`] |
//! | `oauth` | off | tokens by OAuth 2.0 client credentials |
//! | `redis` | off | tokens that a fleet of machines shares, on a server of Redis or Valkey |
//! | `full` | off | all of the above |
//!
//! A feature adds names and changes no behaviour.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub use agentcore_auth as auth;
pub use agentcore_ws as ws;

pub use agentcore_auth::{
    Auth, BoxFuture, CachedToken, Principal, StaticToken, Token, TokenIssuer, TokenSource, credentials::Credentials,
};
pub use agentcore_core::{
    Arn, CustomHeader, Endpoint, EndpointVariant, Endpoints, Error, ErrorKind, InputKind, Operation, Qualifier, Region,
    ResourceType, SessionId, ShellId, Target, UserId, duration_in_words, operation, retry, unicode,
};
pub use agentcore_http::{
    Command, CommandEvent, CommandOutput, CommandStream, Exit, ExitStatus, Health, McpContext, Payload, Protocol,
    Proxy, Response, RetryBudget, RetryPolicy, SseEvent, Timeouts, TlsVersion, TraceContext, Transport,
    TransportBuilder, rustls, sse, trusted_issuers,
};

mod a2a;
mod batch;
mod call;
mod client;
pub mod event;
#[cfg(all(any(doc, doctest), feature = "full"))]
pub mod guide;
mod invoke;
mod legacy;
mod lifecycle;
mod mcp;
pub mod metrics;
mod reply;
#[cfg(feature = "cache")]
mod response_cache;
mod rpc;
mod run;
mod runtime;
mod session;
mod shared;
#[cfg(feature = "connect")]
mod shell;
mod trace;
mod websocket;

#[cfg(feature = "cache")]
pub use crate::response_cache::CacheSettings;
#[cfg(feature = "connect")]
pub use crate::shell::ShellRequest;
pub use crate::{
    a2a::A2a,
    batch::{Batch, InputDigest, Journal, Outcomes, RateLimiter},
    client::{Authenticated, Client, ClientBuilder, Unauthenticated},
    event::{Dialect, Done, EndMark, Event, Events, Interrupt, Reader, ToolResult, ToolUse, Usage},
    invoke::Invoke,
    legacy::LegacyMap,
    mcp::Mcp,
    metrics::Metrics,
    reply::{AnswerJson, Metadata, Reply},
    rpc::{RpcAnswer, RpcMessages},
    run::Run,
    runtime::Runtime,
    session::Session,
    websocket::WebSocketRequest,
};

/// The README's examples are compiled with the documentation's, and need all features.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So are those of the page for users of the Python clients.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../../../MIGRATING.md")]
struct Migrating;
