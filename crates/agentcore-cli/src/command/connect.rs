//! `acore connect`: standard input and output as the two ends of the agent's WebSocket, a line a message.

use std::{io::IsTerminal, time::Duration};

use agentcore_client::{
    RetryPolicy,
    ws::{AuthMode, Close, Expiry, Incoming, Receiver, Sender, Settings},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    context::Context,
    end_mark::is_last,
    errors::{FailedCall, Failure, Mechanism},
    flags::{ParamFlags, SessionFlags, seconds},
    input,
    output::{Output, note, note_binary},
    progress::Spinner,
};

/// Opens the agent's WebSocket: each line of input is a message
///
/// Each line of standard input is sent as a text message, and each message that comes is printed.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ConnectFlags {
    #[command(flatten)]
    session: SessionFlags,
    #[command(flatten)]
    params: ParamFlags,
    /// Gets in by a presigned URL, as a browser with AWS credentials behind it does
    #[arg(long, conflicts_with = "subprotocol", help_heading = "The way in")]
    presigned: bool,
    /// Gets in by the subprotocol, as a browser with a token does
    #[arg(long, help_heading = "The way in")]
    subprotocol: bool,
    /// How to print a message
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "The answer")]
    output: Format,
    /// Seconds of silence after the end of input before the socket is closed
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = seconds, help_heading = "Patience")]
    wait: Duration,
    /// Seconds that all of it may take [default: as long as it does]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    timeout: Option<Duration>,
    /// Comes back when the connection is lost, in the same session
    #[arg(long, help_heading = "Patience")]
    reconnect: bool,
    /// Asks for the socket once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

/// How a message is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text as it is, with the line breaks in it; bytes are not shown
    Text,
    /// One line a message: a JSON string, or `{"binary": BASE64}` for bytes
    Json,
}

impl ConnectFlags {
    /// Prints a failure in the format of the messages, too.
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (format, bound) = (self.output, self.timeout);
        let conversation = self.converse(context);
        let ended = match bound {
            None => conversation.await,
            Some(bound) => timeout(bound, conversation).await.unwrap_or_else(|_| {
                Err(Failure::timeout(&format!("the conversation had not ended after {} s", bound.as_secs_f32())))
            }),
        };
        if let (Err(failure), Format::Json) = (&ended, format)
            && let Some(error) = FailedCall::of_failure(failure)
        {
            Output::default().json(&serde_json::json!({ "error": error }))?;
        }
        ended
    }

    async fn converse(self, context: &Context) -> Result<(), Failure> {
        let (settings, auth_mode) = (self.settings(), self.auth_mode());
        let session = self.session.session()?;
        let route = context.route()?;
        let route = if self.presigned { route.signing() } else { route };
        if route.reads_stdin() {
            return Err(Failure::usage("standard input holds the token, so the messages cannot be read from it"));
        }
        let agent = route.connect(|client| client).await?;
        let request = self.params.apply(agent.runtime.websocket().session(&session))?;
        let request = request.settings(settings).auth_mode(auth_mode);
        let mut spinner = Spinner::start("opening the socket");
        let opened = request.connect().await;
        spinner.clear();
        let socket = opened.map_err(|error| agent.failure(error))?;
        tracing::debug!(session = socket.session_id().as_str(), "connected");
        if std::io::stdin().is_terminal() {
            note(&format!("connected, in session {}; Ctrl-D ends it", socket.session_id().as_str()));
        }
        let (sender, receiver) = socket.split();
        let (output, format, mechanism) = (Output::default(), self.output, agent.mechanism());
        Connection { sender, receiver, output, format, mechanism, unanswered: 0 }.pass(input::lines(), self.wait).await
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        if self.no_retry {
            settings = settings.retry(RetryPolicy::off());
        }
        if self.reconnect {
            settings = settings.reconnect(RetryPolicy::default().max_attempts(RECONNECTS));
        }
        settings
    }

    fn auth_mode(&self) -> AuthMode {
        match (self.presigned, self.subprotocol) {
            (true, _) => AuthMode::Presigned(Expiry::default()),
            (_, true) => AuthMode::Subprotocol,
            _ => AuthMode::Headers,
        }
    }
}

