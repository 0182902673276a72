//! The frames of an AWS event stream (`application/vnd.amazon.eventstream`), out of bytes that may be cut anywhere. Understands no
//! event.
//!
//! A frame is a prelude of 12 bytes (lengths, and their CRC), headers, a payload, and a CRC of it all (AWS "Amazon Event Stream
//! specification"). The frames are read by `aws-smithy-eventstream`; a prelude is checked here before anything is kept for it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use agentcore_core::service_error;
use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream;

use crate::{ByteStream, ByteString, Error, ErrorKind, SseEvent};

/// One frame of an event stream.
#[derive(Clone)]
pub struct Frame(event_stream::Message);

/// What a frame is (`:frame-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameType {
    /// An event of the operation: `:event-type` names it.
    Event,
    /// A modelled error: `:exception-type` names it, and the stream ends.
    Exception,
    /// Another error: `:error-code` names it, and the stream ends.
    Error,
}

impl Frame {
    /// Returns what the frame is; none for a type that is not known.
    #[must_use]
    pub fn frame_type(&self) -> Option<FrameType> {
        match self.header(":message-type")? {
            "event" => Some(FrameType::Event),
            "exception" => Some(FrameType::Exception),
            "error" => Some(FrameType::Error),
            _ => None,
        }
    }

    /// Returns the name of the event, the exception or the error.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.header(match self.frame_type()? {
            FrameType::Event => ":event-type",
            FrameType::Exception => ":exception-type",
            FrameType::Error => ":error-code",
        })
    }

    /// Returns the service's error, if this is one; the stream ends with it.
    #[must_use]
    pub fn exception(&self) -> Option<Error> {
        let name = self.name().unwrap_or_default();
        match self.frame_type()? {
            FrameType::Event => None,
            FrameType::Exception => Some(service_error::exception(name, self.payload())),
            FrameType::Error => {
                let text = self.header(":error-message").unwrap_or_default();
                Some(service_error::exception(name, text.as_bytes()))
            }
        }
    }

    /// Returns the frame as an event of the same name, whose data is the payload: what agents' events are read from.
    ///
    /// # Errors
    /// If it is the service's error; see [`exception`](Self::exception).
    pub fn to_event(&self) -> Result<SseEvent, Error> {
        if let Some(error) = self.exception() {
            return Err(error);
        }
        let data = ByteString::try_from(self.payload().clone())
            .unwrap_or_else(|_| String::from_utf8_lossy(self.payload()).into_owned().into());
        let mut event = SseEvent::new(data);
        event.event = self.name().unwrap_or_default().into();
        Ok(event)
    }

    /// Returns a header's value if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.0.headers().iter().find(|header| header.name().as_str() == name)?;
        header.value().as_string().ok().map(|text| text.as_str())
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        self.0.payload()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("name", &self.name())
            .field("payload_bytes", &self.payload().len())
            .finish_non_exhaustive()
    }
}

/// Decodes frames: bytes are pushed, frames are taken.
///
/// ```
/// # use agentcore_http::event_stream::FrameDecoder;
/// let mut decoder = FrameDecoder::new();
/// decoder.push(&[0, 0, 0, 16]);
/// assert!(decoder.next_frame()?.is_none() && decoder.is_within_a_frame());
/// # Ok::<(), agentcore_http::event_stream::FrameError>(())
/// ```
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: BytesMut,
    max_frame_bytes: usize,
    /// The length of the frame whose prelude has been checked.
    checked: Option<usize>,
    failed: bool,
}

