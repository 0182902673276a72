//! An agent invoked with JSON Web Tokens, from a token in the hand to the numbers at the end.
//!
//! `cargo run -p agentcore --example jwt_client -- [PROMPT]`
//!
//! 1. a token that one already holds, and the whole answer,
//! 2. an Amazon Cognito user whose tokens are fetched, kept and renewed as needed,
//! 3. an answer that is streamed as the agent gives it,
//! 4. many calls at once, and what the client has counted.
//!
//! By default everything is on loopback, against a mock that really verifies tokens. With `AGENTCORE_RUNTIME_ARN` it is a real
//! runtime: `AGENTCORE_BEARER_TOKEN` is for the first step, and `AGENTCORE_COGNITO_POOL_ID`, `AGENTCORE_COGNITO_CLIENT_ID`,
//! `AGENTCORE_COGNITO_USERNAME`, `AGENTCORE_COGNITO_PASSWORD` and perhaps `AGENTCORE_COGNITO_CLIENT_SECRET` for the others.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    env,
    error::Error,
    io::{Write, stdout},
    sync::Arc,
};

use agentcore_client::{
    Client, Endpoint, Endpoints, Event, Runtime, RuntimeArn, SessionId, Transport,
    auth::cognito::{Cognito, Login, PoolId},
};
use agentcore_mock::Mock;
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let prompt = env::args().nth(1).unwrap_or_else(|| "Tell me a story".into());
    let transport = Transport::builder().build()?;
    // The mock serves until it is dropped, at the end of `main`.
    let (world, _mock) = match variable("AGENTCORE_RUNTIME_ARN") {
        Some(arn) => (World::real(arn.parse()?, &transport)?, None),
        None => {
            let mock = Mock::builder().start().await?;
            (World::mock(&mock, &transport)?, Some(mock))
        }
    };

    println!("A token in the hand");
    let client = Client::builder().bearer_token(&world.token).endpoints(world.endpoints.clone());
    let agent = client.transport(transport.clone()).build()?.runtime(world.arn.clone());
    let session = SessionId::derive("my_session_123");
    let reply = agent.invoke(prompt.as_str()).session(&session).await?;
    println!("{}\n(HTTP {}, {} ms)\n", reply.text, reply.status, reply.elapsed.as_millis());

    println!("A user who stays logged in");
    let client = Client::builder().token_source(world.user.cached()).endpoints(world.endpoints).transport(transport);
    let client = client.build()?;
    let agent = client.runtime(world.arn);
    println!("{}\n", agent.invoke(prompt.as_str()).session(&session).await?.text);

    println!("As the agent gives it");
    stream(&agent, &prompt, &session).await?;

    println!("Many at once");
    let prompts = (1..=8).map(|number| format!("{prompt} ({number})"));
    let outcomes = agent.invoke_all(prompts).concurrency(4).collect().await;
    println!("{} of {} succeeded\n", outcomes.iter().filter(|outcome| outcome.is_ok()).count(), outcomes.len());

    println!("{}", serde_json::to_string_pretty(&client.metrics())?);
    Ok(())
}

async fn stream(agent: &Runtime, prompt: &str, session: &SessionId) -> Result<(), Box<dyn Error>> {
    let mut events = agent.invoke(prompt).session(session).stream().await?;
    while let Some(event) = events.try_next().await? {
        match event {
            Event::Text(text) => {
                print!("{text}");
                stdout().flush()?;
            }
            Event::ToolUse(tool) if tool.last => println!("\n[{}]", tool.name),
            Event::Error(error) => return Err(error.into()),
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
    user: Cognito,
    arn: RuntimeArn,
    endpoints: Endpoints,
}

impl World {
    fn real(arn: RuntimeArn, transport: &Transport) -> Result<Self, Box<dyn Error>> {
        let pool: PoolId = env::var("AGENTCORE_COGNITO_POOL_ID")?.parse()?;
        let (name, password) = (env::var("AGENTCORE_COGNITO_USERNAME")?, env::var("AGENTCORE_COGNITO_PASSWORD")?);
        let client_id = env::var("AGENTCORE_COGNITO_CLIENT_ID")?;
        let mut user = Cognito::new(pool, client_id, Login::user_srp(name, password), Arc::new(transport.clone()));
        if let Some(secret) = variable("AGENTCORE_COGNITO_CLIENT_SECRET") {
            user = user.client_secret(secret);
        }
        let endpoints = Endpoints::from_env(None, variable)?;
        Ok(Self { token: env::var("AGENTCORE_BEARER_TOKEN")?, user, arn, endpoints })
    }

    fn mock(mock: &Mock, transport: &Transport) -> Result<Self, Box<dyn Error>> {
        let endpoint: Endpoint = mock.url().parse()?;
        let pool = mock.cognito();
        let login = Login::user_srp(pool.user().alias(), pool.user().password());
        let id: PoolId = pool.id().parse()?;
        let user = Cognito::new(id, pool.client_id(), login, Arc::new(transport.clone()))
            .client_secret(pool.client_secret())
            .endpoint(endpoint.clone());
        Ok(Self { token: mock.token(), user, arn: mock.arn("story"), endpoints: endpoint.into() })
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
