//! Many processes and one token, by a server of Redis: processes that are killed and paused, and a server that is away. Without
//! the variable that names the server's program most of it does nothing: `cargo xtask interop` sets it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use agentcore_mock::{InboundAuth, Mock, MockBuilder, User};

use crate::{
    gate::Gate,
    world::{Ended, World, acore, ended, run, signal},
};

const KEY: (&str, &str) = ("AGENTCORE_TOKEN_STORE_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
const SECRET: &str = "AGENTCORE_OAUTH_CLIENT_SECRET";
const PASSWORD: &str = "AGENTCORE_COGNITO_PASSWORD";
/// Longer than a lease and than the wait for a server that is away, on a slow machine.
const LONG: Duration = Duration::from_secs(60);

/// A server of Redis that ends with the value.
struct Redis {
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    fn start() -> Option<Self> {
        let program = std::env::var_os("AGENTCORE_TEST_REDIS_SERVER").map(PathBuf::from)?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { program, port, child: None };
        redis.resume();
        Some(redis)
    }

    fn resume(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--requirepass", "hush"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("Ready to accept connections")));
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("redis://:hush@127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A fleet of machines, which share nothing but a server, and a gate before their issuer.
struct Fleet {
    world: World,
    gate: Gate,
    redis: Redis,
}

impl Fleet {
    fn start(mock: MockBuilder, of_interest: &'static str) -> Option<Self> {
        let redis = Redis::start()?;
        let world = World::with(mock.inbound_auth(InboundAuth::Jwt));
        let gate = Gate::before(world.mock.url(), of_interest);
        Some(Self { world, gate, redis })
    }

    fn of_machines() -> Option<Self> {
        Self::start(Mock::builder(), "/oauth2/token")
    }

    fn machine(&self) -> Command {
        let url = format!("{}/oauth2/token", self.gate.url);
        let mut command = acore(["token", "--oauth-token-url", &url, "--oauth-client-id", self.world.mock.client_id()]);
        command.env(SECRET, self.world.mock.client_secret()).env("AGENTCORE_TOKEN_STORE", self.redis.url());
        command.env(KEY.0, KEY.1);
        command
    }

    fn machines(&self, count: usize) -> Vec<Child> {
        (0..count).map(|_| self.machine().spawn().unwrap()).collect()
    }

    fn user(&self, command: &str) -> Command {
        let pool = self.world.mock.cognito();
        let flags = [command, "--cognito-endpoint-url", &self.gate.url, "--cognito-pool-id", pool.id()];
        let client = ["--cognito-client-id", pool.client_id(), "--cognito-username", "ada@example.com"];
        let mut command = acore(flags.into_iter().chain(client));
        command.env("AGENTCORE_COGNITO_CLIENT_SECRET", pool.client_secret());
        command.env("AGENTCORE_TOKEN_STORE", self.redis.url()).env(KEY.0, KEY.1);
        command
    }
}

/// Returns the one token that all of them print.
fn one_token(children: Vec<Child>) -> String {
    let tokens: Vec<String> = children.into_iter().map(|child| printed(ended(child))).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    tokens[0].clone()
}

fn printed(ended: Ended) -> String {
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

#[test]
fn twenty_processes_make_one_fetch() {
    let Some(fleet) = Fleet::of_machines() else { return };
    let children = fleet.machines(20);
    assert!(fleet.gate.has_answered(1, LONG));
    fleet.gate.open();
    let token = one_token(children);
    assert_eq!(fleet.gate.answered(), 1);
    assert_eq!(one_token(fleet.machines(20)), token, "those that come later too");
    assert_eq!(fleet.gate.answered(), 1);
}

#[test]
fn one_that_is_killed_while_it_fetches_is_replaced() {
    let Some(fleet) = Fleet::of_machines() else { return };
    let mut dying = fleet.machine().spawn().unwrap();
    assert!(fleet.gate.has_answered(1, LONG));
    let others = fleet.machines(19);
    dying.kill().unwrap();
    dying.wait().unwrap();
    fleet.gate.open();
    let token = one_token(others);
    assert_eq!(fleet.gate.answered(), 2);
    assert_eq!(one_token(fleet.machines(1)), token);
    assert_eq!(fleet.gate.answered(), 2);
}

#[test]
fn one_that_is_paused_while_it_fetches_overwrites_nothing() {
    let Some(fleet) = Fleet::of_machines() else { return };
    let paused = fleet.machine().args(["-v"]).spawn().unwrap();
    assert!(fleet.gate.has_answered(1, LONG));
    signal("-STOP", &paused);
    let others = fleet.machines(19);
    fleet.gate.let_through(2);
    let token = one_token(others);
    assert_eq!(fleet.gate.answered(), 2);
    fleet.gate.let_through(1);
    signal("-CONT", &paused);
    let late = ended(paused);
    assert_eq!(late.exit, Some(0), "{}", late.stderr);
    assert_ne!(late.stdout, token, "it uses its own");
    assert!(late.stderr.contains("another process has taken over"), "{}", late.stderr);
    assert_eq!(one_token(fleet.machines(5)), token, "and the others' is still there");
    assert_eq!(fleet.gate.answered(), 2);
}

/// Every third is killed and every third is paused, while one fetches and the others wait or begin.
#[test]
fn whoever_is_killed_or_paused_the_rest_get_a_token() {
    let Some(fleet) = Fleet::of_machines() else { return };
    let children = fleet.machines(20);
    assert!(fleet.gate.has_answered(1, LONG));
    let mut survivors = Vec::new();
    let mut paused = Vec::new();
    for (number, mut child) in children.into_iter().enumerate() {
        match number % 3 {
            0 => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            1 => {
                signal("-STOP", &child);
                paused.push(child);
            }
            _ => survivors.push(child),
        }
    }
    fleet.gate.open();
    for child in survivors {
        printed(ended(child));
    }
    for child in paused {
        signal("-CONT", &child);
        printed(ended(child));
    }
    let fetches = fleet.gate.answered();
    assert!((1..=2).contains(&fetches), "the first, and one who took over: {fetches}");
    one_token(fleet.machines(20));
    assert_eq!(fleet.gate.answered(), fetches, "and all agree in the end");
}

#[test]
fn a_server_that_is_away_is_noted_once_and_done_without() {
    let Some(mut fleet) = Fleet::of_machines() else { return };
    fleet.gate.open();
    let kept = one_token(fleet.machines(1));
    fleet.redis.kill();
    let alone = run(&mut fleet.machine());
    let note =
        format!("note: the token store at 127.0.0.1:{} is away; this token is got without it\n", fleet.redis.port);
    assert_eq!((alone.exit, alone.stderr), (Some(0), note));
    assert_ne!(alone.stdout, kept);
    fleet.redis.resume();
    let back = one_token(fleet.machines(1));
    assert_eq!(one_token(fleet.machines(20)), back);
    assert_eq!(fleet.gate.answered(), 3);
}

#[test]
fn a_login_of_a_fleet() {
    let user = User::new("ada@example.com", "Pa55-w0rd!");
    let builder = Mock::builder().user(user).rotate_refresh_tokens(true);
    let Some(fleet) = Fleet::start(builder, "GetTokensFromRefreshToken") else { return };
    let ended = run(fleet.user("login").env(PASSWORD, "Pa55-w0rd!"));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    let children = (0..20).map(|_| fleet.user("token").spawn().unwrap()).collect();
    one_token(children);
    assert_eq!(run(&mut fleet.user("logout")).stderr, "note: logged out\n");
    assert_eq!(run(&mut fleet.user("token")).exit, Some(3));
}

/// The issuer has taken the old refresh token back, and nobody has the new one.
#[test]
fn one_that_dies_with_the_new_refresh_token_leaves_a_login_to_be_renewed() {
    let user = User::new("ada@example.com", "Pa55-w0rd!");
    let builder = Mock::builder().user(user).rotate_refresh_tokens(true).token_lifetime(Duration::from_secs(2));
    let Some(fleet) = Fleet::start(builder, "GetTokensFromRefreshToken") else { return };
    let log_in = || {
        let ended = run(fleet.user("login").env(PASSWORD, "Pa55-w0rd!"));
        assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    };
    log_in();
    // As long as the token is good it is printed; then the refresh token is used.
    let mut dying = loop {
        let mut child = fleet.user("token").spawn().unwrap();
        while !fleet.gate.has_answered(1, Duration::from_millis(1)) && child.try_wait().unwrap().is_none() {}
        if fleet.gate.answered() > 0 {
            break child;
        }
    };
    dying.kill().unwrap();
    dying.wait().unwrap();
    fleet.gate.open();
    for _ in 0..2 {
        let ended = run(&mut fleet.user("token"));
        let first = ended.stderr.lines().next().unwrap_or_default();
        let expected = "error: the login must be renewed: a renewal that was cut short used its refresh token, which is refused now";
        assert_eq!((ended.exit, first), (Some(3), expected));
    }
    log_in();
    assert_eq!(run(&mut fleet.user("token")).exit, Some(0));
}

#[test]
fn what_a_server_needs() {
    let oauth = ["--oauth-token-url", "http://127.0.0.1:9/token", "--oauth-client-id", "c"];
    let plain =
        "error: invalid URL of a token store: a password goes over TLS or to loopback only: rediss:// is needed";
    let no_key = "error: tokens on a server are encrypted, and AGENTCORE_TOKEN_STORE_KEY is not set";
    let bad_key =
        "error: invalid encryption key: it is not 32 bytes in base64, such as `openssl rand -base64 32` prints";
    let typed_password = "error: a URL with a password is read from AGENTCORE_TOKEN_STORE only";
    for (flag, variable, key, message) in [
        (Some("redis://127.0.0.1:1"), "", "", no_key),
        (None, "rediss://:hush@cache.example", "", no_key),
        (Some("redis://127.0.0.1:1"), "", "aHVzaA==", bad_key),
        (Some("redis://:hush@127.0.0.1:1"), "", KEY.1, typed_password),
        (None, "redis://:hush@cache.example", KEY.1, plain),
        (Some("tokens"), "", "", "error: --token-store is redis://HOST, rediss://HOST or file"),
    ] {
        let mut command = acore(["token"].into_iter().chain(oauth));
        command.args(flag.map(|url| ["--token-store", url]).into_iter().flatten());
        command.env("AGENTCORE_TOKEN_STORE", variable).env(KEY.0, key).env(SECRET, "s");
        let ended = run(&mut command);
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert_eq!((ended.exit, first), (Some(2), message), "{flag:?} {variable}");
        assert!(!ended.stderr.contains("hush") && !ended.stderr.contains("aHVz"), "{}", ended.stderr);
    }
    let ended = run(&mut acore(["token", "--bearer-token", "t", "--token-store", "file"]));
    let message = "error: --token-store keeps tokens of an issuer, and no issuer is named\n";
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(2), message));
}
