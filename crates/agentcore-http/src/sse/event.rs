//! One server-sent event. Does not interpret its data.

use std::time::Duration;

use bytestring::ByteString;

/// One server-sent event.
///
/// The texts are cheap to clone. [`data`](Self::data) usually shares memory with the network buffer in which it arrived: copy it to
/// keep it without that buffer.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's type: its `event` field, or `message` if it has none.
    pub event: ByteString,
    /// The values of the event's `data` lines, joined by line feeds.
    pub data: ByteString,
    /// The last event id: an `id` field sets it for all later events. It is empty at first.
    pub id: ByteString,
    /// The reconnection time of this event, sent in milliseconds. It is not repeated in later events.
    pub retry: Option<Duration>,
}

impl SseEvent {
    /// Makes an event of type `message` with this data, for a source without server-sent events.
    #[must_use]
    pub fn new(data: impl Into<ByteString>) -> Self {
        Self { event: ByteString::from_static("message"), data: data.into(), id: ByteString::new(), retry: None }
    }
}
