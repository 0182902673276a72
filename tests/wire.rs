//! What servers that misbehave write by hand: TLS, the frames of HTTP/2 and of WebSockets. Knows no script.

// The program of the hostile servers is in another package, and includes this file by its path.
#[path = "wire/http2.rs"]
pub(crate) mod http2;
#[path = "wire/tls.rs"]
pub(crate) mod tls;
#[path = "wire/websocket.rs"]
pub(crate) mod websocket;

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use agentcore_client::rustls::{ServerConnection, StreamOwned};

/// A connection of a server, with or without TLS.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    /// Returns whether the client chose HTTP/2 in the handshake, which has ended.
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.alpn_protocol() == Some(b"h2"))
    }

    /// Reads the head and the body of a request of HTTP/1.1, and returns the head.
    pub(crate) fn request(&mut self) -> io::Result<String> {
        let (mut read, mut byte) = (Vec::new(), [0]);
        while !read.ends_with(b"\r\n\r\n") {
            self.read_exact(&mut byte)?;
            read.extend(byte);
        }
        let head = String::from_utf8_lossy(&read).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        self.read_exact(&mut vec![0; length.unwrap_or(0)])?;
        Ok(String::from_utf8_lossy(&read).into_owned())
    }

    /// Reads until the client goes away.
    pub(crate) fn hold(&mut self) {
        let mut buffer = [0; 4096];
        while self.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
