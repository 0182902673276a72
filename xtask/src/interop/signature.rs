//! SigV4 both ways: botocore verifies what `acore` signs, for calls and for sockets, and the mock verifies what boto3 signs.

use std::process::Command;

use serde_json::{Value, json};

use super::Bench;
use super::case::{Case, Tally};
use super::credentials::Credentials;
use super::front::ARN;
use super::local::SESSION;
use super::program;
use crate::{Outcome, report};

/// Runs both directions.
pub(super) fn run(bench: &Bench, tally: &mut Tally) -> Outcome {
    checked_by_botocore(bench, tally)?;
    sockets_checked_by_botocore(bench, tally)?;
    signed_by_boto3(bench, tally)?;
    opened_by_the_sdk(bench, tally)
}

/// `acore` signs with the keys that AWS publishes as an example; botocore must arrive at the same signature.
fn checked_by_botocore(bench: &Bench, tally: &mut Tally) -> Outcome {
    let mut command = bench.script("sigv4_check.py");
    command.arg("us-east-1").env(KEY, EXAMPLE_KEY).env(SECRET, EXAMPLE_SECRET).env(SESSION_TOKEN, EXAMPLE_TOKEN);
    let server = bench.serve("sigv4_check", &command)?;
    let call = |name, secret: &str| {
        Case::new(name, &["invoke", "--sigv4", "--endpoint-url", &server.url, "--arn", ARN])
            .env(KEY, EXAMPLE_KEY)
            .env(SECRET, secret)
            .env(SESSION_TOKEN, EXAMPLE_TOKEN)
    };
    let verified = [("/json/verified", json!(true)), ("/status", json!(200))];
    let path = "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy_agent-AbC1234567/invocations";
    let cases = vec![
        call("botocore signs it the same way", EXAMPLE_SECRET).args(&["Hello"]).json(&verified),
        call("with a qualifier, a user and a payload", EXAMPLE_SECRET)
            .args(&["--session-id", SESSION, "--qualifier", "DEFAULT", "--user-id", "somebody"])
            .args(&["--header", "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Colour=dark  blue"])
            .args(&["--payload", r#"{"text":"é😀 ~ + %2F"}"#])
            .json(&[("/json/verified", json!(true)), ("/json/path", json!(format!("{path}?qualifier=DEFAULT")))]),
        call("another secret is refused", "wrong").args(&["Hello"]).fails(3, &["error:", "botocore signs otherwise"]),
    ];
    tally.run("SigV4, verified by botocore", bench, cases)
}

/// What `acore` prints for others to open a socket with: botocore must arrive at the same URL, or the same `Authorization`.
fn sockets_checked_by_botocore(bench: &Bench, tally: &mut Tally) -> Outcome {
    let script = bench.peers.join("sigv4_check.py");
    let script = script.to_str().ok_or("the path of the peers is not text")?;
    let check = |name, [secret, token]: [&str; 2], args: &[&str]| -> Outcome<Case> {
        let mut command = bench.acore(&[]);
        command.args(args).args(["--sigv4", "--arn", ARN, "--session-id", SESSION]);
        // An empty session token is none, to both.
        command.env(KEY, EXAMPLE_KEY).env(SECRET, secret).env(SESSION_TOKEN, token);
        let case = Case::new(name, &[script, "us-east-1", "socket"]).input(program::output(command)?);
        let case = case.env(KEY, EXAMPLE_KEY).env(SECRET, EXAMPLE_SECRET).env(SESSION_TOKEN, token);
        Ok(case.env("PYTHONDONTWRITEBYTECODE", "1"))
    };
    let found = |base: &str, query: Value, signed: &[&str]| {
        [("/url", json!(format!("{base}{SOCKET}"))), ("/query", query), ("/signed", json!(signed))]
    };
    let (good, wrong, permanent) = ([EXAMPLE_SECRET, EXAMPLE_TOKEN], ["wrong", EXAMPLE_TOKEN], [EXAMPLE_SECRET, ""]);
    let at = ["--endpoint-url", "http://127.0.0.1:8123/base"];
    let everything =
        ["--param", "room=a b+c/é~%2F", "--param", "empty=", "--param", "Z&=x=y", "--qualifier", "my endpoint"];
    let all_of_it =
        json!({ "room": "a b+c/é~%2F", "empty": "", "Z&": "x=y", "qualifier": "my endpoint", SESSION_NAME: SESSION });
    let session = || json!({ SESSION_NAME: SESSION });
    let host = ["host"];
    let headers = ["host", "x-amz-date", "x-amz-security-token", "x-amzn-bedrock-agentcore-runtime-session-id"];
    let cases = vec![
        check("a presigned URL", good, &["ws-url"])?.object(&found(SERVICE, session(), &host)),
        check("by permanent credentials, for a minute", permanent, &["ws-url", "--expires", "60"])?.object(&found(
            SERVICE,
            session(),
            &host,
        )),
        check("with a qualifier and parameters", good, &[&["ws-url"], &everything[..]].concat())?
            .object(&found(SERVICE, all_of_it, &host)),
        check("at a port and a path", good, &[&["ws-url"], &at[..]].concat())?.object(&found(
            ELSEWHERE,
            session(),
            &host,
        )),
        check("by another secret", wrong, &["ws-url"])?.fails(1, &["botocore signs otherwise"]),
        check("the headers of a handshake", good, &["ws-headers"])?.object(&found(SERVICE, json!({}), &headers)),
        check("by permanent credentials", permanent, &["ws-headers"])?.object(&found(
            SERVICE,
            json!({}),
            &[&headers[..2], &headers[3..]].concat(),
        )),
        check("with a qualifier", good, &["ws-headers", "--qualifier", "my endpoint"])?.object(&found(
            SERVICE,
            json!({ "qualifier": "my endpoint" }),
            &headers,
        )),
        check("at a port and a path", good, &[&["ws-headers"], &at[..]].concat())?.object(&found(
            ELSEWHERE,
            json!({}),
            &headers,
        )),
        check("by another secret", wrong, &["ws-headers"])?.fails(1, &["botocore signs otherwise"]),
    ];
    tally.run("SigV4 of sockets, verified by botocore", &bench.with_program(bench.python.clone()), cases)
}

/// boto3 itself calls the mock's echo agent, whose verifier is neither botocore's code nor `acore`'s.
fn signed_by_boto3(bench: &Bench, tally: &mut Tally) -> Outcome {
    report::heading("SigV4, signed by boto3");
    let mock = bench.serve("acore-mock", &bench.acore(&["mock".to_owned()]))?;
    let Credentials { aws, .. } = Credentials::read(&mock)?;
    let call = || -> Command {
        let mut command = bench.script("boto3_invoke.py");
        command.args([&mock.url, ECHO, SESSION, r#"{"prompt":"Hello from boto3"}"#]).envs(aws.clone());
        command
    };

    let answer = program::run(call())?;
    let said = String::from_utf8_lossy(&answer.stdout);
    let mut faults = Vec::new();
    for words in ["\"status\": 200", SESSION, "Hello from boto3"] {
        if !said.contains(words) {
            faults.push(format!("{words:?} is not in {said:?}"));
        }
    }
    tally.count("the mock verifies boto3's signature", &faults, &answer);

    let mut wrong = call();
    wrong.env(SECRET, "wrong");
    let answer = program::run(wrong)?;
    let said = String::from_utf8_lossy(&answer.stdout);
    let refused = said.contains("\"status\": 403");
    let faults = if refused { Vec::new() } else { vec![format!("no 403 in {said:?}")] };
    tally.count("and refuses another secret's", &faults, &answer);
    Ok(())
}

/// What the official SDK generates opens the mock's socket over TLS, by the two libraries that its documentation names.
fn opened_by_the_sdk(bench: &Bench, tally: &mut Tally) -> Outcome {
    report::heading("sockets of the mock, opened by the official SDK");
    let root = bench.logs.join("acore-mock-root.pem");
    let root = root.to_str().ok_or("the path of the logs is not text")?;
    let mock = bench.serve("acore-mock-tls", &bench.acore(&["mock", "--tls-ca", root].map(str::to_owned)))?;
    let Credentials { token, aws } = Credentials::read(&mock)?;
    let port = mock.url.rsplit(':').next().ok_or("the mock's URL has no port")?;
    let open = |secret: Option<&str>, generator: &str, library: &str| {
        let mut command = bench.script("sdk_socket.py");
        command.args([port, HEADERS, &token, root, generator, library]).envs(aws.clone());
        command.envs(secret.map(|secret| (SECRET, secret)));
        program::run(command)
    };
    for library in ["websockets", "aiohttp"] {
        for (generator, form) in [
            ("generate_ws_connection", "signature"),
            ("generate_presigned_url", "presigned-url"),
            ("generate_ws_connection_oauth", "bearer"),
        ] {
            let answer = open(None, generator, library)?;
            let expected = json!({ "credential_form": form, "session": true, "echo": "héllo" });
            tally.count(&format!("{generator} by {library}"), answer.fault(&expected).as_slice(), &answer);
        }
        let answer = open(Some("wrong"), "generate_ws_connection", library)?;
        tally.count(
            &format!("another secret by {library}"),
            answer.fault(&json!({ "status": 403 })).as_slice(),
            &answer,
        );
    }
    Ok(())
}

const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

const EXAMPLE_KEY: &str = "AKIDEXAMPLE";
const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const EXAMPLE_TOKEN: &str = "interop+session/token==";

const SERVICE: &str = "wss://bedrock-agentcore.us-east-1.amazonaws.com";
const ELSEWHERE: &str = "ws://127.0.0.1:8123/base";

/// The path of the socket of [`ARN`].
const SOCKET: &str =
    "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy_agent-AbC1234567/ws";

/// What the session is called in a query.
const SESSION_NAME: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The mock's agent that greets with the headers of the handshake.
const HEADERS: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/headers";

/// The mock's agent that answers with what it was asked.
const ECHO: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/echo-AbC1234567";
