//! Decodes the bytes of a `text/event-stream` into events, in any chunks. Opens no socket, waits for nothing, never reconnects, and
//! does not interpret the data.

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
/// It follows the HTML standard, §9.2.6 "Interpreting an event stream". An event is returned after the byte that completes it. The
/// events and errors do not depend on how the stream is divided into chunks. The time is linear in the bytes pushed.
///
/// An event's data is a slice of its chunk. Bytes are copied only if a value came in several chunks, if an event has several `data`
/// lines, or if U+FFFD replaces bytes that are not UTF-8.
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
    /// Chunks that were pushed and not yet read.
    waiting: VecDeque<Bytes>,
    /// The chunk being read, up to `position`. It is dropped once it is read, to free its memory.
    chunk: Bytes,
    position: usize,
    state: State,
    /// The part of the value being read that earlier chunks held.
    partial: Vec<u8>,
    block: Block,
    lenient: bool,
    unterminated: bool,
    unknown_line: Vec<u8>,
    unknown_line_ended: bool,
    max_event_bytes: usize,
    closed: bool,
}

impl Decoder {
    /// Makes a strict decoder with the default bound.
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
            unterminated: false,
            unknown_line: Vec::new(),
            unknown_line_ended: false,
            max_event_bytes: DEFAULT_MAX_EVENT_BYTES,
            closed: false,
        }
    }

    /// Adds the stream's next bytes. [`next_event`](Self::next_event) returns their events.
    ///
    /// The number of chunks not yet read has no limit. After [`finish`](Self::finish) or an error, chunks are ignored.
    pub fn push(&mut self, chunk: Bytes) {
        if !self.closed && !chunk.is_empty() {
            self.waiting.push_back(chunk);
        }
    }

    /// Returns the first line that is neither blank nor a comment nor one of the standard's fields, up to 200 bytes of it. Such a
    /// line is ignored; where a stream has no event, it tells what came in place of one.
    #[must_use]
    pub fn unknown_line(&self) -> Option<String> {
        (!self.unknown_line.is_empty()).then(|| String::from_utf8_lossy(&self.unknown_line).into_owned())
    }

    /// Ends the stream. Do not call it for a stream that was interrupted.
    ///
    /// The rest of an unterminated event is dropped, as in the standard, or delivered if the decoder is [lenient](Self::lenient).
    pub fn finish(&mut self) {
        if self.lenient || self.unterminated {
            // The first line feed ends the last line, the second is the blank line. Blank lines alone have no effect.
            self.push(Bytes::from_static(b"\n\n"));
        }
        self.closed = true;
    }

    /// Returns the next event, or `None` if it needs more input. After [`finish`](Self::finish), `None` is final.
    ///
    /// # Errors
    /// If an event, complete or not, is larger than [`max_event_bytes`](Self::max_event_bytes). The events before it have been
    /// delivered. The decoder then frees its memory and returns `None` for ever.
    pub fn next_event(&mut self) -> Result<Option<SseEvent>, DecodeError> {
        loop {
            let event = match self.read()? {
                Found::Nothing => None,
                Found::BlankLine => self.block.end(),
                Found::DataLine if self.lenient => self.block.split(),
                Found::DataLine => None,
                Found::EndOfChunk => {
                    self.next_chunk();
                    if self.chunk.is_empty() {
                        return Ok(None);
                    }
                    None
                }
            };
            if event.is_some() {
                if self.position == self.chunk.len() {
                    // Nobody knows when the next event is asked for, and the chunk may be a part of a large buffer.
                    self.next_chunk();
                }
                return Ok(event);
            }
        }
    }

    fn next_chunk(&mut self) {
        self.position = 0;
        self.chunk = self.waiting.pop_front().unwrap_or_default();
    }

    /// Reads one step in the chunk, and returns what it found.
    fn read(&mut self) -> Result<Found, DecodeError> {
        let rest = &self.chunk[self.position..];
        let Some(&byte) = rest.first() else {
            return Ok(Found::EndOfChunk);
        };
        let mut found = Found::Nothing;
        let (consumed, state) = match self.state {
            // A second byte order mark, or a part of one, begins an unknown field's name.
            State::ByteOrderMark(matched) => match BYTE_ORDER_MARK.get(matched) {
                Some(&expected) if byte == expected => (1, State::ByteOrderMark(matched + 1)),
                Some(_) if matched > 0 => (0, State::Unknown),
                _ => (0, State::LineStart),
            },
            // The carriage return has ended the line, which must not wait for a line feed.
            State::AfterCarriageReturn => (usize::from(byte == b'\n'), State::LineStart),
            State::LineStart if matches!(byte, b'\r' | b'\n') => {
                found = Found::BlankLine;
                (1, State::after(byte))
            }
            State::LineStart if byte == b':' => (1, State::Ignored),
            State::LineStart => match Field::starting_with(byte) {
                None => (0, State::Unknown),
                // As a rule the whole name is there, and does not have to be read byte by byte.
                Some(field) => match rest.strip_prefix(field.name()) {
                    Some([b':', value @ ..]) if !value.is_empty() => {
                        if field == Field::Data {
                            found = Found::DataLine;
                        }
                        let space = usize::from(value.starts_with(b" "));
                        (field.name().len() + 1 + space, State::Value(field))
                    }
                    _ => (0, State::Name(field, 0)),
                },
            },
            State::Name(field, matched) => match &field.name()[matched..] {
                [expected, ..] if byte == *expected => (1, State::Name(field, matched + 1)),
                [] if matches!(byte, b':' | b'\r' | b'\n') => {
                    if field == Field::Data {
                        found = Found::DataLine;
                    }
                    (usize::from(byte == b':'), State::Space(field))
                }
                _ => {
                    self.note_unknown(&field.name()[..matched]);
                    (0, State::Unknown)
                }
            },
            State::Space(field) => (usize::from(byte == b' '), State::Value(field)),
            State::Value(field) => self.read_value(field)?,
            State::Unknown => {
                let end = line_end(rest);
                let line = self.chunk.slice(self.position..self.position + end.unwrap_or(rest.len()));
                self.note_unknown(&line);
                match end {
                    Some(length) => {
                        self.unknown_line_ended |= !self.unknown_line.is_empty();
                        (length + 1, State::after(self.chunk[self.position + length]))
                    }
                    None => (line.len(), State::Unknown),
                }
            }
            State::Ignored => match line_end(rest) {
                Some(length) => (length + 1, State::after(rest[length])),
                None => (rest.len(), State::Ignored),
            },
        };
        self.position += consumed;
        self.state = state;
        Ok(found)
    }

    /// Notes a part of a line of no field, if it is of the first.
    fn note_unknown(&mut self, part: &[u8]) {
        if !self.unknown_line_ended {
            let room = LONGEST_UNKNOWN_LINE - self.unknown_line.len().min(LONGEST_UNKNOWN_LINE);
            self.unknown_line.extend_from_slice(&part[..part.len().min(room)]);
        }
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
        // A replacement character may be longer than the bytes it replaces, never shorter.
        if self.is_too_long(field, value.len()) {
            return Err(self.fail());
        }
        self.block.set(field, value);
        Ok((length + 1, State::after(terminator)))
    }

    /// Returns whether a value of this length in the field is over the bound.
    fn is_too_long(&self, field: Field, length: usize) -> bool {
        self.block.held_with(field) + length > self.max_event_bytes
    }

    /// Closes the decoder and frees its memory.
    fn fail(&mut self) -> DecodeError {
        let limit = self.max_event_bytes;
        *self = Self::new().lenient(self.lenient).max_event_bytes(limit);
        self.closed = true;
        DecodeError { limit }
    }
}

