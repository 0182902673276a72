//! One token for several issuers: in one process, in two, and whatever goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet;

use std::{
    fs,
    future::ready,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    FileStore, ManualClock, TokenSource,
    testing::{Directory, Issue, NumberedIssuer, at, at_once, clock, poll, secs, shown},
};

const HOUR: Issue = Ok(Some(3600));

/// What the processes of a test share.
struct World {
    issuer: Arc<NumberedIssuer>,
    directory: Directory,
    clock: ManualClock,
}

impl World {
    fn new(issuer: Arc<NumberedIssuer>) -> Self {
        Self { issuer, directory: Directory::new(), clock: clock() }
    }

    /// Returns what another process would make of it.
    fn stored(&self) -> Stored<Arc<NumberedIssuer>> {
        let store = Arc::new(FileStore::new(&*self.directory));
        Stored::new(Arc::clone(&self.issuer), store, "key").clock(self.clock.clone())
    }

    /// Asks as another process, and returns the token, what is left of its lifetime, and its age.
    async fn ask(&self) -> (String, Option<u64>, u64) {
        summary(self.stored()).await
    }
}

async fn summary(issuer: impl TokenIssuer) -> (String, Option<u64>, u64) {
    let issued = issuer.issue().await.unwrap();
    (issued.token.expose().to_owned(), issued.expires_in.map(|left| left.as_secs()), issued.age.as_secs())
}

fn token(number: u32, left: u64, age: u64) -> (String, Option<u64>, u64) {
    (format!("token-{number}"), Some(left), age)
}

#[tokio::test]
async fn a_stored_token_is_used_until_its_refresh_window() {
    for (life, window, used_until) in [(3600, 120, 3480), (3600, 10, 3590), (5, 120, 3), (300, 120, 224)] {
        let world = World::new(NumberedIssuer::prompt(&[Ok(Some(life)); 2]));
        let ask = || summary(world.stored().refresh_window(secs(window)));
        assert_eq!(ask().await, token(1, life, 0));
        let age = used_until - u64::from(life >= 3600);
        world.clock.advance(secs(age));
        assert_eq!(ask().await, token(1, life - age, age), "{life} {window}");
        world.clock.advance(secs(1));
        assert_eq!(ask().await, token(2, life, 0), "{life} {window}");
    }
}

