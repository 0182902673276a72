//! Nothing secret in what the program prints, logs, keeps and is seen to do: every command is run with marked secrets.

#![cfg(target_os = "linux")]

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use agentcore_mock::{Mock, User};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    chat::fresh,
    terminal::Terminal,
    world::{Ended, SESSION, World, acore, ended, run, run_with, signal},
};

const PASSWORD: &str = "Pa55-w0rd!-of-ada";
const REDIS: &str = "a-pa55word-of-redis";

/// Everything secret that a program could be given at once, and what of it nobody is to see.
struct Secrets {
    world: World,
    marked: Vec<String>,
    directory: PathBuf,
}

impl Secrets {
    fn new(name: &str) -> Self {
        let user = User::new("ada@example.com", PASSWORD);
        let world = World::with(Mock::builder().user(user).allow_commands(true));
        let keys = world.mock.credentials();
        let marked = vec![
            keys.secret_access_key().to_owned(),
            keys.session_token().unwrap().to_owned(),
            world.mock.client_secret().to_owned(),
            world.mock.cognito().client_secret().to_owned(),
            PASSWORD.to_owned(),
            REDIS.to_owned(),
            key(),
            "a-refresh-token-of-the-environment".to_owned(),
            "a-new-pa55word".to_owned(),
        ];
        let directory = fresh(name);
        let _ = fs::remove_dir_all(&directory);
        Self { world, marked, directory }
    }

    /// The program with all of the secrets in its environment, and one way to be somebody.
    fn acore(&self, way: &Way, args: &[&str]) -> Command {
        let flags = way.flags.iter().map(String::as_str);
        let mut command =
            self.world.acore("echo", args[..1].iter().copied().chain(flags).chain(args[1..].iter().copied()));
        command
            .env("RUST_LOG", "trace")
            .env("HOME", &self.directory)
            .env("XDG_STATE_HOME", &self.directory)
            .env("XDG_CONFIG_HOME", &self.directory)
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("AGENTCORE_COGNITO_CLIENT_SECRET", self.world.mock.cognito().client_secret())
            .env("AGENTCORE_COGNITO_NEW_PASSWORD", "a-new-pa55word")
            .env("AGENTCORE_COGNITO_PASSWORD", PASSWORD)
            .env("AGENTCORE_OAUTH_CLIENT_SECRET", self.world.mock.client_secret())
            .env("AGENTCORE_TOKEN_STORE_KEY", key())
            .env("AGENTCORE_TOKEN_STORE", self.directory.join("tokens"))
            .envs(self.world.keys());
        for (name, value) in &way.environment {
            command.env(name, value);
        }
        command
    }

    /// The ways to be somebody.
    fn ways(&self) -> Vec<Way> {
        let (url, pool) = (self.world.mock.url(), self.world.mock.cognito());
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let user = ["--cognito-endpoint-url", url, "--cognito-pool-id", pool.id()];
        let user = [&user[..], &["--cognito-client-id", pool.client_id(), "--cognito-username", "ada@example.com"]];
        let token_url = format!("{url}/oauth2/token");
        let token = self.world.mock.token();
        let printed = self.directory.join("printed");
        fs::create_dir_all(&self.directory).unwrap();
        fs::write(&printed, &token).unwrap();
        let command = format!("cat {}", printed.display());
        vec![
            Way { environment: vec![("AGENTCORE_BEARER_TOKEN", token)], flags: Vec::new() },
            Way { environment: Vec::new(), flags: text(&["--sigv4"]) },
            Way { environment: Vec::new(), flags: text(&user.concat()) },
            Way {
                environment: Vec::new(),
                flags: text(&["--oauth-token-url", &token_url, "--oauth-client-id", self.world.mock.client_id()]),
            },
            Way { environment: Vec::new(), flags: text(&["--token-command", &command]) },
            // A store that is away.
            #[cfg(feature = "redis")]
            Way {
                environment: vec![("AGENTCORE_TOKEN_STORE", format!("redis://:{REDIS}@127.0.0.1:1"))],
                flags: text(&["--oauth-token-url", &token_url, "--oauth-client-id", self.world.mock.client_id()]),
            },
        ]
    }

