//! The body of an invocation. Checks and serializes it once; knows no headers and no hosts.

use agentcore_core::{SessionId, unicode};
use bytes::Bytes;
use serde::{Serialize, de::IgnoredAny};

use crate::Error;

/// The body of an invocation: at most 100 MB.
///
/// A text is sent in the form that most agents expect, `{"prompt": …, "sessionId": …, "enableTrace": true}`, and to a harness as the
/// user's message, `{"messages": [{"role": "user", "content": [{"text": …}]}]}`. Any other form is sent unchanged, by [`json`](Self::json), [`json_text`](Self::json_text) or [`raw`](Self::raw).
///
/// ```
/// use agentcore_http::Payload;
///
/// let prompt = Payload::prompt("Hello, world!");
/// let own = Payload::json(&serde_json::json!({"question": "6 x 7?"}))?;
/// # let _ = (prompt, own);
/// # Ok::<(), agentcore_http::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payload(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    Prompt { text: String, trace: bool },
    Bytes { content_type: Option<String>, bytes: Bytes },
}

impl Payload {
    /// The most bytes that the service accepts (AgentCore Runtime quota: maximum payload size).
    pub const MAX_BYTES: usize = 100_000_000;

    /// Makes a prompt in the form above.
    #[must_use]
    pub fn prompt(text: impl Into<String>) -> Self {
        Self(Form::Prompt { text: text.into(), trace: true })
    }

    /// Sets whether a prompt requests the agent's trace. Default: yes. No effect on other payloads.
    #[must_use]
    pub fn enable_trace(mut self, enable: bool) -> Self {
        if let Form::Prompt { trace, .. } = &mut self.0 {
            *trace = enable;
        }
        self
    }

    /// Serializes a value as JSON.
    ///
    /// # Errors
    /// If the value cannot be serialized as JSON, such as a map whose keys are not strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Error::input("the payload cannot be written as JSON").with_source(error))?;
        Ok(Self::raw(Some(JSON), bytes))
    }

    /// Takes a JSON text, which is sent byte for byte.
    ///
    /// # Errors
    /// If it is not UTF-8 (RFC 8259 section 8.1), or not one JSON value; the error has the position.
    pub fn json_text(text: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = text.into();
        let text = unicode::text(&bytes).map_err(|rule| Error::input(format!("the payload is not JSON: {rule}")))?;
        // RFC 8259 section 8.1: a text has no byte order mark, though some editors write one.
        let bytes = bytes.slice_ref(text.as_bytes());
        serde_json::from_slice::<IgnoredAny>(&bytes)
            .map_err(|error| Error::input(format!("the payload is not JSON: {error}")))?;
        Ok(Self::raw(Some(JSON), bytes))
    }

    /// Takes any bytes, with their media type if it is known.
    #[must_use]
    pub fn raw(content_type: Option<&str>, bytes: impl Into<Bytes>) -> Self {
        Self(Form::Bytes { content_type: content_type.map(str::to_owned), bytes: bytes.into() })
    }

    /// Returns its size in bytes, without those that a prompt's form adds.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Form::Prompt { text, .. } => text.len(),
            Form::Bytes { bytes, .. } => bytes.len(),
        }
    }

    /// Returns the media type and the bytes to send.
    pub(crate) fn body(&self, session: &SessionId, max_bytes: usize) -> Result<(Option<&str>, Bytes), Error> {
        self.write(max_bytes, |prompt, enable_trace| {
            serde_json::to_vec(&Prompt { prompt, session_id: session.as_str(), enable_trace })
        })
    }

    /// Returns the media type and the bytes to send to a harness: a prompt is the user's only message.
    pub(crate) fn messages(&self, max_bytes: usize) -> Result<(Option<&str>, Bytes), Error> {
        self.write(max_bytes, |text, _| {
            let messages = [Message { role: "user", content: [TextBlock { text }] }];
            serde_json::to_vec(&Messages { messages })
        })
    }

    /// Writes a prompt in this form, and everything else as it is.
    fn write(
        &self,
        max_bytes: usize,
        prompt: impl FnOnce(&str, bool) -> serde_json::Result<Vec<u8>>,
    ) -> Result<(Option<&str>, Bytes), Error> {
        let (content_type, bytes) = match &self.0 {
            Form::Prompt { text, trace } => (Some(JSON), prompt(text, *trace).unwrap_or_default().into()),
            Form::Bytes { content_type, bytes } => (content_type.as_deref(), bytes.clone()),
        };
        if bytes.len() > max_bytes {
            let message = format!("the payload has {} bytes, at most {max_bytes} are allowed", bytes.len());
            return Err(Error::input(message));
        }
        Ok((content_type, bytes))
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::prompt(text)
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::prompt(text)
    }
}

