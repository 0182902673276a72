//! The connections of an AgentCore Runtime client: TCP, TLS, proxies, HTTP/1.1 and HTTP/2.
//!
//! One [`Transport`] sends all requests: invocations, requests to issuers (it implements [`Exchange`]) and WebSocket
//! [upgrades](Transport::upgrade), with the same trusted certificates and the same proxy. [`CallEngine`] authorizes, sends, decides,
//! pauses and gives up for all of them. This crate follows no redirect and decodes no content coding.
//!
//! ```
//! use agentcore_transport::{Proxy, Transport};
//!
//! let direct = Transport::builder().proxy(Proxy::None).build()?;
//! # Ok::<(), agentcore_transport::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod challenge;
mod engine;
mod forward_write;
mod issuer_exchange;
mod metered;
mod network;
mod proxy;
mod retry_budget;
mod route;
mod send_error;
mod sent_secrets;
mod shared_place;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod tls;
mod transport;
mod upgraded;

pub use agentcore_auth::{AppliedCredential, Auth, BoxFuture, Clock, Exchange, ManualClock, Repeat, SystemClock};
pub use agentcore_core::{BoxError, Error, ErrorKind, RetryPolicy, call::FailurePoint, retry};
pub use body::Body;
pub use bytes::Bytes;
pub use challenge::trusted_issuers;
pub use engine::{Call, CallEngine, CallSpec, Called, Reception};
/// The types of requests and answers.
pub use http;
pub use network::Network;
pub use proxy::Proxy;
pub use retry_budget::RetryBudget;
/// The TLS library, for [`TransportBuilder::tls_config`].
pub use rustls;
pub use send_error::SendError;
pub use tls::TlsVersion;
pub use transport::{Connections, Transport, TransportBuilder, Upgrade};
pub use upgraded::Upgraded;
