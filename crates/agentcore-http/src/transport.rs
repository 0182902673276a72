//! The sockets: TCP, TLS, proxies, HTTP/1.1 and HTTP/2, pooled. Follows no redirect, decodes no content coding, logs nothing.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use agentcore_auth::{BoxError, BoxFuture, Exchange};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::{
            Client,
            connect::{HttpConnector, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{
    Error, ErrorKind,
    dispatch::{Body, Dispatch, Undelivered},
};

/// A pool of connections. Cheap to clone; clones share the pool.
///
/// One transport serves any number of clients and targets. Over TLS it speaks HTTP/2 where the server does (ALPN) and
/// HTTP/1.1 otherwise; connections are kept alive for 60 idle seconds.
#[derive(Clone)]
pub struct Transport(Arc<Pool>);

struct Pool {
    client: Client<Bounded, Full<Bytes>>,
    trusts_nobody: bool,
}

impl Transport {
    /// Settings for a transport; the defaults suit the service.
    #[must_use]
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            connect_timeout: Some(DEFAULT_CONNECT_TIMEOUT),
            system_roots: true,
            root_certificates: Vec::new(),
            proxy: Proxy::Environment,
        }
    }
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
    system_roots: bool,
    root_certificates: Vec<Vec<u8>>,
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
        self.root_certificates.push(pem.into());
        self
    }

    /// Whether to trust the system's certificates (or those of `SSL_CERT_FILE`, `SSL_CERT_DIR`). Default: yes; without them only
    /// [`root_certificates`](Self::root_certificates) count.
    #[must_use]
    pub fn system_roots(mut self, trusted: bool) -> Self {
        self.system_roots = trusted;
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
    /// If a root certificate is not PEM.
    pub fn build(self) -> Result<Transport, Error> {
        let roots = self.roots()?;
        let trusts_nobody = roots.is_empty();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::input("the TLS settings contradict each other").caused_by(error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let to_proxy = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp.clone());
        let matcher = match self.proxy {
            Proxy::Environment => Matcher::from_env(),
            Proxy::None => Matcher::builder().build(),
            Proxy::Url { url, except } => Matcher::builder().https(url).no(except).build(),
        };
        let route = Route { tcp, to_proxy, matcher: Arc::new(matcher) };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(route);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            // A silent agent must not look like a dead connection: pings are answered by the peer's HTTP/2 stack.
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .http2_adaptive_window(true)
            .build(Bounded { https, timeout: self.connect_timeout });
        Ok(Transport(Arc::new(Pool { client, trusts_nobody })))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        if self.system_roots {
            // What cannot be parsed is skipped, as every TLS library does with a system's store.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let not_pem = |error: BoxError| Error::input("a root certificate is not PEM").caused_by(error);
        for pem in &self.root_certificates {
            let before = store.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| not_pem(error.to_string().into()))?;
                store.add(certificate).map_err(|error| not_pem(error.into()))?;
            }
            if store.len() == before {
                return Err(Error::input("a root certificate is not PEM: there is no certificate in it"));
            }
        }
        Ok(store)
    }
}

/// How to get out to `https` endpoints. Plaintext goes to loopback and local containers only, and never through a proxy.
#[derive(Clone)]
#[non_exhaustive]
pub enum Proxy {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, but not for the hosts in `NO_PROXY` (in small letters too), read when the transport is
    /// built.
    Environment,
    /// Directly, whatever the environment says.
    None,
    /// Through this one.
    Url {
        /// `http://[USER:PASSWORD@]HOST:PORT`, or `https://` for a proxy that speaks TLS itself.
        url: String,
        /// Hosts, domains and networks to reach directly, separated by commas, as in `NO_PROXY`.
        except: String,
    },
}

/// Does not show the URL, which may hold a password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            Self::Url { .. } => "Url(…)",
        })
    }
}

