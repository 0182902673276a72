//! `acore session`, `acore stop` and `acore card`: a session's id, its end, and the card of its agent.

use std::time::Duration;

use agentcore_client::{SessionId, Timeouts};
use clap::Args;

use crate::{
    context::Context,
    errors::Failure,
    flags::{SessionFlags, seconds},
    output::Output,
};

/// Prints a new session id
#[derive(Args)]
#[command(after_help = "Example: SESSION=$(acore session)")]
pub(super) struct NewSessionFlags {}

impl NewSessionFlags {
    pub(super) fn run(self) -> Result<(), Failure> {
        Output::default().line(SessionId::random().as_str())
    }
}

/// Ends a session and its machine
///
/// The agent's work, commands and shells end with it.
#[derive(Args)]
#[command(mut_arg("session_id", |arg| arg.help("The session to end")), after_help = "\
A session that has ended, or never began, is none to end, and that is no failure.

Example: acore stop --arn \"$ARN\" --session-id \"$SESSION\"")]
pub(super) struct StopFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// Seconds that the whole call may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "60", help_heading = "Patience")]
    timeout: Duration,
}

impl StopFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.named()?.ok_or_else(|| {
            Failure::usage("no session is named: --session-id, or --session-name, says which is ended")
        })?;
        let timeouts = Timeouts::default().total(self.timeout);
        let agent = context.route()?.connect(|client| client.timeouts(timeouts)).await?;
        agent.runtime.session(session).stop().await.map_err(|error| agent.failure(error))
    }
}

/// Prints the card of an A2A agent, as JSON
#[derive(Args)]
#[command(after_help = "Example: acore card --arn \"$ARN\" | jq .skills")]
pub(super) struct CardFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// Seconds that the whole call may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "60", help_heading = "Patience")]
    timeout: Duration,
}

impl CardFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.named()?;
        let timeouts = Timeouts::default().total(self.timeout);
        let agent = context.route()?.connect(|client| client.timeouts(timeouts)).await?;
        let card = match session {
            Some(session) => agent.runtime.session(session).card().await,
            None => agent.runtime.card().await,
        };
        Output::default().object(&card.map_err(|error| agent.failure(error))?)
    }
}
