//! Makes the URLs, headers and subprotocols that open an agent's WebSocket on Amazon Bedrock AgentCore Runtime.
//!
//! It needs no HTTP client, no TLS, no WebSocket library and no async runtime, and opens no socket unless its feature `connect`
//! is on. It sends no credential to a local container. Four methods fit four kinds of client:
//!
//! | the client | the caller has | method |
//! |---|---|---|
//! | a WebSocket library | AWS credentials | [`WebSocket::handshake`]: signed headers |
//! | a WebSocket library | a bearer token | [`WebSocket::handshake`]: `Authorization: Bearer` |
//! | a browser, or another client that takes only a URL | AWS credentials | [`WebSocket::presign`]: a URL valid for at most 5 minutes |
//! | a browser | a bearer token | [`WebSocket::subprotocol`]: the token in `Sec-WebSocket-Protocol` |
//!
//! ```
//! use agentcore_ws::{Auth, Expiry, Handshake, SigV4, StaticToken, Target, WebSocket, credentials::Credentials};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::new("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime".parse()?);
//! // In a new session, unless `session` names one.
//! let socket = WebSocket::new(target).param("custom_param", "a value")?;
//! let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
//! let token = StaticToken::parse("aaa.bbb.ccc")?;
//!
//! // For a WebSocket library: connect to `uri` and add `headers` to its own.
//! let Handshake { uri, headers, .. } = socket.handshake(&Auth::sigv4(keys.clone())).await?;
//! assert!(uri.path().ends_with("%3Aruntime%2Fmy-runtime/ws"));
//! assert!(headers["authorization"].to_str()?.starts_with("AWS4-HMAC-SHA256 "));
//! let handshake = socket.handshake(&Auth::bearer(token.clone())).await?;
//! assert_eq!(handshake.headers["authorization"], "Bearer aaa.bbb.ccc");
//!
//! // For a browser: `new WebSocket(url)`, or `new WebSocket(url, protocols)`.
//! let url = socket.presign(&SigV4::new(keys), Expiry::from_secs(60)?).await?;
//! assert!(url.expose().contains("/ws?custom_param=a%20value&X-Amzn-Bedrock-AgentCore-Runtime-Session-Id="));
//! assert!(url.expose().contains("&X-Amz-Expires=60&"));
//! let subprotocol = socket.subprotocol(&token).await?;
//! assert_eq!(subprotocol.protocols()[0], "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M");
//! # Ok(()) }
//! ```
//!
//! # Sockets
//!
//! With the feature `connect`, a [`Connector`](https://docs.rs/agentcore-ws/latest/agentcore_ws/struct.Connector.html) opens
//! sockets and keeps them: it sends pings and limits the wait for an answer, keeps frames within the service's limits, completes
//! the close handshake, returns refusals as the errors of an invocation, and, if wanted, reconnects in the same session.
//!
//! Checked against: the URLs, signatures and subprotocols that the official Python SDK 1.25.0 makes under a frozen clock.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "connect")]
mod connect;
mod handshake;
mod parameter;
mod presign;
#[cfg(feature = "connect")]
mod shell;
mod subprotocol;
mod websocket;

pub use agentcore_auth::{
    Auth, BoxFuture, Clock, ManualClock, SigV4, StaticToken, SystemClock, Token, TokenSource, credentials,
};
pub use agentcore_core::{Arn, Endpoint, Endpoints, Error, ErrorKind, Qualifier, SessionId, ShellId, Target};
pub use handshake::Handshake;
pub use http;
pub use presign::{Expiry, PresignedUrl};
pub use subprotocol::Subprotocol;
pub use websocket::WebSocket;

#[cfg(feature = "connect")]
pub use {
    crate::connect::{
        AuthMode, Close, Connector, Incoming, Message, Receiver, Reconnected, Sender, Settings, Shell, ShellEvent,
        ShellInput, Socket, reconnect,
    },
    crate::shell::{ShellExit, ShellFrame, ShellStatus},
    agentcore_core::RetryPolicy,
    agentcore_transport::{Proxy, RetryBudget, TlsVersion, Transport, TransportBuilder, rustls},
    bytes::Bytes,
    bytestring::ByteString,
};
