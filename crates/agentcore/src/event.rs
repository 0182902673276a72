//! What an agent says, event by event, whichever way it says it. One file a dialect; a dialect never fails, it passes.
//!
//! | dialect | shape | becomes |
//! |---|---|---|
//! | [bare strings](self) | `"Hello"`, and data that is not JSON | [`Event::Text`] |
//! | errors | the official Python SDK's `{"error", "error_type", "message"}`, JSON-RPC's `{"jsonrpc", "error"}`, AG-UI's `RUN_ERROR` | [`Event::Error`] |
//! | objects | `{"text": "…"}` and its kin | [`Event::Text`] |
//! | everything else | | [`Event::Other`], untouched |

mod bare;
mod failure;
mod object;
mod stream;

use std::fmt;

use agentcore_http::sse;
use bytestring::ByteString;

pub use self::stream::Events;

/// Something an agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A piece of the answer's text, to be joined to the pieces before it without anything between.
    Text(ByteString),
    /// The agent failed. The stream may go on, but the answer is not to be trusted.
    Error(AgentError),
    /// An event of a shape that is not known here, as it came.
    Other(sse::Event),
}

impl Event {
    /// The text, if this is a piece of it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Understands a server-sent event, or passes it through.
    #[must_use]
    pub fn read(event: sse::Event) -> Self {
        bare::read(&event.data)
            .or_else(|| {
                let json: serde_json::Value = serde_json::from_str(&event.data).ok()?;
                failure::read(&json).or_else(|| object::read(&json))
            })
            .unwrap_or(Self::Other(event))
    }
}

/// An error that an agent reported within its answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentError {
    /// What the agent has to say about it.
    pub message: String,
    /// The agent's name for it: the class of a Python exception, a JSON-RPC code.
    pub name: Option<String>,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the agent failed: {name}: {}", self.message),
            None => write!(f, "the agent failed: {}", self.message),
        }
    }
}

impl fmt::Debug for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentError").field("message", &self.message).field("name", &self.name).finish()
    }
}

impl std::error::Error for AgentError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Event> {
        Some(Event::Text(text.into()))
    }

    fn error(name: Option<&str>, message: &str) -> Option<Event> {
        Some(Event::Error(AgentError { message: message.into(), name: name.map(str::to_owned) }))
    }

    /// What is `None` here passes through untouched.
    #[test]
    fn dialects() {
        for (data, expected) in [
            (r#""Hello""#, text("Hello")),
            (r#"" wörld\n\"x\" \u00e9""#, text(" wörld\n\"x\" é")),
            (r#""""#, text("")),
            (r#""b'\\xff\\x00'""#, text(r"b'\xff\x00'")),
            (r#""{'data': 'Let me ', 'agent': <strands.agent.agent.Agent object at 0x7f7c2da853d0>}""#, None),
            ("plain words", text("plain words")),
            ("line1\nline2", text("line1\nline2")),
            ("[DONE]", None),
            ("", None),
            ("NaN", None),
            ("-Infinity", None),
            ("{\"x\": NaN}", None),
            ("{nope", None),
            ("1", None),
            ("1.5e3", None),
            ("true", None),
            ("null", None),
            (r#"["l", 1]"#, None),
            (r#"{"text": "a"}"#, text("a")),
            (r#"{"data": "b"}"#, text("b")),
            (r#"{"delta": "c", "id": 1}"#, text("c")),
            (r#"{"result": "d"}"#, text("d")),
            (r#"{"output": "e"}"#, text("e")),
            (r#"{"response": "f"}"#, text("f")),
            (r#"{"message": "g"}"#, text("g")),
            (r#"{"message": {"role": "assistant"}}"#, None),
            (r#"{"data": 1}"#, None),
            (r#"{"i": 0}"#, None),
            (
                r#"{"error": "boom\nsecond é", "error_type": "ValueError", "message": "An error occurred during streaming"}"#,
                error(Some("ValueError"), "boom\nsecond é"),
            ),
            (r#"{"error": "boom"}"#, error(None, "boom")),
            (r#"{"error": "", "error_type": "KeyError"}"#, error(Some("KeyError"), "")),
            (r#"{"error": null, "text": "fine"}"#, text("fine")),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"mcp boom"}}"#,
                error(Some("-32603"), "mcp boom"),
            ),
            (r#"{"type":"RUN_ERROR","message":"agui boom","code":"X"}"#, error(Some("X"), "agui boom")),
            (r#"{"type":"RUN_FINISHED","message":"over"}"#, None),
        ] {
            let event = sse::Event::new(data);
            assert_eq!(Event::read(event.clone()), expected.unwrap_or(Event::Other(event)), "{data}");
        }
    }

    #[test]
    fn text_without_escapes_is_a_slice_of_what_came() {
        let event = sse::Event::new(r#""Hello, world""#);
        let came = event.data.as_bytes().as_ptr_range();
        let Event::Text(text) = Event::read(event.clone()) else { panic!("it is text") };
        assert!(came.contains(&text.as_bytes().as_ptr()));
    }
}
