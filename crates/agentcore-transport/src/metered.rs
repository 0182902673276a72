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

/// What a connection is made of. In a box, because a connection's task is moved, and plaintext needs a tenth of what TLS does.
pub(crate) trait Socket: Read + Write + Connection + Unpin + Send {}

impl<S: Read + Write + Connection + Unpin + Send> Socket for S {}

pub(crate) struct Metered {
    stream: Box<dyn Socket>,
    count: Arc<Count>,
}

impl Metered {
    pub(crate) fn new(stream: Box<dyn Socket>, count: Arc<Count>) -> Self {
        count.made.fetch_add(1, Ordering::Relaxed);
        count.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, count }
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
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Metered {
    forward_write!(stream);
}
