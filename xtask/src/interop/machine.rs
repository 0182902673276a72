//! Client credentials against a certified OpenID provider, the tokens verified by joserfc behind the service's paths.

use std::env;
use std::process::Command;

use serde_json::json;

use super::case::{Case, Tally};
use super::front::ARN;
use super::local::mode;
use super::{Bench, build};
use crate::Outcome;
use crate::workspace::Workspace;

/// Starts the provider and the proxy that trusts it, and runs every case through both.
pub(super) fn run(bench: &Bench, tally: &mut Tally) -> Outcome {
    let provider = bench.serve("oidc-provider", &node(bench, "oidc_provider.mjs", &[]))?;
    let mut command = bench.script("front.py");
    command.args(["--jwks", &format!("{}/jwks", provider.url), "--iss", &provider.url, "--aud", "urn:agentcore"]);
    let front = bench.serve("front-oidc", &command)?;
    let machine = |case: Case, client: &str, secret: &str| {
        let case =
            case.args(&["--oauth-issuer", &provider.url, "--oauth-client-id", client, "--oauth-scope", "invoke"]);
        case.env("AGENTCORE_OAUTH_CLIENT_SECRET", secret)
    };
    let through = |case: Case| case.args(&["--endpoint-url", &front.url, "--arn", ARN]);
    let streams = through(mode("a machine's token opens the door", "stream_str").text("Hello world!"));
    let claims = Case::new("the claims are the provider's", &["token", "--claims"]).object(&[
        ("/iss", json!(provider.url)),
        ("/aud", json!("urn:agentcore")),
        ("/client_id", json!("m2m")),
        ("/scope", json!("invoke")),
    ]);
    let wrong = through(mode("a wrong secret is refused", "echo")).fails(3, &["error:", "invalid_client"]);
    let unknown = through(mode("an unknown client is refused", "echo")).fails(3, &["error:", "invalid_client"]);
    tally.run(
        "tokens of a certified OpenID provider",
        bench,
        vec![
            machine(streams, "m2m", SECRET),
            machine(claims, "m2m", SECRET),
            machine(wrong, "m2m", "wrong"),
            machine(unknown, "nobody", SECRET),
        ],
    )
}

/// Calls an agent for longer than any of the provider's tokens lives.
pub(super) fn renewals(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let provider = bench.serve("oidc-provider-short", &node(bench, "oidc_provider.mjs", &["5"]))?;
    let mut command = bench.script("front.py");
    command.args(["--jwks", &format!("{}/jwks", provider.url), "--iss", &provider.url, "--aud", "urn:agentcore"]);
    let front = bench.serve("front-oidc-short", &command)?;
    let program = build(workspace, ["--example", "machine_calls"])?;
    // 26 calls half a second apart outlive at least two tokens of five seconds; a dead one would have been refused.
    let case = Case::new("tokens of five seconds are renewed in time, again and again", &["26", "500"])
        .env("AGENTCORE_OAUTH_ISSUER", &provider.url)
        .env("AGENTCORE_OAUTH_CLIENT_ID", "m2m")
        .env("AGENTCORE_OAUTH_CLIENT_SECRET", SECRET)
        .env("AGENTCORE_RUNTIME_ARN", ARN)
        .env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", &front.url)
        .text("plain string result\n".repeat(26).trim_end())
        .notes(&["26 calls, ", ", 0 failures"]);
    tally.run("tokens that live five seconds", &bench.with_program(program), vec![case])
}

/// A command that runs one of the peers of Node.
pub(super) fn node(bench: &Bench, script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.env_clear().arg(bench.peers.join(script)).args(args).env("PEERS_NPM", &bench.node_packages);
    // Node is often not where a bare environment looks.
    command.envs(env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// Every character of it that RFC 6749 section 2.3.1 wants encoded is there on purpose.
const SECRET: &str = "s3cr3t+/= &%";
