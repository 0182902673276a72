//! Agents that yield strings: a JSON string is text, and so is data that is plainly not JSON.

use bytestring::ByteString;

use super::json::Json;

pub(super) fn read(data: &ByteString) -> Option<ByteString> {
    if data.starts_with('"') {
        return string(data).filter(|text| !is_repr(text));
    }
    let looks_like_json = data.starts_with(['{', '[']) || Json::parse(data).is_some();
    // Python's `json.dumps` writes these three, which are no JSON.
    let is_number = matches!(&**data, "NaN" | "Infinity" | "-Infinity");
    (!data.is_empty() && !looks_like_json && !is_number).then(|| data.clone())
}

/// A JSON string's text, shared with the event where it has no escapes.
fn string(data: &ByteString) -> Option<ByteString> {
    match serde_json::from_str::<&str>(data) {
        Ok(borrowed) => Some(data.slice_ref(borrowed)),
        Err(_) => serde_json::from_str::<String>(data).ok().map(ByteString::from),
    }
}

/// Whether this is how Python shows a dictionary or an object: the official SDK streams what cannot be written as JSON so, and
/// those are not words for anybody.
fn is_repr(text: &str) -> bool {
    text.starts_with("{'") && text.ends_with('}') || text.starts_with('<') && text.contains(" object at 0x")
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn strings() {
        check(&[
            (&[r#""Hello""#], &["say Hello"]),
            (&[r#"" wörld\n\"x\" \u00e9""#], &["say  wörld\n\"x\" é"]),
            (&[r#""""#], &["say "]),
            (&[r#""a""#, r#""a""#], &["say a", "say a"]),
            (&[r#""ab""#, r#""ab""#, r#""abab""#], &["say ab", "say ab", "say abab"]),
            (&[r#""b'\\xff\\x00'""#], &[r"say b'\xff\x00'"]),
            (&[r#""{'data': 'Let me ', 'agent': <strands.agent.agent.Agent object at 0x7f7c2da853d0>}""#], &["other"]),
            (&[r#""<__main__.Thing object at 0x7f7c2da853d0>""#], &["other"]),
            (&[r#""<b>bold</b>""#, r#""{x}""#], &["say <b>bold</b>", "say {x}"]),
            (
                &["plain words", "line1\nline2", "(x", "'x'"],
                &["say plain words", "say line1\nline2", "say (x", "say 'x'"],
            ),
        ]);
    }
}
