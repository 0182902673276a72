//! Invokes agents on Amazon Bedrock AgentCore Runtime over HTTP, whole or streaming.
//!
//! A request passes these types: [`Payload`] → [`Invocation`] → authorization → [`Transport`] → [`Response`] → bytes →
//! [server-sent events](sse). Each of them can be used without the next.
//!
//! The [`HttpClient`] retries only what cannot run twice ([`retry`] has the table), refuses bad input before anything is sent, and
//! bounds everything that it buffers. It follows no redirect, decodes no content coding, and does not interpret the agent's events.
//!
//! ```no_run
//! use agentcore_http::{Auth, HttpClient, Invocation, StaticToken, Target};
//! use futures_util::TryStreamExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = HttpClient::builder(Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?)).build()?;
//! let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
//! let mut events = client.invoke(&target, &Invocation::new("Tell me a story")).await?.events();
//! while let Some(event) = events.try_next().await? {
//!     println!("{}", event.data);
//! }
//! # Ok(()) }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod byte_stream;
mod call;
mod client;
mod command;
pub mod event_stream;
mod header_context;
mod invoke;
mod mcp_context;
mod payload;
mod request;
mod response;
pub mod sse;
mod timeouts;
mod trace_context;

pub use agentcore_auth::{
    Auth, BoxFuture, Clock, ManualClock, StaticToken, SystemClock, Token, TokenSource, credentials,
};
pub use agentcore_core::{
    Arn, CustomHeader, Endpoint, EndpointVariant, Endpoints, Error, ErrorKind, Qualifier, Region, RetryPolicy,
    SessionId, Target, UserId, retry,
};
pub use agentcore_transport::{
    Connections, Proxy, RetryBudget, TlsVersion, Transport, TransportBuilder, rustls, trusted_issuers,
};
pub use byte_stream::ByteStream;
pub use bytes::Bytes;
pub use bytestring::ByteString;
pub use client::{Health, HttpClient, HttpClientBuilder};
pub use command::{Command, CommandEvent, CommandOutput, CommandStream, Exit, ExitStatus};
/// The types of headers.
pub use http;
pub use invoke::{CacheKey, Invocation, Protocol};
pub use mcp_context::McpContext;
pub use payload::Payload;
pub use response::Response;
pub use sse::SseEvent;
pub use timeouts::Timeouts;
pub use trace_context::TraceContext;
