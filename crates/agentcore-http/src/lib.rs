//! Invokes agents on Amazon Bedrock AgentCore Runtime over HTTP, whole or streaming.
//!
//! A request travels one way: [`Payload`] → [`Invocation`] → authorization → [`Transport`] → [`Response`] → bytes →
//! [server-sent events](sse). A caller may step out at any of them.
//!
//! The [`HttpClient`] retries only what cannot have run twice ([`retry`] has the table), refuses bad input before anything is
//! sent, and bounds everything it buffers. It follows no redirect, decodes no content coding, and looks into no answer: what
//! an agent means by its events is the facade's business.
//!
//! ```no_run
//! use agentcore_auth::{Auth, StaticToken};
//! use agentcore_core::Target;
//! use agentcore_http::{HttpClient, Invocation};
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
mod invoke;
mod mcp_context;
mod payload;
mod request;
mod response;
pub mod sse;
mod timeouts;
mod trace_context;

pub use agentcore_core::{Error, ErrorKind, RetryPolicy, retry};
pub use agentcore_transport::{Connections, Proxy, TlsVersion, Transport, TransportBuilder, rustls};
pub use byte_stream::ByteStream;
pub use client::{Health, HttpClient, HttpClientBuilder};
pub use invoke::{CacheKey, Invocation};
pub use mcp_context::McpContext;
pub use payload::Payload;
pub use response::Response;
pub use sse::SseEvent;
pub use timeouts::Timeouts;
pub use trace_context::TraceContext;
