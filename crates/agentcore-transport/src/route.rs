//! Connecting to a host: TCP, a proxy if there is one, and TLS, within one timeout. Knows nothing of requests.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use agentcore_core::BoxError;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{
    metered::{Count, Metered},
    send_error::{ConnectTimeout, UnsupportedProxy},
};

type Tcp = TokioIo<TcpStream>;
type ConnectFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A connection with or without TLS, through a proxy (with or without TLS) or not.
type Stream = Metered<MaybeHttpsStream<MaybeHttpsStream<Tcp>>>;

/// The connectors, by protocol.
pub(crate) struct Routes {
    /// HTTP/1.1 or HTTP/2, by the server's choice (ALPN).
    pub(crate) any: Bounded,
    /// HTTP/1.1 alone.
    pub(crate) http1: Bounded,
    pub(crate) count: Arc<Count>,
}

impl Routes {
    pub(crate) fn new(tls: &ClientConfig, matcher: Matcher, timeout: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let https = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let to_proxy = https().enable_http1().wrap_connector(tcp.clone());
        let route = Route { tcp, to_proxy, matcher: Arc::new(matcher) };
        let count = Arc::new(Count::default());
        let any = https().enable_all_versions().wrap_connector(route.clone());
        let http1 = https().enable_http1().wrap_connector(route);
        Self {
            any: Bounded { https: any, timeout, count: count.clone() },
            http1: Bounded { https: http1, timeout, count: count.clone() },
            count,
        }
    }
}

/// Connects directly, or through the proxy that the settings name for a host.
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

/// Bounds the time until a connection can be used.
#[derive(Clone)]
pub(crate) struct Bounded {
    https: HttpsConnector<Route>,
    timeout: Option<Duration>,
    count: Arc<Count>,
}

impl Service<Uri> for Bounded {
    type Response = Stream;
    type Error = BoxError;
    type Future = ConnectFuture<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let (timeout, count) = (self.timeout, self.count.clone());
        Box::pin(async move {
            let stream = match timeout {
                Some(bound) => tokio::time::timeout(bound, connecting).await.map_err(|_| ConnectTimeout(bound))??,
                None => connecting.await?,
            };
            Ok(Metered::new(stream, count))
        })
    }
}

const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
