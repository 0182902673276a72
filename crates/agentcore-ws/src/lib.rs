//! The WebSocket half of the AgentCore Runtime client: where an agent's socket is, and what opens it.
//!
//! It makes URLs, headers and subprotocols for whoever opens the socket, and by itself opens none: no HTTP client, no TLS, no
//! WebSocket library and no async runtime is needed. Only its feature `connect` brings [sockets](#sockets-of-its-own). An
//! agent's socket has four ways in, and a local container's stands open:
//!
//! | the client | the caller has | way in |
//! |---|---|---|
//! | a WebSocket library | AWS credentials | [`WebSocket::handshake`]: signed headers |
//! | a WebSocket library | a bearer token | [`WebSocket::handshake`]: `Authorization: Bearer` |
//! | a browser, or whoever else only takes a URL | AWS credentials | [`WebSocket::presign`]: a URL good for some minutes |
//! | a browser | a bearer token | [`WebSocket::subprotocol`]: the token in `Sec-WebSocket-Protocol` |
//!
//! # Headers for any WebSocket library
//!
//! ```
//! use agentcore_auth::{Auth, credentials::Credentials};
//! use agentcore_core::{SessionId, Target};
//! use agentcore_ws::{Handshake, WebSocket};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! let session: SessionId = "session-0123456789-0123456789-0123456789".parse()?;
//! let auth = Auth::sigv4(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"));
//!
//! let Handshake { uri, headers, .. } = WebSocket::new(target).session(&session).handshake(&auth).await?;
//! assert!(uri.path().ends_with("%3Aruntime%2Fmy-runtime/ws"));
//! assert!(headers["authorization"].to_str()?.starts_with("AWS4-HMAC-SHA256 "));
//! # Ok(()) }
//! ```
//!
//! # A bearer token
//!
//! ```
//! # use agentcore_auth::{Auth, StaticToken};
//! # use agentcore_core::{SessionId, Target};
//! # use agentcore_ws::WebSocket;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! let auth = Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?);
//! let handshake = WebSocket::new(target).handshake(&auth).await?;
//! assert_eq!(handshake.headers["authorization"], "Bearer eyJhbGciOiJSUzI1NiIs.e30.c2ln");
//! // Nothing said which session, so it is a new one.
//! assert_eq!(handshake.session.as_str().len(), 36);
//! # Ok(()) }
//! ```
//!
//! # A presigned URL
//!
//! ```
//! # use agentcore_auth::{SigV4, credentials::Credentials};
//! # use agentcore_core::{SessionId, Target};
//! # use agentcore_ws::{Expiry, WebSocket};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! let signer = SigV4::new(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"));
//! let url = WebSocket::new(target).param("custom_param", "a value")?.presign(&signer, Expiry::from_secs(60)?).await?;
//! assert!(url.expose().contains("/ws?custom_param=a%20value&X-Amzn-Bedrock-AgentCore-Runtime-Session-Id="));
//! assert!(url.expose().contains("&X-Amz-Expires=60&"));
//! # Ok(()) }
//! ```
//!
//! # A browser with a bearer token
//!
//! The page opens it with `new WebSocket(url, protocols)`; whoever serves the page has to get both to it, as JSON for example.
//!
//! ```
//! # use agentcore_auth::StaticToken;
//! # use agentcore_core::{SessionId, Target};
//! # use agentcore_ws::WebSocket;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! let source = StaticToken::parse("aaa.bbb.ccc")?;
//! let auth_mode = WebSocket::new(target).subprotocol(&source).await?;
//! let json = serde_json::json!({ "url": auth_mode.url(), "protocols": auth_mode.protocols() });
//! assert_eq!(json["protocols"][0], "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M");
//! # Ok(()) }
//! ```
//!
//! # A local container
//!
//! No credential is ever sent to one, whoever the caller says to be.
//!
//! ```
//! # use agentcore_auth::{Auth, StaticToken};
//! # use agentcore_core::Target;
//! # use agentcore_ws::WebSocket;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = Auth::bearer(StaticToken::parse("aaa.bbb.ccc")?);
//! let handshake = WebSocket::new(Target::local("http://127.0.0.1:8080")?).handshake(&auth).await?;
//! assert_eq!(handshake.uri, "ws://127.0.0.1:8080/ws");
//! assert!(!handshake.headers.contains_key("authorization"));
//! # Ok(()) }
//! ```
//!
//! # Sockets of its own
//!
//! With the feature `connect` there is a client that opens sockets and keeps them: pings and a deadline for signs of life,
//! frames within the service's limits, a goodbye that waits for the agent's, refusals as typed as an invocation's, and, if
//! wanted, a new connection in the same session when one is lost.
//!
#![cfg_attr(feature = "connect", doc = "```no_run")]
#![cfg_attr(not(feature = "connect"), doc = "```ignore")]
//! # use agentcore_auth::{Auth, credentials::Credentials};
//! # use agentcore_core::Target;
//! # use agentcore_transport::Transport;
//! # use agentcore_ws::{Connector, Incoming, WebSocket};
//! # async fn example(target: Target, auth: Auth) -> Result<(), agentcore_ws::Error> {
//! let connector = Connector::new(auth, Transport::builder().build()?);
//! let mut socket = connector.connect(&WebSocket::new(target)).await?;
//! socket.send(r#"{"inputText": "Hello!"}"#).await?;
//! while let Some(incoming) = socket.try_next().await? {
//!     if let Incoming::Text(text) = incoming {
//!         println!("{text}");
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Checked against: the URLs, signatures and subprotocols that the official Python SDK 1.25.0 makes under a frozen clock.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "connect")]
pub mod connect;
mod handshake;
mod parameter;
mod presign;
mod subprotocol;
mod websocket;

pub use agentcore_core::{Error, ErrorKind};
pub use handshake::Handshake;
pub use presign::{Expiry, PresignedUrl};
pub use subprotocol::Subprotocol;
pub use websocket::WebSocket;

#[cfg(feature = "connect")]
pub use crate::connect::{
    AuthMode, Close, Connector, Incoming, Message, Receiver, Reconnected, Sender, Settings, Socket,
};
#[cfg(feature = "connect")]
pub use agentcore_core::RetryPolicy;
