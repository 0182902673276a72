//! A connection that was upgraded to another protocol. Reads and writes bytes, gives them no meaning.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::upgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::forward_write::forward_write;

/// An open connection after its upgrade, encrypted if the URL's scheme is `https` or `wss`.
pub struct Upgraded(TokioIo<upgrade::Upgraded>);

impl Upgraded {
    pub(crate) fn new(upgraded: upgrade::Upgraded) -> Self {
        Self(TokioIo::new(upgraded))
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").finish_non_exhaustive()
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Upgraded {
    forward_write!(0);
}
