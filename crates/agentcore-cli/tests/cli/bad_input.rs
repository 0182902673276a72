//! What is refused: exit code 2 and one clear line, before anything is sent.

use crate::world::{Ended, SESSION, World, acore, run, run_with};

const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";

/// Asserts that the program refused its input in its own words, which are one line, perhaps with causes and a hint under it.
fn refused(ended: &Ended, line: &str, case: &str) {
    assert_eq!(ended.exit, Some(2), "{case}: {ended:?}");
    assert_eq!(ended.stdout, "", "{case}");
    let mut lines = ended.stderr.lines();
    let error = lines.next().unwrap_or_default();
    assert!(error.starts_with("error: ") && error.contains(line), "{case}: {}", ended.stderr);
    for line in lines {
        assert!(line.starts_with("  hint: ") || line.starts_with("  caused by: "), "{case}: {}", ended.stderr);
    }
}

#[test]
fn flags() {
    let world = World::new();
    let url = world.mock.url().to_owned();
    let token = world.mock.token();
    let basic = ["--endpoint-url", &url, "--bearer-token", &token];
    let long = "x".repeat(4097);
    let big_header = format!("X-Big={long}");
    let many: Vec<String> = (0..21).map(|n| format!("X-{n}=v")).collect();
    let many: Vec<&str> = many.iter().flat_map(|header| ["--header", header]).collect();
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["--arn", "my-agent"], "invalid runtime ARN \"my-agent\": it must look like arn:"),
        (vec!["--arn", ""], "invalid runtime ARN \"\""),
        (vec!["--arn", &ARN[1..]], "it must begin with arn:"),
        (
            vec!["--arn", "arn:aws-xx:bedrock-agentcore:us-east-1:123456789012:runtime/x"],
            "unknown partition \"aws-xx\"",
        ),
        (vec!["--arn", "arn:aws:bedrock-agentcore:x@evil:443/#:123456789012:runtime/x"], "invalid runtime ARN"),
        (vec!["--arn", "arn:aws:bedrock-agentcore:us-east-1:12345:runtime/x"], "the account must be 12 digits"),
        (
            vec!["--arn", "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x\r\nHost: evil"],
            "control character",
        ),
        (
            vec!["--arn", ARN, "--region", "x@evil:443/#"],
            "invalid region \"x@evil:443/#\": it must look like us-east-1",
        ),
        (vec!["--arn", ARN, "--region", "eu-west-1"], "--region eu-west-1 contradicts the ARN, which is in us-east-1"),
        (vec!["--arn", ARN, "--qualifier", "a\nb"], "invalid qualifier \"a\\nb\""),
        (
            vec!["--arn", &[ARN, "/runtime-endpoint/prod"].concat(), "--qualifier", "test"],
            "--qualifier test contradicts the ARN, which is of the endpoint prod",
        ),
        (vec!["--arn", ARN, "--session-id", "my_session_123"], "it has 14 characters, at least 33 are needed"),
        (vec!["--arn", ARN, "--session-id", &[SESSION, "\r\nHost: evil"].concat()], "invalid session id"),
        (vec!["--arn", ARN, "--session-id", SESSION, "--session-name", "x"], "--session-id and --session-name exclude"),
        (vec!["--arn", ARN, "--user-id", "a\r\nb"], "invalid user id \"a\\r\\nb\""),
        (vec!["--arn", ARN, "--user-id", ""], "invalid user id \"\": it is empty"),
        (vec!["--arn", ARN, "--header", "nothing"], "invalid header: it must look like NAME=VALUE"),
        (vec!["--arn", ARN, "--header", "X-Ok=a\r\nHost: evil"], "invalid header: x-ok:"),
        (vec!["--arn", ARN, "--header", "X-Ok\r\n=a"], "invalid header"),
        (vec!["--arn", ARN, "--header", "Authorization=Basic eA=="], "invalid header"),
        (vec!["--arn", ARN, "--header", "host=evil"], "invalid header"),
        (vec!["--arn", ARN, "--header", "X-Amz-Date=20250815T123456Z"], "invalid header"),
        (vec!["--arn", ARN, "--header", "x-amzn-requestid=1"], "invalid header"),
        (vec!["--arn", ARN, "--header", &big_header], "4096"),
        ([vec!["--arn", ARN], many].concat(), "21 custom headers, at most 20 are allowed"),
    ]
    .into_iter()
    .map(|(flags, line)| (flags.into_iter().map(|flag| &*Box::leak(flag.to_owned().into_boxed_str())).collect(), line))
    .collect();
    for (flags, line) in cases {
        let args = ["invoke", "hi"].into_iter().chain(basic).chain(flags.iter().copied());
        refused(&run(&mut acore(args)), line, &format!("{flags:?}"));
    }
    assert_eq!(world.mock.requests().len(), 0);
    assert_eq!(world.mock.connections(), 0);
}

#[test]
fn a_short_session_id_is_told_the_way_out() {
    let ended = run(&mut acore(["--mock", "invoke", "--session-id", "my_session_123", "hi"]));
    let lines = "error: invalid session id \"my_session_123\": it has 14 characters, at least 33 are needed\n  \
                 hint: --session-name NAME makes a valid, stable id of any name\n";
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(2), lines));
}

