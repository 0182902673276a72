//! `acore doctor`: one line a finding, the exit code of the worst, and nothing invoked.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::world::{Ended, World, acore, run};

const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";

/// Asserts on the exit code, and that each beginning of a line is found, in this order.
fn found(ended: &Ended, exit: i32, lines: &[&str], case: &str) {
    assert_eq!(ended.exit, Some(exit), "{case}: {ended:?}");
    assert_eq!(ended.stderr, "", "{case}");
    let mut all = ended.stdout.lines();
    for line in lines {
        assert!(all.any(|found| found.starts_with(line)), "{case}: no line {line:?} in\n{}", ended.stdout);
    }
}

#[test]
fn what_is_well_and_what_is_not() {
    let world = World::new();
    let dead = world.mock.token_with(|claims| drop(claims.insert("exp".into(), 1_300_819_380.into())));
    let stranger = world.mock.token_with(|claims| drop(claims.insert("iss".into(), "https://idp.example".into())));
    let soon = world.mock.token_with(|claims| {
        let exp = claims["exp"].as_u64().unwrap() - 3600 + 60;
        claims.insert("exp".into(), exp.into());
    });
    let early = world.mock.token_with(|claims| drop(claims.insert("nbf".into(), 4_000_000_000_u64.into())));
    let nameless = world.mock.token_with(|claims| {
        claims.remove("client_id");
        claims.remove("aud");
    });
    let good = world.mock.token();
    let trusted = format!("ok    issuer: {}, which the runtime trusts", world.mock.url());
    let well = [
        "ok    agent: echo in us-east-1, account ",
        "ok    endpoint: http://127.0.0.1:",
        "ok    dns: ",
        "ok    connection: HTTP 200 after ",
        "ok    clock: ",
        "ok    identity: --bearer-token (AGENTCORE_BEARER_TOKEN)",
        "ok    token: it is good for ",
        &trusted,
        "ok    claims: client_id ",
    ];
    for (case, token, exit, lines) in [
        ("good", &*good, 0, &well[..]),
        ("dead", &*dead, 3, &["fail  token: it expired ", "      hint: get a new token"][..]),
        ("soon dead", &*soon, 0, &["warn  token: it expires in ", "      hint: get a new token"]),
        (
            "a stranger's",
            &*stranger,
            3,
            &["fail  issuer: the token is of https://idp.example, and the runtime trusts http://127.0.0.1:"],
        ),
        ("not yet valid", &*early, 3, &["fail  issuer: it is not valid yet (nbf)"]),
        ("nameless", &*nameless, 0, &["warn  claims: it has neither client_id nor aud"]),
        (
            "opaque",
            "opaque",
            0,
            &["ok    token: it does not say when it expires", "warn  claims: it is no JSON Web Token"],
        ),
    ] {
        let ended = run(world.acore("echo", ["doctor"]).env("AGENTCORE_BEARER_TOKEN", token));
        found(&ended, exit, lines, case);
    }
    let ended = run(world.acore("echo", ["doctor", "--sigv4"]).envs(world.keys()));
    let keys = "ok    credentials: temporary AWS credentials of the environment (AWS_ACCESS_KEY_ID)";
    found(&ended, 0, &["ok    identity: --sigv4 (command line)", keys], "keys");
    let invoked =
        world.mock.take_requests().into_iter().filter(|request| request.agent.is_some() && request.caller.is_some());
    assert_eq!(invoked.count(), 0, "nothing is invoked");
}

#[test]
fn what_keeps_a_call_from_being_made() {
    let closed = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let (late, unheard) = (answering("Mon, 30 Nov 2020 20:00:00 GMT"), "https://nowhere.invalid");
    let at = |url: &str| {
        ["doctor", "--arn", ARN, "--bearer-token", "opaque", "--endpoint-url", url].map(str::to_owned).to_vec()
    };
    for (case, line, exit, lines) in [
        (
            "nothing",
            vec!["doctor".to_owned()],
            2,
            &["fail  agent: no agent is named", "fail  identity: no credentials"][..],
        ),
        (
            "no such host",
            at(unheard),
            4,
            &[
                "ok    endpoint: https://nowhere.invalid:443",
                "fail  dns: nowhere.invalid cannot be resolved",
                "      hint: check the network",
                "ok    identity: ",
            ],
        ),
        ("no such port", at(&closed), 4, &["fail  connection: could not connect to 127.0.0.1:"]),
        (
            "a clock far away",
            at(&late),
            3,
            &["ok    connection: HTTP 204 after ", "fail  clock: this clock is ", "      hint: set the clock"],
        ),
        (
            "a short session id",
            [at(&late), vec!["--session-id".to_owned(), "x".to_owned()]].concat(),
            3,
            &["fail  session: invalid session id"],
        ),
    ] {
        found(&run(&mut acore(line.iter().map(String::as_str))), exit, lines, case);
    }
    let local = run(&mut acore(["doctor", "--local", &closed]));
    found(
        &local,
        4,
        &["ok    agent: a local container", "fail  connection: ", "      hint: is the agent container running there?"],
        "local",
    );
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", slow.local_addr().unwrap());
    let waited = run(&mut acore(["doctor", "--timeout", "0.3", "--local", &url]));
    found(&waited, 5, &["fail  connection: no answer came within 0.3 s"], "a server that says nothing");
}

#[test]
fn as_json() {
    let ended = run(&mut acore(["doctor", "--output", "json", "--local", "http://user:hush@127.0.0.1:9"]));
    assert_eq!((ended.exit, &*ended.stderr), (Some(2), ""));
    let message = "invalid endpoint URL: it must not hold a user name or a password";
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let check = json!({ "check": "agent", "result": "fail", "message": message, "hint": null });
    assert_eq!(found["checks"][0], check);
}

/// A server that answers each request by its date alone.
fn answering(date: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = connection.read(&mut [0; 4096]);
            let _ = write!(connection, "HTTP/1.1 204 No Content\r\ndate: {date}\r\nconnection: close\r\n\r\n");
        }
    });
    url
}
