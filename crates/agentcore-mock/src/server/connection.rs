//! A TCP connection that can be reset, muted or closed from outside. Knows no protocol above it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::lock::lock;

/// Controls one connection from outside.
#[derive(Clone, Default)]
pub(crate) struct ConnectionControl(Arc<Mutex<State>>);

impl ConnectionControl {
    /// Resets the connection: the peer sees an error, not an end.
    pub(crate) fn reset(&self) {
        self.set(Mode::Reset);
    }

    /// Reads nothing more from the peer.
    pub(crate) fn stop_reading(&self) {
        self.set(Mode::ReadStopped);
    }

    /// Sends nothing more, and discards all input until the peer ends the connection.
    ///
    /// Every pending read or write waits for that end.
    pub(crate) fn discard(&self) {
        self.set(Mode::Discarding);
    }

    /// Shuts down the write half, and [discards](Self::discard) all input, so that what was sent reaches a peer that is
    /// still sending.
    pub(crate) fn shut_down_write(&self) {
        self.set(Mode::HalfClosed);
    }

    /// Passes every byte that is read from now on to an observer.
    pub(crate) fn observe(&self, observer: impl FnMut(&[u8]) + Send + 'static) {
        self.state().observer = Some(Box::new(observer));
    }

    /// Closes the connection at once.
    pub(super) fn close(&self) {
        self.set(Mode::Closed);
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().mode != Mode::Closed
    }

    /// Sets the mode; a closed connection stays closed.
    fn set(&self, mode: Mode) {
        let mut state = self.state();
        if state.mode != Mode::Closed {
            state.mode = mode;
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

#[derive(Default)]
struct State {
    mode: Mode,
    /// The waker of the task that drives the connection.
    waker: Option<Waker>,
    observer: Option<Observer>,
}

/// Receives the bytes that are read.
type Observer = Box<dyn FnMut(&[u8]) + Send>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Open,
    ReadStopped,
    Discarding,
    HalfClosed,
    /// The task that drives the connection resets it.
    Reset,
    Closed,
}

/// A connection under its [`ConnectionControl`].
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    control: ConnectionControl,
}

impl Connection {
    pub(super) fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), control: ConnectionControl::default() }
    }

    pub(super) fn control(&self) -> &ConnectionControl {
        &self.control
    }

    /// Returns the mode, resets the connection if it is `Reset`, and wakes the caller when the mode changes.
    fn mode(&mut self, cx: &mut Context<'_>) -> io::Result<Mode> {
        let mut state = self.control.state();
        state.waker = Some(cx.waker().clone());
        match state.mode {
            Mode::Reset => {
                state.mode = Mode::Closed;
                // Closing a socket with a linger time of zero sends RST in place of FIN.
                self.stream.tcp().set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Mode::Closed => Err(io::ErrorKind::ConnectionReset.into()),
            mode => Ok(mode),
        }
    }

    /// Polls the stream, or discards all input in the modes that do so.
    fn poll_or_discard<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut dyn Stream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.mode(cx)? {
            Mode::Discarding => {}
            // A second shutdown does nothing.
            Mode::HalfClosed => drop(self.stream().poll_shutdown(cx)),
            _ => return poll(self.stream(), cx),
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

    fn stream(&mut self) -> Pin<&mut dyn Stream> {
        Pin::new(&mut *self.stream)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.control.close();
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.mode(cx)? == Mode::ReadStopped {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(self.poll_or_discard(cx, |stream, cx| stream.poll_read(cx, buf)))?;
        if let Some(observer) = &mut self.control.state().observer {
            observer(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_or_discard(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_or_discard(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_or_discard(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

/// A byte stream over TCP, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}