#[test]
fn credentials() {
    let world = World::new();
    let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let bearer = |token| ("AGENTCORE_BEARER_TOKEN", token);
    for (flags, env, line) in [
        (vec![], vec![], "no credentials: give them by --bearer-token (a JSON Web Token), --sigv4 (AWS credentials), "),
        (vec![], keys.to_vec(), "no credentials"),
        (vec![], vec![bearer("")], "no credentials"),
        (vec!["--bearer-token", "t", "--sigv4"], keys.to_vec(), "--bearer-token and --sigv4 exclude each other"),
        (
            vec![],
            vec![bearer("t"), ("AGENTCORE_SIGV4", "1")],
            "exclude each other, and both are given, by the environment",
        ),
        (vec!["--bearer-token", ""], vec![bearer("good")], "invalid bearer token: it is empty"),
        (vec!["--bearer-token", "tökén"], vec![], "invalid bearer token: a non-ASCII character at byte 1"),
        (vec!["--bearer-token", "a\r\nb"], vec![], "invalid bearer token: white space at byte 1"),
        (vec!["--bearer-token", "Bearer x"], vec![], "invalid bearer token: it begins with the word Bearer"),
        (vec!["--bearer-token", "t", "--profile", "p"], vec![], "--profile names AWS credentials"),
        (
            vec!["--bearer-token", "t", "--endpoint-url", "http://example.com"],
            vec![],
            "example.com is not loopback: credentials travel over https only",
        ),
        (
            vec!["--sigv4", "--endpoint-url", "http://127.0.0.1.example.com"],
            keys.to_vec(),
            "127.0.0.1.example.com is not loopback",
        ),
        (
            vec!["--bearer-token", "t"],
            vec![("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", "ftp://x")],
            "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
        ),
        (vec!["--bearer-token", "t"], vec![("AWS_REGION", "x@evil:443/#")], "invalid region"),
        (vec!["--bearer-token", "t", "--local", "http://127.0.0.1:9"], vec![], "--local and --bearer-token exclude"),
        (vec!["--local", "http://user:pw@127.0.0.1:9"], vec![], "user names and passwords do not belong into it"),
        (vec!["--mock", "--local", "http://127.0.0.1:9"], vec![], "--mock and --local exclude"),
        (vec!["--mock", "--endpoint-url", "http://127.0.0.1:9"], vec![], "--mock and --endpoint-url exclude"),
    ] {
        let args = ["invoke", "hi"].into_iter().chain(flags.iter().copied());
        let ended = run(world.acore("echo", args).envs(env.clone()));
        refused(&ended, line, &format!("{flags:?} {env:?}"));
    }
    assert_eq!(world.mock.connections(), 0);
}

#[test]
fn what_to_say() {
    let world = World::new();
    for (args, stdin, line) in [
        (vec![], "", "the prompt is empty"),
        (vec![""], "", "the prompt is empty"),
        (vec!["-"], "\n", "the prompt is empty"),
        (vec!["--payload", "{nope"], "", "the payload is not JSON: key must be a string at line 1 column 2"),
        (vec!["--payload", "-"], "{} []", "the payload is not JSON: trailing characters"),
        (vec!["--payload", "@/nowhere/at all"], "", "cannot read the payload from the file \"/nowhere/at all\""),
        (vec!["hi", "--payload", "{}"], "", "a prompt and --payload exclude each other"),
        (vec!["--bearer-token", "-"], "token", "there is nothing to say to the agent"),
        (vec!["--bearer-token", "-", "-"], "token", "standard input holds the token, so the prompt cannot be read"),
        (
            vec!["--bearer-token", "-", "--payload", "-"],
            "token",
            "standard input holds the token, so the payload cannot",
        ),
        (vec!["--bearer-token", "-", "hi"], "", "invalid bearer token: it is empty"),
        (vec!["--bearer-token", "-", "hi"], "two tokens", "invalid bearer token: white space at byte 3"),
    ] {
        let ended = run_with(&mut world.invoke("echo", args.iter().copied()), stdin.as_bytes());
        refused(&ended, line, &format!("{args:?} {stdin:?}"));
    }
    assert_eq!(world.mock.connections(), 0);
}

/// The parser of the command line has words of its own.
#[test]
fn usage() {
    for (args, line) in [
        (vec![], "Usage: acore"),
        (vec!["frobnicate"], "error: unrecognized subcommand 'frobnicate'"),
        (vec!["invoke", "--mock", "--output", "xml", "hi"], "error: invalid value 'xml' for '--output <FORMAT>'"),
        (
            vec!["invoke", "--mock", "--timeout", "0", "hi"],
            "error: invalid value '0' for '--timeout <SECS>': it must be a number",
        ),
        (
            vec!["invoke", "--mock", "--idle-timeout", "soon", "hi"],
            "error: invalid value 'soon' for '--idle-timeout <SECS>'",
        ),
        (vec!["invoke", "--mock", "hi", "there"], "error: unexpected argument 'there' found"),
        (vec!["mock", "--port", "65536"], "error: invalid value '65536' for '--port <PORT>'"),
        (vec!["completions", "tcsh"], "error: invalid value 'tcsh' for '<SHELL>'"),
        (vec!["ping"], "error: no container is named: --local URL says which"),
    ] {
        let ended = run(&mut acore(args.iter().copied()));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(ended.stderr.contains(line), "{args:?}: {}", ended.stderr);
    }
}
