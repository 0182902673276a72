//! Finds the peer's close frame in what is read, and yields after many frames. Alters nothing.
//!
//! The WebSocket library replaces each close code that it does not know, such as 1014, by 1002 before anybody sees it.

use std::{
    io::{self, Cursor},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, OpCode},
};

/// A connection whose incoming bytes are searched for a close frame.
#[derive(Debug)]
pub(super) struct CloseFinder<S> {
    connection: S,
    /// What there is of a header.
    header: Vec<u8>,
    place: Place,
    found: ClosePayload,
    /// How many frames began since the reader last yielded.
    frames: u32,
}

/// The payload of the close frame, once it arrived.
pub(super) type ClosePayload = Arc<OnceLock<Vec<u8>>>;

/// Where in the frames the next byte is.
#[derive(Debug)]
enum Place {
    Header,
    /// In a payload of which so much is left; in a close frame's, after these bytes.
    Payload {
        left: u64,
        close: Option<Vec<u8>>,
    },
    /// After the close frame, or what is no frame.
    End,
}

impl<S> CloseFinder<S> {
    /// Returns the connection, and where the payload will be.
    pub(super) fn new(connection: S) -> (Self, ClosePayload) {
        let found = ClosePayload::default();
        (Self { connection, header: Vec::new(), place: Place::Header, found: found.clone(), frames: 0 }, found)
    }

    fn search(&mut self, mut bytes: &[u8]) {
        while let Some((first, others)) = bytes.split_first() {
            match &mut self.place {
                Place::End => return,
                Place::Header => {
                    self.header.push(*first);
                    bytes = others;
                    match FrameHeader::parse(&mut Cursor::new(&*self.header)) {
                        Ok(None) => {}
                        Ok(Some((header, left))) => {
                            self.header.clear();
                            self.frames = self.frames.saturating_add(1);
                            let close = matches!(header.opcode, OpCode::Control(Control::Close)).then(Vec::new);
                            self.place = Place::Payload { left, close };
                        }
                        Err(_) => self.place = Place::End,
                    }
                }
                Place::Payload { left, close } => {
                    let length = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (piece, others) = bytes.split_at(length);
                    bytes = others;
                    *left = left.saturating_sub(piece.len() as u64);
                    if let Some(close) = close {
                        // No control frame is longer (RFC 6455 §5.5), and the library refuses one that is.
                        close.extend(piece.iter().take(125_usize.saturating_sub(close.len())));
                    }
                }
            }
            if let Place::Payload { left: 0, close } = &mut self.place {
                self.place = match close.take() {
                    Some(payload) => {
                        let _ = self.found.set(payload);
                        Place::End
                    }
                    None => Place::Header,
                };
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CloseFinder<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A read brings up to 64,000 frames, which the library takes in one poll, and a peer that floods has the next ones ready: the
        // writing half would look at its timers some seconds late.
        if self.frames > MANY_FRAMES {
            self.frames = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.connection).poll_read(cx, buf);
        self.search(buf.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CloseFinder<S> {
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

/// How many frames are read before others get their turn.
const MANY_FRAMES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found when these bytes arrive in pieces of each length.
    fn found(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut all: Vec<_> = (1..=bytes.len())
            .map(|length| {
                let (mut finder, found) = CloseFinder::new(());
                bytes.chunks(length).for_each(|piece| finder.search(piece));
                found.get().cloned()
            })
            .collect();
        all.dedup();
        assert_eq!(all.len(), 1, "the pieces change it: {all:?}");
        all.remove(0)
    }

    #[test]
    fn table() {
        let medium = [&[0x82, 126, 1, 0][..], &[0x88; 256]].concat();
        for (before, frame, seen) in [
            (&b""[..], &b"\x88\x05\x03\xf6why"[..], Some(&b"\x03\xf6why"[..])),
            (b"\x81\x02\x88\x00\x89\x02\x88\x00\x81\x00", b"\x88\x02\x03\xe7", Some(b"\x03\xe7")),
            (&medium, b"\x88\x01\x13", Some(b"\x13")),
            (b"", b"\x88\x00\x88\x05\x03\xe8why", Some(b"")),
            (b"", b"\x88\x05\x03\xe8wh", None),
            (b"", b"\x81\x03\x88\x00", None),
        ] {
            assert_eq!(found(&[before, frame].concat()).as_deref(), seen, "{before:?} {frame:?}");
        }
        let (mut finder, found) = CloseFinder::new(());
        let long = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[0x88; 65536]].concat();
        finder.search(&[&long[..], b"\x88\x02\x0f\xa0"].concat());
        assert_eq!(found.get().map(Vec::as_slice), Some(&b"\x0f\xa0"[..]));
    }
    #[test]
    fn after_many_frames_others_get_their_turn() {
        for (frames, yields) in [(10_000, false), (10_001, true)] {
            let bytes = b"\x8a\x00".repeat(frames);
            let (mut finder, _) = CloseFinder::new(&bytes[..]);
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let mut buffer = vec![0; bytes.len()];
            let mut read = || Pin::new(&mut finder).poll_read(&mut cx, &mut ReadBuf::new(&mut buffer)).is_pending();
            assert_eq!([read(), read(), read()], [false, yields, false], "{frames}");
        }
    }
}
