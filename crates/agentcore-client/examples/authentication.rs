//! Four ways to be known to a runtime: a token, an Amazon Cognito user, a machine's client credentials, and AWS credentials.
//!
//! `cargo run -p agentcore-client --features cognito,oauth --example authentication`
//!
//! ```text
//! a token: You asked: Hello, world!
//! a user: You asked: Hello, world!
//! a machine: You asked: Hello, world!
//! AWS keys: You asked: Hello, world!
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{
    Arn, Client, Endpoint, Endpoints, Error, SessionId,
    auth::{
        cognito::{CognitoConfig, Login, PoolId},
        credentials,
        oauth::{ClientCredentialsConfig, Issuer},
    },
};
use agentcore_mock::Mock;

async fn ask(jwt: &str, arn: Arn, endpoints: Endpoints) -> Result<String, Error> {
    let client = Client::builder().bearer_token(jwt).endpoints(endpoints).build()?;
    let session = SessionId::derive("my_session_123");
    let reply = client.runtime(arn).invoke("Hello, world!").session(&session).await?;
    Ok(reply.text.to_string())
}

fn user(pool: PoolId, client_id: &str, name: &str, password: &str) -> CognitoConfig {
    CognitoConfig::new(pool, client_id, Login::user_srp(name, password))
}

fn with_user(user: CognitoConfig, endpoints: Endpoints) -> Result<Client, Error> {
    Client::builder().cognito(user).endpoints(endpoints).build()
}

fn with_machine(issuer: Issuer, id: &str, secret: &str, endpoints: Endpoints) -> Result<Client, Error> {
    let machine = ClientCredentialsConfig::discovered(issuer, id, secret).scope("invoke");
    Client::builder().oauth(machine).endpoints(endpoints).build()
}

fn with_keys(variable: impl Fn(&str) -> Option<String>, endpoints: Endpoints) -> Result<Client, Error> {
    let keys = credentials::from_env(variable)?;
    Client::builder().credentials(keys).endpoints(endpoints).build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let (endpoint, pool, keys) = (mock.url().parse::<Endpoint>()?, mock.cognito(), mock.credentials());
    let user = user(pool.id().parse()?, pool.client_id(), pool.user().alias(), pool.user().password());
    let user = user.client_secret(pool.client_secret()).endpoint(endpoint.clone());
    let variable = |name: &str| match name {
        "AWS_ACCESS_KEY_ID" => Some(keys.access_key_id().to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(keys.secret_access_key().to_owned()),
        _ => keys.session_token().filter(|_| name == "AWS_SESSION_TOKEN").map(str::to_owned),
    };
    let at = || Endpoints::from(endpoint.clone());
    println!("a token: {}", ask(&mock.token(), mock.arn("text"), at()).await?);
    for (name, client) in [
        ("a user", with_user(user, at())?),
        ("a machine", with_machine(mock.url().parse()?, mock.client_id(), mock.client_secret(), at())?),
        ("AWS keys", with_keys(variable, at())?),
    ] {
        println!("{name}: {}", client.runtime(mock.arn("text")).invoke("Hello, world!").await?.text);
    }
    Ok(())
}
