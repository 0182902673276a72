//! The pool of connections and its settings. Follows no redirect, decodes no content coding, logs nothing.

use std::{
    env, fmt,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, SystemTime},
};

use agentcore_auth::{Clock, SystemClock};
use agentcore_core::Error;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header::USER_AGENT, uri::Scheme};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{self, Client},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use crate::{
    Body, Proxy, SendError, Upgraded,
    body::whole,
    metered::Count,
    proxy::ProxyRules,
    route::{Bounded, Routes},
    send_error::place,
    tls::{Roots, TlsSettings, TlsVersion},
};

/// A pool of connections. Cheap to clone; clones share the pool.
///
/// One transport serves any number of clients and targets. It speaks HTTP/1.1, each answer on a connection of its own, or HTTP/2 where
/// [that is wanted](TransportBuilder::http2).
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
    client: Mutex<Pooling>,
    builder: legacy::Builder,
    calls: Bounded,
    clock: Arc<dyn Clock>,
    /// Makes a connection for each request.
    single: Client<Bounded, Full<Bytes>>,
    user_agent: HeaderValue,
    /// What is trusted, unless it is the user's own verifier that decides.
    roots: Option<Arc<Roots>>,
    count: Arc<Count>,
    proxy: Arc<ProxyRules>,
}

/// The connections of a time in which the machine did not sleep.
struct Pooling {
    client: Client<Bounded, Full<Bytes>>,
    /// Both clocks at the last request.
    used: (SystemTime, Duration),
}

impl Pool {
    /// Sends by the pool, or by a new one if the machine has slept: what it kept open is dead by then, and nobody has told it.
    ///
    /// While a machine sleeps or a function is frozen, its monotonic clock stands, by which idle connections are closed; the wall clock
    /// goes on. A wall clock that was set forward costs new connections, and no more. Open streams go on in the old pool.
    fn request(&self, request: Request<Full<Bytes>>) -> legacy::ResponseFuture {
        let mut pooling = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let (wall, awake) = pooling.used;
        let passed = now.duration_since(wall).unwrap_or_default();
        pooling.used = (now, monotonic);
        if passed.saturating_sub(monotonic.saturating_sub(awake)) > LONGEST_NAP {
            pooling.client = self.builder.build(self.calls.clone());
        }
        pooling.client.request(request)
    }
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
            http2: false,
            max_head_bytes: DEFAULT_MAX_HEAD_BYTES,
            max_headers: None,
            clock: Arc::new(SystemClock::default()),
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
        let url = request.uri().clone();
        let answer = self.0.request(request);
        Ok(whole(answer.await.map_err(|error| SendError::request(error, &self.place(&url)))?))
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
        let url = request.uri().clone();
        let answer = self.0.single.request(request).await;
        let mut answer = answer.map_err(|error| SendError::request(error, &self.place(&url)))?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Refused(whole(answer)));
        }
        let upgraded =
            hyper::upgrade::on(&mut answer).await.map_err(|error| SendError::lost(error.into(), &self.place(&url)))?;
        Ok(Upgrade::Switched(answer.map(|_| Upgraded::new(upgraded))))
    }

    /// Returns the number of connections made so far and of open ones, upgraded ones included.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let Count { made, open } = &*self.0.count;
        Connections { made: made.load(Ordering::Relaxed), open: open.load(Ordering::Relaxed) }
    }

    /// Returns the host and port of the proxy through which a URL is reached, if it is: never its user and password.
    #[must_use]
    pub fn proxy_of(&self, url: &Uri) -> Option<String> {
        let proxy = self.0.proxy.intercept(url)?;
        let authority = proxy.uri().authority()?.as_str();
        Some(authority.rsplit_once('@').map_or(authority, |(_, place)| place).to_owned())
    }

    /// Returns the host and port of a URL, and the proxy's, if it is reached through one.
    fn place(&self, url: &Uri) -> String {
        let host = place(url);
        match self.proxy_of(url) {
            Some(proxy) => format!("{host} through the proxy {proxy}"),
            None => host,
        }
    }

    /// Adds the user agent, if the request has none.
    fn set_user_agent(&self, headers: &mut HeaderMap) {
        headers.entry(USER_AGENT).or_insert_with(|| self.0.user_agent.clone());
    }

    fn check_roots(&self, url: &Uri) -> Result<(), SendError> {
        let encrypted = url.scheme() == Some(&Scheme::HTTPS);
        if encrypted && self.0.roots.as_ref().is_some_and(|roots| roots.is_empty()) {
            Err(SendError::no_roots())
        } else {
            Ok(())
        }
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
    http2: bool,
    max_head_bytes: usize,
    max_headers: Option<usize>,
    clock: Arc<dyn Clock>,
}

