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
        ("reset", "", 4, "", "the connection was lost before an answer came (the agent may have run)\n  caused by: "),
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

    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "wrong")];
    let ended = run(world.acore("echo", ["invoke", "hi", "--sigv4"]).envs(keys));
    assert_eq!(ended.exit, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("  hint: the credentials need the IAM permission"), "{}", ended.stderr);
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
