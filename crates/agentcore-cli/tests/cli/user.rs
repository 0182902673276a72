//! Users of a Cognito pool: logging in, going on with a login, logging out.

use std::{fs, path::PathBuf, process::Command};

use agentcore_mock::{InboundAuth, Mock, User};
use serde_json::Value;

#[cfg(unix)]
use crate::terminal::Terminal;
use crate::world::{Ended, World, acore, run};

const PASSWORD: &str = "AGENTCORE_COGNITO_PASSWORD";

/// A mock with one user, and a place for logins.
struct Pool {
    world: World,
    store: PathBuf,
}

impl Pool {
    fn new(name: &str, user: User) -> Self {
        let world = World::with(Mock::builder().inbound_auth(InboundAuth::Jwt).user(user));
        let store = std::env::temp_dir().join(format!("acore-test-{name}-{}", std::process::id()));
        Self { world, store }
    }

    /// The program as the app client of the pool, with a place for logins and no password.
    fn acore<'a>(&'a self, command: &'a str, args: &[&'a str]) -> Command {
        let pool = self.world.mock.cognito();
        let flags = [command, "--cognito-endpoint-url", self.world.mock.url(), "--cognito-pool-id", pool.id()];
        let client = ["--cognito-client-id", pool.client_id(), "--cognito-username", "ada@example.com"];
        let all = flags.into_iter().chain(client).chain(args.iter().copied());
        let mut command = self.world.acore("text", all);
        command.env("AGENTCORE_TOKEN_STORE", &self.store).env("AGENTCORE_COGNITO_CLIENT_SECRET", pool.client_secret());
        command
    }

    /// Who asked the pool for what, by the last word of the operation's name.
    fn bodies(&self) -> Vec<Value> {
        let requests = self.world.mock.take_requests().into_iter().filter(|request| request.path == "/");
        requests.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Most tests store nothing.
        let _ = fs::remove_dir_all(&self.store);
    }
}

fn ada() -> User {
    User::new("ada@example.com", "Pa55-w0rd!")
}

fn answered(ended: &Ended) {
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
}

#[test]
fn a_user_with_a_password_in_the_environment() {
    let pool = Pool::new("password", ada());
    for (args, flow, sent) in [
        (&["hi"][..], "USER_SRP_AUTH", false),
        (&["hi", "--cognito-flow", "srp"], "USER_SRP_AUTH", false),
        (&["hi", "--cognito-flow", "password"], "USER_PASSWORD_AUTH", true),
    ] {
        answered(&run(pool.acore("invoke", args).env(PASSWORD, "Pa55-w0rd!")));
        let bodies = pool.bodies();
        assert_eq!(bodies[0]["AuthFlow"], flow);
        assert_eq!(format!("{bodies:?}").contains("Pa55-w0rd!"), sent, "{flow}");
    }
    assert!(!pool.store.exists(), "nothing is written unless asked for");
}

#[test]
fn a_user_who_is_not_let_in() {
    let pool = Pool::new("refused", ada());
    let ended = run(pool.acore("invoke", &["hi"]).env(PASSWORD, "wr0ng"));
    assert_eq!(ended.exit, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Incorrect username or password") && !ended.stderr.contains("wr0ng"),
        "{}",
        ended.stderr
    );
    let ended = run(&mut pool.acore("invoke", &["hi"]));
    let first = ended.stderr.lines().next().unwrap();
    assert!(ended.exit == Some(3) && first.starts_with("error: nobody is logged in"), "{}", ended.stderr);
    let ended = run(&mut pool.acore("login", &[]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(2), "error: there is no terminal to ask at: Password\n"));
    let ended = run(&mut acore(["login", "--sigv4"]));
    assert!(ended.exit == Some(2) && ended.stderr.starts_with("error: `acore login` cannot use --sigv4"), "{ended:?}");
    let ended = run(acore(["login"]).env("AGENTCORE_SIGV4", "1"));
    assert!(ended.exit == Some(2) && ended.stderr.starts_with("error: nobody is named who could log in"), "{ended:?}");
}

