//! Chromium: a plain page that opens what `acore` printed, and somebody who uses the page of the example `browser_chat`.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::{Value, json};

use super::case::Tally;
use super::credentials::Credentials;
use super::front::tampered;
use super::machine::node;
use super::{Bench, build, program};
use crate::workspace::Workspace;
use crate::{Outcome, report};

/// Checks that there is a Chromium, which the scripts look for in the same way.
pub(super) fn check(path: &OsStr) -> Outcome {
    let found = std::env::split_paths(path).any(|directory| directory.join("chromium").exists());
    if found { Ok(()) } else { Err(NO_CHROMIUM.into()) }
}

/// Runs both against a mock.
pub(super) fn run(bench: &Bench, workspace: &Workspace, tally: &mut Tally) -> Outcome {
    let mock = bench.serve("acore-mock", &bench.acore(&["mock", "--endpoint", "prod"].map(str::to_owned)))?;
    let credentials = Credentials::read(&mock)?;
    plain_page(bench, &mock.url, &credentials, tally)?;
    chat(bench, workspace, &mock.url, &credentials, tally)
}

/// The one thing that is not `acore`'s is the page: `new WebSocket(url, protocols)`.
fn plain_page(bench: &Bench, url: &str, credentials: &Credentials, tally: &mut Tally) -> Outcome {
    report::heading("a plain page in Chromium");
    let acore = |args: &[&str]| {
        let mut command = bench.acore(&[]);
        command.args(args).args(["--endpoint-url", url, "--arn", ECHO, "--qualifier", "prod"]);
        command
    };
    let presigned = |args: &[&str]| {
        let mut command = acore(&["ws-url", "--sigv4"]);
        command.args(args).envs(credentials.aws.clone());
        program::output(command)
    };
    let signed = presigned(&["--param", "room=a b+c/é"])?;
    let (rest, last) = signed.split_at(signed.len() - 1);
    let forged = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    let with_token = |token: &str| -> Outcome<Value> {
        let mut command = acore(&["ws-headers", "--subprotocol"]);
        command.env("AGENTCORE_BEARER_TOKEN", token);
        Ok(serde_json::from_str(&program::output(command)?)?)
    };
    let opened = |protocol: &str| {
        json!({
            "protocol": protocol,
            "heard": ["héllo from a page 👋", [0, 255]],
            "closed": { "code": 1000, "clean": true },
        })
    };
    // A browser tells a page no more of a refused handshake (WebSockets Standard, section 4).
    let refused = json!({ "protocol": null, "heard": [], "closed": { "code": 1006, "clean": false } });
    let expired = json!({ "url": presigned(&["--expires", "1"])?, "expired": true });
    let cases = [
        ("a presigned URL opens the socket", json!({ "url": signed }), opened("")),
        ("so does a token in a subprotocol", with_token(&credentials.token)?, opened("base64UrlBearerAuthorization")),
        ("another signature does not", json!({ "url": forged }), refused.clone()),
        ("a tampered token does not", with_token(&tampered(&credentials.token)?)?, refused.clone()),
        ("a presigned URL that has expired does not", expired, refused),
    ];

    let wishes = Value::from_iter(cases.iter().map(|(_, wish, _)| wish.clone()));
    let answer = program::run_with(node(bench, "browser_socket.mjs", &[]), wishes.to_string().into_bytes())?;
    let seen: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
    for (index, (name, _, expected)) in cases.iter().enumerate() {
        let fault = (seen[index] != *expected).then(|| format!("the page saw {}, expected {expected}", seen[index]));
        tally.count(name, fault.as_slice(), &answer);
    }
    Ok(())
}

/// The example with its own agent, and with an agent that loses connections; the screenshots stay under the target directory.
fn chat(bench: &Bench, workspace: &Workspace, url: &str, credentials: &Credentials, tally: &mut Tally) -> Outcome {
    let example = build(workspace, ["--example", "browser_chat"])?;
    let story = bench.serve("browser_chat", &Command::new(&example))?;
    let mut command = Command::new(&example);
    command.env("AGENTCORE_RUNTIME_ARN", LOSSY).env("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", url);
    let lossy = bench.serve("browser_chat-lossy", command.env("AGENTCORE_BEARER_TOKEN", &credentials.token))?;

    report::heading("the example browser_chat in Chromium");
    let target = workspace.target()?;
    let target = target.to_str().ok_or("the target directory's path is not text")?;
    let mut command = node(bench, "browser_chat.mjs", &[target, &story.url, &lossy.url]);
    command.env("NODE_OPTIONS", "--test-reporter=tap");
    tally.points(&program::run(command)?)
}

const NO_CHROMIUM: &str = "chromium is not on the PATH: install it (Debian: chromium)";

/// The mock's agent that sends every message back.
const ECHO: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/echo-AbC1234567";

/// The mock's agent that loses the first connection of a session after one message.
const LOSSY: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/drop-1";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_missing_browser_is_said_before_anything_runs() {
        let error = check(OsStr::new("/nonexistent")).unwrap_err();
        assert_eq!(error.to_string(), "chromium is not on the PATH: install it (Debian: chromium)");
        let place = std::env::temp_dir().join(format!("xtask-chromium-{}", std::process::id()));
        std::fs::create_dir_all(place.join("chromium")).unwrap();
        assert!(check(&std::env::join_paths(["/nonexistent".as_ref(), place.as_os_str()]).unwrap()).is_ok());
        std::fs::remove_dir_all(place).unwrap();
    }
}
