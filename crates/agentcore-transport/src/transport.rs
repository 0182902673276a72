//! The pool of connections and its settings. Follows no redirect, decodes no content coding, logs nothing.

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

/// The body of an answer, of any protocol.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A pool of connections. Cheap to clone; clones share the pool.
///
/// One transport serves any number of clients and targets. Over TLS it uses HTTP/2 if the server does (ALPN), else HTTP/1.1.
///
/// ```no_run
/// use agentcore_transport::{Bytes, Error, Transport, http::Request};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = Transport::builder().connect_timeout(std::time::Duration::from_secs(3)).build()?;
/// let request = Request::get("https://idp.example.com/.well-known/openid-configuration").body(Bytes::new())?;
/// let answer = transport.send(request).await.map_err(Error::from)?;
/// assert_eq!((answer.status().as_u16(), transport.connections().open), (200, 1));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Transport(Arc<Pool>);

struct Pool {
    client: Client<Bounded, Full<Bytes>>,
    /// Makes a connection for each request.
    single: Client<Bounded, Full<Bytes>>,
    user_agent: HeaderValue,
    no_roots: bool,
    count: Arc<Count>,
}

impl Transport {
    /// Returns the default settings, which suit the service.
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

    /// Sends one request and returns its answer, whose head has arrived.
    ///
    /// # Errors
    /// If no answer came; [`SendError`] has how far the request came.
    ///
    /// # Cancel safety
    /// Dropping the future closes an HTTP/1.1 connection and resets an HTTP/2 stream; the request may have been received.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, SendError> {
        self.check_roots(request.uri())?;
        let mut request = request.map(Full::new);
        self.set_user_agent(request.headers_mut());
        let answer = self.0.client.request(request).await.map_err(SendError::request)?;
        Ok(answer.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }

    /// Requests another protocol (RFC 9110 §7.8) of the server of an `https`, `wss`, `http` or `ws` URL. It uses a new HTTP/1.1
    /// connection, because HTTP/2 has no upgrades (RFC 9113 §8.6).
    ///
    /// # Errors
    /// If no answer came; [`SendError`] has how far the request came.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the request may have been received.
    pub async fn upgrade(&self, request: Request<()>) -> Result<Upgrade, SendError> {
        let (mut head, ()) = request.into_parts();
        let mut url = head.uri.into_parts();
        let encrypted = url.scheme.as_ref().is_some_and(|scheme| matches!(scheme.as_str(), "https" | "wss"));
        url.scheme = Some(if encrypted { Scheme::HTTPS } else { Scheme::HTTP });
        head.uri = Uri::from_parts(url).map_err(|error| SendError::invalid_url(error.into()))?;
        self.check_roots(&head.uri)?;
        self.set_user_agent(&mut head.headers);
        let request = Request::from_parts(head, Full::default());
        let mut answer = self.0.single.request(request).await.map_err(SendError::request)?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Refused(answer.map(|body| body.map_err(BoxError::from).boxed_unsync())));
        }
        let upgraded = hyper::upgrade::on(&mut answer).await.map_err(|error| SendError::lost(error.into()))?;
        Ok(Upgrade::Switched(answer.map(|_| Upgraded::new(upgraded))))
    }

    /// Returns the number of connections made so far and of open ones, upgraded ones included.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let Count { made, open } = &*self.0.count;
        Connections { made: made.load(Ordering::Relaxed), open: open.load(Ordering::Relaxed) }
    }

    /// Adds the user agent, if the request has none.
    fn set_user_agent(&self, headers: &mut HeaderMap) {
        headers.entry(USER_AGENT).or_insert_with(|| self.0.user_agent.clone());
    }

    fn check_roots(&self, url: &Uri) -> Result<(), SendError> {
        let untrusted = self.0.no_roots && url.scheme() == Some(&Scheme::HTTPS);
        if untrusted { Err(SendError::no_roots()) } else { Ok(()) }
    }
}

/// The number of connections since the transport was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// Connections that were made.
    pub made: u64,
    /// Connections that are open, idle ones included.
    pub open: u64,
}

/// The answer to a request for another protocol.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the server accepts it or not")]
pub enum Upgrade {
    /// The server accepted it, and the connection now has the new protocol.
    Switched(Response<Upgraded>),
    /// The server answered in HTTP.
    Refused(Response<Body>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// The settings of a [`Transport`].
#[derive(Clone, Debug)]
pub struct TransportBuilder {
    connect_timeout: Option<Duration>,
    pool_idle_timeout: Option<Duration>,
    user_agent: String,
    tls: TlsSettings,
    proxy: Proxy,
}

agentcore_core::setters! {
    impl TransportBuilder:

    /// Bounds resolving, connecting, the proxy's answer and the TLS handshake together. Default: 10 seconds. `None` leaves the bound
    /// to the operating system, which gives up after minutes.
    connect_timeout(timeout: impl Into<Option<Duration>>) => connect_timeout = timeout.into();

    /// Sets whether to trust the system's certificates (or those of `SSL_CERT_FILE`, `SSL_CERT_DIR`). Default: yes. Without them only
    /// [`root_certificates`](Self::root_certificates) are trusted.
    system_roots(trusted: bool) => tls.no_system_roots = !trusted;

    /// Sets the oldest version of TLS. Default: [`TlsVersion::Tls12`], which some private gateways need.
    min_tls_version(version: TlsVersion) => tls.min_version = version;

    /// Sets a whole TLS configuration, for verifiers, key logs or cipher suites. All other settings of TLS exclude it. The transport
    /// sets the application protocols (ALPN).
    tls_config(config: ClientConfig) => tls.config = Some(config);

    /// Sets the time after which idle connections are closed. Default: 50 seconds. Load balancers commonly close after 60, and a
    /// request that meets a closing server is lost. `None` leaves closing to the servers.
    pool_idle_timeout(timeout: impl Into<Option<Duration>>) => pool_idle_timeout = timeout.into();

    /// Sets the `User-Agent` (RFC 9110 §10.1.5) of requests that have none. Default: `agentcore-rs/` and the version.
    user_agent(user_agent: impl Into<String>) => user_agent = user_agent.into();

    /// Sets the proxy. Default: [`Proxy::Environment`].
    proxy(proxy: Proxy) => proxy = proxy;
}

impl TransportBuilder {
    /// Adds trusted certificates from a PEM text, for a private gateway or a test server.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.root_certificates.push(pem.into());
        self
    }

    /// Sets the certificate for servers that request one (mutual TLS): the chain and its private key, both as PEM text.
    #[must_use]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls.client_certificate = Some((chain.into(), key.into()));
        self
    }

    /// Makes the transport, without a connection.
    ///
    /// # Errors
    /// If a certificate or a key cannot be read, if TLS settings exclude each other, or if the user agent is no header value.
    pub fn build(self) -> Result<Transport, Error> {
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::input("the user agent may hold only printable ASCII characters"))?;
        let (tls, no_roots) = self.tls.build()?;
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
            // Pings distinguish a silent agent from a lost connection: the server's HTTP/2 stack answers them.
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .http2_adaptive_window(true)
            .build(routes.any);
        let single = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(routes.http1);
        Ok(Transport(Arc::new(Pool { client, single, user_agent, no_roots, count: routes.count })))
    }
}

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_POOL_IDLE: Duration = Duration::from_secs(50);
const DEFAULT_USER_AGENT: &str = concat!("agentcore-rs/", env!("CARGO_PKG_VERSION"));
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
