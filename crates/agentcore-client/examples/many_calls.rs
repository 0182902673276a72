//! Many calls at once, of which some fail.
//!
//! `cargo run -p agentcore-client --example many_calls`
//!
//! ```text
//! 9 answers, 1 failures
//! 10 calls, 9 succeeded, 1 failed
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint, Runtime};
use agentcore_mock::{AgentResponse, Mock};

async fn ask_all(agent: &Runtime) -> (usize, usize) {
    let prompts = (1..=10).map(|number| format!("Question {number}"));
    let outcomes = agent.invoke_all(prompts).concurrency(4).collect().await;
    let answers = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    (answers, outcomes.len() - answers)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An agent that cannot answer one of the questions.
    let mock = Mock::builder().agent("quiz", |request| async move {
        match request.prompt().unwrap_or_default().as_str() {
            "Question 7" => AgentResponse::events([serde_json::json!({ "error": "I do not know" })]),
            question => AgentResponse::text(format!("An answer to {question}")),
        }
    });
    let mock = mock.start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;

    let (answers, failures) = ask_all(&client.runtime(mock.arn("quiz"))).await;
    println!("{answers} answers, {failures} failures");
    let metrics = client.metrics();
    println!("{} calls, {} succeeded, {} failed", metrics.calls, metrics.succeeded, metrics.failed);
    Ok(())
}
