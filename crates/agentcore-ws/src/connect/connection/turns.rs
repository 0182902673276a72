//! Reads in turns, so that a peer that never pauses leaves time for everything else. Alters nothing.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is not ready, for once, after so many bytes.
///
/// The WebSocket library reads on until there is a whole message. Of fragments and pings there may be millions before one, and
/// meanwhile neither a close nor a timeout would have its turn.
#[derive(Debug)]
pub(super) struct Turns<S> {
    connection: S,
    /// What was read in this turn.
    read: usize,
}

impl<S> Turns<S> {
    pub(super) fn new(connection: S) -> Self {
        Self { connection, read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Turns<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read >= TURN_BYTES {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.connection).poll_read(cx, buf);
        self.read = if polled.is_pending() { 0 } else { self.read + (buf.filled().len() - before) };
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Turns<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}

/// 32,000 empty fragments, which take some milliseconds to read.
const TURN_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, repeat};

    use super::*;

    #[tokio::test]
    async fn a_turn_ends_after_so_many_bytes() -> io::Result<()> {
        let mut turns = Turns::new(repeat(0));
        let mut bytes = vec![0; 1000];
        let mut read = 0;
        poll_fn(|cx| {
            let mut buf = ReadBuf::new(&mut bytes);
            let polled = Pin::new(&mut turns).poll_read(cx, &mut buf);
            read += buf.filled().len();
            if polled.is_pending() {
                Poll::Ready(())
            } else {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        assert_eq!(read, 66_000, "the first thousand at which 65,536 are reached");
        // It goes on by itself.
        turns.read_exact(&mut [0; 200_000]).await.map(drop)
    }
}