/// The two ends while they are open.
struct Connection {
    sender: Sender,
    receiver: Receiver,
    output: Output,
    format: Format,
    mechanism: Mechanism,
    /// The lines sent less the answers that have ended by their agent's word.
    unanswered: u64,
}

impl Connection {
    /// Passes lines and messages until the input ends and the answers that are due have come, or the agent ends it.
    async fn pass(mut self, mut lines: mpsc::Receiver<Result<String, Failure>>, wait: Duration) -> Result<(), Failure> {
        loop {
            let more = tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => self.send(line?).await?,
                    None => break,
                },
                more = self.receive() => more?,
            };
            if !more {
                return Ok(());
            }
        }
        // An agent that never says that it is done is waited for.
        let mut is_done = false;
        while !is_done && let Ok(more) = timeout(wait, self.receive()).await {
            if !more? {
                return Ok(());
            }
            is_done = self.unanswered == 0;
        }
        // A connection that ended at this moment cannot be closed.
        let _ = self.sender.close(Close::normal()).await;
        while self.receive().await? {}
        Ok(())
    }

    /// Sends a line, and prints meanwhile what comes; returns whether more can come.
    async fn send(&mut self, line: String) -> Result<bool, Failure> {
        self.unanswered += 1;
        let sender = self.sender.clone();
        let mut sending = std::pin::pin!(sender.send(line));
        loop {
            tokio::select! {
                sent = &mut sending => {
                    return sent.map(|()| true).map_err(|error| Failure::call(error, self.mechanism));
                }
                more = self.receive() => if !more? { return Ok(false) },
            }
        }
    }

    /// Receives a message and prints it; returns whether more can come.
    async fn receive(&mut self) -> Result<bool, Failure> {
        match self.receiver.try_next().await.map_err(|error| Failure::call(error, self.mechanism))? {
            None => {
                if let Some(close) = self.receiver.closed().filter(|close| close.code != 1000) {
                    note(&format!("the agent closed the connection: {close}"));
                }
                return Ok(false);
            }
            Some(Incoming::Text(text)) => {
                if is_last(&text) {
                    self.unanswered = self.unanswered.saturating_sub(1);
                }
                match self.format {
                    Format::Text => self.output.line(&text)?,
                    Format::Json => self.output.json(&JsonMessage::Text(&text))?,
                }
            }
            Some(Incoming::Binary(bytes)) => match self.format {
                Format::Text => note_binary(&bytes),
                Format::Json => self.output.json(&JsonMessage::binary(&bytes))?,
            },
            Some(Incoming::Reconnected(interruption)) => note(&format!(
                "the connection was lost and there is a new one after {:.1} s; what the agent said meanwhile is lost, and of \
                 what was sent up to {} messages",
                interruption.downtime.as_secs_f32(),
                interruption.unconfirmed
            )),
            Some(_) => {}
        }
        Ok(true)
    }
}

/// A message, as it is printed in JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum JsonMessage<'a> {
    Text(&'a str),
    Binary { binary: String },
}

impl JsonMessage<'_> {
    fn binary(bytes: &[u8]) -> Self {
        Self::Binary { binary: BASE64_STANDARD.encode(bytes) }
    }
}

const RECONNECTS: u32 = 8;

const AFTER_HELP: &str = "\
Examples:
  echo \"Hello\" | acore --mock --arn echo connect
  acore connect --arn \"$ARN\" --sigv4 --presigned < questions.txt
  acore connect --local http://127.0.0.1:8080 --output json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_json() {
        for (message, line) in [
            (JsonMessage::Text("{\n  \"a\": 1\r\n}"), r#""{\n  \"a\": 1\r\n}""#),
            (JsonMessage::Text(""), "\"\""),
            (JsonMessage::Text("é\u{1b}[1m"), r#""é\u001b[1m""#),
            (JsonMessage::binary(b"\x00\xff\n"), r#"{"binary":"AP8K"}"#),
            (JsonMessage::binary(b""), r#"{"binary":""}"#),
        ] {
            assert_eq!(serde_json::to_string(&message).ok().as_deref(), Some(line));
        }
    }
}
