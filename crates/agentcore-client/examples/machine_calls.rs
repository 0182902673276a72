//! A program that calls an agent for itself, over and over, and never thinks of tokens.
//!
//! `cargo run -p agentcore-client --example machine_calls --features oauth -- [CALLS] [PAUSE_MILLISECONDS]`
//!
//! By default everything is on loopback: a mock runtime whose token endpoint gives tokens that live two seconds. With
//! `AGENTCORE_OAUTH_ISSUER`, `AGENTCORE_OAUTH_CLIENT_ID`, `AGENTCORE_OAUTH_CLIENT_SECRET` and `AGENTCORE_RUNTIME_ARN` (and
//! `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`, if it is not the service's own) it calls a real one.
//!
//! ```text
//! You asked: call 1
//! You asked: call 10
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::{env, error::Error, time::Duration};

use agentcore_client::{Arn, Client, Endpoint, Endpoints, Payload, auth::oauth::ClientCredentialsConfig};
use agentcore_mock::{InboundAuth, Mock};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let calls: u32 = args.next().map_or(Ok(10), |text| text.parse())?;
    let pause = Duration::from_millis(args.next().map_or(Ok(500), |text| text.parse())?);

    let variable = |name: &str| env::var(name).ok();
    // The mock serves until it is dropped, at the end of `main`.
    let (machine, arn, endpoints, _mock) = match variable("AGENTCORE_OAUTH_ISSUER") {
        Some(issuer) => {
            let (id, secret) = (env::var("AGENTCORE_OAUTH_CLIENT_ID")?, env::var("AGENTCORE_OAUTH_CLIENT_SECRET")?);
            let arn: Arn = env::var("AGENTCORE_RUNTIME_ARN")?.parse()?;
            let machine = ClientCredentialsConfig::discovered(issuer.parse()?, id, secret).scope("invoke");
            (machine, arn, Endpoints::from_env(None, variable)?, None)
        }
        None => {
            let mock =
                Mock::builder().inbound_auth(InboundAuth::Jwt).token_lifetime(Duration::from_secs(2)).start().await?;
            let (id, secret) = (mock.client_id(), mock.client_secret());
            let machine = ClientCredentialsConfig::discovered(mock.url().parse()?, id, secret);
            let endpoint: Endpoint = mock.url().parse()?;
            (machine, mock.arn("text"), endpoint.into(), Some(mock))
        }
    };

    let client = Client::builder().oauth(machine).endpoints(endpoints).build()?;
    let agent = client.runtime(arn);
    for call in 1..=calls {
        let payload = Payload::from(serde_json::json!({"prompt": format!("call {call}"), "mode": "text"}));
        println!("{}", agent.invoke(payload).await?.text);
        tokio::time::sleep(pause).await;
    }
    let tokens = client.metrics().tokens;
    eprintln!("{calls} calls, {} tokens, {} failures", tokens.fetches, tokens.failures);
    Ok(())
}
