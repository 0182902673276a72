//! The listener on loopback and the connections that it accepts. Knows no routes.

mod certificate;
mod connection;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Extension, Router, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) use certificate::Certificate;
pub(crate) use connection::ConnectionControl;
use connection::{Connection, Stream};

use crate::lock::lock;

/// Binds a port of 127.0.0.1, of which 0 is any free one, and returns its address too.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A running server. Dropping it closes the port and every connection.
pub(crate) struct Server {
    connections: Arc<Connections>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves until the server is dropped, at most so many HTTP/2 streams of a connection at once.
    pub(crate) fn start(listener: TcpListener, tls: Option<TlsAcceptor>, max_streams: u32, router: Router) -> Self {
        let connections = Arc::new(Connections { accepted: AtomicUsize::new(0), open: Mutex::new(Some(Vec::new())) });
        let mut acceptor = Acceptor { listener, tls, handshakes: JoinSet::new(), connections: connections.clone() };
        let mut http = Builder::new(TokioExecutor::new());
        http.http2().max_concurrent_streams(max_streams);
        let task = tokio::spawn(async move {
            loop {
                let connection = acceptor.accept().await;
                let routes = router.clone().layer(Extension(connection.control().clone()));
                let http = http.clone();
                tokio::spawn(async move {
                    let service = TowerToHyperService::new(routes);
                    // Nobody is told of a connection that breaks.
                    let _ = http.serve_connection_with_upgrades(TokioIo::new(connection), service).await;
                });
            }
        });
        Self { connections, task }
    }

    /// Returns the number of TCP connections accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.connections.accepted.load(Ordering::Relaxed)
    }

    /// Returns the number of TCP connections that are open.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        let open = lock(&self.connections.open);
        open.iter().flatten().filter(|control| control.is_open()).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.connections.close();
    }
}

/// The connections of a server, which closes all of them when it is dropped.
///
/// The HTTP server runs each connection in a task of its own, which outlives the accepting task.
struct Connections {
    accepted: AtomicUsize,
    /// The open ones, or `None` once all are to be closed.
    open: Mutex<Option<Vec<ConnectionControl>>>,
}

impl Connections {
    fn add(&self, stream: impl Stream + 'static) -> Connection {
        let connection = Connection::new(stream);
        match &mut *lock(&self.open) {
            Some(open) => {
                open.retain(ConnectionControl::is_open);
                open.push(connection.control().clone());
            }
            None => connection.control().close(),
        }
        connection
    }

    fn close(&self) {
        let open = lock(&self.open).take();
        open.into_iter().flatten().for_each(|control| control.close());
    }
}

/// Accepts connections, and runs their TLS handshakes concurrently so that a slow one delays no other.
struct Acceptor {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<io::Result<TlsStream<TcpStream>>>,
    connections: Arc<Connections>,
}

impl Acceptor {
    async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                // axum's own accepting, which waits a second where no file descriptor is left.
                (stream, _) = Listener::accept(&mut self.listener) => {
                    self.connections.accepted.fetch_add(1, Ordering::Relaxed);
                    // A stream of words is many small writes. Without the option it is only slower.
                    let _ = stream.set_nodelay(true);
                    match self.tls.clone() {
                        Some(tls) => {
                            self.handshakes.spawn(async move { tls.accept(stream).await });
                        }
                        None => return self.connections.add(stream),
                    }
                }
                Some(handshake) = self.handshakes.join_next() => {
                    if let Ok(Ok(stream)) = handshake {
                        return self.connections.add(stream);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