impl From<serde_json::Value> for Payload {
    fn from(value: serde_json::Value) -> Self {
        Self::raw(Some(JSON), value.to_string())
    }
}

/// Prints the size alone, because the text may be private.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prompt { text, .. } => write!(f, "prompt of {} bytes", text.len()),
            Self::Bytes { bytes, .. } => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// The body of `InvokeHarness`, as far as a prompt needs it.
#[derive(Serialize)]
struct Messages<'a> {
    messages: [Message<'a>; 1],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: [TextBlock<'a>; 1],
}

#[derive(Serialize)]
struct TextBlock<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prompt<'a> {
    prompt: &'a str,
    session_id: &'a str,
    enable_trace: bool,
}

const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn forms() {
        let session = "session-0123456789-0123456789-0123456789".parse().unwrap();
        let json = Some("application/json");
        let quoted =
            r#"{"prompt":"Hi \"é\"\n","sessionId":"session-0123456789-0123456789-0123456789","enableTrace":true}"#;
        let untraced = r#"{"prompt":"","sessionId":"session-0123456789-0123456789-0123456789","enableTrace":false}"#;
        for (payload, content_type, body) in [
            (Payload::from("Hi \"é\"\n"), json, quoted),
            (Payload::prompt("").enable_trace(false), json, untraced),
            (Payload::from(json!({"b": 1, "a": [null]})), json, r#"{"a":[null],"b":1}"#),
            (Payload::json_text(" {\"b\":1, \"a\":2} ").unwrap(), json, " {\"b\":1, \"a\":2} "),
            (Payload::json_text("\u{feff}{}").unwrap(), json, "{}"),
            (Payload::raw(Some("text/csv"), "a,b"), Some("text/csv"), "a,b"),
            (Payload::raw(None, ""), None, ""),
        ] {
            assert_eq!(payload.body(&session, Payload::MAX_BYTES).unwrap(), (content_type, Bytes::from(body)));
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_the_place() {
        for (text, message) in [
            ("{nope", "the payload is not JSON: key must be a string at line 1 column 2"),
            ("", "the payload is not JSON: EOF while parsing a value at line 1 column 0"),
            ("{} {}", "the payload is not JSON: trailing characters at line 1 column 4"),
        ] {
            assert_eq!(Payload::json_text(text).unwrap_err().to_string(), message);
        }
        for (bytes, rule) in [
            (&b"\"caf\xe9\""[..], "it is not UTF-8 at byte 4"),
            (b"\xff\xfe{\0}\0", "it is UTF-16, and must be UTF-8"),
            (b"{\"\xed\xa0\x80\":1}", "it is not UTF-8 at byte 2"),
        ] {
            let error = Payload::json_text(Bytes::from_static(bytes)).unwrap_err();
            assert_eq!(error.to_string(), format!("the payload is not JSON: {rule}"));
        }
    }

    #[test]
    fn size_is_bounded() {
        let session = SessionId::random();
        assert!(Payload::raw(None, vec![0; 10]).body(&session, 10).is_ok());
        let error = Payload::raw(None, vec![0; 11]).body(&session, 10).unwrap_err();
        assert_eq!(error.to_string(), "the payload has 11 bytes, at most 10 are allowed");
    }
}
