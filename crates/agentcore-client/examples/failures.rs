//! Failures: what is tried again, what is not, and what a program decides by.
//!
//! `cargo run -p agentcore-client --example failures`
//!
//! ```text
//! throttle-2: answered after 3 attempts
//! error-404: NotFound after 1 attempts, may have run: false
//! error-500: Service after 1 attempts, may have run: true
//! unavailable-1: answered after 2 attempts
//! reset-midstream: BrokenOff after 1 attempts, may have run: true
//! fail-midstream: Agent after 1 attempts, may have run: true
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use agentcore_client::{Client, Endpoint, ErrorKind, RetryPolicy, Runtime, Timeouts};
use agentcore_mock::Mock;

async fn attempt(agent: &Runtime) -> String {
    match agent.invoke("Hello, world!").await {
        Ok(reply) => format!("answered after {} attempts", reply.metadata.attempts),
        Err(error) => {
            let (kind, attempts, may_have_run) = (error.kind(), error.attempts(), error.may_have_run());
            format!("{kind:?} after {attempts} attempts, may have run: {may_have_run}")
        }
    }
}

/// Asks again only where the agent cannot have run.
async fn patient(agent: &Runtime) -> Result<String, agentcore_client::Error> {
    let timeouts = Timeouts::default().total(Duration::from_secs(300));
    let retry = RetryPolicy::default().max_attempts(5);
    match agent.invoke("Hello, world!").timeouts(timeouts).retry(retry).await {
        Err(error) if error.kind() == ErrorKind::Throttled => Ok("later, then".to_owned()),
        other => other.map(|reply| reply.text.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    for name in ["throttle-2", "error-404", "error-500", "unavailable-1", "reset-midstream", "fail-midstream"] {
        println!("{name}: {}", attempt(&client.runtime(mock.arn(name))).await);
    }
    patient(&client.runtime(mock.arn("throttle-4"))).await?;
    Ok(())
}
