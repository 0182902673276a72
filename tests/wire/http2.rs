//! The frames of HTTP/2 (RFC 9113), written byte by byte. Decodes no header and heeds no window.

use std::io::{self, Read, Write};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
/// Of a `SETTINGS`.
pub(crate) const ACK: u8 = 1;

pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;

/// A frame (section 4.1).
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// Returns a frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns a block of header fields (RFC 7541): the status 200 and this media type, each a literal without an index.
pub(crate) fn ok(media_type: &str) -> Vec<u8> {
    let mut block = vec![0x88];
    block.extend(field("content-type", media_type));
    block
}

/// Returns a header field, a literal that is not to be remembered (RFC 7541 section 6.2.2). Both texts are of at most 126 bytes.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// Returns a reset of a stream.
pub(crate) fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &reason.to_be_bytes())
}

/// Returns the notice that no stream above the last one is processed.
pub(crate) fn go_away(last: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

/// Reads the client's preface, and sends the server's.
pub(crate) fn greet(wire: &mut (impl Read + Write)) -> io::Result<()> {
    wire.read_exact(&mut [0; 24])?;
    wire.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    wire.flush()
}

/// Reads a frame.
pub(crate) fn read(wire: &mut impl Read) -> io::Result<Frame> {
    let mut head = [0; 9];
    wire.read_exact(&mut head)?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    wire.read_exact(&mut payload)?;
    Ok(Frame { kind, flags, stream: u32::from_be_bytes(stream) & !(1 << 31), payload })
}