agentcore_core::setters! {
    impl Decoder:

    /// Sets whether two common deviations from the standard are accepted. Default: no.
    ///
    /// 1. A last event without a blank line is delivered at [`finish`](Self::finish). The standard drops it.
    /// 2. If a block's only `data` line so far is a complete JSON value, a second `data` line begins another event. The standard
    ///    joins the two, but the AgentCore developer guide's page on the HTTP protocol contract separates events by a single line
    ///    feed. The event type is that of both. `event`, `id` and `retry` lines between the two are for the second. Lines of plain
    ///    text, and JSON printed on several lines, are joined as before. Such an event is returned when the next one begins.
    ///
    /// The trade-off: a text of several lines whose first line is JSON, such as a number, is divided.
    lenient(lenient: bool) => lenient = lenient;

    /// Sets whether a last event without a blank line is delivered at [`finish`](Self::finish), and no other deviation from the
    /// standard is accepted. Default: no.
    unterminated(unterminated: bool) => unterminated = unterminated;

    /// Bounds the bytes of an event's data, and of each other field's value. Default: [`DEFAULT_MAX_EVENT_BYTES`].
    ///
    /// Memory is bounded by a small multiple of it, besides the chunks pushed: comments are never stored, and of unknown fields only the first 200 bytes. Too low
    /// a bound ends a good stream; a high bound lets a hostile server take that much memory for each stream.
    max_event_bytes(max: usize) => max_event_bytes = max;
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Decoder {
    /// Prints the settings only, because the bytes may be private.
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
    /// The bound in bytes; see [`Decoder::max_event_bytes`].
    pub limit: usize,
}

/// The position within a line.
#[derive(Clone, Copy)]
enum State {
    /// At the start of the stream, after this many bytes of a byte order mark.
    ByteOrderMark(usize),
    LineStart,
    /// At the start of a line, or at the line feed of a CRLF.
    AfterCarriageReturn,
    /// After this many bytes of a prefix of the field's name.
    Name(Field, usize),
    /// After the colon, where one space is ignored.
    Space(Field),
    Value(Field),
    /// In a comment, which is not stored.
    Ignored,
    /// In a line of no field, of which the first is noted.
    Unknown,
}

impl State {
    /// The state after a line end.
    fn after(terminator: u8) -> Self {
        if terminator == b'\r' { Self::AfterCarriageReturn } else { Self::LineStart }
    }
}

/// The result of a step.
enum Found {
    /// Nothing yet.
    Nothing,
    /// The end of a block.
    BlankLine,
    /// The beginning of a line of data.
    DataLine,
    EndOfChunk,
}

/// Returns the length of the line at the start of the bytes, if it ends there.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let end = memchr2(b'\r', b'\n', bytes);
    work(end.unwrap_or(bytes.len()));
    end
}

/// Returns bytes as text, with U+FFFD in place of those that are not UTF-8.
fn lossy(bytes: &[u8]) -> ByteString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The default bound on an event: 16 MiB.
///
/// The service's quota is 10 MB for a chunk of a streaming answer, and an event is commonly one chunk. A client that reads many
/// hostile streams at once may want a lower bound.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// How many bytes of an unknown line are kept.
const LONGEST_UNKNOWN_LINE: usize = 200;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests;
