//! Adds the peers to the contenders of `agentcore-benches`: reqwest with eventsource-stream, and the AWS SDK for Rust.

mod aws_sdk;
mod reqwest_client;

use std::process::ExitCode;

fn main() -> ExitCode {
    agentcore_benches::run(|site| {
        Ok(vec![Box::new(reqwest_client::Reqwest::new(site)), Box::new(aws_sdk::Sdk::new(site))])
    })
}

/// The length of the text in one event of a model.
fn text(data: &str) -> agentcore_benches::Result<usize> {
    let event: serde_json::Value = serde_json::from_str(data)?;
    Ok(event["contentBlockDelta"]["delta"]["text"].as_str().map_or(0, str::len))
}
