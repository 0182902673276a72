//! Adds the peers to the contenders of `agentcore-benches`: reqwest with eventsource-stream, and the AWS SDK for Rust.

mod aws_sdk;
mod reqwest_client;

use std::process::ExitCode;

fn main() -> ExitCode {
    agentcore_benches::run(|site| {
        Ok(vec![Box::new(reqwest_client::Reqwest::new(site)), Box::new(aws_sdk::Sdk::new(site))])
    })
}
