//! The listener on loopback and the connections it accepts. Knows nothing of HTTP.

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
pub(crate) use connection::Switch;
use connection::{Connection, Duplex};

/// A bound port, not yet served.
pub(crate) struct Socket {
    listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Binds a port of 127.0.0.1, 0 for any free one.
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
        let service = router.into_make_service_with_connect_info::<Switch>();
        let task = tokio::spawn(async move {
            // The listener never ends by itself, and so neither does this future.
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
    /// The TCP connections accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.connections.accepted.load(Ordering::Relaxed)
    }

    /// The TCP connections that are open.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        let open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.switches.iter().filter(|switch| switch.is_live()).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.connections.close();
    }
}

/// The connections of a server, so that dropping it leaves none behind.
///
/// The HTTP server runs each connection in a task of its own, which outlives the one that accepts.
#[derive(Default)]
struct Connections {
    accepted: AtomicUsize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    switches: Vec<Switch>,
    is_closed: bool,
}

impl Connections {
    fn add(&self, stream: impl Duplex + 'static) -> Connection {
        let connection = Connection::new(stream);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.switches.retain(Switch::is_live);
        if open.is_closed {
            connection.switch().close();
        } else {
            open.switches.push(connection.switch().clone());
        }
        connection
    }

    fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_closed = true;
        open.switches.drain(..).for_each(|switch| switch.close());
    }
}

impl Connected<IncomingStream<'_, Acceptor>> for Switch {
    fn connect_info(stream: IncomingStream<'_, Acceptor>) -> Self {
        stream.io().switch().clone()
    }
}

/// Accepts connections, and shakes hands with several at once so that a slow one keeps nobody waiting.
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
                        // Out of file descriptors, most likely: one second lets others close theirs.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        continue;
                    };
                    self.connections.accepted.fetch_add(1, Ordering::Relaxed);
                    // Small writes are the point of a stream of words; a refusal only costs time.
                    let _ = stream.set_nodelay(true);
                    match self.tls.clone() {
                        Some(tls) => {
                            self.handshakes.spawn(async move { tls.accept(stream).await });
                        }
                        None => return (self.connections.add(stream), self.address),
                    }
                }
                Some(shaken) = self.handshakes.join_next() => {
                    if let Ok(Ok(stream)) = shaken {
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
