//! A program that calls an agent, and its tests: `cargo test -p agentcore-client --example testing`.
//!
//! `cargo run -p agentcore-client --example testing`
//!
//! ```text
//! You asked: Greet Ada
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint, Error, Runtime};
#[cfg(test)]
use agentcore_mock::AgentResponse;
use agentcore_mock::Mock;

/// The function under test.
async fn greet(agent: &Runtime, name: &str) -> Result<String, Error> {
    Ok(agent.invoke(format!("Greet {name}")).await?.text.trim().to_owned())
}

#[tokio::test]
async fn the_agent_is_asked_and_its_answer_trimmed() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().agent("greeter", |_| async { AgentResponse::text(" Hello, Ada\n") }).start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    assert_eq!(greet(&client.runtime(mock.arn("greeter")), "Ada").await?, "Hello, Ada");
    assert!(String::from_utf8_lossy(&mock.requests()[0].body).contains("Greet Ada"));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    println!("{}", greet(&client.runtime(mock.arn("text")), "Ada").await?);
    Ok(())
}
