//! Events that were written twice: a JSON string whose text is an event, because an agent yielded the text of one and its server
//! made JSON of it. Finds them, and reads none.
//!
//! `yield json.dumps(event)` and `yield event.model_dump_json()` give objects in strings; `yield f"data: {…}\n\n"` and the encoders of
//! AG-UI and other protocols give server-sent events in strings. The official Python SDK writes both as `data: "…"`.

use agentcore_http::sse;
use bytestring::ByteString;

use super::{
    SseEvent,
    json::{Kind, Values},
};

/// What a stream has shown of how its strings are written.
#[derive(Clone, Default)]
pub(super) struct Wrapped {
    /// Its strings hold events.
    known: bool,
    /// The first string that may hold one, until the next event says more.
    held: Option<ByteString>,
}

/// What a string is.
pub(super) enum Inside {
    /// Text, and no event.
    Text(ByteString),
    /// The events that it holds; of comments alone there are none.
    Events(Vec<SseEvent>),
    /// It is held: a model that answers in JSON writes one such string, and an agent that writes twice many.
    Held,
}

impl Wrapped {
    /// Judges the text of a string.
    pub(super) fn judge(&mut self, text: ByteString, values: &mut Values) -> Inside {
        if let Some(events) = server_sent(&text, self.known, values) {
            self.known = true;
            return Inside::Events(events);
        }
        if !is_object(&text, values) {
            return Inside::Text(text);
        }
        if self.known {
            return Inside::Events(vec![SseEvent::new(text)]);
        }
        self.held = Some(text);
        Inside::Held
    }

    /// Whether a string is held.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Releases the string that is held, and whether it holds an event: a second such string, which follows it, says so of both.
    pub(super) fn release(&mut self, next: Option<&ByteString>, values: &mut Values) -> Option<(ByteString, bool)> {
        let text = self.held.take()?;
        let next = next.and_then(|next| values.read(next)?.string());
        self.known = next.is_some_and(|next| is_object(&next, values) || server_sent(&next, true, values).is_some());
        Some((text, self.known))
    }
}

fn is_object(text: &ByteString, values: &mut Values) -> bool {
    let is_enclosed = text.starts_with('{') && text.trim_end().ends_with('}');
    is_enclosed && values.read(text).is_some_and(|json| json.object().is_some_and(|object| !object.is_empty()))
}

/// The server-sent events that a text is made of, if their data are JSON, or the end mark. In a stream that is known to be written
/// so, comments and named events with other data are known too.
fn server_sent(text: &ByteString, known: bool, values: &mut Values) -> Option<Vec<SseEvent>> {
    let begins = ["data:", "event:", "id:", "retry:"].iter().any(|field| text.starts_with(field));
    if !(begins || known && text.starts_with(':')) || !text.ends_with(['\n', '\r']) {
        return None;
    }
    // Some leave out the empty line.
    let mut decoder = sse::Decoder::new().unterminated(true);
    decoder.push(text.clone().into_bytes());
    decoder.finish();
    let events: Vec<_> = std::iter::from_fn(|| decoder.next_event().ok().flatten()).collect();
    let mut is_one = |event: &SseEvent| {
        let kind = values.read(&event.data).map(|json| json.kind());
        &*event.data == "[DONE]" || matches!(kind, Some(Kind::Object | Kind::Large | Kind::String | Kind::Escaped))
    };
    (known || !events.is_empty() && events.iter().all(&mut is_one)).then_some(events)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_named};

    #[test]
    fn events_in_strings() {
        let (hel, lo) = (r#""{\"text\": \"Hel\"}""#, r#""{\"text\": \"lo\"}""#);
        let (start, delta) =
            (r#""{\"type\":\"RUN_STARTED\"}""#, r#""{\"type\":\"TEXT_MESSAGE_CONTENT\",\"delta\":\"Hi\"}""#);
        check(&[
            (
                &[hel, lo, r#""and text""#, r#""{\"error\": \"boom\"}""#],
                &["say Hel", "say lo", "say and text", "error : boom"],
            ),
            // One alone may be a model's answer, unless its shape is a protocol's.
            (&[hel], &[r#"say {"text": "Hel"}"#]),
            (&[hel, r#""and text""#], &[r#"say {"text": "Hel"}"#, "say and text"]),
            (&[hel, r#"{"text": "lo"}"#], &[r#"say {"text": "Hel"}"#, "say lo"]),
            (&[hel, "[DONE]"], &[r#"say {"text": "Hel"}"#, "other"]),
            (&[delta], &["say Hi"]),
            (&[start, delta], &["trace", "say Hi"]),
            (&[r#""{}""#, r#""{ no }""#, r#""{\"a\": 1""#], &["say {}", "say { no }", "say {\"a\": 1"]),
        ]);
        check_named(&[(&[("message", hel), ("ping", "1"), ("message", lo)], &["other", "say Hel", "say lo"])]);
    }

    #[test]
    fn server_sent_events_in_strings() {
        check(&[
            (&[r#""data: {\"text\": \"Hel\"}\n\n""#, r#"": ping\n\n""#], &["say Hel", "other"]),
            (&[r#""data: {\"text\": \"Hel\"}\n\ndata: \"lo\"\n\ndata: [DONE]\n\n""#], &["say Hel", "say lo", "other"]),
            (&[r#""event: error\ndata: {\"message\": \"boom\"}\r\n\r\n""#], &["error : boom"]),
            (&[r#""data: {\"text\": \"Hel\"}\n""#], &["say Hel"]),
            (&[r#""data: {\"text\": \"Hel\"}""#], &[r#"say data: {"text": "Hel"}"#]),
            (&[r#""data: some\n\n""#, r#"": none\n\n""#], &["say data: some\n\n", "say : none\n\n"]),
        ]);
    }

    #[test]
    fn only_strings_where_the_dialect_says_so() {
        let mut reader = crate::Reader::new().dialect(crate::Dialect::Strings);
        for data in [r#""{\"text\": \"a\"}""#, r#""{\"text\": \"b\"}""#] {
            reader.push(crate::SseEvent::new(data));
        }
        let found: Vec<_> = std::iter::from_fn(|| reader.next_event()).map(super::super::tests::told).collect();
        assert_eq!(found, [r#"say {"text": "a"}"#, r#"say {"text": "b"}"#]);
    }
}
