//! A program that calls an agent for itself, over and over, and never thinks of tokens.
//!
//! `cargo run -p agentcore --example machine_calls --features oauth -- [CALLS] [PAUSE_MILLISECONDS]`
//!
//! By default everything is on loopback: a mock runtime whose token endpoint gives tokens that live two seconds. With
//! `AGENTCORE_OAUTH_ISSUER`, `AGENTCORE_OAUTH_CLIENT_ID`, `AGENTCORE_OAUTH_CLIENT_SECRET` and `AGENTCORE_RUNTIME_ARN` (and
//! `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`, if it is not the service's own) it calls a real one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::{env, error::Error, sync::Arc, time::Duration};

use agentcore_client::{Client, Endpoint, Endpoints, Payload, RuntimeArn, Transport, auth::oauth::ClientCredentials};
use agentcore_mock::{InboundAuth, Mock};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let calls: u32 = args.next().map_or(Ok(10), |text| text.parse())?;
    let pause = Duration::from_millis(args.next().map_or(Ok(500), |text| text.parse())?);

    let transport = Transport::builder().build()?;
    let http = Arc::new(transport.clone());
    let variable = |name: &str| env::var(name).ok();
    // The mock serves until it is dropped, at the end of `main`.
    let (machine, arn, endpoints, _mock) = match variable("AGENTCORE_OAUTH_ISSUER") {
        Some(issuer) => {
            let (id, secret) = (env::var("AGENTCORE_OAUTH_CLIENT_ID")?, env::var("AGENTCORE_OAUTH_CLIENT_SECRET")?);
            let arn: RuntimeArn = env::var("AGENTCORE_RUNTIME_ARN")?.parse()?;
            let machine = ClientCredentials::discovered(issuer.parse()?, id, secret.into(), http).scope("invoke");
            (machine, arn, Endpoints::from_env(None, variable)?, None)
        }
        None => {
            let mock =
                Mock::builder().inbound_auth(InboundAuth::Jwt).token_lifetime(Duration::from_secs(2)).start().await?;
            let secret = mock.client_secret().to_owned().into();
            let machine = ClientCredentials::discovered(mock.url().parse()?, mock.client_id(), secret, http);
            let endpoint: Endpoint = mock.url().parse()?;
            (machine, mock.arn("text"), endpoint.into(), Some(mock))
        }
    };

    let tokens = Arc::new(machine.cached());
    let client =
        Client::builder().token_source(Arc::clone(&tokens)).endpoints(endpoints).transport(transport).build()?;
    let agent = client.runtime(arn);
    for call in 1..=calls {
        let payload = Payload::from(serde_json::json!({"prompt": format!("call {call}"), "mode": "text"}));
        println!("{}", agent.invoke(payload).await?.text);
        tokio::time::sleep(pause).await;
    }
    let statistics = tokens.statistics();
    eprintln!("{calls} calls, {} tokens, {} failures", statistics.fetches, statistics.failures);
    Ok(())
}
