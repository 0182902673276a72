//! A connection that is counted while it is open. Changes no byte.

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
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, count: Arc<Count>) -> Self {
        count.made.fetch_add(1, Ordering::Relaxed);
        count.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, count }
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
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for Metered<S> {
    forward_write!(stream);
}
