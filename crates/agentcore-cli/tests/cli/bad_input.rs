//! What is refused: exit code 2 and one clear line, before anything is sent.

use proptest::{collection::vec, prelude::*, sample::select};

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
        (vec!["--local", "http://user:pw@127.0.0.1:9"], vec![], "it must not hold a user name or a password"),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Flags and variables at random, with values at random: the program says what is wrong, or does what it is told.
    #[test]
    fn no_command_line_makes_it_panic(
        command in select(vec!["invoke", "ping", "ws-url", "ws-headers", "token", "login", "exec", "stop", "card", "session"]),
        flags in vec((select(FLAGS), value()), 0..6),
        variables in vec((select(VARIABLES), value()), 0..4),
        stdin in vec(any::<u8>(), 0..40),
    ) {
        let world = World::new();
        let mut acore = world.acore("echo", [command]);
        acore.envs(variables.iter().filter(|(_, value)| !value.contains('\0')).cloned());
        for (flag, value) in flags.iter().filter(|(_, value)| !value.contains('\0')) {
            acore.args([*flag, value.as_str()].iter().filter(|text| !text.is_empty()));
        }
        let ended = run_with(&mut acore, &stdin);
        prop_assert!(ended.exit.is_some_and(|exit| exit != 101), "{ended:?}");
        prop_assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}

fn value() -> impl Strategy<Value = String> {
    let odd = vec![
        "",
        "-1",
        "0",
        "1e19",
        "NaN",
        "inf",
        "18446744073709551616",
        "1e-400",
        "\u{feff}",
        "https://",
        "arn:",
        "a=b",
        "{",
        "=",
    ];
    prop_oneof![2 => select(odd).prop_map(str::to_owned), 1 => ".{0,12}", 1 => any::<u64>().prop_map(|n| n.to_string())]
}

const FLAGS: &[&str] = &[
    "",
    "--arn",
    "--qualifier",
    "--region",
    "--session-id",
    "--session-name",
    "--user-id",
    "--header",
    "--payload",
    "--mock",
    "--bearer-token",
    "--token-command",
    "--sigv4",
    "--profile",
    "--idle-timeout",
    "--timeout",
    "--output",
    "--dialect",
    "--cognito-pool-id",
    "--cognito-client-id",
    "--cognito-username",
    "--cognito-region",
    "--cognito-flow",
    "--token-use",
    "--oauth-token-url",
    "--oauth-client-id",
    "--oauth-issuer",
    "--oauth-scope",
    "--token-store",
    "--endpoint-url",
    "--local",
];
const VARIABLES: &[&str] = &[
    "AGENTCORE_RUNTIME_ARN",
    "AGENTCORE_BEARER_TOKEN",
    "AGENTCORE_TOKEN_STORE",
    "AGENTCORE_TOKEN_STORE_KEY",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "AGENTCORE_HTTP2",
    "COLUMNS",
    "TERM",
    "NO_COLOR",
    "HOME",
    "XDG_CONFIG_HOME",
    "AWS_CONFIG_FILE",
];
