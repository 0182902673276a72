//! One server-sent event, as it came. Does not look inside the data: what an agent means by it is for the layers above.

use std::time::Duration;

use bytestring::ByteString;

/// One server-sent event.
///
/// The texts are cheap to clone. [`data`](Self::data) usually shares memory with the network buffer it arrived in and
/// keeps that buffer alive: copy it when it is to be kept for long.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's type: its `event` field, or `message` where the server names none.
    pub event: ByteString,
    /// The values of the event's `data` lines, joined by line feeds.
    pub data: ByteString,
    /// The last event id in force: an `id` holds for all later events until another one replaces it; at first it is empty.
    pub id: ByteString,
    /// The reconnection time that this very event asks for, sent in milliseconds; earlier ones are not repeated.
    pub retry: Option<Duration>,
}

impl SseEvent {
    /// An event of type `message` with this data, as a source without events of its own would send it.
    #[must_use]
    pub fn new(data: impl Into<ByteString>) -> Self {
        Self { event: ByteString::from_static("message"), data: data.into(), id: ByteString::new(), retry: None }
    }
}
