//! What the flags, the environment and standard input make of a request.

use agentcore_mock::Mock;
use serde_json::{Value, json};

use crate::world::{SESSION, World, acore, run, run_with};

#[test]
fn prompts_and_payloads() {
    let world = World::new();
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/payload.json");
    let at_file = format!("@{file}");
    std::fs::write(file, " {\"a\" :1}\n").unwrap();
    let prompt = |text: &str| json!({"prompt": text, "sessionId": SESSION, "enableTrace": true}).to_string();
    for (args, stdin, body) in [
        (vec!["hi"], "", prompt("hi")),
        (vec!["hi"], "not looked at", prompt("hi")),
        (vec!["-"], "from a pipe\n", prompt("from a pipe")),
        (vec![], "two\nlines\n", prompt("two\nlines")),
        (vec!["--payload", "{\"q\": \"6 x 7\"}"], "", "{\"q\": \"6 x 7\"}".into()),
        (vec!["--payload", "-"], "[1,  2]\n", "[1,  2]\n".into()),
        (vec!["--payload", &at_file], "", " {\"a\" :1}\n".into()),
    ] {
        let args = args.into_iter().chain(["--session-id", SESSION]);
        let ended = run_with(&mut world.invoke("echo", args), stdin.as_bytes());
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        let sent = world.body();
        let is_default_form = body.contains("enableTrace");
        if is_default_form {
            let (sent, body): (Value, Value) = (sent.parse().unwrap(), body.parse().unwrap());
            assert_eq!(sent, body);
        } else {
            assert_eq!(sent, body);
        }
    }
}

#[test]
fn headers_and_ids() {
    let world = World::new();
    for (flags, env, name, value) in [
        (vec!["--session-id", SESSION], None, "x-amzn-bedrock-agentcore-runtime-session-id", Some(SESSION)),
        (
            vec!["--session-name", "my_session_123"],
            None,
            "x-amzn-bedrock-agentcore-runtime-session-id",
            Some("my_session_123-4eeee1f4-57db-5d6a-a692-a0948436f0aa"),
        ),
        (
            vec!["--session-name", "my_session_123"],
            Some(("AGENTCORE_SESSION_ID", SESSION)),
            "x-amzn-bedrock-agentcore-runtime-session-id",
            Some("my_session_123-4eeee1f4-57db-5d6a-a692-a0948436f0aa"),
        ),
        (vec![], Some(("AGENTCORE_SESSION_ID", SESSION)), "x-amzn-bedrock-agentcore-runtime-session-id", Some(SESSION)),
        (vec![], None, "x-amzn-bedrock-agentcore-runtime-user-id", None),
        (vec!["--user-id", "jane"], None, "x-amzn-bedrock-agentcore-runtime-user-id", Some("jane")),
        (vec!["--header", "X-A=1", "--header", "X-B=a=b"], None, "x-b", Some("a=b")),
        (vec![], Some(("AGENTCORE_HEADER", "X-A=from the environment")), "x-a", Some("from the environment")),
    ] {
        let ended = run(world.invoke("echo", flags.iter().copied().chain(["hi"])).envs(env));
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        let requests = world.mock.take_requests();
        assert_eq!(requests[0].header(name), value, "{flags:?} {env:?}");
    }
}

#[test]
fn tokens_come_by_flag_pipe_and_environment() {
    let world = World::new();
    let token = world.mock.token();
    let piped = format!("{token}\n");
    let key = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    for (flags, env, stdin) in [
        (vec!["--bearer-token", &token], vec![], ""),
        (vec!["--bearer-token", "-"], vec![], &*piped),
        (vec![], vec![("AGENTCORE_BEARER_TOKEN", &*token)], ""),
        (vec![], vec![("BEDROCK_AGENTCORE_BEARER_TOKEN", &token)], ""),
        (vec![], vec![("AGENTCORE_BEARER_TOKEN", ""), ("BEDROCK_AGENTCORE_BEARER_TOKEN", &token)], ""),
        (vec![], vec![("AGENTCORE_BEARER_TOKEN", &token), ("BEDROCK_AGENTCORE_BEARER_TOKEN", "other")], ""),
        (vec!["--bearer-token", &token], vec![("AGENTCORE_SIGV4", "1"), key[0], key[1]], ""),
        (vec!["--bearer-token", &token], vec![("AGENTCORE_BEARER_TOKEN", "other")], ""),
    ] {
        let args = ["invoke", "hi"].into_iter().chain(flags.iter().copied());
        let ended = run_with(world.acore("echo", args).envs(env.clone()), stdin.as_bytes());
        assert_eq!(ended.exit, Some(0), "{flags:?} {env:?}: {}", ended.stderr);
        let sent = &world.mock.take_requests()[0];
        assert_eq!(sent.header("authorization"), Some(&*format!("Bearer {token}")), "{flags:?} {env:?}");
    }
}

