//! Adds the peers to the contenders of `agentcore-benches`: reqwest with eventsource-stream, and the AWS SDK for Rust.

mod aws_sdk;
mod reqwest_client;

use std::process::ExitCode;

use agentcore_benches::{Result, Work, text};

fn main() -> ExitCode {
    agentcore_benches::run(|site| {
        Ok(vec![Box::new(reqwest_client::Reqwest::new(site)), Box::new(aws_sdk::Sdk::new(site))])
    })
}

/// Looks into an event of an open stream, as far as the work says.
fn event_read(work: Work, data: &str) -> Result<()> {
    if work == Work::StreamText { text(data).map(drop) } else { Ok(()) }
}