/// Why bytes are no event stream, or not one that is read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A CRC does not match, or a length or a header is impossible.
    #[error("an event of the stream is damaged")]
    Damaged,
    /// A frame is longer than is kept in memory.
    #[error("an event of the stream has {bytes} bytes, and at most {max} are read")]
    TooLong {
        /// The length that the frame states.
        bytes: usize,
        /// The bound.
        max: usize,
    },
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameDecoder {
    /// Returns a decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self { buffer: BytesMut::new(), max_frame_bytes: DEFAULT_MAX_FRAME_BYTES, checked: None, failed: false }
    }

    /// Bounds the bytes of one frame. Default: [`DEFAULT_MAX_FRAME_BYTES`].
    #[must_use]
    pub fn max_frame_bytes(mut self, max: usize) -> Self {
        self.max_frame_bytes = max;
        self
    }

    /// Adds bytes. They are copied once; call [`next_frame`](Self::next_frame) until it returns none before adding more.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Returns the next frame that is complete.
    ///
    /// # Errors
    /// If the bytes are damaged, or a frame is too long. Nothing more is decoded after that.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let decoded = self.decode();
        if decoded.is_err() {
            self.failed = true;
            self.buffer = BytesMut::new();
        }
        decoded
    }

    /// Returns whether a frame has begun that is not complete.
    #[must_use]
    pub fn is_within_a_frame(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn decode(&mut self) -> Result<Option<Frame>, FrameError> {
        let length = match self.checked {
            Some(length) => length,
            None if self.buffer.len() < PRELUDE_BYTES => return Ok(None),
            None => *self.checked.insert(self.check_prelude()?),
        };
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.checked = None;
        let frame = self.buffer.split_to(length).freeze();
        read_message_from(frame).map(|message| Some(Frame(message))).map_err(|_| FrameError::Damaged)
    }

    /// Returns the length of the frame that begins, which its prelude states.
    fn check_prelude(&self) -> Result<usize, FrameError> {
        let mut prelude = &self.buffer[..PRELUDE_BYTES];
        let crc = crc32fast::hash(&prelude[..PRELUDE_BYTES - 4]);
        let (length, headers) = (prelude.get_u32(), prelude.get_u32());
        let fits = usize::try_from(length).ok().zip(usize::try_from(headers).ok());
        let Some((length, headers)) = fits.filter(|_| prelude.get_u32() == crc) else {
            return Err(FrameError::Damaged);
        };
        if length.checked_sub(SHORTEST_FRAME_BYTES).is_none_or(|contents| headers > contents) {
            return Err(FrameError::Damaged);
        }
        if length > self.max_frame_bytes {
            return Err(FrameError::TooLong { bytes: length, max: self.max_frame_bytes });
        }
        Ok(length)
    }
}

/// The frames of an answer as a stream.
///
/// It ends after the first error. Every frame that was complete before the error has been delivered.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no frame is lost.
#[derive(Debug)]
pub struct FrameStream {
    pub(crate) bytes: ByteStream,
    decoder: FrameDecoder,
    ended: bool,
}

impl FrameStream {
    pub(crate) fn new(bytes: ByteStream, decoder: FrameDecoder) -> Self {
        Self { bytes, decoder, ended: false }
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Frame, Error>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for FrameStream {
    type Item = Result<Frame, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            match this.decoder.next_frame() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) => {}
                Err(error) => {
                    let broken_off = this.bytes.call.error(ErrorKind::BrokenOff, error.to_string());
                    // The next attempt would meet the same length.
                    let lasts = matches!(error, FrameError::TooLong { .. });
                    return this.end(if lasts { broken_off.lasting() } else { broken_off });
                }
            }
            match ready!(Pin::new(&mut this.bytes).poll_next(cx)) {
                Some(Ok(piece)) => this.decoder.push(&piece),
                Some(Err(error)) => return this.end(error),
                None if this.decoder.is_within_a_frame() => {
                    let error = this.bytes.call.error(ErrorKind::BrokenOff, "the stream ended within an event");
                    return this.end(error);
                }
                None => this.ended = true,
            }
        }
    }
}

/// 16 MiB: the most that a frame may have by the specification, and far more than the service's events (64 KB for commands).
pub const DEFAULT_MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Two lengths and their CRC.
const PRELUDE_BYTES: usize = 12;
/// A prelude and a CRC, with nothing between them.
const SHORTEST_FRAME_BYTES: usize = PRELUDE_BYTES + 4;

#[cfg(test)]
mod tests;
