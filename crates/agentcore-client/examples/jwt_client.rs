//! An agent invoked with JSON Web Tokens, from a token in the hand to the numbers at the end.
//!
//! `cargo run -p agentcore-client --example jwt_client --features cognito -- [PROMPT]`
//!
//! 1. a token that one already holds, and the whole answer,
//! 2. an Amazon Cognito user whose tokens are fetched, kept and renewed as needed,
//! 3. an answer that is streamed as the agent gives it,
//! 4. many calls at once, and what the client has counted.
//!
//! By default everything is on loopback, against a mock that really verifies tokens. With `AGENTCORE_RUNTIME_ARN` it is a real
//! runtime: `AGENTCORE_BEARER_TOKEN` is for the first step, and `AGENTCORE_COGNITO_POOL_ID`, `AGENTCORE_COGNITO_CLIENT_ID`,
//! `AGENTCORE_COGNITO_USERNAME`, `AGENTCORE_COGNITO_PASSWORD` and perhaps `AGENTCORE_COGNITO_CLIENT_SECRET` for the others.
//!
//! ```text
//! A token in the hand
//! Once upon a time … The end.
//! A user who stays logged in
//! As the agent gives it
//! (… events in … ms)
//! 8 of 8 succeeded
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    env,
    error::Error,
    io::{Write, stdout},
};

use agentcore_client::{
    Arn, Client, Endpoint, Endpoints, Event, Session, SessionId,
    auth::cognito::{CognitoConfig, Login, PoolId},
};
use agentcore_mock::Mock;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "Tell me a story".into());
    // The mock serves until it is dropped, at the end of `main`.
    let (world, _mock) = match variable("AGENTCORE_RUNTIME_ARN") {
        Some(arn) => (World::real(arn.parse()?)?, None),
        None => {
            let mock = Mock::builder().start().await?;
            (World::mock(&mock)?, Some(mock))
        }
    };

    println!("A token in the hand");
    let client = Client::builder().bearer_token(&world.token).endpoints(world.endpoints.clone());
    let agent = client.build()?.runtime(world.arn.clone());
    let session = SessionId::derive("my_session_123");
    let reply = agent.session(session.clone()).invoke(prompt.as_str()).await?;
    println!("{}\n(HTTP {}, {} ms)\n", reply.text, reply.status, reply.elapsed.as_millis());

    println!("A user who stays logged in");
    let client = Client::builder().cognito(world.user).endpoints(world.endpoints).build()?;
    let agent = client.runtime(world.arn);
    let session = agent.session(session);
    println!("{}\n", session.invoke(prompt.as_str()).await?.text);

    println!("As the agent gives it");
    stream(&session, &prompt).await?;

    println!("Many at once");
    let prompts = (1..=8).map(|number| format!("{prompt} ({number})"));
    let outcomes = agent.invoke_all(prompts).concurrency(4).collect().await;
    println!("{} of {} succeeded\n", outcomes.iter().filter(|outcome| outcome.is_ok()).count(), outcomes.len());

    println!("{}", serde_json::to_string_pretty(&client.metrics())?);
    Ok(())
}

async fn stream(session: &Session, prompt: &str) -> Result<(), Box<dyn Error>> {
    let mut events = session.invoke(prompt).stream().await?;
    while let Some(event) = events.try_next().await? {
        match event {
            Event::Text(text) => {
                print!("{text}");
                stdout().flush()?;
            }
            Event::ToolUse(tool) if tool.last => println!("\n[{}]", tool.name),
            // The final mark of a complete answer.
            Event::Done(done) => println!("\n({} events in {} ms)\n", done.events, done.duration.as_millis()),
            _ => {}
        }
    }
    Ok(())
}

/// Who calls whom, and where.
struct World {
    token: String,
    user: CognitoConfig,
    arn: Arn,
    endpoints: Endpoints,
}

impl World {
    fn real(arn: Arn) -> Result<Self, Box<dyn Error>> {
        let pool: PoolId = env::var("AGENTCORE_COGNITO_POOL_ID")?.parse()?;
        let (name, password) = (env::var("AGENTCORE_COGNITO_USERNAME")?, env::var("AGENTCORE_COGNITO_PASSWORD")?);
        let client_id = env::var("AGENTCORE_COGNITO_CLIENT_ID")?;
        let mut user = CognitoConfig::new(pool, client_id, Login::user_srp(name, password));
        if let Some(secret) = variable("AGENTCORE_COGNITO_CLIENT_SECRET") {
            user = user.client_secret(secret);
        }
        let endpoints = Endpoints::from_env(None, variable)?;
        Ok(Self { token: env::var("AGENTCORE_BEARER_TOKEN")?, user, arn, endpoints })
    }

    fn mock(mock: &Mock) -> Result<Self, Box<dyn Error>> {
        let endpoint: Endpoint = mock.url().parse()?;
        let pool = mock.cognito();
        let login = Login::user_srp(pool.user().alias(), pool.user().password());
        let id: PoolId = pool.id().parse()?;
        let user = CognitoConfig::new(id, pool.client_id(), login)
            .client_secret(pool.client_secret())
            .endpoint(endpoint.clone());
        Ok(Self { token: mock.token(), user, arn: mock.arn("story"), endpoints: endpoint.into() })
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
