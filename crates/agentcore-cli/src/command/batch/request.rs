//! One line of the input: what is sent, in which session, under which name. Reads no file.

use agentcore_client::{Payload, SessionId};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What a line says.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) payload: Payload,
    /// The caller's own name for it, any JSON.
    pub(super) id: Option<Box<RawValue>>,
    pub(super) session: Option<SessionId>,
}

/// The members of the object, each as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "as_written")]
    prompt: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "as_written")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "as_written")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "as_written")]
    session_id: Option<&'a RawValue>,
}

/// Takes a value that is there, null included.
fn as_written<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Request {
    /// Parses a line, without its end.
    ///
    /// # Errors
    /// If it is no such object; the error says why.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        // An array would be read as the members in their order.
        if !line.trim_ascii_start().starts_with('{') {
            return Err("it is no JSON object".to_owned());
        }
        let members: Members<'_> = serde_json::from_str(line).map_err(|error| in_line(&error))?;
        let payload = match (members.prompt, members.payload) {
            (Some(_), Some(_)) => return Err("it has a prompt and a payload: one of them is what is sent".to_owned()),
            (None, None) => return Err("it has neither a prompt nor a payload".to_owned()),
            (Some(prompt), None) => match text(prompt, "prompt")? {
                prompt if prompt.is_empty() => return Err("its prompt is empty".to_owned()),
                prompt => checked(prompt.len(), Payload::prompt(prompt))?,
            },
            (None, Some(payload)) => {
                checked(payload.get().len(), Payload::raw(Some("application/json"), payload.get().to_owned()))?
            }
        };
        let session = members.session_id.filter(|id| id.get() != "null");
        let session = session
            .map(|id| text(id, "session_id")?.parse().map_err(|error: agentcore_client::Error| error.to_string()));
        Ok(Self { payload, id: members.id.map(ToOwned::to_owned), session: session.transpose()? })
    }
}

fn text(value: &RawValue, member: &str) -> Result<String, String> {
    serde_json::from_str(value.get()).map_err(|_| format!("its {member} is no text"))
}

fn checked(bytes: usize, payload: Payload) -> Result<Payload, String> {
    match bytes {
        0..=Payload::MAX_BYTES => Ok(payload),
        more => Err(format!("what is sent has {more} bytes, and {} are allowed", Payload::MAX_BYTES)),
    }
}

/// Returns an error about JSON that is on one line.
fn in_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at byte ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const SESSION: &str = "session-0123456789-0123456789-0123456789";

    #[test]
    fn what_is_taken() {
        let json = |text: &str| Payload::json_text(text.to_owned()).unwrap();
        for (line, payload, id, session) in [
            (r#"{"prompt": "Hi \u00e9\n"}"#, Payload::prompt("Hi é\n"), None, None),
            ("\t{\"prompt\":\"Hi\"} \r", Payload::prompt("Hi"), None, None),
            (r#"{"payload": {"b": 1.00, "a": []}}"#, json(r#"{"b": 1.00, "a": []}"#), None, None),
            (r#"{"payload": null}"#, json("null"), None, None),
            (r#"{"payload": "x", "id": "q-1"}"#, json("\"x\""), Some("\"q-1\""), None),
            (r#"{"id": 1e2, "prompt": "x", "session_id": null}"#, Payload::prompt("x"), Some("1e2"), None),
            (r#"{"id": {"a": [1]}, "prompt": "x"}"#, Payload::prompt("x"), Some(r#"{"a": [1]}"#), None),
            (
                r#"{"prompt": "x", "session_id": "session-0123456789-0123456789-0123456789"}"#,
                Payload::prompt("x"),
                None,
                Some(SESSION),
            ),
        ] {
            let request = Request::parse(line).unwrap();
            let found = (
                request.payload,
                request.id.as_ref().map(|id| id.get()),
                request.session.as_ref().map(SessionId::as_str),
            );
            assert_eq!(found, (payload, id, session), "{line}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (line, why) in [
            ("", "it is no JSON object"),
            ("null", "it is no JSON object"),
            ("[\"Hi\", null, null, null]", "it is no JSON object"),
            ("\"Hi\"", "it is no JSON object"),
            ("{\"prompt\": \"Hi\"", "EOF while parsing an object at byte 15"),
            ("{\"prompt\": \"Hi\"} {}", "trailing characters at byte 18"),
            ("{}", "it has neither a prompt nor a payload"),
            ("{\"id\": 1}", "it has neither a prompt nor a payload"),
            ("{\"prompt\": \"\"}", "its prompt is empty"),
            ("{\"prompt\": 1}", "its prompt is no text"),
            ("{\"prompt\": null}", "its prompt is no text"),
            ("{\"prompt\": \"a\", \"payload\": null}", "it has a prompt and a payload: one of them is what is sent"),
            ("{\"prompt\": \"a\", \"prompt\": \"b\"}", "duplicate field `prompt` at byte 24"),
            (
                "{\"promt\": \"a\"}",
                "unknown field `promt`, expected one of `prompt`, `payload`, `id`, `session_id` at byte 8",
            ),
            ("{\"prompt\": \"a\", \"session_id\": 7}", "its session_id is no text"),
            (
                "{\"prompt\": \"a\", \"session_id\": \"short\"}",
                "invalid session id \"short\": it has 5 characters, at least 33 are needed",
            ),
        ] {
            assert_eq!(Request::parse(line).unwrap_err(), why, "{line}");
        }
        let large = format!("{{\"payload\": \"{}\"}}", "x".repeat(Payload::MAX_BYTES - 1));
        assert_eq!(Request::parse(&large).unwrap_err(), "what is sent has 100000001 bytes, and 100000000 are allowed");
    }
}
