//! The WebSocket half of the AgentCore Runtime client: where an agent's socket is.
//!
//! It builds URLs on the shared [`Target`](agentcore_core::Target) and opens nothing: no HTTP client, no TLS, no runtime. What
//! the URL leads to is authenticated by headers of the caller's WebSocket library.
//!
//! ```
//! use agentcore_core::{SessionId, Target};
//! use agentcore_ws::WebSocket;
//!
//! let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! let session: SessionId = "session-0123456789-0123456789-0123456789".parse()?;
//! let socket = WebSocket::new(target).session(&session);
//! assert!(socket.url().ends_with("%3Aruntime%2Fmy-runtime/ws"));
//! assert!(socket.url_with_session().ends_with(
//!     "/ws?X-Amzn-Bedrock-AgentCore-Runtime-Session-Id=session-0123456789-0123456789-0123456789"
//! ));
//! # Ok::<(), agentcore_core::ParseError>(())
//! ```

mod websocket;

pub use websocket::WebSocket;