#[test]
fn a_login_is_kept_until_the_logout() {
    let pool = Pool::new("login", ada());
    let ended = run(pool.acore("login", &[]).env(PASSWORD, "Pa55-w0rd!"));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("note: logged in as "), "{}", ended.stderr);
    #[cfg(unix)]
    for entry in fs::read_dir(&pool.store).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0, "for its owner's eyes alone");
    }
    pool.bodies();
    for _ in 0..2 {
        answered(&run(&mut pool.acore("invoke", &["hi"])));
    }
    assert!(pool.bodies().is_empty(), "the token that was kept is still good");

    let ended = run(&mut pool.acore("logout", &[]));
    assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), "note: logged out\n"));
    assert_eq!(run(&mut pool.acore("invoke", &["hi"])).exit, Some(3));
    assert_eq!(run(&mut pool.acore("logout", &[])).stderr, "note: nobody was logged in\n");
}

#[test]
fn a_refresh_token_of_the_environment() {
    const REFRESH_TOKEN: &str = "AGENTCORE_COGNITO_REFRESH_TOKEN";
    let pool = Pool::new("refresh", ada());
    let ended = run(pool.acore("invoke", &["hi"]).env(REFRESH_TOKEN, "dead"));
    assert!(
        ended.exit == Some(3) && ended.stderr.starts_with("error: the login has ended: log in again"),
        "{}",
        ended.stderr
    );
    pool.bodies();
    answered(&run(pool.acore("invoke", &["hi"]).env(REFRESH_TOKEN, "dead").env(PASSWORD, "Pa55-w0rd!")));
    let bodies = pool.bodies();
    let spared = bodies.iter().take_while(|body| body["AuthFlow"] != "USER_SRP_AUTH").count();
    assert!(spared > 0 && spared < bodies.len(), "the refresh token first, then the password");
}

#[test]
fn a_new_password_is_chosen_by_the_environment() {
    let pool = Pool::new("new-password", ada().new_password_required());
    let ended = run(pool.acore("invoke", &["hi"]).env(PASSWORD, "Pa55-w0rd!"));
    assert!(ended.exit == Some(3) && ended.stderr.contains("NEW_PASSWORD_REQUIRED"), "{}", ended.stderr);
    let mut command = pool.acore("invoke", &["hi"]);
    answered(&run(command.env(PASSWORD, "Pa55-w0rd!").env("AGENTCORE_COGNITO_NEW_PASSWORD", "An0ther-0ne!")));
    answered(&run(pool.acore("invoke", &["hi"]).env(PASSWORD, "An0ther-0ne!")));
}

#[test]
fn either_token_can_be_shown() {
    let pool = Pool::new("use", ada());
    for token_use in ["access", "id"] {
        let mut command = pool.acore("token", &["--claims", "--token-use", token_use]);
        let ended = run(command.env(PASSWORD, "Pa55-w0rd!"));
        let claims: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(claims["token_use"], token_use);
    }
}

/// A spinner waits while a question is open, a code is shown and can be corrected, and a password is not shown.
#[cfg(unix)]
#[test]
fn a_login_asks_while_something_is_waited_for() {
    let (code, new) = ("Code sent to a***@e***: ", "New password: ");
    for (what, user, question, typed, echo) in [
        ("chat", ada().email_code("123456"), code, "12x\u{7f}3456\r", "12x\u{8} \u{8}3456\r\n"),
        ("chat", ada().new_password_required(), new, "An0ther-0ne!\r", "\r\n"),
        ("invoke", ada().email_code("123456"), code, "123456\r", "123456\r\n"),
        ("invoke", ada().new_password_required(), new, "An0ther-0ne!\r", "\r\n"),
    ] {
        let pool = Pool::new("asked", user);
        let rest = if what == "chat" { ["--no-history", "Hi"] } else { ["--no-retry", "Hi"] };
        let mut command = pool.acore(what, &rest);
        command.env(PASSWORD, "Pa55-w0rd!");
        let mut terminal = Terminal::start(command);
        let before = terminal.wait_for(question);
        assert!(before.ends_with("\r\u{1b}[2K"), "{before:?}");
        terminal.keys(typed);
        let after = terminal.wait_for("You asked: Hi");
        assert!(after.starts_with(echo), "{what} {after:?}");
        if what == "chat" {
            terminal.prompt();
            terminal.keys("\u{4}");
        }
        assert_eq!(terminal.end().0, Some(0), "{what}");
    }
}
