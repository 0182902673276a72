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
///
/// `{'a': 1}`, `<agent.Agent object at 0x7f>`, `PartEndEvent(index=0)` and Pydantic's `id='1' models_usage=None`.
pub(super) fn is_repr(text: &str) -> bool {
    text.starts_with("{'") && text.ends_with('}')
        || text.starts_with('<') && text.contains(" object at 0x")
        || is_constructed(text)
        || is_list_of_fields(text)
}

/// Whether this is `Name(field=…)`, where the name is one that frameworks give to what they yield.
fn is_constructed(text: &str) -> bool {
    let Some((name, fields)) = text.split_once('(').filter(|_| text.ends_with(')')) else { return false };
    let is_class = name.starts_with(|first: char| first.is_ascii_uppercase()) && name.bytes().all(is_of_a_name);
    is_class && YIELDED.iter().any(|end| name.ends_with(end)) && field(fields).is_some()
}

/// Whether this is `field=… field=…`, with a value that is nothing but Python's.
fn is_list_of_fields(text: &str) -> bool {
    let Some(value) = field(text) else { return false };
    let quoted = value.starts_with(['\'', '[']) || value.starts_with("None ");
    let is_pythons = ["=None", "={}", "=datetime."].iter().any(|value| text.contains(value));
    quoted && is_pythons && text.split(' ').skip(1).any(|word| field(word).is_some())
}

/// What follows the name of a field and `=`.
fn field(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let is_name =
        name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') && name.bytes().all(is_of_a_name);
    (is_name && !value.starts_with(['=', ' '])).then_some(value)
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const YIELDED: &[&str] = &["Event", "Message", "Result", "Chunk", "Response", "Update", "Output"];

#[cfg(test)]
mod tests {
    use super::is_repr;

    #[test]
    fn reprs() {
        for (text, expected) in [
            ("{'a': 1}", true),
            ("<agent.Agent object at 0x7f>", true),
            ("PartEndEvent(index=0, part=TextPart(content='Hi'))", true),
            ("AgentRunResult(output='Hi')", true),
            ("id='1' source='user' models_usage=None content='Hi'", true),
            ("messages=[TextMessage(id='1', models_usage=None)] stop_reason=None", true),
            ("id='1' usage=Usage(input=1) metadata={} content='Hi'", true),
            ("{'a': 1} is a dictionary", false),
            ("Point(x=1, y=2)", false),
            ("Event(s)", false),
            ("raise KeyError(key='x')", false),
            ("a='1' b='2'", false),
            ("x = None", false),
            ("name == None", false),
            ("Call f(timeout=None) first", false),
            ("(index=0)", false),
        ] {
            assert_eq!(is_repr(text), expected, "{text}");
        }
    }
}
