//! How each kind of failure ends: the exit code, and the lines on standard error.

use std::{net::TcpListener, time::SystemTime};

use agentcore_mock::{AgentResponse, Mock};

use crate::world::{World, acore, run};

#[test]
fn exit_codes() {
    let world = World::new();
    for (agent, flags, exit, stdout, stderr) in [
        ("text", "", 0, "You asked: hi\n", ""),
        ("error-400", "", 6, "", "HTTP 400 ValidationException"),
        ("error-401", "", 3, "", "HTTP 401 UnauthorizedException"),
        ("error-402", "", 6, "", "HTTP 402 ServiceQuotaExceededException"),
        ("error-403", "", 3, "", "HTTP 403 AccessDeniedException"),
        ("error-404", "", 6, "", "  hint: check the ARN and --qualifier\n"),
        ("error-408", "", 5, "", "HTTP 408"),
        ("error-409", "", 6, "", "HTTP 409 ConflictException"),
        ("error-424", "", 6, "", "HTTP 424 RuntimeClientError"),
        ("error-429", "--no-retry", 4, "", "HTTP 429 ThrottlingException"),
        ("error-429-after-3600", "", 4, "", "retry after 3600 s"),
        ("error-500", "", 6, "", "the agent may have run"),
        ("error-502", "", 6, "", "HTTP 502"),
        ("error-503", "--no-retry", 4, "", "HTTP 503"),
        ("error-504", "", 5, "", "HTTP 504"),
        ("html", "", 6, "", "error: Bad Gateway (HTTP 502,"),
        ("redirect", "", 6, "", "a redirect, which is not followed"),
        ("gzip", "", 6, "", "content coding \"gzip\""),
        ("reset", "", 4, "", " was lost before an answer came (the agent may have run)\n  caused by: "),
        ("reset-midstream", "", 7, "Once upon\n", "the answer broke off midway"),
        ("fail-midstream", "", 6, "Once upon\n", "error: the agent failed: ValueError: the agent lost its thread\n"),
        ("throttle-1", "--no-retry", 4, "", "HTTP 429"),
        ("huge", "", 7, "", "larger than the limit of 16777216 bytes"),
        ("stall", "--timeout=0.3", 5, "Once\n", "total time ran out"),
        ("stall", "--idle-timeout=0.2", 5, "Once\n", "the answer stood still for 0.2 s"),
        ("text", "--idle-timeout=1e19", 0, "You asked: hi\n", ""),
        ("text", "--timeout=1e300", 0, "You asked: hi\n", ""),
        ("slow-60000", "--timeout=0.2", 5, "", "no answer came within the call's total time"),
        ("no-such-agent", "", 6, "", "HTTP 404 ResourceNotFoundException"),
    ] {
        let flags = (!flags.is_empty()).then_some(flags);
        let ended = run(&mut world.invoke(agent, flags.into_iter().chain(["hi"])));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(exit), stdout), "{agent}: {}", ended.stderr);
        assert!(ended.stderr.contains(stderr), "{agent}: {}", ended.stderr);
        assert_eq!(ended.stderr.is_empty(), exit == 0, "{agent}: {}", ended.stderr);
        assert!(exit == 0 || ended.stderr.starts_with("error: "), "{agent}: {}", ended.stderr);
    }
}

#[test]
fn what_is_throttled_is_tried_again_unless_told_otherwise() {
    let world = World::new();
    for (flags, exit, requests) in [(vec!["hi"], 0, 2), (vec!["hi", "--no-retry"], 4, 1)] {
        let ended = run(&mut world.invoke("throttle-1", flags));
        assert_eq!((ended.exit, world.mock.take_requests().len()), (Some(exit), requests), "{}", ended.stderr);
    }
}

#[test]
fn nobody_there() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{port}");
    for args in [vec!["invoke", "--no-retry", "hi"], vec!["ping"]] {
        let ended = run(&mut acore(args.into_iter().chain(["--local", &url])));
        assert_eq!(ended.exit, Some(4), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("error: could not connect"), "{}", ended.stderr);
        assert!(ended.stderr.contains("\n  caused by: "), "{}", ended.stderr);
        assert!(ended.stderr.ends_with("\n  hint: is the agent container running there?\n"), "{}", ended.stderr);
    }
}

