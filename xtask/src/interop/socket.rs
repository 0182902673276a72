//! `acore connect` against the official SDK's own server: alone, and behind the service's paths with tokens verified by joserfc.

use serde_json::{Value, json};

use super::Bench;
use super::case::{Case, Tally};
use super::credentials::Credentials;
use super::front::{ARN, EXPIRED, NOBODY, tampered};
use super::local::SESSION;
use crate::Outcome;

/// Runs every case, against both.
pub(super) fn run(bench: &Bench, tally: &mut Tally) -> Outcome {
    local(bench, tally)?;
    behind_the_front(bench, tally)
}

/// `acore connect`, which says these lines and lets the agent be silent for a second.
fn connect(name: &'static str, input: &str) -> Case {
    Case::new(name, &["connect", "--wait", "1"]).input(input)
}

fn local(bench: &Bench, tally: &mut Tally) -> Outcome {
    let agent = bench.serve("agent_app-socket", &bench.script("agent_app.py"))?;
    let greeting = [
        ("/session_id", json!(SESSION)),
        ("/path", json!("/ws")),
        ("/query", json!("")),
        ("/forwarded", Value::Null),
        ("/subprotocols", json!(0)),
    ];
    let session = ["--session-id", SESSION];
    let long = "0123456789é".repeat(30_000);
    let cases = vec![
        connect("lines are echoed, Unicode too", "one\n\nzwölf 👋\n{\"three\": 3}")
            .args(&session)
            .greeting(&greeting, "echo:one\necho:\necho:zwölf 👋\necho:{\"three\": 3}"),
        connect("the agent speaks first", "").args(&session).greeting(&greeting, ""),
        connect("a message of many frames", &long).greeting(&[], format!("echo:{long}")),
        connect("bytes are named, not shown", "bytes\nafter\n")
            .greeting(&[], "echo:after")
            .notes(&["a binary message of 2 bytes"]),
        connect("the agent ends it", "one\nclose:1000:bye\n").greeting(&[], "echo:one"),
        connect("the agent ends it by a code of its own", "one\nclose:4000:kicked out\n")
            .greeting(&[], "echo:one")
            .fails(6, &["error:", "4000", "kicked out"]),
        connect("the agent fails", "one\nraise\n").greeting(&[], "echo:one").fails(6, &["error:", "1011"]),
        connect("a handshake is refused", "one\n")
            .args(&["--session-id", "refuse-0123456789-0123456789-0123456789"])
            .fails(3, &["error:", "403"]),
    ];
    let cases = cases.into_iter().map(|case| case.args(&["--local", &agent.url])).collect();
    tally.run("sockets of the official SDK's agent", bench, cases)
}

fn behind_the_front(bench: &Bench, tally: &mut Tally) -> Outcome {
    let mock = bench.serve("acore-mock", &bench.acore(&["mock".to_owned()]))?;
    let Credentials { token, .. } = Credentials::read(&mock)?;
    let mut command = bench.script("front.py");
    command.args(["--jwks", &format!("{}/.well-known/jwks.json", mock.url), "--iss", &mock.url]);
    let front = bench.serve("front-socket", &command)?;
    let through = |case: Case, url: &str, token: &str| {
        let case = case.args(&["--endpoint-url", url, "--arn", ARN, "--qualifier", "prod", "--session-id", SESSION]);
        case.env("AGENTCORE_BEARER_TOKEN", token)
    };
    let query = format!("qualifier=prod&X-Amzn-Bedrock-AgentCore-Runtime-Session-Id={SESSION}");
    let by_header = connect("a token in the header", "one").greeting(
        &[("/session_id", json!(SESSION)), ("/query", json!("qualifier=prod")), ("/subprotocols", json!(0))],
        "echo:one",
    );
    let by_protocol = connect("a token in a subprotocol", "one")
        .args(&["--subprotocol"])
        .greeting(&[("/query", json!(query)), ("/subprotocols", json!(2))], "echo:one");
    let refused = || connect("a tampered token is refused", "one").fails(3, &["error:", "BadSignatureError"]);
    let unsent = connect("an expired token is not even sent", "one").fails(3, &["error:", "expired"]);
    let cases = vec![
        through(by_header, &front.url, &token),
        through(by_protocol, &front.url, &token),
        through(refused(), &front.url, &tampered(&token)?),
        through(refused().args(&["--subprotocol"]), &front.url, &tampered(&token)?),
        through(unsent, NOBODY, EXPIRED),
    ];
    tally.run("sockets behind the service's paths, tokens verified by joserfc", bench, cases)
}
