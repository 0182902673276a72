//! `ws-url`, `ws-headers` and `connect`.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use agentcore_mock::{CredentialForm, Mock};
use serde_json::Value;

use crate::world::{Ended, SESSION, World, acore, ended, run, run_with};

const SESSION_HEADER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The program with the mock's keys, or with its token.
fn signed<'a>(world: &World, agent: &str, args: impl IntoIterator<Item = &'a str>) -> std::process::Command {
    let mut command = world.acore(agent, args);
    command.arg("--sigv4").envs(world.keys()).env("AGENTCORE_WAIT", "1");
    command
}

fn by_token<'a>(world: &World, agent: &str, args: impl IntoIterator<Item = &'a str>) -> std::process::Command {
    let mut command = world.acore(agent, args);
    command.env("AGENTCORE_BEARER_TOKEN", world.mock.token()).env("AGENTCORE_WAIT", "1");
    command
}

fn json(ended: &Ended) -> Value {
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout.parse().unwrap()
}

#[test]
fn a_presigned_url() {
    let world = World::new();
    let args = ["ws-url", "--session-id", SESSION, "--param", "room=a b=c", "--param", "z=", "--expires", "60"];
    let ended = run(&mut signed(&world, "echo", args));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    let url = ended.stdout.strip_suffix('\n').unwrap();
    let place = format!("ws://{}/runtimes/arn%3Aaws%3A", world.mock.url().trim_start_matches("http://"));
    assert!(url.starts_with(&place), "{url}");
    assert!(url.contains(&format!("/ws?room=a%20b%3Dc&z=&{SESSION_HEADER}={SESSION}&")), "{url}");
    assert!(url.contains("&X-Amz-Expires=60&") && url.contains("&X-Amz-Security-Token="), "{url}");
    assert!(world.mock.requests().is_empty());
}

#[test]
fn headers_for_another_program() {
    let world = World::new();
    let args = ["ws-headers", "--session-id", SESSION, "--qualifier", "my_endpoint"];
    let printed = json(&run(&mut by_token(&world, "echo", args)));
    assert!(printed["url"].as_str().unwrap().ends_with("/ws?qualifier=my_endpoint"), "{printed}");
    assert!(printed["headers"]["Authorization"].as_str().unwrap().starts_with("Bearer ey"));
    assert_eq!(printed["headers"][SESSION_HEADER], SESSION);
    assert_eq!((printed.as_object().unwrap().len(), printed["headers"].as_object().unwrap().len()), (2, 2));

    let printed = json(&run(&mut signed(&world, "echo", ["ws-headers"])));
    let headers = printed["headers"].as_object().unwrap();
    let names: Vec<_> = headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["Authorization", "X-Amz-Date", "X-Amz-Security-Token", SESSION_HEADER]);
    assert!(headers["Authorization"].as_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential="));
}

#[test]
fn what_a_browser_needs() {
    let world = World::new();
    let args = ["ws-headers", "--subprotocol", "--session-id", SESSION];
    let printed = json(&run(&mut by_token(&world, "echo", args)));
    assert!(printed["url"].as_str().unwrap().ends_with(&format!("/ws?{SESSION_HEADER}={SESSION}")));
    let protocols = printed["protocols"].as_array().unwrap();
    assert!(protocols[0].as_str().unwrap().starts_with("base64UrlBearerAuthorization.ZXl"));
    assert_eq!((protocols.len(), &protocols[1]), (2, &Value::from("base64UrlBearerAuthorization")));
    assert_eq!(printed.as_object().unwrap().len(), 2);
}

#[test]
fn with_the_mock_nothing_else_is_needed() {
    for (args, beginning) in [
        (vec!["--mock", "ws-url"], "ws://127.0.0.1:"),
        (vec!["--mock", "ws-url", "--sigv4"], "ws://127.0.0.1:"),
        (vec!["--mock", "ws-headers"], "{\"headers\":{\"Authorization\":\"Bearer "),
        (vec!["--mock", "ws-headers", "--sigv4"], "{\"headers\":{\"Authorization\":\"AWS4-HMAC-SHA256 "),
        (vec!["--mock", "ws-headers", "--subprotocol"], "{\"protocols\":["),
    ] {
        let ended = run(&mut acore(args.iter().copied()));
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(ended.stdout.starts_with(beginning), "{args:?}: {}", ended.stdout);
    }
    for way_in in [vec![], vec!["--presigned"], vec!["--subprotocol"]] {
        let args = ["--mock", "--arn", "echo", "connect"].into_iter().chain(way_in);
        let ended = run_with(&mut acore(args), "héllo\n\nlast".as_bytes());
        let expected = (Some(0), "héllo\n\nlast\n", "");
        assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), expected);
    }
}

