//! Logins of Cognito users: passwords and renewals against moto, SRP against npm cognito-srp, which compute for themselves.

use std::process::Command;

use serde_json::Value;

use super::case::{Case, Tally};
use super::machine::node;
use super::{Bench, build};
use crate::Outcome;
use crate::venv::Venv;
use crate::workspace::Workspace;

/// Runs the example that logs in, against both.
pub(super) fn run(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let program = build(workspace, ["--example", "cognito_login"])?;
    let bench = bench.with_program(program);
    passwords(&bench, workspace, tally)?;
    proofs(&bench, tally)
}

fn passwords(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let shell = &workspace.shell;
    let requirements = shell.read_file(bench.peers.join("requirements-moto.txt"))?;
    let venv = Venv::ready(shell, &workspace.target()?.join("interop/venv-moto"), &requirements)?;
    let mut command = Command::new(venv.program("python"));
    command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1").arg(bench.peers.join("moto_pool.py"));
    let moto = bench.serve("moto", &command)?;
    let known: Value = serde_json::from_str(&moto.line()?.ok_or("moto named no pool")?)?;
    let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
    let case = |name, user: &str, password: &str| {
        login(name, &moto.url, &text("pool"), &text("client"))
            .args(&["2"])
            .env("AGENTCORE_COGNITO_FLOW", "password")
            .env("AGENTCORE_COGNITO_USERNAME", user)
            .env("AGENTCORE_COGNITO_PASSWORD", password)
    };
    let secret = |case: Case, secret: &str| case.env("AGENTCORE_COGNITO_CLIENT_SECRET", secret);
    let logged_in = |id: &str| format!("logged in as {id}\nrenewed as {id}\nrenewed as {id}");
    let (ada, bob) = (text("ada"), text("bob"));
    // moto keeps the name that was sent last, where the service keeps the real one: the first login sends that, and the
    // second learns it from the challenge.
    let by_name = case("a password, and two renewals", &ada, "Passw0rd!");
    let new_password = case(
        "a new password is chosen by alias, and the renewals are in the real name",
        "bob@example.com",
        "Temp0rary!",
    )
    .env("AGENTCORE_COGNITO_NEW_PASSWORD", "Ch0sen!Word");
    let chosen = case("and is good from then on", &bob, "Ch0sen!Word");
    let unanswered = case("without an answer the challenge is named", "bob@example.com", "Temp0rary!")
        .fails(1, &["NEW_PASSWORD_REQUIRED"]);
    let wrong = case("a wrong password is refused", "ada@example.com", "wrong")
        .fails(1, &["Incorrect username or password. (NotAuthorizedException)"]);
    let hash = case("a renewal with the wrong secret is refused", &ada, "Passw0rd!")
        .fails(1, &["NotAuthorizedException"])
        .text(format!("logged in as {ada}"));
    let good = text("secret");
    tally.run(
        "Cognito logins, played by moto",
        bench,
        vec![
            secret(by_name, &good).text(logged_in(&ada)),
            secret(unanswered, &good),
            secret(new_password, &good).text(logged_in(&bob)),
            secret(chosen, &good).text(logged_in(&bob)),
            secret(wrong, &good),
            secret(hash, "wrong"),
        ],
    )
}

fn proofs(bench: &Bench, tally: &mut Tally) -> Outcome {
    let mut cases = Vec::new();
    let mut servers = Vec::new();
    for (pool, user, password) in USERS {
        let command = node(bench, "cognito_srp.mjs", &[pool, user, password]);
        let server = bench.serve("cognito-srp", &command)?;
        let case = |name, password: &str| {
            login(name, &server.url, pool, "client1")
                .args(&["0"])
                .env("AGENTCORE_COGNITO_USERNAME", *user)
                .env("AGENTCORE_COGNITO_PASSWORD", password)
        };
        // Numbers that begin with a zero or a high bit come up among some of these; the golden exchanges have them all.
        for _ in 0..4 {
            cases.push(case("the right password is proved", password).text(format!("logged in as {user}")));
        }
        let wrong = case("a wrong one is not", &format!("{password}x"));
        cases.push(wrong.fails(1, &["Incorrect username or password. (NotAuthorizedException)"]));
        servers.push(server);
    }
    tally.run("SRP, verified by cognito-srp", bench, cases)
}

fn login(name: &'static str, url: &str, pool: &str, client: &str) -> Case {
    Case::new(name, &[])
        .env("AGENTCORE_COGNITO_ENDPOINT_URL", url)
        .env("AGENTCORE_COGNITO_POOL_ID", pool)
        .env("AGENTCORE_COGNITO_CLIENT_ID", client)
}

/// A pool, a user and a password: plain ones, and ones of more than ASCII.
const USERS: &[(&str, &str, &str)] =
    &[("us-east-1_ABC123DEF", "ada", "Passw0rd!"), ("eu-west-2_x", "ünï@example.com", "pä ss:wörd 日本語")];