impl Dispatch for Transport {
    fn dispatch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, Undelivered>> {
        Box::pin(async move {
            if self.0.trusts_nobody && request.uri().scheme_str() == Some("https") {
                return Err(Undelivered {
                    kind: ErrorKind::Unavailable,
                    message: "no trusted root certificates were found on this system".into(),
                    sent: false,
                    lasting: true,
                    source: None,
                });
            }
            let answer = self.0.client.request(request.map(Full::new)).await.map_err(undelivered)?;
            Ok(answer.map(|body| body.map_err(BoxError::from).boxed_unsync()))
        })
    }
}

/// The port of `agentcore-auth`: small answers, 30 seconds, no retries.
impl Exchange for Transport {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        Box::pin(async move {
            let whole = async {
                let answer = self.0.client.request(request.map(Full::new)).await?;
                let (head, body) = answer.into_parts();
                let body = Limited::new(body, MAX_EXCHANGE_BYTES).collect().await?;
                Ok(Response::from_parts(head, body.to_bytes()))
            };
            tokio::time::timeout(EXCHANGE_TIMEOUT, whole).await?
        })
    }
}

/// Tells how far a request came that was not answered.
fn undelivered(error: hyper_util::client::legacy::Error) -> Undelivered {
    let mut lasting = false;
    let mut timed_out = false;
    let mut canceled = false;
    let mut layer: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(cause) = layer {
        timed_out |= cause.is::<ConnectTimeout>();
        lasting |= cause.is::<UnsupportedProxy>() || cause.downcast_ref::<rustls::Error>().is_some_and(is_lasting);
        canceled |= cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        // The source of an `io::Error` is its inner error's source: the inner error itself would be passed over.
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        layer = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source());
    }
    // `Canceled` is hyper's word for a request that was still in the queue when its connection closed.
    let sent = !error.is_connect() && !canceled;
    let (kind, message) = match (timed_out, sent) {
        (true, _) => (ErrorKind::Timeout, "could not connect in time"),
        (false, false) => (ErrorKind::Unavailable, "could not connect"),
        (false, true) => (ErrorKind::Unavailable, "the connection was lost before an answer came"),
    };
    Undelivered { kind, message: message.into(), sent, lasting, source: Some(error.into()) }
}

/// A refused certificate stays refused; other handshake failures may be a passing fault.
fn is_lasting(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::UnsupportedNameType)
}

type Tcp = TokioIo<TcpStream>;
type ConnectFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Connects directly or through the proxy that the settings name for a host.
#[derive(Clone)]
struct Route {
    tcp: HttpConnector,
    to_proxy: HttpsConnector<HttpConnector>,
    matcher: Arc<Matcher>,
}

impl Service<Uri> for Route {
    type Response = MaybeHttpsStream<Tcp>;
    type Error = BoxError;
    type Future = ConnectFuture<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        ready!(self.tcp.poll_ready(cx))?;
        self.to_proxy.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let encrypted = uri.scheme_str() == Some("https");
        let Some(proxy) = self.matcher.intercept(&uri).filter(|_| encrypted) else {
            let connecting = self.tcp.call(uri);
            return Box::pin(async { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        };
        if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) {
            return Box::pin(async { Err(UnsupportedProxy.into()) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.to_proxy.clone());
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        Box::pin(async move { Ok(tunnel.call(uri).await?) })
    }
}

/// Bounds the whole way to a usable connection.
#[derive(Clone)]
struct Bounded {
    https: HttpsConnector<Route>,
    timeout: Option<Duration>,
}

impl Service<Uri> for Bounded {
    type Response = MaybeHttpsStream<MaybeHttpsStream<Tcp>>;
    type Error = BoxError;
    type Future = ConnectFuture<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let Some(bound) = self.timeout else { return connecting };
        Box::pin(async move { tokio::time::timeout(bound, connecting).await.map_err(|_| ConnectTimeout(bound))? })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", .0.as_secs_f32())]
struct ConnectTimeout(Duration);

#[derive(Debug, thiserror::Error)]
#[error("the proxy's URL must begin with http:// or https://")]
struct UnsupportedProxy;

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
const POOL_IDLE: Duration = Duration::from_secs(60);
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_EXCHANGE_BYTES: usize = 1024 * 1024;
