//! Turns the bytes of a `text/event-stream` into events, in whatever chunks they arrive. Opens no socket, waits for
//! nothing, never reconnects, and gives no meaning to the data.

mod block;
mod work;

use std::{collections::VecDeque, fmt, mem};

use bytes::Bytes;
use bytestring::ByteString;
use memchr::memchr2;

use self::{
    block::{Block, Field},
    work::work,
};
use super::event::SseEvent;

/// Decodes server-sent events: chunks are pushed in, events are pulled out.
///
/// It follows the HTML standard, §9.2.6 "Interpreting an event stream", to the letter. An event is handed out with the
/// very byte that completes it, and every sequence of events (and errors) is the same however the stream was cut into
/// chunks. The time taken is linear in the bytes pushed.
///
/// An event's data is a slice of the chunk it arrived in. Bytes are copied only where one value came in several chunks,
/// where an event has several `data` lines, and where bytes that are not UTF-8 must become U+FFFD.
///
/// ```
/// use agentcore_http::sse::Decoder;
///
/// let mut decoder = Decoder::new();
/// decoder.push("data: Hel".into());
/// assert_eq!(decoder.next_event()?, None);
///
/// decoder.push("lo\n\nevent: end\ndata\n\n".into());
/// decoder.finish();
/// let mut events = Vec::new();
/// while let Some(event) = decoder.next_event()? {
///     events.push((event.event, event.data));
/// }
/// assert_eq!(events, [("message".into(), "Hello".into()), ("end".into(), "".into())]);
/// # Ok::<(), agentcore_http::sse::DecodeError>(())
/// ```
pub struct Decoder {
    /// Chunks that were pushed and not begun.
    waiting: VecDeque<Bytes>,
    /// The chunk being read, up to `position`; let go as soon as it is read, not to keep its memory.
    chunk: Bytes,
    position: usize,
    state: State,
    /// What earlier chunks held of the value being read.
    partial: Vec<u8>,
    block: Block,
    lenient: bool,
    max_event_bytes: usize,
    closed: bool,
}

