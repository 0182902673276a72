//! A whole program: starts a mock of the service, and invokes an agent on it.
//!
//! `cargo run -p agentcore-client --example first_call`
//!
//! ```text
//! Once upon a time … “Tell me a story”… The end.
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint};
use agentcore_mock::Mock;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let endpoint: Endpoint = mock.url().parse()?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint).build()?;
    let reply = client.runtime(mock.arn("story")).invoke("Tell me a story").await?;
    println!("{}", reply.text);
    Ok(())
}
