//! The listener on loopback and the connections it accepts. Breaks a connection when told to; knows nothing of HTTP.

mod certificate;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) use certificate::Certificate;

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
        let service = router.into_make_service_with_connect_info::<KillSwitch>();
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
    switches: Vec<KillSwitch>,
    is_closed: bool,
}

impl Connections {
    fn add(&self, stream: impl Duplex + 'static) -> Connection {
        let (sender, fate) = oneshot::channel();
        let switch = KillSwitch(Arc::new(Mutex::new(Some(sender))));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.switches.retain(KillSwitch::is_live);
        if open.is_closed {
            switch.close();
        } else {
            open.switches.push(switch.clone());
        }
        Connection { stream: Box::new(stream), fate: Some(fate), switch }
    }

    fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_closed = true;
        open.switches.drain(..).for_each(|switch| switch.close());
    }
}

/// Breaks one connection from outside.
#[derive(Clone, Debug)]
pub(crate) struct KillSwitch(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl KillSwitch {
    /// Resets the connection: the peer sees an error, not an end.
    pub(crate) fn reset(&self) {
        if let Some(sender) = self.take() {
            // The receiver is gone only if the connection is.
            let _ = sender.send(());
        }
    }

    /// Closes the connection, whatever it is in the middle of.
    fn close(&self) {
        drop(self.take());
    }

    fn is_live(&self) -> bool {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    fn take(&self) -> Option<oneshot::Sender<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Connected<IncomingStream<'_, Acceptor>> for KillSwitch {
    fn connect_info(stream: IncomingStream<'_, Acceptor>) -> Self {
        stream.io().switch.clone()
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

/// A connection that can be broken by its [`KillSwitch`].
struct Connection {
    stream: Box<dyn Duplex>,
    /// `None` once the connection is broken.
    fate: Option<oneshot::Receiver<()>>,
    switch: KillSwitch,
}

impl Connection {
    /// Gives the stream while the connection stands, and wakes the caller when it no longer does.
    fn standing(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut dyn Duplex>> {
        if let Some(fate) = &mut self.fate {
            match Pin::new(fate).poll(cx) {
                Poll::Pending => {}
                Poll::Ready(told) => {
                    self.fate = None;
                    if told.is_ok() {
                        // Closing a socket that lingers for no time sends a reset in place of an end.
                        self.stream.tcp().set_zero_linger()?;
                    }
                }
            }
        }
        if self.fate.is_none() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut *self.stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.standing(cx)?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.standing(cx)?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.standing(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.standing(cx)?.poll_shutdown(cx)
    }
}

/// A byte stream over TCP, in the clear or not.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Duplex for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Duplex for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

#[cfg(test)]
mod tests;
