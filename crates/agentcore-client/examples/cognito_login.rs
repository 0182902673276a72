//! A user of Amazon Cognito who logs in, stays logged in and logs out.
//!
//! `cargo run -p agentcore-client --example cognito_login --features cognito -- [RENEWALS]`
//!
//! By default everything is on loopback: a mock whose user pool makes its user choose a new password. With
//! `AGENTCORE_COGNITO_POOL_ID`, `AGENTCORE_COGNITO_CLIENT_ID`, `AGENTCORE_COGNITO_USERNAME` and
//! `AGENTCORE_COGNITO_PASSWORD` the login is to a real pool; `AGENTCORE_COGNITO_CLIENT_SECRET`,
//! `AGENTCORE_COGNITO_NEW_PASSWORD`, `AGENTCORE_COGNITO_FLOW` (`srp` or `password`) and `AGENTCORE_COGNITO_ENDPOINT_URL` are
//! for pools that want them. No token is shown, only whose it is.
//!
//! ```text
//! asked for NEW_PASSWORD_REQUIRED
//! logged in as …
//! renewed as …
//! logged out
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::{env, error::Error, sync::Arc};

use agentcore_client::{
    Endpoint, TokenIssuer, Transport,
    auth::{
        self, BoxFuture,
        cognito::{Answer, Challenge, ChallengeResponder, CognitoConfig, Login, PoolId},
    },
};
use agentcore_mock::{Mock, User};

/// Chooses the new password that it was given, and has no second factor.
#[derive(Debug)]
struct FirstLogin;

impl ChallengeResponder for FirstLogin {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, auth::Error>> {
        let password = variable("AGENTCORE_COGNITO_NEW_PASSWORD");
        Box::pin(std::future::ready(match (challenge, password) {
            (Challenge::NewPassword { .. }, Some(password)) => Ok(Answer::new(password)),
            _ => Err(challenge.unanswered()),
        }))
    }
}

/// Chooses what suits the mock.
#[derive(Debug)]
struct Obedient;

impl ChallengeResponder for Obedient {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, auth::Error>> {
        println!("asked for {}", challenge.name());
        Box::pin(std::future::ready(Ok(Answer::new("a password of my own"))))
    }
}

/// An app client of a pool.
struct AppClient {
    pool: PoolId,
    id: String,
    secret: Option<String>,
    endpoint: Option<Endpoint>,
}

impl AppClient {
    fn user(&self, login: Login) -> CognitoConfig {
        let mut cognito = CognitoConfig::new(self.pool.clone(), &self.id, login);
        if let Some(secret) = &self.secret {
            cognito = cognito.client_secret(secret.as_str());
        }
        if let Some(endpoint) = &self.endpoint {
            cognito = cognito.endpoint(endpoint.clone());
        }
        cognito
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let renewals: u32 = env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let transport = Arc::new(Transport::builder().build()?);
    // The mock serves until it is dropped, at the end of `main`.
    let (client, first, _mock) = match variable("AGENTCORE_COGNITO_POOL_ID") {
        Some(pool) => {
            let client = AppClient {
                pool: pool.parse()?,
                id: env::var("AGENTCORE_COGNITO_CLIENT_ID")?,
                secret: variable("AGENTCORE_COGNITO_CLIENT_SECRET"),
                endpoint: variable("AGENTCORE_COGNITO_ENDPOINT_URL").map(|url| url.parse()).transpose()?,
            };
            let (user, password) = (env::var("AGENTCORE_COGNITO_USERNAME")?, env::var("AGENTCORE_COGNITO_PASSWORD")?);
            let login = match variable("AGENTCORE_COGNITO_FLOW").as_deref() {
                Some("password") => Login::user_password(user, password),
                _ => Login::user_srp(user, password),
            };
            let first = client.user(login).responder(FirstLogin).over(transport.clone());
            (client, first, None)
        }
        None => {
            let user = User::new("ada@example.com", "temporary").new_password_required();
            let mock = Mock::builder().user(user).rotate_refresh_tokens(true).start().await?;
            let pool = mock.cognito();
            let client = AppClient {
                pool: pool.id().parse()?,
                id: pool.client_id().to_owned(),
                secret: Some(pool.client_secret().to_owned()),
                endpoint: Some(mock.url().parse()?),
            };
            let login = Login::user_srp(pool.user().alias(), pool.user().password());
            let first = client.user(login).responder(Obedient).over(transport.clone());
            (client, first, Some(mock))
        }
    };

    // A program that invokes agents gives the configuration to `Client::builder().cognito(…)`, and does nothing of what follows.
    first.issue().await?;
    let name = first.username().ok_or("nobody knows whose the tokens are")?;
    println!("logged in as {name}");

    // Tomorrow there is the refresh token that was kept, and no password.
    let token = first.refresh_token().ok_or("the pool gave no refresh token")?;
    let later = client.user(Login::refresh_token(token)).known_as(name).over(transport);
    for _ in 0..renewals {
        later.issue().await?;
        println!("renewed as {}", later.username().unwrap_or_default());
    }
    match later.logout().await {
        Ok(()) => println!("logged out"),
        Err(error) => eprintln!("the pool did not revoke the login: {error}"),
    }
    Ok(())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
