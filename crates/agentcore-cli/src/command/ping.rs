//! `acore ping`: asks a local container for its health.

use std::time::Duration;

use agentcore_client::Timeouts;
use clap::Args;

use crate::{context::Context, errors::Failure, flags::seconds, output::Output};

/// Asks a local agent container for its health
#[derive(Args)]
#[command(after_help = "Example: acore ping --local http://127.0.0.1:8080")]
pub(super) struct PingFlags {
    /// Seconds that the whole call may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    timeout: Duration,
}

impl PingFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let timeouts = Timeouts::default().total(self.timeout);
        let agent = context.route_of_ping()?.connect(|client| client.timeouts(timeouts)).await?;
        let health = agent.runtime.ping().await.map_err(|error| agent.failure(error))?;
        Output::default().object(&health)
    }
}