#[test]
fn a_refused_token_and_a_refused_key() {
    let world = World::new();
    let foreign = world.mock.token_with(|claims| {
        claims.insert("client_id".into(), "somebody-else".into());
    });
    let ended = run(&mut world.acore("echo", ["invoke", "hi", "--bearer-token", &foreign]));
    assert_eq!(ended.exit, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("  hint: the token must be of the issuer"), "{}", ended.stderr);

    let keys = world.mock.credentials();
    for (id, secret, hint) in [
        ("AKIDEXAMPLE", "wrong", "  hint: the access key id is unknown"),
        (
            keys.access_key_id(),
            "wrong",
            "  hint: the secret is not that of the access key: check AWS_SECRET_ACCESS_KEY",
        ),
    ] {
        let mut command = world.acore("echo", ["invoke", "hi", "--sigv4"]);
        let ended =
            run(command.envs(world.keys()).envs([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]));
        assert_eq!(ended.exit, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains(hint) && !ended.stderr.contains("IAM"), "{}", ended.stderr);
    }
}

#[test]
fn an_expired_token_is_not_sent() {
    let world = World::new();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let expired = world.mock.token_with(|claims| {
        claims.insert("exp".into(), (now - 7200).into());
    });
    let ended = run(&mut world.acore("echo", ["invoke", "hi", "--bearer-token", &expired]));
    let lines = "error: the bearer token expired 2 h ago and was not sent\n  hint: get a new token from its issuer\n";
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(3), lines));
    assert_eq!(world.mock.connections(), 0);
}

/// Another session is another conversation, and perhaps another machine.
#[test]
fn an_answer_of_another_session() {
    let other = "other-0123456789-0123456789-0123456789-01";
    let world = World::with(Mock::builder().agent("moves", move |_| async move {
        let name = http::HeaderName::from_static("x-amzn-bedrock-agentcore-runtime-session-id");
        AgentResponse::json("hi").with_header(name, http::HeaderValue::from_static(other))
    }));
    let named = run(&mut world.invoke("moves", ["--session-id", crate::world::SESSION, "x"]));
    assert_eq!(named.stderr, format!("note: the answer came from another session: {other}\n"));
    assert_eq!((named.exit, run(&mut world.invoke("moves", ["x"])).stderr.as_str()), (Some(0), ""));
}

