//! Asks an agent many questions, at the rate that the account's quota allows, and keeps each answer as it comes. Killed at any moment and
//! started again it goes on: no answer is lost, and no agent that may have run runs again.
//!
//! ```console
//! $ cargo run -p agentcore-client --example evaluate
//! $ cargo run -p agentcore-client --example evaluate -- answers.jsonl 500
//! ```
//!
//! By default it talks to a mock on loopback, whose quota is that of the service: 25 new sessions a second. With `AGENTCORE_RUNTIME_ARN`
//! and `AGENTCORE_BEARER_TOKEN` it talks to a real agent.
//!
//! ```text
//! 100 answers in …agentcore-answers.jsonl
//! 0 agents may have run without an answer
//! … retries after throttling
//! ```

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::error::Error;

use agentcore_client::{Client, Endpoint, Endpoints, InputDigest, Journal};
use agentcore_mock::Mock;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().map_or_else(|| std::env::temp_dir().join("agentcore-answers.jsonl"), Into::into);
    let questions: usize = args.next().map_or(Ok(100), |count| count.parse())?;

    let (client, arn, _mock) = match std::env::var("AGENTCORE_RUNTIME_ARN") {
        Ok(arn) => {
            let token = std::env::var("AGENTCORE_BEARER_TOKEN")?;
            let endpoints = Endpoints::from_env(None, |name| std::env::var(name).ok())?;
            (Client::builder().bearer_token(&token).endpoints(endpoints).build()?, arn.parse()?, None)
        }
        Err(_) => {
            let mock = Mock::builder().max_new_sessions_per_second(25).start().await?;
            let endpoint: Endpoint = mock.url().parse()?;
            let client = Client::builder().bearer_token(&mock.token()).endpoints(endpoint).build()?;
            (client, mock.arn("text"), Some(mock))
        }
    };
    let agent = client.runtime(arn);

    let questions: Vec<String> = (1..=questions).map(|number| format!("What is {number} times {number}?")).collect();
    let inputs: InputDigest = questions.iter().collect();
    let journal = Journal::resume(&path, &inputs)?;
    // What an earlier run of this program began and did not end.
    for index in journal.interrupted() {
        journal.record(index, &json!({"line": index + 1, "text": "", "error": {"may_have_run": true}}))?;
    }

    let mut outcomes = agent.invoke_all(questions).concurrency(32).journal(&journal).stream();
    while let Some((index, outcome)) = outcomes.next().await {
        journal.record(
            index,
            &match outcome {
                Ok(reply) => json!({"line": index + 1, "text": reply.text.to_string(), "error": null}),
                Err(error) => {
                    let error = json!({"message": error.to_string(), "may_have_run": error.may_have_run()});
                    json!({"line": index + 1, "text": "", "error": error})
                }
            },
        )?;
    }
    println!("{} answers in {}", journal.succeeded(), path.display());
    println!("{} agents may have run without an answer", journal.uncertain());
    println!("{} retries after throttling", client.metrics().retries);
    Ok(())
}
