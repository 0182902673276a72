//! Agents that yield strings: what is a word, what may be one, and what is neither.

use bytestring::ByteString;

use super::json::{Kind, Values};

/// Whether data is text and cannot be JSON, by its first character and, where that leaves it open, as a whole.
pub(super) fn is_word(data: &str) -> bool {
    match data.trim_start().bytes().next() {
        None => !data.is_empty(),
        Some(b'{' | b'[') => false,
        // Unlike an object that was cut off, a quotation mark alone is a word that models say.
        Some(b'"') => !data.trim_end().ends_with('"') || data.trim().len() == 1,
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I') => {
            // A space before a number is how models cut words.
            !may_be_json(data)
        }
        Some(_) => true,
    }
}

fn may_be_json(data: &str) -> bool {
    matches!(data, "true" | "false" | "null" | "NaN" | "Infinity" | "-Infinity")
        || serde_json::from_str::<serde_json::Number>(data).is_ok()
}

/// Whether data that could be JSON is more likely a word, where nothing else is known of the stream.
pub(super) fn may_be_a_word(values: &mut Values, data: &ByteString) -> bool {
    values.read(data).is_none_or(|json| matches!(json.kind(), Kind::Number | Kind::True | Kind::False))
}

/// Whether this is how Python shows a dictionary or an object: the official SDK streams what cannot be written as JSON so, and
/// those are not words for anybody.
pub(super) fn is_repr(text: &str) -> bool {
    text.starts_with("{'") && text.ends_with('}') || text.starts_with('<') && text.contains(" object at 0x")
}
