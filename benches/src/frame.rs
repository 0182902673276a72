//! Writes a frame of an AWS event stream, with another implementation than the decoder's. Reads none.

use bytes::{BufMut as _, BytesMut};

/// A frame as the AWS event stream encoding has it: lengths, headers, payload, and two checksums.
pub(crate) fn frame(payload: &str) -> Vec<u8> {
    let mut headers = BytesMut::new();
    for (name, value) in [(":message-type", "event"), (":event-type", "chunk"), (":content-type", "application/json")] {
        headers.put_u8(u8::try_from(name.len()).unwrap_or(0));
        headers.put_slice(name.as_bytes());
        headers.put_u8(7);
        headers.put_u16(u16::try_from(value.len()).unwrap_or(0));
        headers.put_slice(value.as_bytes());
    }
    let total = 12 + headers.len() + payload.len() + 4;
    let mut frame = Vec::with_capacity(total);
    frame.put_u32(u32::try_from(total).unwrap_or(0));
    frame.put_u32(u32::try_from(headers.len()).unwrap_or(0));
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(&headers);
    frame.put_slice(payload.as_bytes());
    frame.put_u32(crc32fast::hash(&frame));
    frame
}