#[test]
fn signatures() {
    let world = World::with(Mock::builder().endpoint("a b"));
    let env = world.keys();
    // The flag beats a token in the environment.
    let ended = run(world.invoke("echo", ["--sigv4", "--qualifier", "a b", "hi"]).envs(env));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    assert!(world.mock.take_requests()[0].header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 "));
    let reply: Value = serde_json::from_str(&ended.stdout).unwrap();
    // With a signature a user id needs a permission of its own, so none is sent unasked.
    assert_eq!((&reply["qualifier"], &reply["user_id"]), (&json!("a b"), &Value::Null));
    let ended = run(world.acore("echo", ["invoke", "hi"]).envs(env).env("AGENTCORE_SIGV4", "yes"));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
}

#[cfg(feature = "aws-config")]
#[test]
fn a_named_profile_is_not_overruled_by_keys_in_the_environment() {
    let world = World::new();
    let keys = world.mock.credentials();
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/aws-config");
    let good = format!(
        "[profile good]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        keys.access_key_id(),
        keys.secret_access_key(),
        keys.session_token().unwrap(),
    );
    std::fs::write(file, good).unwrap();
    let env = [
        ("AWS_CONFIG_FILE", file),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_ACCESS_KEY_ID", "AKIDOFANOTHER"),
        ("AWS_SECRET_ACCESS_KEY", "of another"),
    ];
    for (profile, exit, stderr) in [("good", 0, ""), ("missing", 3, "profile `missing` was not defined")] {
        let ended = run(world.acore("echo", ["invoke", "hi", "--sigv4", "--profile", profile]).envs(env));
        assert_eq!(ended.exit, Some(exit), "{}", ended.stderr);
        assert!(ended.stderr.contains(stderr), "{}", ended.stderr);
    }
}

#[test]
fn a_local_container_gets_no_credentials() {
    let world = World::new();
    let args = ["invoke", "--local", world.mock.url(), "hi"];
    let ended = run(acore(args).env("AGENTCORE_BEARER_TOKEN", "secret").env("AGENTCORE_RUNTIME_ARN", "broken"));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    let requests = world.mock.take_requests();
    assert_eq!(requests[0].path, "/invocations");
    assert_eq!(requests[0].header("authorization"), None);
}

#[test]
fn the_embedded_mock_needs_nothing_and_minds_no_environment() {
    let env = [
        ("AGENTCORE_RUNTIME_ARN", "somebody's own"),
        ("AGENTCORE_BEARER_TOKEN", "somebody's own"),
        ("AGENTCORE_SIGV4", "1"),
        ("AGENTCORE_ENDPOINT_URL", "https://somebody.example"),
        ("AWS_ENDPOINT_URL", "https://somebody.example"),
        ("AWS_REGION", "x"),
        ("AWS_PROFILE", "nobody"),
        ("AGENTCORE_LOCAL", "http://127.0.0.1:9"),
    ];
    let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/echo";
    for (args, exit, stdout) in [
        (vec!["--mock", "invoke", "Tell me a story"], 0, "Once upon a time"),
        (vec!["--mock", "--arn", "text", "invoke", "hi"], 0, "You asked: hi\n"),
        (vec!["--mock", "--arn", arn, "invoke", "hi"], 0, "{\"payload\":"),
        (vec!["invoke", "hi", "--mock", "--arn=echo", "--sigv4"], 0, "{\"payload\":"),
        (vec!["invoke", "hi", "--mock", "--arn=echo", "--bearer-token=wrong"], 3, ""),
        (vec!["invoke", "hi", "--mock", "--arn=echo", "--region=us-west-2"], 2, ""),
        (vec!["ping", "--mock"], 0, "{\"status\":\"Healthy\""),
    ] {
        let ended = run(acore(args.iter().copied()).envs(env));
        assert_eq!(ended.exit, Some(exit), "{args:?}: {}", ended.stderr);
        assert!(ended.stdout.starts_with(stdout), "{args:?}: {}", ended.stdout);
    }
}

#[test]
fn the_agents_trace_is_asked_for_unless_told_otherwise() {
    let world = World::new();
    for (flag, variable, asked) in [
        (None, None, true),
        (Some("--trace"), None, true),
        (Some("--no-trace"), None, false),
        (None, Some("1"), false),
        (Some("--trace"), Some("1"), true),
    ] {
        let mut command = world.invoke("text", flag.into_iter().chain(["hi"]));
        let ended = run(command.envs(variable.map(|value| ("AGENTCORE_NO_TRACE", value))));
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
        assert!(world.body().ends_with(&format!("\"enableTrace\":{asked}}}")), "{flag:?} {variable:?}");
    }
    assert_eq!(run(&mut world.invoke("text", ["--trace", "--no-trace", "hi"])).exit, Some(2));
}

/// A local container is asked where its protocol says (AWS developer guide, the protocol contracts), and a prompt is no message.
#[test]
fn where_a_container_of_each_protocol_is_asked() {
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (protocol, path, accept) in [
        ("http", "/invocations", "text/event-stream, application/json"),
        ("mcp", "/mcp", "application/json, text/event-stream"),
        ("a2a", "/", "application/json, text/event-stream"),
    ] {
        let world = World::with(Mock::builder().local_agent("echo"));
        let args = ["invoke", "--local", world.mock.url(), "--protocol", protocol, "--payload", message];
        run(&mut acore(args));
        let request = &world.mock.requests()[0];
        assert_eq!((request.path.as_str(), &request.body[..]), (path, message.as_bytes()), "{protocol}");
        let media_types = request.headers["accept"].to_str().unwrap();
        assert!(accept.split(", ").all(|media_type| media_types.contains(media_type)), "{protocol}: {media_types}");
    }
    for args in [vec!["hi"], vec![]] {
        let ended = run(acore(["invoke", "--local", "http://127.0.0.1:9", "--protocol", "mcp"]).args(args));
        assert_eq!(ended.exit, Some(2));
        assert!(ended.stderr.starts_with("error: a prompt is no message of MCP or A2A"), "{}", ended.stderr);
    }
}
