//! `acore ping`: asks a local container for its health.

use std::time::Duration;

use agentcore_client::Timeouts;
use clap::Args;

use crate::{
    args::seconds,
    identity,
    output::Output,
    report::Failure,
    target::{self, Plan},
};

/// Asks a local agent container (--local URL) for its health and prints it as JSON
#[derive(Args)]
#[command(after_help = "Example: acore ping --local http://127.0.0.1:8080")]
pub(crate) struct Flags {
    /// Seconds that the whole call may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    timeout: Duration,
}

pub(super) async fn run(flags: Flags, target: target::Choice, identity: identity::Choice) -> Result<(), Failure> {
    let plan = Plan::for_ping(target, &identity)?;
    let timeouts = Timeouts::default().total(flags.timeout);
    let reached = plan.reach(|client| client.timeouts(timeouts)).await?;
    let health = reached.runtime.ping().await.map_err(|error| Failure::of_call(error, reached.way))?;
    let json = serde_json::to_string(&health)
        .map_err(|error| Failure::trouble("cannot write the health as JSON").caused_by(&error))?;
    Output::default().line(&json)
}
