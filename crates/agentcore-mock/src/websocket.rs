//! What the built-in agents say over a WebSocket once it is open. Refuses no handshake.

mod frames;
mod line;
mod peer;

use std::{collections::VecDeque, time::Duration};

use axum::extract::ws::Message;
use serde_json::{Value, json};
use tokio::pin;

use crate::{
    AgentRequest, CredentialForm, RecordedRequest,
    agents::{request::HIDDEN, story::words},
    encode,
    verify::sigv4::presign,
};
use line::End;

pub(crate) use frames::{Frames, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};
pub(crate) use line::Line;
pub(crate) use peer::Peer;

/// A handshake as it reaches an agent.
pub(crate) struct Handshake {
    pub(crate) request: AgentRequest,
    /// The parameters, of which those that are credentials hold only `…`.
    query: Vec<(String, String)>,
    credential_form: Option<CredentialForm>,
}

impl Handshake {
    pub(crate) fn new(request: AgentRequest, received: &RecordedRequest) -> Self {
        let mut query = encode::parameters(received.query.as_deref().unwrap_or_default());
        for (_, value) in query.iter_mut().filter(|(name, _)| presign::is_secret(name)) {
            HIDDEN.clone_into(value);
        }
        Self { request, query, credential_form: received.credential_form }
    }

    /// What was received, as the agent `headers` tells it: pairs, because a name may come twice.
    pub(crate) fn describe(&self) -> Value {
        let headers = self.request.headers.iter();
        let headers = headers.map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
        let credential_form = self.credential_form.map(|credential_form| match credential_form {
            CredentialForm::Bearer => "bearer",
            CredentialForm::Subprotocol => "subprotocol",
            CredentialForm::Signature => "signature",
            CredentialForm::PresignedUrl => "presigned-url",
        });
        json!({ "headers": Value::from_iter(headers), "query": self.query, "credential_form": credential_form })
    }
}

/// How an agent talks.
pub(crate) enum Talk {
    /// Sends every message back.
    Echo,
    /// Takes every message for a prompt, and tells a story about it at this pace.
    Story(Duration),
    /// Sends this first, then every message back.
    Greeting(Value),
    /// Misbehaves.
    Peer(Peer),
}

impl Talk {
    /// Talks until one of the two ends the connection.
    pub(crate) async fn over(self, mut line: Line) {
        let talked = match self {
            Self::Echo => echo(&mut line).await,
            Self::Story(pace) => story(&mut line, pace).await,
            Self::Greeting(greeting) => match line.send(text(&greeting)).await {
                Ok(()) => echo(&mut line).await,
                Err(end) => Err(end),
            },
            Self::Peer(peer) => peer.talk(&mut line).await,
        };
        if let Err(end) = talked {
            line.end(end).await;
        }
    }
}

async fn echo(line: &mut Line) -> Result<(), End> {
    loop {
        let message = line.recv().await?;
        line.send(message).await?;
    }
}

/// Tells a story about each prompt. Prompts that come while one is told are kept for later, and an end is heard at once.
async fn story(line: &mut Line, pace: Duration) -> Result<(), End> {
    let mut prompts = VecDeque::new();
    loop {
        let message = match prompts.pop_front() {
            Some(message) => message,
            None => line.recv().await?,
        };
        for (index, word) in words(&prompt(&message.into_data())).into_iter().enumerate() {
            if index > 0 && !pace.is_zero() {
                let pause = tokio::time::sleep(pace);
                pin!(pause);
                loop {
                    tokio::select! {
                        () = &mut pause => break,
                        message = line.recv() => prompts.push_back(message?),
                    }
                }
            }
            line.send(text(&word.into())).await?;
        }
        line.send(text(&json!({ "type": "done" }))).await?;
    }
}

/// The prompt in a message: an object's `prompt` or `inputText`, a JSON string, or else the text as it is.
fn prompt(message: &[u8]) -> String {
    let value = serde_json::from_slice(message).unwrap_or_default();
    let prompt = match &value {
        Value::Object(object) => object.get("prompt").or_else(|| object.get("inputText")),
        value => Some(value),
    };
    let prompt = prompt.and_then(Value::as_str).map(str::to_owned);
    prompt.unwrap_or_else(|| String::from_utf8_lossy(message).into_owned())
}

fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        for (message, expected) in [
            ("What now?", "What now?"),
            (r#""What now?""#, "What now?"),
            (r#"{"prompt": "What now?"}"#, "What now?"),
            (r#"{"inputText": "What now?", "sessionId": "x"}"#, "What now?"),
            (r#"{"inputText": "no", "prompt": "What now?"}"#, "What now?"),
            (r#"{"prompt": 1}"#, r#"{"prompt": 1}"#),
            (r#"{"question": "x"}"#, r#"{"question": "x"}"#),
            ("42", "42"),
            ("null", "null"),
            ("", ""),
        ] {
            assert_eq!(prompt(message.as_bytes()), expected, "{message}");
        }
    }
}
