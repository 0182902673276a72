//! `acore invoke`: one invocation, from the flags to the end of the answer. How answers are printed stands in `answer`.

mod answer;
mod outcome;
mod payload;

use agentcore_client::SessionId;
use clap::Args;

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
    #[command(flatten)]
    call: CallFlags,
}

impl InvokeFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let route = context.route()?;
        let (named, request) = self.call.split()?;
        let trace = request.asks_for_trace()?;
        let payload = self.payload.payload(route.reads_stdin()).await?;
        let session = named.clone().unwrap_or_else(SessionId::random);
        let agent = match route.connect(|client| client.lenient_sse(request.is_lenient())).await {
            Ok(agent) => agent,
            Err(failure) => return Err(answer::uncalled(self.output, &session, failure)),
        };
        let invoke = request.apply(agent.runtime.invoke(payload.enable_trace(trace)).session(&session));
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
  acore invoke --arn \"$ARN\" --payload @question.json --output json";
