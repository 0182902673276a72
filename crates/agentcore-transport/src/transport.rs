//! The pool and its settings. Follows no redirect, decodes no content coding, logs nothing.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use agentcore_core::{BoxError, Error};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header::USER_AGENT, uri::Scheme};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper_util::{
    client::{legacy::Client, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use crate::{
    Proxy, SendError, Upgraded,
    metered::Count,
    route::{Bounded, Routes},
    tls::{TlsSettings, TlsVersion},
};

/// The body of an answer, whatever carries it.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A pool of connections. Cheap to clone; clones share the pool.
///
/// One transport serves any number of clients and targets. Over TLS it speaks HTTP/2 where the server does (ALPN) and
/// HTTP/1.1 otherwise; connections are kept for 50 idle seconds.
#[derive(Clone)]
pub struct Transport(Arc<Pool>);

struct Pool {
    client: Client<Bounded, Full<Bytes>>,
    /// One request a connection.
    single: Client<Bounded, Full<Bytes>>,
    user_agent: HeaderValue,
    trusts_nobody: bool,
    count: Arc<Count>,
}

impl Transport {
    /// Settings for a transport; the defaults suit the service.
    #[must_use]
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            connect_timeout: Some(DEFAULT_CONNECT_TIMEOUT),
            pool_idle_timeout: Some(DEFAULT_POOL_IDLE),
            user_agent: DEFAULT_USER_AGENT.to_owned(),
            tls: TlsSettings::default(),
            proxy: Proxy::Environment,
        }
    }

    /// Sends one request, and waits for the head of its answer.
    ///
    /// # Errors
    /// If no answer came; [`SendError`] says how far the request did.
    ///
    /// # Cancel safety
    /// Dropping the future closes an HTTP/1.1 connection and resets an HTTP/2 stream; the request may have been received.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, SendError> {
        self.trusts(request.uri())?;
        let mut request = request.map(Full::new);
        self.introduce(request.headers_mut());
        let answer = self.0.client.request(request).await.map_err(SendError::request)?;
        Ok(answer.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }

    /// Asks the server of an `https`, `wss`, `http` or `ws` URL to speak another protocol (RFC 9110 §7.8), on a connection
    /// that belongs to the caller alone and is HTTP/1.1, which HTTP/2 forbids to upgrade (RFC 9113 §8.6).
    ///
    /// # Errors
    /// If no answer came; [`SendError`] says how far the request did.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the request may have been received.
    pub async fn upgrade(&self, request: Request<()>) -> Result<Upgrade, SendError> {
        let (mut head, ()) = request.into_parts();
        let mut url = head.uri.into_parts();
        let encrypted = url.scheme.as_ref().is_some_and(|scheme| matches!(scheme.as_str(), "https" | "wss"));
        url.scheme = Some(if encrypted { Scheme::HTTPS } else { Scheme::HTTP });
        head.uri = Uri::from_parts(url).map_err(|error| SendError::unfit(error.into()))?;
        self.trusts(&head.uri)?;
        self.introduce(&mut head.headers);
        let request = Request::from_parts(head, Full::default());
        let mut answer = self.0.single.request(request).await.map_err(SendError::request)?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Refused(answer.map(|body| body.map_err(BoxError::from).boxed_unsync())));
        }
        let upgraded = hyper::upgrade::on(&mut answer).await.map_err(|error| SendError::lost(error.into()))?;
        Ok(Upgrade::Switched(answer.map(|_| Upgraded::new(upgraded))))
    }

    /// How many connections were made so far, and how many are open: those of the pool and those that were upgraded.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let Count { made, open } = &*self.0.count;
        Connections { made: made.load(Ordering::Relaxed), open: open.load(Ordering::Relaxed) }
    }

    /// Adds who asks, where the request does not say.
    fn introduce(&self, headers: &mut HeaderMap) {
        headers.entry(USER_AGENT).or_insert_with(|| self.0.user_agent.clone());
    }

    fn trusts(&self, url: &Uri) -> Result<(), SendError> {
        let lost = self.0.trusts_nobody && url.scheme() == Some(&Scheme::HTTPS);
        if lost { Err(SendError::trusting_nobody()) } else { Ok(()) }
    }
}

