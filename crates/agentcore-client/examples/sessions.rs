//! A conversation: two calls in one session, and its end.
//!
//! `cargo run -p agentcore-client --example sessions`
//!
//! ```text
//! call 1: My name is Ada.
//! call 2: What is my name?
//! the same session: true
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint, Error, Runtime, SessionId};
use agentcore_mock::{AgentResponse, Mock};

async fn talk(agent: &Runtime) -> Result<(), Error> {
    let session = agent.session(SessionId::derive("my_session_123"));
    let first = session.invoke("My name is Ada.").await?;
    let second = session.invoke("What is my name?").await?;
    println!("{}\n{}", first.text, second.text);
    println!("the same session: {}", first.session_id == second.session_id);
    session.stop().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An agent that counts the calls of each session.
    let mock = Mock::builder().agent("counter", |request| async move {
        AgentResponse::text(format!("call {}: {}", request.attempt, request.prompt().unwrap_or_default()))
    });
    let mock = mock.start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    Ok(talk(&client.runtime(mock.arn("counter"))).await?)
}
