//! The events of an answer's bytes. Leaves decoding to the decoder and timeouts to the byte stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use super::{Decoder, SseEvent};
use crate::{ByteStream, Error, ErrorKind};

/// The events of an answer as a stream.
///
/// It ends after the first error. Every event that was complete before the error has been delivered.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no event is lost.
#[derive(Debug)]
pub struct EventStream {
    bytes: ByteStream,
    decoder: Decoder,
    ended: bool,
}

impl EventStream {
    pub(crate) fn new(bytes: ByteStream, decoder: Decoder) -> Self {
        Self { bytes, decoder, ended: false }
    }

    /// Delivers a last event without a blank line, if the answer ends cleanly; see [`Decoder::unterminated`].
    #[must_use]
    pub fn unterminated(mut self) -> Self {
        self.decoder = self.decoder.unterminated(true);
        self
    }

    /// Returns the first line that is no part of the grammar; see [`Decoder::unknown_line`].
    #[must_use]
    pub fn unknown_line(&self) -> Option<String> {
        self.decoder.unknown_line()
    }
}

impl Stream for EventStream {
    type Item = Result<SseEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => return Poll::Ready(Some(Ok(event))),
                Ok(None) if self.ended => return Poll::Ready(None),
                Ok(None) => {}
                Err(_) if self.ended => return Poll::Ready(None),
                Err(error) => {
                    self.ended = true;
                    // The next attempt would fail at the same event.
                    let broken_off = self.bytes.call.error(ErrorKind::BrokenOff, error.to_string()).lasting();
                    return Poll::Ready(Some(Err(broken_off)));
                }
            }
            match ready!(Pin::new(&mut self.bytes).poll_next(cx)) {
                Some(Ok(piece)) => self.decoder.push(piece),
                Some(Err(error)) => {
                    // The end was not clean, so an unterminated event is not delivered in either mode.
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.ended = true;
                    self.decoder.finish();
                }
            }
        }
    }
}
