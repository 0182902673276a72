//! `acore chat`: a conversation in one session, from the flags to its end. What is said and shown stands in the files below.

mod answer;
mod channel;
mod conversation;
mod editor;
mod ending;
mod input;
mod markdown;
mod message;
mod questions;
mod screen;
mod socket;
mod text;
mod transcript;
mod waiting;
mod wrap;

use std::{io::IsTerminal as _, time::Duration};

use agentcore_client::SessionId;
use clap::Args;

use crate::{
    context::Context,
    errors::Failure,
    flags::{CallFlags, seconds},
    input::lines,
    signal::Interrupts,
};
use channel::{Channel, HttpChannel};
use conversation::{Conversation, Lines};
use editor::Editor;
use socket::{SocketChannel, TurnTimeouts};

/// Talks with an agent, line by line, in one session
#[derive(Args)]
#[command(next_help_heading = "What to say", after_help = AFTER_HELP)]
pub(super) struct ChatFlags {
    /// What to say first
    #[arg(help_heading = None::<&str>)]
    prompt: Option<String>,
    /// Talks over one WebSocket in place of an invocation for each line
    #[arg(long, help_heading = None::<&str>)]
    ws: bool,
    #[command(flatten)]
    call: CallFlags,
    /// Seconds of silence that end an answer over a WebSocket, if the agent does not say that it is over
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = seconds, help_heading = "Patience")]
    wait: Duration,
    /// Neither reads nor keeps the history of lines
    #[arg(long, help_heading = "The terminal")]
    no_history: bool,
}

impl ChatFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if let Some(flag) = self.call.typed_for_http().filter(|_| self.ws) {
            return Err(Failure::usage(format!("{flag} is for invocations, and --ws makes none")));
        }
        let (named, request) = self.call.split()?;
        let session = named.unwrap_or_else(SessionId::random);
        let trace = request.asks_for_trace()?;
        let route = context.route()?;
        if route.reads_stdin() {
            return Err(Failure::usage("standard input holds the token, so there is nothing to say"));
        }
        let agent = route.connect(|client| client.lenient_sse(request.is_lenient())).await?;
        let (runtime, mechanism) = (agent.runtime.clone(), agent.mechanism());
        let channel = if self.ws {
            let timeouts = TurnTimeouts { wait: self.wait, idle: request.idle_timeout, total: request.timeout };
            Channel::Socket(Box::new(SocketChannel::new(runtime, mechanism, timeouts, request.retry(), trace)))
        } else {
            Channel::Http(Box::new(HttpChannel { runtime, request, trace, mechanism }))
        };
        let lines = if std::io::stdin().is_terminal() {
            Lines::Typed(Box::new(Editor::open(!self.no_history)?), Interrupts::take())
        } else {
            Lines::Piped(lines())
        };
        Conversation::new(channel, session).hold(lines, self.prompt).await
    }
}

const AFTER_HELP: &str = "\
Each line is said to the agent; /help lists what else a line can do. Alt-Enter, or a backslash at the end of a \
line, begins a new line. Ctrl-C stops an answer, Ctrl-D ends the conversation. Lines of a pipe are said one after the other, and the exit code is the first failure's.

The history of lines is kept in $XDG_STATE_HOME/acore/history, by default under ~/.local/state; a line that \
begins with a space is not.

Where an agent stops to ask something, the next line answers it, in the way of the agent's dialect; /new drops \
the question.

Over a WebSocket a line is sent as {\"prompt\", \"sessionId\", \"enableTrace\"}; an answer ends with a message of \
the type \"done\", \"RUN_FINISHED\" or \"RUN_ERROR\", or with silence.

Examples:
  acore --mock chat
  acore chat --arn \"$ARN\" --sigv4 --session-name ada
  acore chat --local http://127.0.0.1:8080 --ws";
