//! Server-sent events: a decoder of bytes, and the stream of an answer's events. Reconnects to nothing.

mod decoder;
mod event;
mod stream;

pub use decoder::{DEFAULT_MAX_EVENT_BYTES, DecodeError, Decoder};
pub use event::SseEvent;
pub use stream::EventStream;
