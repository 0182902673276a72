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

use crate::forward_write::forward_write;

/// The number of connections that were made, and that are open.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) made: AtomicU64,
    pub(crate) open: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Metered<S> {
    stream: S,
    count: Arc<Count>,
    /// How often was read in this turn.
    reads: u32,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, count: Arc<Count>) -> Self {
        count.made.fetch_add(1, Ordering::Relaxed);
        count.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, count, reads: 0 }
    }
}

impl<S> Drop for Metered<S> {
    fn drop(&mut self) {
        self.count.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Connection> Connection for Metered<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl<S: Read + Unpin> Read for Metered<S> {
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

impl<S: Write + Unpin> Write for Metered<S> {
    forward_write!(stream);
}

/// Reads in a turn, of at most 400 KiB each, and commonly of much less.
const TURN: u32 = 4;

#[cfg(test)]
mod tests {
    use hyper::rt::ReadBuf;
    use hyper_util::rt::TokioIo;

    use super::*;

    /// A peer that never pauses is read four times, and then goes on by itself after everything else had its turn.
    #[tokio::test]
    async fn a_turn_ends() {
        let mut stream = Metered::new(TokioIo::new(tokio::io::repeat(0)), Arc::default());
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
