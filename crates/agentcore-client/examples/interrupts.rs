//! An agent that asks before it goes on, and the answer.
//!
//! `cargo run -p agentcore-client --example interrupts`
//!
//! ```text
//! asked: May I answer?
//! You answered: yes
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint, Error, Session, event};
use agentcore_mock::Mock;

async fn ask(session: &Session) -> Result<String, Error> {
    let mut reply = session.invoke("Hello, world!").await?;
    while !reply.interrupts.is_empty() {
        // A program asks its user here.
        for asked in &reply.interrupts {
            println!("asked: {}", asked.reason);
        }
        let answers: Vec<_> = reply.interrupts.iter().map(|asked| (asked, "yes")).collect();
        reply = session.invoke(event::resume(session.id(), &answers)).await?;
    }
    Ok(reply.text.to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    println!("{}", ask(&client.runtime(mock.arn("ask")).new_session()).await?);
    Ok(())
}