agentcore_core::setters! {
    impl TransportBuilder:

    /// Bounds resolving, connecting, the proxy's answer and the TLS handshake together. Default: 10 seconds. `None` leaves the bound
    /// to the operating system, which gives up after minutes.
    connect_timeout(timeout: impl Into<Option<Duration>>) => connect_timeout = timeout.into();

    /// Sets whether to trust the system's certificates (or those of `SSL_CERT_FILE`, `SSL_CERT_DIR`). Default: yes. Without them only
    /// [`root_certificates`](Self::root_certificates) are trusted. They are read once, before the first encrypted connection, which
    /// takes some milliseconds.
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

    /// Sets whether to offer HTTP/2 (RFC 9113) over TLS, besides HTTP/1.1; the server chooses. Upgrades stay HTTP/1.1. Default: off, because
    /// agents' answers are long streams of small events, and each is best off with a connection of its own.
    ///
    /// HTTP/2 saves handshakes where many short calls go to one host. Its limits: all calls to a host share one connection; more calls
    /// than the server allows at once (128 are common) wait for one to end, while their tokens and signatures age; a connection that
    /// dies takes all of its streams along; and an answer that is not read holds back up to 256 KiB in memory before its server must
    /// wait.
    http2(on: bool) => http2 = on;

    /// Bounds the bytes of an answer's head: its status and its headers. Default: 400 KiB. A lower bound is 8 KiB. It is also the most
    /// that is read at once over HTTP/1.1, so that a smaller one makes for more reads of long answers; over HTTP/2 each header counts for
    /// 32 bytes more (RFC 9113 §6.5.2).
    max_head_bytes(bytes: usize) => max_head_bytes = bytes.max(LEAST_HEAD_BYTES);

    /// Bounds the headers of an answer over HTTP/1.1. Default: 100, which are read without an allocation; HTTP/2 bounds their bytes alone.
    max_headers(headers: usize) => max_headers = Some(headers);

    /// Sets the clocks by which a machine's sleep is noticed, after which no kept connection is used. Default: the system's.
    clock(clock: impl Clock + 'static) => clock = Arc::new(clock);
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
        self.tls.client_certificate = Some((chain.into(), key.into().into()));
        self
    }

    /// Makes the transport, without a connection.
    ///
    /// # Errors
    /// If a certificate or a key cannot be read, if TLS settings exclude each other, if the user agent is no header value, or if the
    /// proxy's URL is not one; the error then names the variable that holds it.
    pub fn build(self) -> Result<Transport, Error> {
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::input("the user agent may hold only printable ASCII characters"))?;
        let (tls, roots) = self.tls.build()?;
        let proxy = ProxyRules::new(self.proxy, |name| env::var_os(name))?;
        let Routes { calls, upgrades, count, proxy } = Routes::new(&tls, proxy, self.connect_timeout, self.http2);
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.pool_idle_timeout.filter(|idle| *idle < ENDLESS))
            // Pings distinguish a silent agent from a lost connection: the server's HTTP/2 stack answers them.
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
            // h2 refuses what is as large.
            .http2_max_header_list_size(u32::try_from(self.max_head_bytes).unwrap_or(u32::MAX).saturating_add(1));
        let mut upgrading = Client::builder(TokioExecutor::new());
        upgrading.pool_max_idle_per_host(0);
        for builder in [&mut builder, &mut upgrading] {
            builder.http1_max_buf_size(self.max_head_bytes);
            if let Some(headers) = self.max_headers {
                builder.http1_max_headers(headers);
            }
        }
        let used = (self.clock.now(), self.clock.monotonic());
        let client = Mutex::new(Pooling { client: builder.build(calls.clone()), used });
        let single = upgrading.build(upgrades);
        let clock = self.clock;
        Ok(Transport(Arc::new(Pool { client, builder, calls, clock, single, user_agent, roots, count, proxy })))
    }
}

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_POOL_IDLE: Duration = Duration::from_secs(50);
const DEFAULT_USER_AGENT: &str = concat!("agentcore-rs/", env!("CARGO_PKG_VERSION"));
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// A service's heads have a few KiB; the bound is hyper's, but for HTTP/2 too.
const DEFAULT_MAX_HEAD_BYTES: usize = 400 * 1024;
/// hyper reads no less at once.
const LEAST_HEAD_BYTES: usize = 8 * 1024;
/// The largest that there is (RFC 9113 §6.9.1). Streams are held back by their own windows; and h2 ends a connection that brings many
/// small frames once they are more than its window has room for, which honest agents are not to meet.
const HTTP2_CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// What an unread stream may hold in memory. At 100 ms between client and server a stream brings 2.5 MB a second.
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;
/// Servers keep idle connections for longer, and clocks are seldom set by more.
const LONGEST_NAP: Duration = Duration::from_secs(5);
/// hyper-util adds the idle time to the clock, which must not overflow.
const ENDLESS: Duration = Duration::from_secs(u32::MAX as u64);

#[cfg(test)]
mod tests;