    fn assert_silent(&self, what: &str, text: &str) {
        for secret in &self.marked {
            assert!(!text.contains(secret.as_str()), "{secret} in {what}: {text}");
        }
        // A token, a signature: whoever's.
        for (begin, kind) in [("Signature=", "a signature"), ("Bearer ey", "a token")] {
            assert!(!text.contains(begin), "{kind} in {what}: {text}");
        }
        assert!(!text.contains(&self.world.mock.token()[..30]), "a token in {what}: {text}");
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A way to be somebody: variables and flags.
struct Way {
    environment: Vec<(&'static str, String)>,
    flags: Vec<String>,
}

/// A key of a token store, in base64.
fn key() -> String {
    BASE64_STANDARD.encode([0x5a; 32])
}

#[test]
fn nothing_that_is_printed_or_logged_is_secret() {
    let secrets = Secrets::new("printed");
    // The agent, the command, what is typed, and how it ends.
    let commands: &[(&str, &[&str], &[u8], i32)] = &[
        ("echo", &["invoke", "hi"], b"", 0),
        ("echo", &["invoke", "--output=json", "hi"], b"", 0),
        ("error-403", &["invoke", "--output=json", "hi"], b"", 3),
        ("reset-midstream", &["invoke", "--output=events", "hi"], b"", 7),
        ("echo", &["batch"], b"{\"prompt\": \"hi\"}\n", 0),
        ("echo", &["chat"], b"hi\n", 0),
        ("echo", &["connect", "--wait=0.01"], b"hi\n", 0),
        ("echo", &["exec", "--", "true"], b"", 0),
        ("echo", &["shell"], b"exit\n", 0),
        ("echo", &["card"], b"", 0),
        ("echo", &["stop", "--session-id", SESSION], b"", 0),
        ("echo", &["doctor"], b"", 0),
        ("echo", &["doctor", "--output=json"], b"", 0),
        ("echo", &["token", "--claims"], b"", 0),
    ];
    for way in secrets.ways() {
        for (agent, args, stdin, expected) in commands {
            let mut command = secrets.acore(&way, args);
            command.env("AGENTCORE_RUNTIME_ARN", secrets.world.mock.arn(agent).as_str());
            let Ended { exit, stdout, stderr } = run_with(&mut command, stdin);
            let signs = way.flags.first().is_some_and(|flag| flag == "--sigv4");
            // A command takes the flags that it can use.
            let is_useless = args[0] == "session" && !way.flags.is_empty() || args[0] == "token" && signs;
            let expected = if is_useless { 2 } else { *expected };
            let errors: String = stderr.lines().filter(|line| line.starts_with("error")).collect();
            assert_eq!(exit, Some(expected), "{args:?} {:?} {errors}", way.flags);
            secrets.assert_silent(&format!("{args:?} {:?}", way.flags), &format!("{stdout}{stderr}"));
        }
    }
    let mut command = secrets.acore(&secrets.ways()[0], &["chat", "--ws"]);
    let Ended { exit, stdout, stderr } = run_with(&mut command, b"hi\n");
    assert_eq!(exit, Some(0));
    secrets.assert_silent("a conversation over a WebSocket", &format!("{stdout}{stderr}"));
}

/// The list of processes, of the program and of what it starts.
#[test]
fn no_secret_stands_in_the_list_of_processes() {
    let secrets = Secrets::new("processes");
    let seen = secrets.directory.join("seen");
    fs::create_dir_all(&secrets.directory).unwrap();
    let script = secrets.directory.join("source");
    let lines = format!(
        "#!/bin/sh\ncat /proc/$PPID/cmdline /proc/$$/cmdline > {seen}\nprintf %s {token}\n",
        seen = seen.display(),
        token = secrets.world.mock.token()
    );
    fs::write(&script, lines).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let mut ways = secrets.ways();
    ways.push(Way { environment: Vec::new(), flags: vec!["--token-command".into(), script.display().to_string()] });
    for way in &ways {
        let mut command = secrets.acore(way, &["invoke", "hi"]);
        let mut child = command.env("AGENTCORE_RUNTIME_ARN", secrets.world.mock.arn("stall").as_str()).spawn().unwrap();
        let mut first = [0; 4];
        if child.stdout.as_mut().unwrap().read_exact(&mut first).is_err() {
            panic!("{:?}: {}", way.flags, ended(child).stderr);
        }
        secrets.assert_silent("the list of processes", &command_line(&child));
        signal("-TERM", &child);
        child.wait().unwrap();
    }
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("acore") && seen.contains("/bin/sh"), "{seen}");
    secrets.assert_silent("what a token command sees", &seen);

    // The one flag that holds a secret says so where it is described.
    let help = run(&mut acore(["invoke", "--help"]));
    let about = help.stdout.split("--bearer-token").nth(1).unwrap();
    assert!(about.split("--sigv4").next().unwrap().contains("list of processes"), "{about}");
}

fn command_line(child: &Child) -> String {
    let read = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(read.contains("invoke"), "{read}");
    read
}

/// What is kept: logins, readable by their owner alone, and the history of conversations.
#[test]
fn files_hold_what_they_must_and_for_their_owner_alone() {
    let secrets = Secrets::new("files");
    let way = secrets.ways().remove(2);
    let login = run(&mut secrets.acore(&way, &["login"]));
    assert_eq!(login.exit, Some(0), "{}", login.stderr);
    let tokens = secrets.directory.join("tokens");
    assert_eq!(mode(&tokens), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(&tokens).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        // The refresh token is what it is for; the rest is not.
        secrets.assert_marked_absent(&path);
        files += 1;
    }
    assert!(files > 0);

    let mut command = secrets.acore(&way, &["chat"]);
    command.env_remove("RUST_LOG");
    let mut terminal = Terminal::start(command);
    terminal.wait_for("› ");
    terminal.keys("hello\r");
    terminal.wait_for("hello");
    terminal.wait_for("› ");
    terminal.keys("\u{4}");
    assert_eq!(terminal.end().0, Some(0));
    let history = secrets.directory.join("acore").join("history");
    assert_eq!(fs::read_to_string(&history).unwrap(), "#V2\nhello\n");
    assert_eq!(mode(&history), 0o600);

    // What is typed where a password is asked for is not kept either.
    let mut command = secrets.acore(&way, &["login"]);
    command.env_remove("AGENTCORE_COGNITO_PASSWORD").env_remove("RUST_LOG");
    let mut terminal = Terminal::start(command);
    terminal.wait_for("Password: ");
    terminal.keys(&format!("{PASSWORD}\r"));
    let (exit, shown) = terminal.end();
    assert_eq!(exit, Some(0), "{shown}");
    secrets.assert_silent("the terminal", &shown);
    for path in files_below(&secrets.directory) {
        secrets.assert_marked_absent(&path);
    }
}

impl Secrets {
    fn assert_marked_absent(&self, path: &Path) {
        let kept = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        for secret in &self.marked {
            assert!(!kept.contains(secret.as_str()), "{secret} in {path:?}");
        }
    }
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let (directories, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(directories.iter().flat_map(|directory| files_below(directory)));
    files
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
