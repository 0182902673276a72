//! A connection that is counted while it is open, and read in turns. Changes no byte.
//!
//! A peer that never pauses may send what is read on and on within one poll: interim answers before an answer, fragments and pings
//! before a message. A turn ends after some reads, so that timeouts and everything else have theirs.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

use tokio::sync::watch;

use crate::forward_write::forward_write;

/// The number of connections that were made, and that are open.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) made: AtomicU64,
    pub(crate) open: AtomicU64,
}

/// What a connection is made of. In a box, because a connection's task is moved, and plaintext needs a tenth of what TLS does.
pub(crate) trait Socket: Read + Write + Connection + Unpin + Send {}

impl<S: Read + Write + Connection + Unpin + Send> Socket for S {}

pub(crate) struct Metered {
    stream: Box<dyn Socket>,
    count: Arc<Count>,
    /// Lives as long as the connection does, where calls share it.
    _open: Option<watch::Sender<()>>,
    /// How often was read in this turn.
    reads: u32,
}

impl Metered {
    pub(crate) fn new(stream: Box<dyn Socket>, count: Arc<Count>) -> Self {
        count.made.fetch_add(1, Ordering::Relaxed);
        count.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, count, _open: None, reads: 0 }
    }

    /// Tells others by this that the connection is open.
    pub(crate) fn shared(mut self, open: Option<watch::Sender<()>>) -> Self {
        self._open = open;
        self
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.count.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection for Metered {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl Read for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.reads == TURN {
            self.reads = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.reads = if polled.is_pending() { 0 } else { self.reads + 1 };
        polled
    }
}

impl Write for Metered {
    forward_write!(stream);
}

/// Reads in a turn, of at most 400 KiB each, and commonly of much less.
const TURN: u32 = 4;

#[cfg(test)]
mod tests {
    use hyper::rt::ReadBuf;

    use super::*;

    /// A peer that sends without an end and reads everything.
    struct Endless;

    impl Connection for Endless {
        fn connected(&self) -> Connected {
            Connected::new()
        }
    }

    impl Read for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
            buf.put_slice(b"x");
            Poll::Ready(Ok(()))
        }
    }

    impl Write for Endless {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A peer that never pauses is read four times, and then goes on by itself after everything else had its turn.
    #[tokio::test]
    async fn a_turn_ends() {
        let mut stream = Metered::new(Box::new(Endless), Arc::default());
        let mut turns = Vec::new();
        let mut reads = 0;
        std::future::poll_fn(|cx| {
            let mut bytes = [0; 64];
            while Pin::new(&mut stream).poll_read(cx, ReadBuf::new(&mut bytes).unfilled()).is_ready() {
                reads += 1;
            }
            turns.push(reads);
            if turns.len() < 3 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        assert_eq!(turns, [4, 8, 12]);
    }
}
