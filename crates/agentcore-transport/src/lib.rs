//! The connections of an AgentCore Runtime client: TCP, TLS, proxies, and a pool that speaks HTTP/1.1 and HTTP/2.
//!
//! One [`Transport`] serves everything that leaves the machine: invocations, the token endpoints of issuers (it is the
//! [`Exchange`](agentcore_auth::Exchange) of `agentcore-auth`), and WebSockets, which [upgrade](Transport::upgrade) a connection of
//! their own, by the same trusted certificates and the same proxy. [`CallEngine`] is the one loop that authorizes, sends, decides,
//! pauses and gives up, for all three of them. It follows no redirect and decodes no content coding.
//!
//! ```
//! use agentcore_transport::{Proxy, Transport};
//!
//! let direct = Transport::builder().proxy(Proxy::None).build()?;
//! # Ok::<(), agentcore_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod challenge;
mod engine;
mod issuer_exchange;
mod metered;
mod network;
mod proxy;
mod route;
mod send_error;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod tls;
mod transport;
mod upgraded;

pub use engine::{Call, CallEngine, CallSpec, Called, Reception, RetryBudget};
pub use network::Network;
pub use proxy::Proxy;
/// The TLS library, for [`TransportBuilder::tls_config`].
pub use rustls;
pub use send_error::SendError;
pub use tls::TlsVersion;
pub use transport::{Body, Connections, Transport, TransportBuilder, Upgrade};
pub use upgraded::Upgraded;
