//! The server's half of a WebSocket (RFC 6455): the answer to the handshake, and frames.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;

/// Returns the head that accepts a request.
pub(crate) fn accept(request: &str) -> String {
    let lower = request.to_lowercase();
    let key = lower.find("sec-websocket-key: ").and_then(|at| request[at + 19..].lines().next()).unwrap_or_default();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes());
    let accept = BASE64_STANDARD.encode(hash);
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ";
    format!("{head}{accept}\r\n\r\n")
}

/// Returns a whole message of at most 125 bytes in one frame.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, u8::try_from(payload.len()).unwrap()], payload].concat()
}
