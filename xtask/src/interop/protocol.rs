//! MCP servers and A2A agents on the Python SDKs, behind the service's paths and verified tokens, by `agent.mcp()` and `agent.a2a()`: for MCP
//! with rmcp over it.

use std::process::Command;

use super::case::{Case, Tally};
use super::credentials::Credentials;
use super::dialect::with_packages;
use super::front::ARN;
use super::peer::Peer;
use super::{Bench, build, program, rust_tests};
use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Starts an agent of each kind, and runs the tests that nothing runs otherwise.
pub(super) fn run(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let agents = with_packages(bench, workspace, "agents")?;
    let older = with_packages(bench, workspace, "a2a-03")?;
    let mock = bench.serve("acore-mock-protocols", &bench.acore(&["mock".to_owned()]))?;
    let Credentials { token, .. } = Credentials::read(&mock)?;
    let front = |bench: &Bench, name: &str, agent: &str| -> Outcome<Peer> {
        let mut command = bench.script("front.py");
        let keys = format!("{}/.well-known/jwks.json", mock.url);
        command.args(["--agent", agent, "--jwks", &keys, "--iss", &mock.url]);
        bench.serve(name, &command)
    };
    let mcp = front(&agents, "front-mcp", "mcp")?;
    let stateful = front(&agents, "front-mcp-stateful", "mcp-stateful")?;
    let a2a_1 = front(&agents, "front-a2a-v1", "a2a")?;
    let a2a_0_3 = front(&older, "front-a2a-v0", "a2a")?;
    let tests = build(workspace, ["--test", "integration"])?;
    report::heading("MCP by rmcp and A2A, tokens verified by joserfc");
    let mut command = Command::new(tests);
    command.env_clear().env("AGENTCORE_TEST_TOKEN", &token).arg("rpc_peer::");
    for (name, peer) in [("MCP", &mcp), ("MCP_STATEFUL", &stateful), ("A2A_0_3", &a2a_0_3), ("A2A_1", &a2a_1)] {
        command.env(format!("AGENTCORE_TEST_{name}"), &peer.url);
    }
    rust_tests::count(tally, "rpc_peer", &TESTS, &program::run(command)?)?;
    example(bench, workspace, tally, &mcp, &token)
}

/// The example, as its documentation says.
fn example(bench: &Bench, workspace: &Workspace, tally: &mut Tally, mcp: &Peer, token: &str) -> Outcome {
    let example = build(workspace, ["--example", "mcp_tools"])?;
    let call = Case::new("the example lists tools and calls one", &["add", r#"{"a": 1, "b": 2}"#])
        .env("AGENTCORE_RUNTIME_ARN", ARN)
        .env("AGENTCORE_BEARER_TOKEN", token)
        .env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", &mcp.url)
        .text("add: \ncount: \nboom: \n3");
    let alone = Case::new("the example without a server", &[]).text(ALONE);
    tally.run("an MCP client of a few lines", &bench.with_program(example), vec![call, alone])
}

/// What the example prints of the mock's server.
const ALONE: &str = "add: Adds two whole numbers.\nsay: Says what it is given.\nHello, world!";

/// Each test, and what it checks.
const TESTS: [(&str, &str); 6] = [
    ("tools_by_rmcp", "rmcp lists and calls tools of the Python SDK's server: a result, progress, a tool that fails"),
    ("tools_without_a_handshake", "rmcp finds out whether the server needs a handshake, and calls a tool"),
    ("errors_of_json_rpc", "a JSON-RPC error in a 200 is a typed error with its code"),
    ("a_lost_session", "a 404 of an ended session: lost and not run; rmcp begins another and calls the tool"),
    ("a2a_0_3", "A2A 0.3: a task to its end, and a broken-off stream is broken off"),
    ("a2a_1", "A2A 1.x: a task to its end, an `event: error` is the agent's error, and 0.3 by the same agent"),
];
