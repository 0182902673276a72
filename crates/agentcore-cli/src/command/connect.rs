//! `acore connect`: standard input and output as the two ends of the agent's WebSocket, a line a message.

use std::{io::IsTerminal, time::Duration};

use agentcore_client::{
    RetryPolicy, SessionId,
    core::Error,
    ws::{AuthMode, Expiry, Incoming, Receiver, Sender, Settings},
};
use clap::{ArgMatches, Args};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    args::seconds,
    input,
    output::{Output, note},
    progress::Spinner,
    report::{Failure, Way},
    session,
    target::Plan,
};

/// Opens the agent's WebSocket: each line of standard input is a text message, and each message a line of output
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Flags {
    #[command(flatten)]
    session: session::Flags,
    /// Gets in by a presigned URL, as a browser with AWS credentials behind it does
    #[arg(long, conflicts_with = "subprotocol", help_heading = "The way in")]
    presigned: bool,
    /// Gets in by the subprotocol, as a browser with a token does
    #[arg(long, help_heading = "The way in")]
    subprotocol: bool,
    /// Seconds of silence after the end of input before the socket is closed
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = seconds, help_heading = "Patience")]
    wait: Duration,
    /// Comes back when the connection is lost, in the same session
    #[arg(long, help_heading = "Patience")]
    reconnect: bool,
    /// Asks for the socket once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

/// A connection whose flags were found good.
pub(super) struct Connection {
    session: Option<SessionId>,
    auth_mode: AuthMode,
    settings: Settings,
    wait: Duration,
}

impl Connection {
    /// Judges the flags.
    pub(super) fn new(flags: Flags, matches: &ArgMatches) -> Result<Self, Failure> {
        let mut settings = Settings::default();
        if flags.no_retry {
            settings = settings.retry(RetryPolicy::off());
        }
        if flags.reconnect {
            settings = settings.reconnect(RetryPolicy::default().max_attempts(RECONNECTS));
        }
        let auth_mode = match (flags.presigned, flags.subprotocol) {
            (true, _) => AuthMode::Presigned(Expiry::default()),
            (_, true) => AuthMode::Subprotocol,
            _ => AuthMode::Headers,
        };
        Ok(Self { session: flags.session.choice(matches)?, auth_mode, settings, wait: flags.wait })
    }

    /// Whether it must be signed for, so that the mock's keys are the better default than its token.
    pub(super) fn signs(&self) -> bool {
        matches!(self.auth_mode, AuthMode::Presigned(_))
    }

    /// Opens the socket and talks.
    pub(super) async fn run(self, plan: Plan) -> Result<(), Failure> {
        if plan.takes_stdin() {
            return Err(Failure::usage("standard input holds the token, so the messages cannot be read from it"));
        }
        let plan = plan.with_token_read().await?;
        let reached = plan.reach(|client| client).await?;
        let mut opening = reached.runtime.websocket().settings(self.settings).auth_mode(self.auth_mode);
        if let Some(session) = &self.session {
            opening = opening.session(session);
        }
        let mut spinner = Spinner::start("opening the socket");
        let opened = opening.connect().await;
        spinner.clear();
        let socket = opened.map_err(|error| Failure::of_call(error, reached.way))?;
        tracing::debug!(session = socket.session_id().as_str(), "connected");
        if std::io::stdin().is_terminal() {
            note(&format!("connected, in session {}; Ctrl-D ends it", socket.session_id().as_str()));
        }
        let (sender, receiver) = socket.split();
        Conversation { sender, receiver, output: Output::default(), way: reached.way }
            .hold(input::lines(), self.wait)
            .await
    }
}

/// The two ends while they are open.
struct Conversation {
    sender: Sender,
    receiver: Receiver,
    output: Output,
    way: Way,
}

impl Conversation {
    /// Passes lines and messages until the input ends and the answers that are due have come, or the agent ends it.
    async fn hold(mut self, mut lines: mpsc::Receiver<Result<String, Failure>>, wait: Duration) -> Result<(), Failure> {
        loop {
            tokio::select! {
                line = lines.recv() => match line {
                    // While a long message leaves, what comes is not left lying.
                    Some(line) => if !self.say(line?).await? { return Ok(()) },
                    None => break,
                },
                incoming = self.receiver.recv() => {
                    let incoming = incoming.map_err(|error| self.explained(error))?;
                    if !self.hear(incoming)? { return Ok(()) }
                }
            }
        }
        while let Ok(incoming) = timeout(wait, self.receiver.recv()).await {
            let incoming = incoming.map_err(|error| self.explained(error))?;
            if !self.hear(incoming)? {
                return Ok(());
            }
        }
        self.goodbye().await
    }

    async fn say(&mut self, line: String) -> Result<bool, Failure> {
        let sending = self.sender.clone();
        let mut leaving = std::pin::pin!(sending.send(line));
        loop {
            tokio::select! {
                left = &mut leaving => return left.map(|()| true).map_err(|error| self.explained(error)),
                incoming = self.receiver.recv() => {
                    let incoming = incoming.map_err(|error| self.explained(error))?;
                    if !self.hear(incoming)? { return Ok(false) }
                }
            }
        }
    }

    /// Prints what came; no more comes after `None`.
    fn hear(&mut self, incoming: Option<Incoming>) -> Result<bool, Failure> {
        match incoming {
            None => {
                if let Some(close) = self.receiver.closed().filter(|close| close.code != 1000) {
                    note(&format!("the agent closed the connection: {close}"));
                }
                return Ok(false);
            }
            Some(Incoming::Text(text)) => self.output.line(&text)?,
            Some(Incoming::Binary(bytes)) => note(&format!("a binary message of {} bytes is not shown", bytes.len())),
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

    async fn goodbye(mut self) -> Result<(), Failure> {
        // A connection that ended at this moment has nothing to be told.
        let _ = self.sender.close(agentcore_client::ws::Close::normal()).await;
        loop {
            let incoming = self.receiver.recv().await.map_err(|error| self.explained(error))?;
            if !self.hear(incoming)? {
                return Ok(());
            }
        }
    }

    fn explained(&self, error: Error) -> Failure {
        Failure::of_call(error.into(), self.way)
    }
}

const RECONNECTS: u32 = 8;

const AFTER_HELP: &str = "\
Examples:
  echo \"Hello\" | acore --mock --arn echo connect
  acore connect --arn \"$ARN\" --sigv4 --presigned < questions.txt
  acore connect --local http://127.0.0.1:8080";