#[test]
fn every_way_in() {
    let world = World::new();
    let args = ["connect", "--session-id", SESSION];
    for (mut command, flag, seen) in [
        (by_token(&world, "echo", args), None, CredentialForm::Bearer),
        (by_token(&world, "echo", args), Some("--subprotocol"), CredentialForm::Subprotocol),
        (signed(&world, "echo", args), None, CredentialForm::Signature),
        (signed(&world, "echo", args), Some("--presigned"), CredentialForm::PresignedUrl),
    ] {
        let ended = run_with(command.args(flag), b"hi\n");
        assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "hi\n", ""));
        let request = world.mock.take_requests().pop().unwrap();
        assert_eq!((request.credential_form, request.session_id.as_deref()), (Some(seen), Some(SESSION)));
    }
}

#[test]
fn answers_that_are_due_come_before_the_end() {
    let world = World::new();
    let ended = run_with(&mut by_token(&world, "story", ["connect", "--wait", "2"]), b"crabs\n");
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("\"Once\"\n\" upon\"\n") && ended.stdout.ends_with("{\"type\":\"done\"}\n"));
}

#[test]
fn a_json_string_a_line() {
    let world = World::new();
    let args = ["connect", "--output", "json"];
    let ended = run_with(&mut by_token(&world, "echo", args), "say \"hé\"\n\n{\"a\":1}\n".as_bytes());
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "\"say \\\"hé\\\"\"\n\"\"\n\"{\\\"a\\\":1}\"\n");
}

#[test]
fn an_answer_is_shown_while_input_is_open() {
    let world = World::new();
    let mut child = by_token(&world, "echo", ["connect"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for word in ["one", "two"] {
        input.write_all(format!("{word}\n").as_bytes()).unwrap();
        assert_eq!(crate::process::lines_up_to(&mut child, word), [word]);
    }
    drop(input);
    assert_eq!(ended(child).exit, Some(0));
}

/// A conversation whose input stays open ends with its time, and what came is printed.
#[test]
fn a_conversation_has_no_more_time_than_it_is_given() {
    let world = World::new();
    for (format, shown) in [("text", "one"), ("json", "\"one\"")] {
        let args = ["connect", "--timeout", "3", "--output", format];
        let mut child = by_token(&world, "echo", args).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"one\n").unwrap();
        assert_eq!(crate::process::lines_up_to(&mut child, shown), [shown]);
        let ended = ended(child);
        assert_eq!(ended.exit, Some(5), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("error: the conversation had not ended after 3 s"), "{}", ended.stderr);
        assert_eq!(ended.stdout.contains("\"kind\":\"timeout\""), format == "json", "{}", ended.stdout);
    }
}

#[test]
fn a_local_container() {
    let world = World::with(Mock::builder().local_agent("echo"));
    let ended = run_with(&mut acore(["connect", "--local", world.mock.url()]), b"hi\n");
    assert_eq!((ended.exit, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "hi\n", ""));
    assert_eq!(world.mock.requests()[0].path, "/ws");
}

#[test]
fn outcomes() {
    let world = World::new();
    for (agent, exit, stdout, line) in [
        ("error-401", 3, "", "HTTP 401 UnauthorizedException"),
        ("error-403", 3, "", "HTTP 403 AccessDeniedException"),
        ("error-404", 6, "", "HTTP 404 ResourceNotFoundException"),
        ("error-424", 6, "", "HTTP 424 RuntimeClientError"),
        ("throttle-9", 4, "", "HTTP 429 ThrottlingException"),
        ("html", 6, "", "HTTP 502"),
        ("close-1011", 6, "hi\n", "closed the connection: 1011 internal error"),
        ("close-1008", 4, "hi\n", "closed the connection: 1008 policy or limit"),
        ("drop", 7, "hi\n", "the connection was lost"),
    ] {
        let ended = run_with(&mut by_token(&world, agent, ["connect"]), b"hi\n");
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(exit), stdout), "{agent}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(line), "{agent}: {}", ended.stderr);
    }
    let ended = run_with(&mut by_token(&world, "close-1001", ["connect"]), b"hi\n");
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "hi\n"));
    assert!(ended.stderr.starts_with("note: the agent closed the connection: 1001 going away"), "{}", ended.stderr);
}

#[test]
fn coming_back_if_wanted() {
    let world = World::new();
    let mut child = by_token(&world, "drop-1", ["connect", "--reconnect"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    assert_eq!(crate::process::lines_up_to(&mut child, "one"), ["one"]);
    // What is said before the loss is noticed is lost.
    let mut note = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut note).unwrap();
    assert!(note.starts_with("note: the connection was lost and there is a new one"), "{note}");
    input.write_all(b"two\n").unwrap();
    drop(input);
    let ended = ended(child);
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "two\n"));
    assert_eq!(world.mock.requests().len(), 2);
}