impl Decoder {
    /// A strict decoder at the start of a stream, with the default bound.
    #[must_use]
    pub fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            chunk: Bytes::new(),
            position: 0,
            state: State::ByteOrderMark(0),
            partial: Vec::new(),
            block: Block::default(),
            lenient: false,
            max_event_bytes: DEFAULT_MAX_EVENT_BYTES,
            closed: false,
        }
    }

    /// Forgives two liberties that agents take with the standard; default: off.
    ///
    /// 1. A last event that nothing terminates is delivered at [`finish`](Self::finish), where the standard drops it.
    /// 2. When a block's only `data` line so far is by itself a complete JSON value, a second `data` line starts an
    ///    event of its own, where the standard joins the two: the AgentCore developer guide's page on the HTTP protocol
    ///    contract separates its events by a single line feed. The event type holds for both. What `event`, `id` and
    ///    `retry` lines between the two say is for the second. Lines of plain text and JSON printed over several lines
    ///    are joined as ever, and an event of this kind is handed out when the next one begins.
    ///
    /// The price: a text in several lines, the first of which happens to be JSON (a bare number, say), comes in pieces.
    #[must_use]
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Bounds the data of an event, and likewise each other field's value, in bytes; default:
    /// [`DEFAULT_MAX_EVENT_BYTES`].
    ///
    /// It also bounds memory, to a small multiple of it beside the chunks pushed: comments and unknown fields are never
    /// stored, however long. Too low a bound ends a good stream; too high a bound lets a bad server take that much
    /// memory for each stream.
    #[must_use]
    pub fn max_event_bytes(mut self, max: usize) -> Self {
        self.max_event_bytes = max;
        self
    }

    /// Takes the stream's next bytes; their events are pulled by [`next_event`](Self::next_event).
    ///
    /// Chunks not yet pulled wait in line, without a limit. After [`finish`](Self::finish) or an error, they are ignored.
    pub fn push(&mut self, chunk: Bytes) {
        if !self.closed && !chunk.is_empty() {
            self.waiting.push_back(chunk);
        }
    }

    /// Notes the clean end of the stream: the next `None` is the last word.
    ///
    /// What is left of an unterminated event is dropped, as the standard says, or delivered if the decoder is
    /// [lenient](Self::lenient). A stream that broke has no clean end: do not call this for one.
    pub fn finish(&mut self) {
        if self.lenient {
            // One line end for a line that has none, and one more for the blank line: more of them do no harm.
            self.push(Bytes::from_static(b"\n\n"));
        }
        self.closed = true;
    }

    /// The next event; `None` if it takes more input, or for ever after [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`DecodeError`] if an event grows over [`max_event_bytes`](Self::max_event_bytes), be it complete or not. The
    /// events before it have been delivered; after it the decoder lets go of its memory and yields `None` for ever.
    pub fn next_event(&mut self) -> Result<Option<SseEvent>, DecodeError> {
        loop {
            let event = match self.read()? {
                Found::Nothing => None,
                Found::BlankLine => self.block.end(),
                Found::DataLine if self.lenient => self.block.split(),
                Found::DataLine => None,
                Found::EndOfChunk => {
                    self.position = 0;
                    self.chunk = self.waiting.pop_front().unwrap_or_default();
                    if self.chunk.is_empty() {
                        return Ok(None);
                    }
                    None
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads on in the chunk for as long as the state holds.
    fn read(&mut self) -> Result<Found, DecodeError> {
        let rest = &self.chunk[self.position..];
        let Some(&byte) = rest.first() else {
            return Ok(Found::EndOfChunk);
        };
        let mut found = Found::Nothing;
        let (consumed, state) = match self.state {
            // A second byte order mark, or half of one, is the beginning of an unknown field's name.
            State::ByteOrderMark(matched) => match BYTE_ORDER_MARK.get(matched) {
                Some(&expected) if byte == expected => (1, State::ByteOrderMark(matched + 1)),
                Some(_) if matched > 0 => (0, State::Ignored),
                _ => (0, State::LineStart),
            },
            // The line was ended by the carriage return: it must not wait for a line feed that may never come.
            State::AfterCarriageReturn => (usize::from(byte == b'\n'), State::LineStart),
            State::LineStart if matches!(byte, b'\r' | b'\n') => {
                found = Found::BlankLine;
                (1, State::after(byte))
            }
            State::LineStart => (0, Field::starting_with(byte).map_or(State::Ignored, |field| State::Name(field, 0))),
            State::Name(field, matched) => match &field.name()[matched..] {
                [expected, ..] if byte == *expected => (1, State::Name(field, matched + 1)),
                [] if matches!(byte, b':' | b'\r' | b'\n') => {
                    if field == Field::Data {
                        found = Found::DataLine;
                    }
                    (usize::from(byte == b':'), State::Space(field))
                }
                _ => (0, State::Ignored),
            },
            State::Space(field) => (usize::from(byte == b' '), State::Value(field)),
            State::Value(field) => self.read_value(field)?,
            State::Ignored => match line_end(rest) {
                Some(length) => (length + 1, State::after(rest[length])),
                None => (rest.len(), State::Ignored),
            },
        };
        self.position += consumed;
        self.state = state;
        Ok(found)
    }

    /// Reads a field's value to the end of the line or of the chunk.
    fn read_value(&mut self, field: Field) -> Result<(usize, State), DecodeError> {
        let rest = &self.chunk[self.position..];
        let end = line_end(rest);
        let length = end.unwrap_or(rest.len());
        if self.is_too_long(field, self.partial.len() + length) {
            return Err(self.fail());
        }
        let Some(terminator) = end.map(|end| rest[end]) else {
            work(length);
            self.partial.extend_from_slice(rest);
            return Ok((length, State::Value(field)));
        };
        let value = if self.partial.is_empty() {
            let slice = self.chunk.slice(self.position..self.position + length);
            ByteString::try_from(slice).unwrap_or_else(|_| lossy(&rest[..length]))
        } else {
            work(length);
            self.partial.extend_from_slice(&rest[..length]);
            String::from_utf8(mem::take(&mut self.partial))
                .map_or_else(|error| lossy(error.as_bytes()), ByteString::from)
        };
        // A replacement character may be longer than what it replaces, but never shorter.
        if self.is_too_long(field, value.len()) {
            return Err(self.fail());
        }
        self.block.set(field, value);
        Ok((length + 1, State::after(terminator)))
    }

    /// Whether a value of this length in the field would break the bound.
    fn is_too_long(&self, field: Field, length: usize) -> bool {
        self.block.held_with(field) + length > self.max_event_bytes
    }

    /// Closes the decoder and lets go of its memory.
    fn fail(&mut self) -> DecodeError {
        let limit = self.max_event_bytes;
        *self = Self::new().lenient(self.lenient).max_event_bytes(limit);
        self.closed = true;
        DecodeError { limit }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Decoder {
    /// Prints the settings only: the bytes in between belong to the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("lenient", &self.lenient)
            .field("max_event_bytes", &self.max_event_bytes)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// An event is larger than the decoder's bound.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server-sent event is larger than the limit of {limit} bytes")]
pub struct DecodeError {
    /// The bound it broke, in bytes: what [`Decoder::max_event_bytes`] was given.
    pub limit: usize,
}

/// Where in a line the position is.
#[derive(Clone, Copy)]
enum State {
    /// At the start of the stream, after so many bytes of a byte order mark.
    ByteOrderMark(usize),
    LineStart,
    /// At the start of a line, or at the line feed of a CRLF.
    AfterCarriageReturn,
    /// After so many bytes of what may become this field's name.
    Name(Field, usize),
    /// After the colon, where one space does not count.
    Space(Field),
    Value(Field),
    /// In a comment or an unknown field: nothing of it is kept.
    Ignored,
}

impl State {
    /// The state after a line end.
    fn after(terminator: u8) -> Self {
        if terminator == b'\r' { Self::AfterCarriageReturn } else { Self::LineStart }
    }
}

/// What the decoder came upon.
enum Found {
    /// Nothing but a step towards it.
    Nothing,
    /// The end of a block.
    BlankLine,
    /// The beginning of one more line of data.
    DataLine,
    EndOfChunk,
}

/// Finds the end of the line that the bytes begin with, or go on with.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let end = memchr2(b'\r', b'\n', bytes);
    work(end.unwrap_or(bytes.len()));
    end
}

/// The text of bytes that are not all UTF-8, with U+FFFD in place of those that are not.
fn lossy(bytes: &[u8]) -> ByteString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The default bound on an event: 16 MiB.
///
/// The service's quota is 10 MB for a chunk of a streaming answer, and an event is commonly one chunk. This bound lets
/// every such event pass, and a client that reads many hostile streams at a time may want a lower one.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests;
