//! Writes the frames of an AWS event stream. Knows no operation.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::{
    event_stream::{Header, HeaderValue, Message},
    str_bytes::StrBytes,
};
use bytes::Bytes;
use serde_json::Value;

/// Returns the frame of an event.
pub(crate) fn event(name: &str, value: &Value) -> Bytes {
    frame("event", ":event-type", name, value)
}

/// Returns the frame of an exception, after which nothing comes.
pub(crate) fn exception(name: &str, message: &str) -> Bytes {
    frame("exception", ":exception-type", name, &serde_json::json!({ "message": message }))
}

fn frame(kind: &str, name_header: &'static str, name: &str, value: &Value) -> Bytes {
    let text = |text: &str| HeaderValue::String(StrBytes::from(text.to_owned()));
    let message = Message::new(value.to_string())
        .add_header(Header::new(name_header, text(name)))
        .add_header(Header::new(":content-type", text("application/json")))
        .add_header(Header::new(":message-type", text(kind)));
    let mut frame = Vec::new();
    match write_message_to(&message, &mut frame) {
        Ok(()) => frame.into(),
        // Names and events of the mock are short.
        Err(_) => Bytes::new(),
    }
}

pub(crate) const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