#[test]
fn what_is_refused_before_anything_is_sent() {
    let world = World::new();
    let token = world.mock.token();
    let keyed = |args: &[&'static str]| signed(&world, "echo", args.iter().copied());
    let tokened = |args: &[&'static str]| by_token(&world, "echo", args.iter().copied());
    for (mut command, words) in [
        (keyed(&["ws-url", "--expires", "301"]), "a presigned URL lives 1 to 300 seconds, not 301"),
        (keyed(&["ws-url", "--expires", "0"]), "a presigned URL lives 1 to 300 seconds, not 0"),
        (keyed(&["ws-url", "--expires", "5m"]), "a presigned URL lives 1 to 300 seconds, not \"5m\""),
        (keyed(&["ws-url", "--param", "room"]), "--param \"room\" has no value: it must look like NAME=VALUE"),
        (keyed(&["ws-url", "--param", "X-Amz-Expires=900"]), "X-Amz-Expires"),
        (keyed(&["ws-url", "--session-id", "short"]), "it has 5 characters, at least 33 are needed"),
        (tokened(&["connect", "--presigned"]), "a presigned URL needs AWS credentials"),
        (keyed(&["connect", "--subprotocol"]), "the subprotocol needs a bearer token"),
        (keyed(&["ws-headers", "--subprotocol"]), "the subprotocol needs a bearer token"),
        (tokened(&["connect", "--presigned", "--subprotocol"]), "cannot be used with"),
        (tokened(&["connect", "--bearer-token", "-"]), "standard input holds the token"),
        (acore(["ws-url", "--arn", "nonsense"]), "invalid runtime ARN \"nonsense\""),
        (acore(["ws-url", "--bearer-token", &token]), "`acore ws-url` cannot use --bearer-token"),
        (acore(["ws-url", "--local", world.mock.url()]), "`acore ws-url` cannot use --local"),
    ] {
        let ended = run(&mut command);
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""), "{command:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(words), "{}", ended.stderr);
    }
    assert!(world.mock.requests().is_empty());
}

#[test]
fn missing_keys_say_where_they_were_looked_for() {
    let world = World::new();
    let mut command = world.acore("echo", ["ws-url", "--sigv4"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    let ended = run(&mut command);
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(3), ""));
    assert!(ended.stderr.contains("AWS_ACCESS_KEY_ID"), "{}", ended.stderr);
}

#[test]
fn logs_hold_no_secret() {
    let world = World::new();
    let keys = world.mock.credentials();
    let token = world.mock.token();
    let signature = token.rsplit('.').next().unwrap();
    for (mut command, flag) in [
        (signed(&world, "echo", ["connect"]), Some("--presigned")),
        (signed(&world, "echo", ["connect"]), None),
        (by_token(&world, "echo", ["connect"]), Some("--subprotocol")),
        (by_token(&world, "echo", ["connect"]), None),
        (signed(&world, "echo", ["ws-url"]), None),
    ] {
        let ended = run_with(command.args(flag).env("RUST_LOG", "trace"), b"hush\n");
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        let secrets = [signature, keys.secret_access_key(), keys.session_token().unwrap(), "hush", "X-Amz-Signature="];
        for secret in secrets.into_iter().chain(["Bearer ey", "Authorization.ey", "Authorization.ZXl"]) {
            assert!(!ended.stderr.contains(secret), "{secret}: {}", ended.stderr);
        }
    }
}

/// Nothing but AWS credentials can sign a URL: a token that is there for other commands does not matter.
#[test]
fn a_presigned_url_implies_aws_credentials() {
    let world = World::new();
    for flag in [&[][..], &["--sigv4"]] {
        let args = ["ws-url"].into_iter().chain(flag.iter().copied());
        let ended = run(world.acore("echo", args).envs(world.keys()).env("AGENTCORE_BEARER_TOKEN", world.mock.token()));
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains("X-Amz-Signature="), "{}", ended.stdout);
    }
}

/// An agent that says that it is done is not waited for.
#[test]
fn the_end_of_an_answer_ends_the_connection() {
    let world = World::new();
    let ended = run_with(&mut by_token(&world, "story", ["connect", "--wait", "3600"]), b"one\ntwo\n");
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.matches("{\"type\":\"done\"}\n").count(), 2, "{}", ended.stdout);
}

#[test]
fn parameters_of_the_url() {
    let world = World::new();
    let params = ["--param", "room=a b", "--param", "z="];
    let ended = run_with(by_token(&world, "echo", ["connect"]).args(params), b"hi\n");
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "hi\n"), "{}", ended.stderr);
    let query = world.mock.take_requests().pop().unwrap().query.unwrap();
    assert!(query.starts_with("room=a%20b&z="), "{query}");
    let printed = json(&run(signed(&world, "echo", ["ws-headers"]).args(params)));
    assert!(printed["url"].as_str().unwrap().contains("/ws?room=a%20b&z="), "{printed}");
    let ended = run(by_token(&world, "echo", ["connect"]).args(["--param", "room"]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""));
}
