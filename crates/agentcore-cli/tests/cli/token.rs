//! Tokens for machines, tokens that a program prints, and `acore token`.

use std::process::Command;

use agentcore_mock::{InboundAuth, Mock};
use serde_json::Value;

use crate::world::{Ended, World, acore, run, run_with};

const SECRET: &str = "AGENTCORE_OAUTH_CLIENT_SECRET";

fn world() -> World {
    World::with(Mock::builder().inbound_auth(InboundAuth::Jwt))
}

/// The program as the mock's own client, by the flag that names the endpoint or the issuer.
fn machine(world: &World, command: &str, flag: &str) -> Command {
    let url = match flag {
        "--oauth-token-url" => format!("{}/oauth2/token", world.mock.url()),
        _ => world.mock.url().to_owned(),
    };
    let mut command = world.acore("text", [command, flag, &url, "--oauth-client-id", world.mock.client_id()]);
    // Nobody's real logins get into a test.
    command.env(SECRET, world.mock.client_secret()).env("AGENTCORE_TOKEN_STORE", "/nonexistent");
    command
}

fn told(ended: &Ended) -> (Option<i32>, &str) {
    (ended.exit, ended.stderr.lines().next().unwrap_or_default())
}

#[test]
fn a_machine_invokes_an_agent() {
    let world = world();
    for flag in ["--oauth-token-url", "--oauth-issuer"] {
        let ended = run(machine(&world, "invoke", flag).args(["--oauth-scope", "agents/invoke", "hi"]));
        assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
    }
}

#[test]
fn a_machine_that_is_not_let_in() {
    let world = world();
    let ended = run(machine(&world, "invoke", "--oauth-token-url").env(SECRET, "wr0ng").arg("hi"));
    assert_eq!(told(&ended), (Some(3), "error: the token endpoint refused the client: invalid_client"));
    assert!(!ended.stderr.contains("wr0ng"));
    let ended = run(machine(&world, "invoke", "--oauth-token-url").env_remove(SECRET).arg("hi"));
    assert_eq!(told(&ended), (Some(2), "error: no client secret: AGENTCORE_OAUTH_CLIENT_SECRET is not set"));
    let gone = ["invoke", "--oauth-token-url", "http://127.0.0.1:9/token", "--oauth-client-id", "c", "hi"];
    let ended = run(world.acore("text", gone).env(SECRET, "s"));
    assert_eq!(told(&ended), (Some(4), "error: the token endpoint could not be reached"));
    let invocations = world.mock.requests().iter().filter(|request| request.path.ends_with("/invocations")).count();
    assert_eq!(invocations, 0);
}

/// Such tokens are billed by the request: one that was kept is used until it dies.
#[test]
fn a_machine_keeps_its_token_if_it_is_told_to() {
    let world = world();
    let store = std::env::temp_dir().join(format!("acore-test-machine-{}", std::process::id()));
    let say = |command: &str, args: &[&str]| {
        let mut command = machine(&world, command, "--oauth-token-url");
        run(command.env("AGENTCORE_TOKEN_STORE", &store).env("XDG_STATE_HOME", store.join("state")).args(args))
    };
    let fetches = || world.mock.take_requests().iter().filter(|request| request.path == "/oauth2/token").count();
    say("invoke", &["hi"]);
    assert!(fetches() == 1 && !store.exists(), "nothing is written unless asked for");
    assert_eq!(say("login", &[]).stderr, "note: logged in as agentcore-mock-client\n");
    assert_eq!(fetches(), 1);
    for _ in 0..3 {
        assert_eq!(say("invoke", &["hi"]).stdout, "You asked: hi\n");
    }
    assert_eq!(fetches(), 0);
    assert_eq!(say("logout", &[]).stderr, "note: logged out\n");
    assert_eq!(say("logout", &[]).stderr, "note: nobody was logged in\n");
    say("invoke", &["hi"]);
    assert_eq!(fetches(), 1);
    std::fs::remove_dir_all(&store).unwrap();
}

/// In the home of whoever asks for it.
#[test]
fn a_machine_that_keeps_all_its_tokens() {
    let world = world();
    let home = std::env::temp_dir().join(format!("acore-test-home-{}", std::process::id()));
    let fetches = || world.mock.take_requests().iter().filter(|request| request.path == "/oauth2/token").count();
    for (flags, variable) in [(&["--token-store", "file"][..], "/nonexistent"), (&[], "file")] {
        let say = || {
            let mut command = machine(&world, "token", "--oauth-token-url");
            run(command.env("HOME", &home).env("AGENTCORE_TOKEN_STORE", variable).args(flags))
        };
        let first = say();
        assert_eq!((first.exit, first.stderr.as_str()), (Some(0), ""));
        assert_eq!(say().stdout, first.stdout);
        assert_eq!(fetches(), 1, "{variable}");
        std::fs::remove_dir_all(home.join(".agentcore/tokens")).unwrap();
    }
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn the_token_is_printed() {
    let world = world();
    let token = world.mock.token();
    let ended = run(acore(["token"]).env("AGENTCORE_BEARER_TOKEN", &token));
    assert_eq!((ended.exit, ended.stdout, ended.stderr.as_str()), (Some(0), format!("{token}\n"), ""));
    let ended = run_with(&mut acore(["token", "--bearer-token", "-"]), b"opaque\n");
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "opaque\n"));
    let ended = run(&mut machine(&world, "token", "--oauth-token-url"));
    let printed = ended.stdout.trim_end();
    // It is a token that opens the door.
    let ended = run(world.acore("text", ["invoke", "hi"]).env("AGENTCORE_BEARER_TOKEN", printed));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
}

#[test]
fn the_claims_are_printed() {
    let world = world();
    for command in [
        acore(["token", "--claims"]).env("AGENTCORE_BEARER_TOKEN", world.mock.token()),
        machine(&world, "token", "--oauth-issuer").arg("--claims"),
        &mut acore(["--mock", "token", "--claims"]),
    ] {
        let ended = run(command);
        let claims: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(claims["client_id"], "agentcore-mock-client");
        let left = claims["expires_in"].as_i64().unwrap();
        assert!((3500..=3600).contains(&left), "{left}");
    }
}

#[test]
fn there_is_no_such_token() {
    for (args, message) in [
        (vec!["token"], "error: no credentials: give them by"),
        (
            vec!["token", "--sigv4"],
            "error: `acore token` cannot use --sigv4: it signs requests, and there is no token to print",
        ),
        (
            vec!["token", "--claims", "--bearer-token", "opaque"],
            "error: the token has no claims: it is not a JSON Web Token",
        ),
    ] {
        let ended = run(&mut acore(args));
        assert!(ended.exit == Some(2) && ended.stderr.starts_with(message), "{ended:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_program_prints_the_token() {
    let world = world();
    let line = format!("echo {}", world.mock.token());
    let path = std::env::var_os("PATH").unwrap();
    let ended = run(world.acore("text", ["invoke", "--token-command", &line, "hi"]).env("PATH", &path));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
    let ended = run(world.acore("text", ["invoke", "--token-command", "false", "hi"]).env("PATH", &path));
    assert_eq!(ended.exit, Some(3), "{}", ended.stderr);
    let ended = run_with(acore(["token", "--token-command", "cat"]).env("PATH", &path), b"not-for-the-program");
    assert_eq!(ended.exit, Some(3), "its standard input is empty: {}", ended.stderr);
}
