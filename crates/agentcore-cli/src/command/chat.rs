//! `acore chat`: a conversation in one session, from the flags to its end. What is said and shown stands in the files below.

mod agent;
mod conversation;
mod editor;
mod input;
mod link;
mod markdown;
mod screen;
mod text;
mod transcript;

use std::{io::IsTerminal as _, time::Duration};

use agentcore_client::{CustomHeader, SessionId, Timeouts, UserId};
use clap::{ArgMatches, Args, parser::ValueSource};

use crate::{args::seconds, report::Failure, session, signal::Interrupts, target::Plan};
use agent::{Agent, Http};
use conversation::{Conversation, Lines};
use editor::Editor;
use link::{Link, Patience};

/// Talks with an agent, line by line, in one session
#[derive(Args)]
#[command(next_help_heading = "What to say", after_help = AFTER_HELP)]
pub(crate) struct Flags {
    /// What to say first
    #[arg(help_heading = None::<&str>)]
    prompt: Option<String>,
    /// Talks over one WebSocket in place of an invocation for each line
    #[arg(long, help_heading = None::<&str>)]
    ws: bool,
    #[command(flatten)]
    session: session::Flags,
    /// The user, for the agent to see [default: agentcore-client with a token, none with SigV4]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// A header for the agent, where the runtime allows it; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// Neither reads nor keeps the history of lines
    #[arg(long, help_heading = "The terminal")]
    no_history: bool,
    /// Seconds that an answer may take [default: 61 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    timeout: Option<Duration>,
    /// Seconds that the agent may be silent within an answer [default: 16 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    idle_timeout: Option<Duration>,
    /// Seconds of silence that end an answer over a WebSocket, if the agent does not say that it is over
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = seconds, help_heading = "Patience")]
    wait: Duration,
}

/// A conversation whose flags were found good.
pub(super) struct Chat {
    prompt: Option<String>,
    ws: bool,
    session: SessionId,
    user: Option<UserId>,
    headers: Vec<CustomHeader>,
    history: bool,
    patience: Patience,
}

impl Chat {
    /// Judges the flags.
    pub(super) fn new(flags: Flags, matches: &ArgMatches) -> Result<Self, Failure> {
        let explicit = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        for (id, flag) in [("user_id", "--user-id"), ("headers", "--header")] {
            if flags.ws && explicit(id) {
                return Err(Failure::usage(format!("{flag} is for invocations, and --ws makes none")));
            }
        }
        Ok(Self {
            prompt: flags.prompt,
            ws: flags.ws,
            session: flags.session.choice(matches)?.unwrap_or_else(SessionId::random),
            user: flags.user_id.map(|text| text.parse()).transpose()?,
            headers: flags.headers.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            history: !flags.no_history,
            patience: Patience {
                wait: flags.wait,
                idle: Some(flags.idle_timeout.unwrap_or(IDLE)),
                total: Some(flags.timeout.unwrap_or(TOTAL)),
            },
        })
    }

    /// Talks until the lines end.
    pub(super) async fn run(self, plan: Plan) -> Result<(), Failure> {
        if plan.takes_stdin() {
            return Err(Failure::usage("standard input holds the token, so there is nothing to say"));
        }
        let plan = plan.with_token_read().await?;
        let reached = plan.reach(|client| client).await?;
        let (runtime, way) = (reached.runtime.clone(), reached.way);
        let agent = if self.ws {
            Agent::Socket(Box::new(Link::new(runtime, way, self.patience)))
        } else {
            let timeouts = Timeouts::default().idle(self.patience.idle).total(self.patience.total);
            Agent::Http(Box::new(Http { runtime, user: self.user, headers: self.headers, timeouts, way }))
        };
        let lines = if std::io::stdin().is_terminal() {
            Lines::Typed(Box::new(Editor::open(self.history)?), Interrupts::take())
        } else {
            Lines::Piped(crate::input::lines())
        };
        Conversation::new(agent, self.session).hold(lines, self.prompt).await
    }
}

/// As an invocation's.
const IDLE: Duration = Duration::from_secs(16 * 60);
const TOTAL: Duration = Duration::from_secs(61 * 60);

const AFTER_HELP: &str = "\
Each line is said to the agent; /help lists what else a line can do. Ctrl-C stops an answer, Ctrl-D ends
the conversation. Lines of a pipe are said one after the other, and the exit code is the first failure's.

The history of lines is kept in $XDG_STATE_HOME/acore/history, by default under ~/.local/state; a line that
begins with a space is not.

Over a WebSocket a line is sent as {\"prompt\", \"sessionId\", \"enableTrace\"}; an answer ends with a message of
the type \"done\", \"RUN_FINISHED\" or \"RUN_ERROR\", or with silence.

Examples:
  acore --mock chat
  acore chat --arn \"$ARN\" --sigv4 --session-name ada
  acore chat --local http://127.0.0.1:8080 --ws";
