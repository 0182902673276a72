//! `acore invoke`: one invocation, from the flags to the end of the answer. How answers are printed stands in `answer`.

mod answer;

use std::time::Duration;

use agentcore_client::{CustomHeader, Invoke, RetryPolicy, SessionId, Timeouts, UserId};
use clap::{ArgMatches, Args};

use crate::{
    args::{Given, seconds},
    input::Sources,
    report::Failure,
    session,
    target::Plan,
};
use answer::{Format, Printer};

/// Invokes an agent and prints what it answers, as it answers
#[derive(Args)]
#[command(next_help_heading = "What to say", after_help = AFTER_HELP)]
pub(crate) struct Flags {
    /// What to say to the agent; `-`, or no prompt and a pipe, reads standard input
    #[arg(help_heading = None::<&str>)]
    prompt: Option<String>,
    /// A body of your own, sent as it is, in place of {"prompt", "sessionId", "enableTrace"}; `-` is standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,
    #[command(flatten)]
    session: session::Flags,
    /// The user, for the agent to see [default: agentcore-client with a token, none with SigV4]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// A header for the agent, where the runtime allows it; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "The answer")]
    output: Format,
    /// Takes server-sent events that are not ended by an empty line
    #[arg(long, help_heading = "The answer")]
    lenient_sse: bool,
    /// Seconds that the whole call may take [default: 61 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    timeout: Option<Duration>,
    /// Seconds that the agent may be silent between two pieces of its answer [default: 16 minutes]
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "Patience")]
    idle_timeout: Option<Duration>,
    /// Sends the request once, whatever happens
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

/// An invocation whose flags were found good.
pub(super) struct Call {
    sources: Sources,
    session: Option<SessionId>,
    user: Option<UserId>,
    headers: Vec<CustomHeader>,
    format: Format,
    lenient: bool,
    timeouts: Timeouts,
    retry: RetryPolicy,
}

impl Call {
    /// Judges the flags.
    pub(super) fn new(flags: Flags, matches: &ArgMatches) -> Result<Self, Failure> {
        let mut timeouts = Timeouts::default();
        if let Some(timeout) = flags.timeout {
            timeouts = timeouts.total(timeout);
        }
        if let Some(timeout) = flags.idle_timeout {
            timeouts = timeouts.idle(timeout);
        }
        Ok(Self {
            sources: Sources { prompt: flags.prompt, payload: Given::of(matches, "payload", flags.payload) },
            session: flags.session.choice(matches)?,
            user: flags.user_id.map(|text| text.parse()).transpose()?,
            headers: flags.headers.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            format: flags.output,
            lenient: flags.lenient_sse,
            timeouts,
            retry: if flags.no_retry { RetryPolicy::off() } else { RetryPolicy::default() },
        })
    }

    /// Invokes the agent and prints its answer.
    pub(super) async fn run(self, plan: Plan) -> Result<(), Failure> {
        // The payload comes first: it tells whether it wants the standard input that the token is on.
        let payload = self.sources.payload(plan.takes_stdin()).await?;
        let plan = plan.with_token_read().await?;
        let reached = plan.reach(|client| client.lenient_sse(self.lenient)).await?;
        let mut invoke = reached.runtime.invoke(payload).timeouts(self.timeouts).retry(self.retry);
        if let Some(session) = &self.session {
            invoke = invoke.session(session);
        }
        if let Some(user) = self.user {
            invoke = invoke.user(user);
        }
        invoke = self.headers.into_iter().fold(invoke, Invoke::header);
        tracing::debug!(session = invoke.session_id().as_str(), "invoking");
        Printer::new(self.format, reached.way).print(invoke).await
    }
}

const AFTER_HELP: &str = "\
Examples:
  acore --mock invoke \"Tell me a story\"
  echo \"Hello\" | acore invoke --local http://127.0.0.1:8080
  acore invoke --arn \"$ARN\" --sigv4 --session-name ada \"My name is Ada.\"
  acore invoke --arn \"$ARN\" --payload @question.json --output json";
