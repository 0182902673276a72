//! The parts that a client, its runtimes and their calls share. Sends nothing.

use std::sync::Arc;

use agentcore_auth::{Auth, Clock};
use agentcore_http::Transport;

#[cfg(feature = "cache")]
use crate::response_cache::ResponseCache;
use crate::{RateLimiter, lifecycle::Lifecycle, metrics::Meter};

/// The parts that a client shares with its runtimes.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) http: agentcore_http::HttpClient,
    pub(crate) auth: Auth,
    pub(crate) transport: Transport,
    pub(crate) meter: Arc<Meter>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) rate_limiter: RateLimiter,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<ResponseCache>,
    pub(crate) clock: Arc<dyn Clock>,
    #[cfg(feature = "connect")]
    pub(crate) connector: agentcore_ws::Connector,
}
