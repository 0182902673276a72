//! `acore invoke`: one invocation, from the flags to the end of the answer. How answers are printed stands in `answer`.

mod answer;
mod outcome;
mod payload;

use agentcore_client::{Protocol, SessionId};
use clap::{Args, ValueEnum};

use crate::{context::Context, errors::Failure, flags::CallFlags, signal};
use answer::{Format, Printer};
use payload::PayloadFlags;

/// Invokes an agent and prints what it answers, as it answers
#[derive(Args)]
#[command(next_help_heading = "What to say", after_help = AFTER_HELP)]
pub(super) struct InvokeFlags {
    #[command(flatten)]
    payload: PayloadFlags,
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "The answer")]
    output: Format,
    /// What the agent speaks: its own protocol, or MCP or A2A, whose messages of JSON-RPC are given by --payload
    ///
    /// By this a local container is asked at /invocations (port 8080, unless it is set otherwise), /mcp (port 8000) or / (port 9000).
    #[arg(long, value_enum, value_name = "NAME", default_value_t = SpokenProtocol::Http)]
    protocol: SpokenProtocol,
    #[command(flatten)]
    call: CallFlags,
}

/// The protocol that a runtime was deployed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SpokenProtocol {
    /// The agent's own, AG-UI included
    Http,
    /// The Model Context Protocol
    Mcp,
    /// Agent2Agent
    A2a,
}

impl From<SpokenProtocol> for Protocol {
    fn from(protocol: SpokenProtocol) -> Self {
        match protocol {
            SpokenProtocol::Http => Self::Http,
            SpokenProtocol::Mcp => Self::Mcp,
            SpokenProtocol::A2a => Self::A2a,
        }
    }
}

impl InvokeFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if self.protocol != SpokenProtocol::Http && self.payload.is_prompt() {
            return Err(Failure::usage("a prompt is no message of MCP or A2A: the message is given by --payload"));
        }
        let route = context.route()?;
        let (named, request) = self.call.split()?;
        let trace = request.asks_for_trace()?;
        let payload = self.payload.payload(route.reads_stdin()).await?;
        let session = named.clone().unwrap_or_else(SessionId::random);
        let agent = match route.connect(|client| client.lenient_sse(request.is_lenient())).await {
            Ok(agent) => agent,
            Err(failure) => return Err(answer::uncalled(self.output, &session, failure)),
        };
        let invoke = request
            .apply(agent.runtime.invoke(payload.enable_trace(trace)).session(&session).protocol(self.protocol.into()));
        tracing::debug!(session = invoke.session_id().as_str(), "invoking");
        let _notice = signal::notice("interrupted; the agent may go on working, and its session is busy until then");
        Printer::new(self.output, agent.mechanism(), named, request.named_dialect()).print(invoke).await
    }
}

const AFTER_HELP: &str = "\
Examples:
  acore --mock invoke \"Tell me a story\"
  echo \"Hello\" | acore invoke --local http://127.0.0.1:8080
  acore invoke --arn \"$ARN\" --sigv4 --session-name ada \"My name is Ada.\"
  acore invoke --arn \"$ARN\" --payload @question.json --output json
  acore invoke --local http://127.0.0.1:8000 --protocol mcp --payload @call.json";