#[tokio::test]
async fn a_token_without_an_expiry_is_used_until_it_is_refused() {
    let world = World::new(NumberedIssuer::prompt(&[Ok(None)]));
    assert_eq!(world.ask().await, ("token-1".into(), None, 0));
    world.clock.advance(secs(1_000_000));
    assert_eq!(world.ask().await, ("token-1".into(), None, 1_000_000));
    assert_eq!(world.issuer.begun(), 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_no_token_alive() {
    let world = World::new(NumberedIssuer::prompt(&[HOUR, HOUR]));
    assert_eq!(world.ask().await, token(1, 3600, 0));
    world.clock.set(at(1_999_990_000));
    assert_eq!(world.ask().await, token(2, 3600, 0));
}

/// A token that another machine stored, whose clock is ahead by so much.
#[tokio::test]
async fn clocks_that_differ_a_little_share_a_token() {
    for (ahead, expected) in [(1, token(1, 3600, 0)), (30, token(1, 3600, 0)), (31, token(2, 3600, 0))] {
        let world = World::new(NumberedIssuer::prompt(&[HOUR, HOUR]));
        assert_eq!(world.ask().await, token(1, 3600, 0));
        world.clock.set(at(2_000_000_000 - ahead));
        assert_eq!(world.ask().await, expected, "{ahead} s");
    }
}

#[tokio::test]
async fn a_refused_token_is_not_taken_from_the_store_again() {
    let world = World::new(NumberedIssuer::prompt(&[HOUR, HOUR]));
    let (first, second) = (world.stored().cached(), world.stored().cached());
    for source in [&first, &second] {
        let token = source.token().await.unwrap();
        assert_eq!(token.expose(), "token-1");
        assert!(source.reject(&token));
    }
    assert_eq!(shown(first.token().await), "token-2");
    assert_eq!(shown(second.token().await), "token-2", "which the first has fetched");
    assert_eq!(world.issuer.begun(), 2);
}

/// The window is a part of the whole lifetime, not of what is left of it.
#[tokio::test]
async fn the_cache_renews_a_stored_token_in_time() {
    let world = World::new(NumberedIssuer::prompt(&[HOUR, HOUR]));
    world.ask().await;
    world.clock.advance(secs(3300));
    let source = world.stored().refresh_window(secs(200)).cached();
    for (seconds, expected) in [(0, "token-1"), (99, "token-1"), (1, "token-2")] {
        world.clock.advance(secs(seconds));
        assert_eq!(shown(source.token().await), expected);
    }
}

#[tokio::test]
async fn two_issuers_make_one_fetch() {
    let world = World::new(NumberedIssuer::new(0, &[HOUR]));
    let (one, two) = (world.stored(), world.stored());
    let (mut fetching, mut waiting) = (one.issue(), two.issue());
    assert!(poll(&mut fetching).is_pending());
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(world.issuer.begun(), 1, "the second waits for the first");
    world.issuer.permit_one();
    assert_eq!(fetching.await.unwrap().token.expose(), "token-1");
    assert_eq!(waiting.await.unwrap().token.expose(), "token-1");
    assert_eq!(world.issuer.begun(), 1);
}

#[tokio::test]
async fn a_cancelled_fetch_is_handed_over() {
    let world = World::new(NumberedIssuer::new(0, &[HOUR]));
    let (one, two) = (world.stored(), world.stored());
    assert!(poll(one.issue()).is_pending());
    let store = FileStore::new(&*world.directory);
    assert!(store.load("key").await.unwrap().is_none(), "nothing was stored");
    world.issuer.permit_one();
    assert_eq!(at_once(two.issue()).unwrap().token.expose(), "token-2", "the lock was freed");
}

#[tokio::test]
async fn a_login_continues_in_another_process() {
    let world = World::new(NumberedIssuer::prompt(&[HOUR, HOUR]));
    world.ask().await;
    assert_eq!(*world.issuer.resumed.lock().unwrap(), Vec::<String>::new(), "there was nothing to continue");
    world.clock.advance(secs(10_000));
    world.ask().await;
    assert_eq!(*world.issuer.resumed.lock().unwrap(), [r#"Some("refresh-1") of Some("ada")"#]);
    let kept = FileStore::new(&*world.directory).load("key").await.unwrap().unwrap();
    assert_eq!(kept.refresh_token.as_ref().unwrap().expose_secret(), "refresh-2");
    assert!(!format!("{kept:?}").contains("refresh-"), "{kept:?}");
    assert!(!format!("{kept:?}").contains("token-"), "{kept:?}");
}

/// A store that holds nothing and fails at one step.
#[derive(Debug)]
struct Broken(&'static str);

impl Broken {
    fn outcome(&self, step: &str) -> Result<(), Error> {
        if self.0 == step { Err(Error::new(ErrorKind::Authentication, format!("no {step}"))) } else { Ok(()) }
    }
}

impl TokenStore for Broken {
    fn load<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>> {
        Box::pin(ready(self.outcome("load").map(|()| None)))
    }

    fn save<'a>(
        &'a self,
        _: &'a str,
        _: &'a StoredToken,
        _: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(ready(self.outcome("save").map(|()| WriteOutcome::Written)))
    }

    fn clear<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(self.outcome("clear")))
    }
}

#[tokio::test]
async fn a_store_that_fails() {
    for (step, expected) in [("load", "error: no load"), ("save", "token-1")] {
        let source = Stored::new(NumberedIssuer::prompt(&[HOUR]), Arc::new(Broken(step)), "key");
        assert_eq!(shown(source.issue().await.map(|issued| issued.token)), expected);
    }
}

/// The test harness keeps what is printed to itself, but not what is written.
fn print(what: &str) {
    writeln!(std::io::stdout(), "\n{PREFIX}{what}").unwrap();
}

fn next_word(output: &mut impl Iterator<Item = std::io::Result<String>>) -> String {
    output.find_map(|line| line.unwrap().strip_prefix(PREFIX).map(str::to_owned)).unwrap()
}

const PREFIX: &str = "child: ";
const CHILD: &str = "AGENTCORE_AUTH_TEST_STORE";

/// The other process of the next test; alone it does nothing.
#[tokio::test]
async fn another_process() {
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let fetches = directory.join("fetches");
    let issuer = crate::token::from_fn(move || {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&fetches).unwrap();
        file.write_all(b"x").unwrap();
        let token = Token::parse(&format!("of-process-{}", std::process::id()));
        async { Ok(Issued::new(token?).expires_in(secs(3600))) }
    });
    let source = Stored::new(issuer, Arc::new(FileStore::new(&directory)), "key");
    let mut issuing = source.issue();
    assert!(poll(&mut issuing).is_pending(), "the parent holds the lock");
    print("waiting");
    print(issuing.await.unwrap().token.expose());
}

#[tokio::test]
async fn two_processes_make_one_fetch() {
    let directory = Directory::new();
    let lock = FileStore::new(&*directory).lock("key").await.unwrap();
    let run = || -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "token::store::stored::tests::another_process"])
            .env(CHILD, &*directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut children = [run(), run()];
    let mut outputs = children.each_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines());
    for output in &mut outputs {
        assert_eq!(next_word(output), "waiting");
    }
    assert!(!directory.join("fetches").exists(), "nobody fetches while another does");
    drop(lock);
    let tokens = outputs.each_mut().map(next_word);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert!(tokens[0].starts_with("of-process-") && tokens[0] == tokens[1], "{tokens:?}");
    assert_eq!(fs::read_to_string(directory.join("fetches")).unwrap(), "x");
}
