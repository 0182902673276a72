//! The connections of an AgentCore Runtime client: TCP, TLS, proxies, and a pool that speaks HTTP/1.1 and HTTP/2.
//!
//! One [`Transport`] serves everything that leaves the machine: invocations, the token endpoints of issuers (it is the
//! [`Exchange`](agentcore_auth::Exchange) of `agentcore-auth`), and WebSockets, which [upgrade](Transport::upgrade) a connection of
//! their own, by the same trusted certificates and the same proxy. It follows no redirect, decodes no content coding, retries nothing and logs
//! nothing.
//!
//! ```
//! use agentcore_transport::{Proxy, Transport};
//!
//! let direct = Transport::builder().proxy(Proxy::None).build()?;
//! # Ok::<(), agentcore_core::Error>(())
//! ```

mod metered;
mod proxy;
pub mod refusal;
mod route;
mod send_error;
mod transport;
mod upgraded;

pub use proxy::Proxy;
pub use send_error::SendError;
pub use transport::{Body, Connections, Transport, TransportBuilder, Upgrade};
pub use upgraded::Upgraded;
