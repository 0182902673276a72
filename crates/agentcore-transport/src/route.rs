//! Connecting to a host: TCP, a proxy if there is one, and TLS, within one timeout. Knows nothing of requests.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use agentcore_core::BoxError;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{
    metered::{Count, Metered, Socket},
    proxy::ProxyRules,
    send_error::ConnectTimeout,
    shared_place::SharedPlaces,
};

type Tcp = TokioIo<TcpStream>;
type ConnectFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A connection with or without TLS, through a proxy (with or without TLS) or not.
fn socket(stream: MaybeHttpsStream<MaybeHttpsStream<Tcp>>) -> Box<dyn Socket> {
    match stream {
        MaybeHttpsStream::Http(MaybeHttpsStream::Http(tcp)) => Box::new(tcp),
        other => Box::new(other),
    }
}

/// The connectors, by protocol.
pub(crate) struct Routes {
    /// HTTP/1.1, or HTTP/2 if it is wanted and the server chooses it (ALPN, RFC 7301).
    pub(crate) calls: Bounded,
    /// HTTP/1.1 alone.
    pub(crate) upgrades: Bounded,
    pub(crate) count: Arc<Count>,
    pub(crate) proxy: Arc<ProxyRules>,
}

impl Routes {
    pub(crate) fn new(tls: &ClientConfig, proxy: ProxyRules, timeout: Option<Duration>, http2: bool) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let with = |protocols: &[&[u8]]| {
            let mut tls = tls.clone();
            tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            tls
        };
        let http1 = Arc::new(with(&[b"http/1.1"]));
        let to_proxy = HttpsConnector::from((tcp.clone(), http1.clone()));
        let proxy = Arc::new(proxy);
        let route = Route { tcp, to_proxy, proxy: proxy.clone() };
        let count = Arc::new(Count::default());
        let bounded = |tls: Arc<ClientConfig>, places| {
            let https = HttpsConnector::from((route.clone(), tls));
            Bounded { https, timeout, count: count.clone(), places }
        };
        let calls = if http2 { Arc::new(with(&[b"h2", b"http/1.1"])) } else { http1.clone() };
        let places = http2.then(SharedPlaces::default);
        Self { calls: bounded(calls, places), upgrades: bounded(http1, None), count, proxy }
    }
}

/// Connects directly, or through the proxy that the settings name for a host.
#[derive(Clone)]
struct Route {
    tcp: HttpConnector,
    to_proxy: HttpsConnector<HttpConnector>,
    proxy: Arc<ProxyRules>,
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
        let Some(proxy) = self.proxy.intercept(&uri) else {
            let connecting = self.tcp.call(uri);
            return Box::pin(async { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        };
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
    /// Where connections of HTTP/2 may be made.
    places: Option<SharedPlaces>,
}

impl Service<Uri> for Bounded {
    type Response = Metered;
    type Error = BoxError;
    type Future = ConnectFuture<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let place = self.places.as_ref().map(|places| places.of(&uri));
        let connecting = self.https.call(uri);
        let (timeout, count) = (self.timeout, self.count.clone());
        let connecting = async move {
            let Some(place) = place else { return Ok(Metered::new(socket(connecting.await?), count)) };
            let connect = async {
                let stream = socket(connecting.await?);
                let is_shared = stream.connected().is_negotiated_h2();
                Ok::<_, BoxError>((stream, is_shared))
            };
            let (stream, open) = place.make(connect).await?;
            Ok(Metered::new(stream, count).shared(open))
        };
        Box::pin(async move {
            match timeout {
                Some(bound) => tokio::time::timeout(bound, connecting).await.map_err(|_| ConnectTimeout(bound))?,
                None => connecting.await,
            }
        })
    }
}

const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
