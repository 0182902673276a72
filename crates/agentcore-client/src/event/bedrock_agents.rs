//! Agents that answer in the manner of Bedrock Agents: chunks of a completion, and traces.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytestring::ByteString;

use super::{
    Event, SseEvent,
    json::{Json, Object},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(completion) = object.get("completion").or_else(|| object.get("chunk")) {
        transcript.text(None, "", text(completion)?);
    } else if object.get("trace")?.object().is_some() {
        transcript.event(Event::Trace(event.clone()));
    } else {
        return None;
    }
    Some(())
}

fn text(completion: Json<'_>) -> Option<ByteString> {
    let Some(object) = completion.object() else { return completion.string() };
    object.string("text").or_else(|| object.string("bytes").map(decoded))
}

/// Bytes are base64 in AWS's JSON. Agents of other makers put their text there as it is.
fn decoded(bytes: ByteString) -> ByteString {
    let text = STANDARD.decode(&*bytes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace())).map_or(bytes, ByteString::from)
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn chunks() {
        check(&[
            (&[r#"{"completion": {"text": "Hel"}}"#, r#"{"completion": {"text": "lo"}}"#], &["say Hel", "say lo"]),
            (&[r#"{"completion": {"bytes": "SGVsbG8sIHfDtnJsZA=="}}"#], &["say Hello, wörld"]),
            (&[r#"{"completion": {"bytes": "SGkKeW91"}}"#], &["say Hi\nyou"]),
            (&[r#"{"completion": {"bytes": "Hello, world"}}"#], &["say Hello, world"]),
            // Base64 by its letters, and yet words: what it would stand for is no text.
            (
                &[r#"{"completion": {"bytes": "Text"}}"#, r#"{"completion": {"bytes": "AAAA"}}"#],
                &["say Text", "say AAAA"],
            ),
            (&[r#"{"completion": "Hello"}"#, r#"{"chunk": {"bytes": "SGk="}}"#], &["say Hello", "say Hi"]),
            (&[r#"{"trace": {"orchestrationTrace": {}}}"#], &["trace"]),
            (&[r#"{"completion": {"citations": []}}"#, r#"{"completion": {"text": ""}}"#], &["other", "other"]),
        ]);
    }
}
