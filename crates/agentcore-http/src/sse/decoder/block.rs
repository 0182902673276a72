//! The lines of one event: the meaning of each field, and the end of the event. Knows no line ends and no chunks.

use std::{mem, time::Duration};

use bytestring::ByteString;
use serde::de::IgnoredAny;

use super::{super::event::SseEvent, work::work};

/// The fields of the standard. Lines of any other are ignored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    /// Returns the only field whose name starts with this byte.
    pub(super) fn starting_with(byte: u8) -> Option<Self> {
        match byte {
            b'd' => Some(Self::Data),
            b'e' => Some(Self::Event),
            b'i' => Some(Self::Id),
            b'r' => Some(Self::Retry),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Data => b"data",
            Self::Event => b"event",
            Self::Id => b"id",
            Self::Retry => b"retry",
        }
    }
}

/// The fields since the last blank line, and the last event id, which is kept.
#[derive(Default)]
pub(super) struct Block {
    head: Head,
    data: Data,
    /// The head after a single `data` line, once a later line may have changed it.
    earlier: Option<Head>,
}

impl Block {
    /// Returns the bytes to which a new value of the field would be added.
    pub(super) fn held_with(&self, field: Field) -> usize {
        match field {
            Field::Data => self.data.length_with_line_feed(),
            Field::Event | Field::Id | Field::Retry => 0,
        }
    }

    /// Adds the field of one line.
    pub(super) fn set(&mut self, field: Field, value: ByteString) {
        if field == Field::Data {
            self.data.push(value);
            return;
        }
        if self.earlier.is_none() && matches!(self.data, Data::Line(_)) {
            self.earlier = Some(self.head_so_far());
        }
        // A name or id is copied: the last id may be kept for the rest of the stream, and a slice would keep a whole
        // network buffer.
        match field {
            Field::Event => self.head.event = ByteString::from(&*value),
            Field::Id if !value.contains('\0') => self.head.id = ByteString::from(&*value),
            Field::Retry => self.head.retry = milliseconds(&value).or(self.head.retry),
            Field::Id | Field::Data => {}
        }
    }

    /// Ends the block and returns its event, if it has data.
    pub(super) fn end(&mut self) -> Option<SseEvent> {
        let earlier = self.earlier.take();
        let retry = self.head.retry.take().or(earlier.and_then(|earlier| earlier.retry));
        let event = mem::take(&mut self.head.event);
        let data = mem::take(&mut self.data).text()?;
        Some(Head { event, id: self.head.id.clone(), retry }.event_of(data))
    }

    /// Returns an event, without an end of the block, if its only `data` line is a complete JSON value.
    pub(super) fn split(&mut self) -> Option<SseEvent> {
        let Data::Line(line) = &self.data else {
            return None;
        };
        work(line.len());
        serde_json::from_str::<IgnoredAny>(line).ok()?;
        let head = self.earlier.take().unwrap_or_else(|| self.head_so_far());
        Some(head.event_of(mem::take(&mut self.data).text()?))
    }

    /// Returns the head of an event that ends here. A reconnection time is for one event; a name and an id are kept.
    fn head_so_far(&mut self) -> Head {
        Head { retry: self.head.retry.take(), ..self.head.clone() }
    }
}

/// The fields of an event besides its data.
#[derive(Clone, Default)]
struct Head {
    event: ByteString,
    id: ByteString,
    retry: Option<Duration>,
}

impl Head {
    fn event_of(self, data: ByteString) -> SseEvent {
        let event = if self.event.is_empty() { ByteString::from_static("message") } else { self.event };
        SseEvent { event, data, id: self.id, retry: self.retry }
    }
}

/// The data so far. A single line remains a slice of its chunk; two and more are joined in a buffer.
#[derive(Default)]
enum Data {
    #[default]
    None,
    Line(ByteString),
    Lines(String),
}

impl Data {
    fn push(&mut self, line: ByteString) {
        let mut lines = match mem::take(self) {
            Self::None => {
                *self = Self::Line(line);
                return;
            }
            Self::Line(first) => {
                work(first.len());
                String::from(first)
            }
            Self::Lines(lines) => lines,
        };
        work(1 + line.len());
        lines.push('\n');
        lines.push_str(&line);
        *self = Self::Lines(lines);
    }

    fn length_with_line_feed(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Line(line) => line.len() + 1,
            Self::Lines(lines) => lines.len() + 1,
        }
    }

    fn text(self) -> Option<ByteString> {
        match self {
            Self::None => None,
            Self::Line(line) => Some(line),
            Self::Lines(lines) => Some(lines.into()),
        }
    }
}

/// Parses a reconnection time: ASCII digits only, and at most `u64::MAX`.
fn milliseconds(text: &str) -> Option<Duration> {
    // `parse` accepts a plus sign.
    if text.starts_with('+') {
        return None;
    }
    text.parse().ok().map(Duration::from_millis)
}
