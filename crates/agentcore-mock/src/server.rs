//! The listener on loopback and the connections that it accepts. Knows no routes.

mod certificate;
mod connection;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
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

/// A bound port that is not served yet.
pub(crate) struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl BoundListener {
    /// Binds a port of 127.0.0.1; 0 is any free one.
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the server is dropped.
    pub(crate) fn serve(self, tls: Option<TlsAcceptor>, router: Router) -> Server {
        let connections = Arc::new(Connections::default());
        let acceptor = Acceptor {
            listener: self.listener,
            address: self.address,
            tls,
            handshakes: JoinSet::new(),
            connections: connections.clone(),
        };
        let service = router.into_make_service_with_connect_info::<ConnectionControl>();
        let task = tokio::spawn(async move {
            // The listener never ends, and so neither does this future.
            let _ = axum::serve(acceptor, service).await;
        });
        Server { connections, task }
    }
}

/// A running server. Dropping it closes the port and every connection.
pub(crate) struct Server {
    connections: Arc<Connections>,
    task: JoinHandle<()>,
}

impl Server {
    /// Returns the number of TCP connections accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.connections.accepted.load(Ordering::Relaxed)
    }

    /// Returns the number of TCP connections that are open.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        let open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.controls.iter().filter(|control| control.is_open()).count()
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
#[derive(Default)]
struct Connections {
    accepted: AtomicUsize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    controls: Vec<ConnectionControl>,
    is_closed: bool,
}

impl Connections {
    fn add(&self, stream: impl Stream + 'static) -> Connection {
        let connection = Connection::new(stream);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.controls.retain(ConnectionControl::is_open);
        if open.is_closed {
            connection.control().close();
        } else {
            open.controls.push(connection.control().clone());
        }
        connection
    }

    fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_closed = true;
        open.controls.drain(..).for_each(|control| control.close());
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
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<io::Result<TlsStream<TcpStream>>>,
    connections: Arc<Connections>,
}

impl Listener for Acceptor {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Most likely no file descriptor is left: in a second other connections may close.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        continue;
                    };
                    self.connections.accepted.fetch_add(1, Ordering::Relaxed);
                    // A stream of words is many small writes. Without the option it is only slower.
                    let _ = stream.set_nodelay(true);
                    match self.tls.clone() {
                        Some(tls) => {
                            self.handshakes.spawn(async move { tls.accept(stream).await });
                        }
                        None => return (self.connections.add(stream), self.address),
                    }
                }
                Some(handshake) = self.handshakes.join_next() => {
                    if let Ok(Ok(stream)) = handshake {
                        return (self.connections.add(stream), self.address);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests;
