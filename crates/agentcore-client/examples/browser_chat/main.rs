//! A page that talks to an agent over the browser's own WebSocket, and the backend that holds the credentials for it.
//!
//! `cargo run -p agentcore-client --example browser_chat`
//!
//! By default everything is on loopback, the agent too. With `AGENTCORE_RUNTIME_ARN` it talks to a real runtime (at
//! `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`, if it is not the service's own): by presigned URLs with `AWS_ACCESS_KEY_ID` and
//! `AWS_SECRET_ACCESS_KEY`, by subprotocols with `AGENTCORE_BEARER_TOKEN`. A runtime takes one of the two, as it was configured.
//!
//! It serves whoever sits at this machine. A backend for many people knows who asks, and whose session it lets them into; the
//! token that it hands out as a subprotocol is then that person's own.
//!
//! ```text
//! ready http://127.0.0.1:…
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod backend;

use std::{env, error::Error, net::Ipv4Addr, time::Duration};

use agentcore_client::{
    Arn, Client, Credentials, Endpoint, Endpoints,
    auth::{SigV4, credentials},
};
use agentcore_mock::Mock;
use tokio::net::TcpListener;

use backend::Agent;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The mock serves until it is dropped, at the end of `main`.
    let (agent, _mock) = match variable("AGENTCORE_RUNTIME_ARN") {
        Some(arn) => (of_the_environment(arn.parse()?)?, None),
        None => {
            let mock = Mock::builder().pace(PACE).start().await?;
            (of_the_mock(&mock)?, Some(mock))
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let router = backend::router(agent, address)?;
    println!("ready http://{address}");
    Ok(axum::serve(listener, router).await?)
}

fn of_the_environment(arn: Arn) -> Result<Agent, Box<dyn Error>> {
    let token = variable("AGENTCORE_BEARER_TOKEN");
    let keys = match variable("AWS_ACCESS_KEY_ID") {
        Some(_) => Some(credentials::from_env(variable)?),
        None => None,
    };
    agent(arn, Endpoints::from_env(None, variable)?, token.as_deref(), keys)
}

fn of_the_mock(mock: &Mock) -> Result<Agent, Box<dyn Error>> {
    let keys = mock.credentials();
    let session_token = keys.session_token().map(str::to_owned);
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), session_token, None, "mock");
    let endpoint: Endpoint = mock.url().parse()?;
    agent(mock.arn("story"), endpoint.into(), Some(&mock.token()), Some(keys))
}

fn agent(
    arn: Arn,
    endpoints: Endpoints,
    token: Option<&str>,
    keys: Option<Credentials>,
) -> Result<Agent, Box<dyn Error>> {
    let builder = Client::builder().endpoints(endpoints);
    let client = match (token, &keys) {
        (Some(token), _) => builder.bearer_token(token),
        (None, Some(keys)) => builder.credentials(keys.clone()),
        (None, None) => {
            return Err("no credentials: set AGENTCORE_BEARER_TOKEN, or AWS_ACCESS_KEY_ID and its like".into());
        }
    };
    let runtime = client.build()?.runtime(arn);
    Ok(Agent { runtime, has_token: token.is_some(), signer: keys.map(SigV4::new) })
}

/// An empty one counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The time between two words of the mock's agent.
const PACE: Duration = Duration::from_millis(25);
