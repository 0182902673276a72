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

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
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
    /// Serves until the server is dropped.
    pub(crate) fn start(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) -> Self {
        let connections = Arc::new(Connections { accepted: AtomicUsize::new(0), open: Mutex::new(Some(Vec::new())) });
        let acceptor = Acceptor { listener, tls, handshakes: JoinSet::new(), connections: connections.clone() };
        let service = router.into_make_service_with_connect_info::<ConnectionControl>();
        let task = tokio::spawn(async move {
            // The listener never ends, and so neither does this future.
            let _ = axum::serve(acceptor, service).await;
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

impl Connected<IncomingStream<'_, Acceptor>> for ConnectionControl {
    fn connect_info(stream: IncomingStream<'_, Acceptor>) -> Self {
        stream.io().control().clone()
    }
}

/// Accepts connections, and runs their TLS handshakes concurrently so that a slow one delays no other.
struct Acceptor {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<io::Result<(TlsStream<TcpStream>, SocketAddr)>>,
    connections: Arc<Connections>,
}

impl Listener for Acceptor {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            tokio::select! {
                // axum's own accepting, which waits a second where no file descriptor is left.
                (stream, peer) = Listener::accept(&mut self.listener) => {
                    self.connections.accepted.fetch_add(1, Ordering::Relaxed);
                    // A stream of words is many small writes. Without the option it is only slower.
                    let _ = stream.set_nodelay(true);
                    match self.tls.clone() {
                        Some(tls) => {
                            self.handshakes.spawn(async move { Ok((tls.accept(stream).await?, peer)) });
                        }
                        None => return (self.connections.add(stream), peer),
                    }
                }
                Some(handshake) = self.handshakes.join_next() => {
                    if let Ok(Ok((stream, peer))) = handshake {
                        return (self.connections.add(stream), peer);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests;
