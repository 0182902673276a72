//! The behaviour of the built-in agents over an open WebSocket. Authenticates no handshake.

mod connection;
mod frame_limits;
#[cfg(unix)]
pub(crate) mod shell;

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use tokio::pin;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    agents::{Agent, ask, story::words},
    faults::WebSocketFault,
    invocation::{AgentRequest, AgentResponse, REDACTED},
    record::{CredentialForm, RecordedRequest},
    verify::is_credential_parameter,
};
use connection::End;

pub(crate) use connection::{Connection, Socket};
pub(crate) use frame_limits::{FrameLimits, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};

/// A handshake as an agent receives it.
pub(crate) struct Handshake {
    request: AgentRequest,
    /// The query's parameters, the credentials redacted to `…`.
    query: Vec<(String, String)>,
    credential_form: Option<CredentialForm>,
}

impl Handshake {
    pub(crate) fn new(request: AgentRequest, received: &RecordedRequest) -> Self {
        let mut query = received.parameters();
        for (_, value) in query.iter_mut().filter(|(name, _)| is_credential_parameter(name)) {
            REDACTED.clone_into(value);
        }
        Self { request, query, credential_form: received.credential_form }
    }

    /// Returns the agent's name.
    pub(crate) fn agent(&self) -> &str {
        &self.request.agent
    }

    /// Describes what was received, for the agent `headers`.
    fn describe(&self) -> Value {
        let credential_form = self.credential_form.map(|form| match form {
            CredentialForm::Bearer => "bearer",
            CredentialForm::Subprotocol => "subprotocol",
            CredentialForm::Signature => "signature",
            CredentialForm::PresignedUrl => "presigned-url",
        });
        json!({ "headers": self.request.header_pairs(), "query": self.query, "credential_form": credential_form })
    }
}

/// What an agent does with an open WebSocket.
pub(crate) enum Handler {
    /// Sends every message back.
    Echo,
    /// Takes every message as a prompt, and sends a story about it with this pause between words.
    Story(Duration),
    /// Asks about every message, unless it is an answer.
    Ask,
    /// Sends this description of the handshake, then every message back.
    Headers(Value),
    /// Injects a fault.
    Fault(WebSocketFault),
}

impl Handler {
    /// Returns an agent's handler, or the response by which the agent refuses the handshake.
    pub(crate) async fn accept(agent: Agent, handshake: Handshake) -> Result<Self, AgentResponse> {
        let request = &handshake.request;
        match agent {
            Agent::Echo => Ok(Self::Echo),
            Agent::Story(pace) => Ok(Self::Story(pace)),
            Agent::Ask => Ok(Self::Ask),
            Agent::Headers => Ok(Self::Headers(handshake.describe())),
            Agent::Fault(fault) => fault.respond_to_handshake(request).await.map_or(Ok(Self::Echo), Err),
            Agent::WebSocketFault(WebSocketFault::Drop(first)) if request.attempt > first.into() => Ok(Self::Echo),
            Agent::WebSocketFault(fault) => Ok(Self::Fault(fault)),
            Agent::Custom(_) | Agent::Text | Agent::Mcp => {
                Err(AgentResponse::unsupported("The agent has no WebSocket."))
            }
        }
    }

    /// Runs until one of the peers ends the connection.
    pub(crate) async fn run(self, mut connection: Connection) {
        let ended = match self {
            Self::Echo => echo(&mut connection).await,
            Self::Story(pace) => story(&mut connection, pace).await,
            Self::Ask => ask(&mut connection).await,
            Self::Headers(description) => match connection.send(text(&description)).await {
                Ok(()) => echo(&mut connection).await,
                Err(end) => Err(end),
            },
            Self::Fault(fault) => inject(fault, &mut connection).await,
        };
        if let Err(end) = ended {
            connection.end(end).await;
        }
    }
}

async fn echo(connection: &mut Connection) -> Result<(), End> {
    loop {
        let message = connection.recv().await?;
        connection.send(message).await?;
    }
}

/// Asks about each prompt, and answers each answer.
async fn ask(connection: &mut Connection) -> Result<(), End> {
    loop {
        let message = connection.recv().await?.into_data();
        let payload = serde_json::from_slice(&message).unwrap_or_default();
        for event in ask::events(&payload).into_iter().chain([json!({ "type": "done" })]) {
            connection.send(text(&event)).await?;
        }
    }
}

/// Sends a story about each prompt. Queues the prompts that arrive meanwhile, and ends at once when the peer does.
async fn story(connection: &mut Connection, pace: Duration) -> Result<(), End> {
    let mut prompts = VecDeque::new();
    loop {
        let message = match prompts.pop_front() {
            Some(message) => message,
            None => connection.recv().await?,
        };
        for (index, word) in words(&prompt(&message.into_data())).into_iter().enumerate() {
            if index > 0 && !pace.is_zero() {
                let pause = tokio::time::sleep(pace);
                pin!(pause);
                loop {
                    tokio::select! {
                        () = &mut pause => break,
                        message = connection.recv() => prompts.push_back(message?),
                    }
                }
            }
            connection.send(text(&word.into())).await?;
        }
        connection.send(text(&json!({ "type": "done" }))).await?;
    }
}

/// Injects a fault.
async fn inject(fault: WebSocketFault, connection: &mut Connection) -> Result<(), End> {
    match fault {
        WebSocketFault::Close(code) => {
            echo_once(connection).await?;
            return Err(End::Close(code, REASON));
        }
        WebSocketFault::CloseNow(code) => return Err(End::Close(code, REASON)),
        WebSocketFault::Drop(_) => echo_once(connection).await?,
        WebSocketFault::Deaf => connection.stop_reading().await,
        WebSocketFault::Silent => connection.discard().await,
        WebSocketFault::NoClose => {
            loop {
                match connection.recv_any().await? {
                    Message::Close(_) => break,
                    message @ (Message::Text(_) | Message::Binary(_)) => connection.send(message).await?,
                    _ => {}
                }
            }
            connection.discard().await;
        }
    }
    Ok(())
}

async fn echo_once(connection: &mut Connection) -> Result<(), End> {
    let message = connection.recv().await?;
    connection.send(message).await
}

/// Returns the prompt of a message: an object's `prompt` or `inputText`, a JSON string, or else the text as it is.
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

const REASON: &str = "the agent hangs up";

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
