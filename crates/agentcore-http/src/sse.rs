//! Server-sent events: a decoder over bytes, and a stream of events over an answer.

mod decoder;
mod event;
mod stream;

pub use decoder::{DEFAULT_MAX_EVENT_BYTES, DecodeError, Decoder};
pub use event::SseEvent;
pub use stream::EventStream;
