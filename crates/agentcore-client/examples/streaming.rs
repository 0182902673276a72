//! An answer that is printed as the agent gives it.
//!
//! `cargo run -p agentcore-client --example streaming`
//!
//! ```text
//! Once upon a time … The end.
//! … events
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::io::Write as _;

use agentcore_client::{Client, Endpoint, Event, Runtime};
use agentcore_mock::Mock;

async fn tell(agent: &Runtime) -> Result<(), Box<dyn std::error::Error>> {
    let mut events = agent.invoke("Tell me a story").stream().await?;
    while let Some(event) = events.try_next().await? {
        match event {
            Event::Text(text) => print!("{text}"),
            Event::Done(done) => println!("\n{} events", done.events),
            _ => {} // Tools, reasoning, questions, and what is not understood. A failure is an `Err`.
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    tell(&client.runtime(mock.arn("story"))).await
}
