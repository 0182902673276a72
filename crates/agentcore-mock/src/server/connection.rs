//! One connection, and the switch by which it is broken or muted in the middle of whatever it carries. Knows nothing of that.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// Decides from outside what becomes of one connection.
#[derive(Clone, Default)]
pub(crate) struct Switch(Arc<Mutex<Control>>);

impl Switch {
    /// Resets the connection: the peer sees an error, not an end.
    pub(crate) fn reset(&self) {
        self.decide(Fate::Reset);
    }

    /// Reads nothing more from the peer.
    pub(crate) fn deafen(&self) {
        self.decide(Fate::Deaf);
    }

    /// Says nothing more to the peer, and throws away what it says until it ends the connection.
    ///
    /// Whoever waits for the connection in any way, waits for that end.
    pub(crate) fn silence(&self) {
        self.decide(Fate::Silent);
    }

    /// Ends the half of the connection that goes to the peer, and reads the other half to its end in
    /// [silence](Self::silence), so that the last words reach a peer that is still talking.
    pub(crate) fn linger(&self) {
        self.decide(Fate::Lingering);
    }

    /// Shows a tap every byte that is read from here on.
    pub(crate) fn tap(&self, tap: impl FnMut(&[u8]) + Send + 'static) {
        self.control().tap = Some(Box::new(tap));
    }

    /// Closes the connection, whatever it is in the middle of.
    pub(super) fn close(&self) {
        self.decide(Fate::Closed);
    }

    pub(super) fn is_live(&self) -> bool {
        self.control().fate != Fate::Closed
    }

    /// A connection that is closed stays so.
    fn decide(&self, fate: Fate) {
        let mut control = self.control();
        if control.fate != Fate::Closed {
            control.fate = fate;
        }
        let waker = control.waker.take();
        drop(control);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Control {
    fate: Fate,
    /// Of the task that drives the connection.
    waker: Option<Waker>,
    tap: Option<Tap>,
}

/// Is shown the bytes that are read.
type Tap = Box<dyn FnMut(&[u8]) + Send>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Standing,
    Deaf,
    Silent,
    Lingering,
    /// To be reset by the task that drives the connection.
    Reset,
    Closed,
}

/// A connection that obeys its [`Switch`].
pub(crate) struct Connection {
    stream: Box<dyn Duplex>,
    switch: Switch,
}

impl Connection {
    pub(super) fn new(stream: impl Duplex + 'static) -> Self {
        Self { stream: Box::new(stream), switch: Switch::default() }
    }

    pub(super) fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Gives the connection's fate, resets it if that is the fate, and wakes the caller when another is decided.
    fn fate(&mut self, cx: &mut Context<'_>) -> io::Result<Fate> {
        let mut control = self.switch.control();
        control.waker = Some(cx.waker().clone());
        match control.fate {
            Fate::Reset => {
                control.fate = Fate::Closed;
                // Closing a socket that lingers for no time sends a reset in place of an end.
                self.stream.tcp().set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Fate::Closed => Err(io::ErrorKind::ConnectionReset.into()),
            fate => Ok(fate),
        }
    }

    /// Does something with the stream while the connection speaks, and only drains it once it does not.
    fn poll_speaking<T>(
        &mut self,
        cx: &mut Context<'_>,
        speak: impl FnOnce(Pin<&mut dyn Duplex>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.fate(cx)? {
            Fate::Silent => {}
            // A stream that is shut down already has nothing against it.
            Fate::Lingering => drop(self.stream().poll_shutdown(cx)),
            _ => return speak(self.stream(), cx),
        }
        let mut discarded = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut discarded);
            ready!(self.stream().poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn stream(&mut self) -> Pin<&mut dyn Duplex> {
        Pin::new(&mut *self.stream)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.switch.close();
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.fate(cx)? == Fate::Deaf {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(self.poll_speaking(cx, |stream, cx| stream.poll_read(cx, buf)))?;
        if let Some(tap) = &mut self.switch.control().tap {
            tap(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_speaking(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_speaking(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_speaking(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

/// A byte stream over TCP, in the clear or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {
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
