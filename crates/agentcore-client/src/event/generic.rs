//! Agents that yield small objects of their own making: the text stands under one of a few usual keys.

use super::{
    converse,
    json::Object,
    strands,
    transcript::{Block, Transcript},
};

pub(super) fn read(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if object.has("jsonrpc") {
        return None;
    }
    // Objects that say what they are belong to a protocol, whose texts are not all the agent's.
    if object.get("type").is_some_and(|kind| kind.is_string() && !kind.is("text")) {
        return None;
    }
    if object.has("role") {
        return message(object, transcript);
    }
    if let Some(text) = PIECES.iter().find_map(|key| object.words(key)) {
        transcript.text(None, "", text);
        return Some(());
    }
    if let Some(text) = object.get("delta").and_then(|delta| delta.get("text")?.string()) {
        if !transcript.is_echo(&text) {
            transcript.text(None, "", text);
        }
        return Some(());
    }
    WHOLES.iter().find_map(|key| {
        let value = object.get(key)?;
        let text = value.string().or_else(|| value.get("text")?.string());
        let blocks = text.map(|text| vec![Block::Text(text)]).or_else(|| strands::result(value))?;
        transcript.message(None, key, blocks);
        Some(())
    })
}

/// Whether the object is one string under a usual key, which no other dialect reads: the commonest answer of agents made by hand. Not
/// under `data`, which is Strands' too.
pub(super) fn is_one_text(object: Object<'_>) -> bool {
    let mut members = object.entries();
    let (Some((name, value)), None) = (members.next(), members.next()) else { return false };
    value.is_string() && PIECES.iter().skip(1).chain(WHOLES).any(|key| name.is(key))
}

/// A message in the manner of OpenAI's, or of Converse.
fn message(object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let blocks = match object.string("content") {
        Some(_) if object.string("role")? != "assistant" => return None,
        Some(text) => vec![Block::Text(text)],
        None => converse::message(object)?,
    };
    transcript.message(None, "content", blocks);
    Some(())
}

/// Where pieces of a text stand, `data` first.
const PIECES: &[&str] = &["data", "delta", "text", "content"];

/// Where whole texts stand, which may have been said in pieces before.
const WHOLES: &[&str] = &["result", "output", "response", "message", "answer"];

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn usual_keys() {
        for (data, expected) in [
            (r#"{"text": "a"}"#, "say a"),
            (r#"{"data": "b"}"#, "say b"),
            (r#"{"delta": "c", "id": 1}"#, "say c"),
            (r#"{"delta": {"text": "d"}}"#, "say d"),
            (r#"{"content": "e"}"#, "say e"),
            (r#"{"result": "f"}"#, "say f"),
            (r#"{"output": "g"}"#, "say g"),
            (r#"{"output": {"text": "h"}}"#, "say h"),
            (r#"{"response": "i", "status": "success"}"#, "say i"),
            (r#"{"message": "j"}"#, "say j"),
            (r#"{"answer": "k\u0021"}"#, "say k!"),
            (r#"{"type": "text", "text": "l"}"#, "say l"),
            (r#"{"role": "assistant", "content": "m"}"#, "say m"),
            (r#"{"role": "assistant", "content": [{"text": "n"}]}"#, "say n"),
            (r#"{"result": {"role": "assistant", "content": [{"text": "o"}]}}"#, "say o"),
            (
                r#"{"result": {"message": {"role": "assistant", "content": [{"text": "p"}]}, "stop_reason": "end_turn"}}"#,
                "say p",
            ),
            (r#"{"text": "u", "role": null}"#, "say u"),
            (r#"{"metadata": {"usage": {}}, "text": "v"}"#, "say v"),
            (r#"{"role": "user", "content": "q"}"#, "other"),
            (r#"{"role": "tool", "text": "r"}"#, "other"),
            (r#"{"type": "step", "text": "s"}"#, "other"),
            (r#"{"result": {"text": 1}}"#, "other"),
            (r#"{"result": ["t"]}"#, "other"),
        ] {
            check(&[(&[data], &[expected])]);
        }
    }

    #[test]
    fn wholes_after_their_pieces() {
        check(&[
            (&[r#"{"data": "Hel"}"#, r#"{"data": "lo"}"#, r#"{"result": "Hello"}"#], &["say Hel", "say lo", "other"]),
            (&[r#""Hel""#, r#""lo""#, r#"{"result": "Hello\n"}"#], &["say Hel", "say lo", "other"]),
            (&[r#""Hel""#, r#"{"result": "Hello"}"#], &["say Hel", "say lo"]),
            (&[r#""Help""#, r#"{"result": "Hello"}"#], &["say Help", "say Hello"]),
            (&[r#"{"result": "a"}"#, r#"{"result": "a"}"#], &["say a", "say a"]),
            (&[r#"{"text": "a"}"#, r#"{"text": "a"}"#], &["say a", "say a"]),
            (&[r#"{"text": "a"}"#, r#""a""#], &["say a", "say a"]),
        ]);
    }
}
