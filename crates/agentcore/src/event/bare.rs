//! Agents that yield strings: a JSON string is text, and so is data that is plainly not JSON.

use bytestring::ByteString;

use super::Event;

pub(super) fn read(data: &ByteString) -> Option<Event> {
    if data.starts_with('"') {
        return string(data).map(Event::Text);
    }
    let looks_like_json = data.starts_with(['{', '[']) || serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok();
    // Python's `json.dumps` writes these three, which are no JSON.
    let is_number = matches!(&**data, "NaN" | "Infinity" | "-Infinity");
    (!data.is_empty() && !looks_like_json && !is_number).then(|| Event::Text(data.clone()))
}

/// A JSON string's text, shared with the event where it has no escapes.
fn string(data: &ByteString) -> Option<ByteString> {
    let text = match serde_json::from_str::<&str>(data) {
        Ok(borrowed) => data.slice_ref(borrowed),
        Err(_) => serde_json::from_str::<String>(data).ok()?.into(),
    };
    // Agents that stream objects which cannot be written as JSON get them streamed as Python reprs: not words for anybody.
    let is_repr = text.starts_with("{'") && text.ends_with('}');
    (!is_repr).then_some(text)
}