/// Connections, metered since the transport was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// Those that were made.
    pub made: u64,
    /// Those that are open, idle ones included.
    pub open: u64,
}

/// What a server said to a request for another protocol.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it did or it did not")]
pub enum Upgrade {
    /// It agreed, and the connection speaks the new protocol from here on.
    Switched(Response<Upgraded>),
    /// It answered in HTTP instead.
    Refused(Response<Body>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// Settings for a [`Transport`].
#[derive(Clone, Debug)]
pub struct TransportBuilder {
    connect_timeout: Option<Duration>,
    pool_idle_timeout: Option<Duration>,
    user_agent: String,
    tls: TlsSettings,
    proxy: Proxy,
}

impl TransportBuilder {
    /// Bounds resolving, connecting, the proxy's answer and the TLS handshake together. Default: 10 seconds; `None` leaves it
    /// to the operating system, which gives up after minutes.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = timeout.into();
        self
    }

    /// Trusts the certificates in this PEM text too, for a private gateway or a test server.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.root_certificates.push(pem.into());
        self
    }

    /// Whether to trust the system's certificates (or those of `SSL_CERT_FILE`, `SSL_CERT_DIR`). Default: yes; without them only
    /// [`root_certificates`](Self::root_certificates) count.
    #[must_use]
    pub fn system_roots(mut self, trusted: bool) -> Self {
        self.tls.no_system_roots = !trusted;
        self
    }

    /// Shows this certificate to servers that ask for one (mutual TLS): the chain and its private key, both as PEM text.
    #[must_use]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls.client_certificate = Some((chain.into(), key.into()));
        self
    }

    /// Speaks no older version of TLS. Default: [`TlsVersion::Tls12`], which some private gateways need.
    #[must_use]
    pub fn min_tls_version(mut self, version: TlsVersion) -> Self {
        self.tls.min_version = version;
        self
    }

    /// Uses this TLS configuration, for what has no setting here: verifiers, key logs, cipher suites. It replaces all other TLS
    /// settings, which exclude it. Application protocols (ALPN) are set by the transport.
    #[must_use]
    pub fn tls_config(mut self, config: ClientConfig) -> Self {
        self.tls.config = Some(config);
        self
    }

    /// Closes connections that were idle for so long. Default: 50 seconds, which is below the 60 of the usual load balancers:
    /// whoever closes first does not lose a request. `None` leaves it to the servers.
    #[must_use]
    pub fn pool_idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.pool_idle_timeout = timeout.into();
        self
    }

    /// Names the program in `User-Agent` (RFC 9110 section 10.1.5), in requests that do not name one. Default: `agentcore-rs/` and
    /// the version.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How to get out. Default: [`Proxy::Environment`].
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Opens the pool; connects to nothing yet.
    ///
    /// # Errors
    /// If a certificate or a key cannot be read, TLS settings exclude each other, or the user agent is not fit for a header.
    pub fn build(self) -> Result<Transport, Error> {
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::input("the user agent may hold only printable ASCII characters"))?;
        let (tls, trusts_nobody) = self.tls.build()?;
        let matcher = match self.proxy {
            Proxy::Environment => Matcher::from_env(),
            Proxy::None => Matcher::builder().build(),
            Proxy::Url { url, except } => Matcher::builder().https(url).no(except).build(),
        };
        let routes = Routes::new(&tls, matcher, self.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.pool_idle_timeout)
            // A silent agent must not look like a dead connection: pings are answered by the peer's HTTP/2 stack.
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .http2_adaptive_window(true)
            .build(routes.any);
        let single = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(routes.http1);
        Ok(Transport(Arc::new(Pool { client, single, user_agent, trusts_nobody, count: routes.count })))
    }
}

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_POOL_IDLE: Duration = Duration::from_secs(50);
const DEFAULT_USER_AGENT: &str = concat!("agentcore-rs/", env!("CARGO_PKG_VERSION"));
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