/// Each error names the place, and the remedy that fits; nothing that is no remedy is said.
#[test]
fn the_place_and_the_remedy() {
    let world = World::new();
    let token = world.mock.token();
    let gone = "http://127.0.0.1:9";
    let issuer = ["--oauth-issuer", gone, "--oauth-client-id", "c"];
    let secret = ("AGENTCORE_OAUTH_CLIENT_SECRET", "s3cret");
    #[cfg(feature = "aws-config")]
    let no_instance = [("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true")];
    for (args, env, exit, words, wrong) in [
        (
            vec!["--endpoint-url", gone, "--no-retry", "--bearer-token", &token],
            vec![],
            4,
            "could not connect to 127.0.0.1:9\n",
            "",
        ),
        (vec!["--arn", "slow-60000", "--timeout=0.2", "--mock"], vec![], 5, "total time of 0.2 s", ""),
        (issuer.to_vec(), vec![secret], 4, "hint: the issuer is away", "new token"),
        (
            vec!["--oauth-issuer", world.mock.url(), "--oauth-client-id", "c"],
            vec![secret],
            3,
            "AGENTCORE_OAUTH_CLIENT_SECRET",
            "new token",
        ),
        (vec!["--bearer-token", "opaque"], vec![], 3, "caused by: the token is no JSON Web Token\n", "(--sigv4)"),
        (
            vec!["--qualifier", "a-b", "--bearer-token", &token],
            vec![],
            6,
            "note: the qualifier \"a-b\" is no endpoint's name",
            "",
        ),
        #[cfg(feature = "aws-config")]
        (vec!["--sigv4"], vec![("AWS_ACCESS_KEY_ID", "AKID")], 3, "AWS_SECRET_ACCESS_KEY is not set", "IMDS"),
        #[cfg(feature = "aws-config")]
        (vec!["--sigv4"], vec![("AWS_SECRET_ACCESS_KEY", "s3cret")], 3, "AWS_ACCESS_KEY_ID is not set", "IMDS"),
        #[cfg(feature = "aws-config")]
        (
            vec!["--sigv4", "--profile", "gone"],
            no_instance.to_vec(),
            3,
            "no credentials of the profile \"gone\"",
            "IMDS",
        ),
        #[cfg(feature = "aws-config")]
        (
            vec!["--sigv4"],
            [&no_instance[..], &[("AWS_PROFILE", "gone")]].concat(),
            3,
            "(AWS_PROFILE is \"gone\")",
            "IMDS",
        ),
        #[cfg(unix)]
        (
            vec!["--token-command", "/nonexistent/helper"],
            vec![],
            3,
            "the token command \"/nonexistent/helper\" cannot be run",
            "hint",
        ),
        (vec!["there"], vec![], 2, "tip: quote a prompt of several words: acore invoke \"hello world\"\n", ""),
    ] {
        let mut command = world.acore("echo", ["invoke", "hi"].into_iter().chain(args.iter().copied()));
        if args.contains(&"--mock") || args.contains(&gone) && !args.contains(&"--oauth-issuer") {
            command.env_remove("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE");
        }
        let ended = run(command.envs(env));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(exit), ""), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
        assert!(wrong.is_empty() || !ended.stderr.contains(wrong), "{args:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("s3cret") && !ended.stderr.contains(&token), "{}", ended.stderr);
    }
}

/// By these a call is found in CloudWatch.
#[test]
fn a_failed_call_names_its_ids() {
    let world = World::with(Mock::builder().agent("traced", |_| async {
        let pieces =
            futures_util::stream::iter([Ok::<_, std::convert::Infallible>("data: {\"error\": \"no\"}\n\n".into())]);
        let name = http::HeaderName::from_static("x-amzn-trace-id");
        AgentResponse::stream("text/event-stream", pieces).with_header(name, http::HeaderValue::from_static("Root=1-a"))
    }));
    let session = crate::world::SESSION;
    let ended = run(&mut world.invoke("traced", ["hi", "--session-id", session]));
    let line = ended.stderr.lines().find(|line| line.starts_with("  ids: ")).unwrap();
    assert!(
        line.starts_with(&format!("  ids: session {session}, request ")) && line.ends_with(", trace Root=1-a"),
        "{line}"
    );
    let ended = run(&mut world.invoke("error-500", ["hi", "--session-id", session]));
    assert!(ended.stderr.contains(&format!("\n  ids: session {session}, request ")), "{}", ended.stderr);
}

/// The object tells of a call that was not made, too; but not where nothing was called for.
#[test]
fn a_failure_before_the_call_is_an_object_too() {
    let world = World::new();
    for (args, kind) in [(&["--sigv4"][..], "auth"), (&["--bearer-token", "é"], "")] {
        let mut command = world.acore("echo", ["invoke", "hi", "--output", "json"].iter().chain(args).copied());
        let ended = run(command.env("AWS_ACCESS_KEY_ID", "AKID"));
        if kind.is_empty() {
            assert_eq!((ended.exit, ended.stdout.as_str()), (Some(2), ""));
            continue;
        }
        let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((ended.exit, &object["error"]["kind"]), (Some(3), &kind.into()));
        assert_eq!((&object["text"], &object["status"]), (&"".into(), &serde_json::Value::Null));
    }
    let connect = ["connect", "--output", "json", "--no-retry", "--local", "http://127.0.0.1:9"];
    let ended = run(&mut acore(connect));
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.exit, &object["error"]["kind"]), (Some(4), &"unavailable".into()));
}
