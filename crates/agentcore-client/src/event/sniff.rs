//! Whether a body whose type says otherwise is a stream of server-sent events, by its first bytes. Reads no event.
//!
//! Servers that stream without naming a type, or as `text/plain` or JSON, are common: frameworks do so unless they are told. A text
//! that begins so by itself is not.

/// Whether a body that begins so is such a stream; `None` while it may become one.
pub(super) fn is_event_stream(start: &[u8]) -> Option<bool> {
    let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    if BYTE_ORDER_MARK.starts_with(start) {
        return None;
    }
    match start.first() {
        Some(b'd') => data(start),
        Some(b'e') => {
            // The name of an event, and its data on the next line.
            let Some(name) = after(start, b"event:")? else { return Some(false) };
            let Some(end) = name.iter().position(|byte| *byte == b'\n') else {
                return (name.len() > MOST_NAME).then_some(false);
            };
            let is_name = name[..end].iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r'));
            if is_name { data(&name[end + 1..]) } else { Some(false) }
        }
        _ => Some(false),
    }
}

/// Whether this is a line of data that is JSON and no number.
fn data(line: &[u8]) -> Option<bool> {
    let Some(data) = after(line, b"data:")? else { return Some(false) };
    let data = data.strip_prefix(b" ").unwrap_or(data);
    data.first().map(|first| matches!(first, b'{' | b'[' | b'"'))
}

/// What follows the field's name; `Some(None)` if it is another line.
fn after<'a>(line: &'a [u8], field: &[u8]) -> Option<Option<&'a [u8]>> {
    match line.strip_prefix(field) {
        Some(rest) => Some(Some(rest)),
        None if field.starts_with(line) => None,
        None => Some(None),
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How long the name of an event may be, in bytes, before it is taken for text.
const MOST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        for (start, expected) in [
            ("data: {\"text\": \"Hi\"}\n\n", Some(true)),
            ("data:{\"text\": \"Hi\"}\n\n", Some(true)),
            ("data: \"Hi\"\n\n", Some(true)),
            ("data: [DONE]\n\n", Some(true)),
            ("event: token\ndata: {}", Some(true)),
            ("event: token\r\ndata: {}", Some(true)),
            ("\u{feff}data: {}", Some(true)),
            ("data: Hi", Some(false)),
            ("data is plural", Some(false)),
            ("event: a party\nfor all", Some(false)),
            ("event: é\ndata: {}", Some(false)),
            ("every", Some(false)),
            ("{\"data\": 1}", Some(false)),
            (": {}", Some(false)),
            ("", None),
            ("d", None),
            ("data:", None),
            ("data: ", None),
            ("event: tok", None),
            ("event: token\n", None),
            ("event: token\nda", None),
        ] {
            assert_eq!(is_event_stream(start.as_bytes()), expected, "{start:?}");
            // What is known of a beginning stays so, whatever follows.
            let known = (0..start.len()).find_map(|end| is_event_stream(&start.as_bytes()[..end]));
            assert!(known.is_none() || known == expected, "{start:?}");
        }
        assert_eq!(is_event_stream(&[b"event: ", &[b'x'; 64][..]].concat()), Some(false));
    }
}
