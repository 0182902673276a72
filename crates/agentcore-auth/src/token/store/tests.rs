//! One token for several issuers: in one process, in two, and whatever goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    pin::pin,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::UNIX_EPOCH,
};

use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use super::*;
use crate::{ErrorKind, ManualClock, TokenSource};

/// A directory that is gone after the test.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("agentcore-store-{:016x}", fastrand::u64(..)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives out `token-1`, `token-2` and so on, each when it is let.
#[derive(Debug)]
struct Numbered {
    asked: AtomicUsize,
    life: Option<Duration>,
    let_go: Semaphore,
    resumed: Mutex<Vec<String>>,
}

impl Numbered {
    fn living(seconds: u64) -> Arc<Self> {
        Arc::new(Self {
            asked: AtomicUsize::new(0),
            life: Some(secs(seconds)),
            let_go: Semaphore::new(Semaphore::MAX_PERMITS),
            resumed: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl TokenIssuer for Arc<Numbered> {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            self.let_go.acquire().await.unwrap().forget();
            let issued = Issued::new(Token::parse(&format!("token-{number}"))?);
            Ok(self.life.map_or_else(|| issued.clone(), |life| issued.clone().expires_in(life)))
        })
    }

    fn resume(&self, stored: &StoredToken) {
        let refresh = stored.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
        self.resumed.lock().unwrap().push(format!("{refresh:?} of {:?}", stored.username));
    }

    fn remember(&self, stored: StoredToken) -> StoredToken {
        stored.refresh_token(format!("refresh-{}", self.asked())).username("ada")
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn clock() -> ManualClock {
    ManualClock::new(UNIX_EPOCH + secs(2_000_000_000))
}

fn stored(issuer: &Arc<Numbered>, directory: &Directory, clock: &ManualClock) -> Stored<Arc<Numbered>> {
    let store = Arc::new(FileStore::new(directory.path()));
    Stored::new(Arc::clone(issuer), store, "key").clock(clock.clone())
}

async fn told(issuer: &impl TokenIssuer) -> (String, Option<u64>, u64) {
    let issued = issuer.issue().await.unwrap();
    (issued.token.expose().to_owned(), issued.expires_in.map(|left| left.as_secs()), issued.age.as_secs())
}

fn token(number: u32, left: u64, age: u64) -> (String, Option<u64>, u64) {
    (format!("token-{number}"), Some(left), age)
}

#[tokio::test]
async fn a_stored_token_is_used_until_its_refresh_window() {
    for (life, window, used_until) in [(3600, 120, 3480), (3600, 10, 3590), (5, 120, 3), (300, 120, 224)] {
        let (issuer, directory, clock) = (Numbered::living(life), Directory::new(), clock());
        let another = || stored(&issuer, &directory, &clock).refresh_window(secs(window));
        assert_eq!(told(&another()).await, token(1, life, 0));
        let age = used_until - u64::from(life >= 3600);
        clock.advance(secs(age));
        assert_eq!(told(&another()).await, token(1, life - age, age), "{life} {window}");
        clock.advance(secs(1));
        assert_eq!(told(&another()).await, token(2, life, 0), "{life} {window}");
    }
}

#[tokio::test]
async fn a_token_that_does_not_say_when_it_dies_is_used_until_it_is_refused() {
    let (directory, clock) = (Directory::new(), clock());
    let issuer = Arc::new(Numbered { life: None, ..Arc::into_inner(Numbered::living(0)).unwrap() });
    assert_eq!(told(&stored(&issuer, &directory, &clock)).await, ("token-1".into(), None, 0));
    clock.advance(secs(1_000_000));
    assert_eq!(told(&stored(&issuer, &directory, &clock)).await, ("token-1".into(), None, 1_000_000));
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_no_token_alive() {
    let (issuer, directory, clock) = (Numbered::living(3600), Directory::new(), clock());
    assert_eq!(told(&stored(&issuer, &directory, &clock)).await, token(1, 3600, 0));
    clock.set(UNIX_EPOCH + secs(1_999_990_000));
    assert_eq!(told(&stored(&issuer, &directory, &clock)).await, token(2, 3600, 0));
}

#[tokio::test]
async fn a_refused_token_is_not_taken_from_the_store_again() {
    let (issuer, directory, clock) = (Numbered::living(3600), Directory::new(), clock());
    let first = stored(&issuer, &directory, &clock).cached();
    let second = stored(&issuer, &directory, &clock).cached();
    for source in [&first, &second] {
        let token = source.token().await.unwrap();
        assert_eq!(token.expose(), "token-1");
        assert!(source.reject(&token));
    }
    assert_eq!(first.token().await.unwrap().expose(), "token-2");
    assert_eq!(second.token().await.unwrap().expose(), "token-2", "which the first has fetched");
    assert_eq!(issuer.asked(), 2);
}

/// The window is a part of the whole life, not of what is left of it.
#[tokio::test]
async fn the_cache_renews_a_stored_token_in_time() {
    let (issuer, directory, clock) = (Numbered::living(3600), Directory::new(), clock());
    told(&stored(&issuer, &directory, &clock)).await;
    clock.advance(secs(3300));
    let source = stored(&issuer, &directory, &clock).refresh_window(secs(200)).cached();
    assert_eq!(source.token().await.unwrap().expose(), "token-1");
    clock.advance(secs(99));
    assert_eq!(source.token().await.unwrap().expose(), "token-1");
    clock.advance(secs(1));
    assert_eq!(source.token().await.unwrap().expose(), "token-2");
}

#[tokio::test]
async fn two_issuers_make_one_fetch() {
    let issuer = Numbered { let_go: Semaphore::new(0), ..Arc::into_inner(Numbered::living(3600)).unwrap() };
    let (issuer, directory, clock) = (Arc::new(issuer), Directory::new(), clock());
    let (one, two) = (stored(&issuer, &directory, &clock), stored(&issuer, &directory, &clock));
    let mut fetching = pin!(one.issue());
    let mut waiting = pin!(two.issue());
    let mut context = Context::from_waker(Waker::noop());
    assert!(fetching.as_mut().poll(&mut context).is_pending());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(issuer.asked(), 1, "the second waits for the first");
    issuer.let_go.add_permits(1);
    assert_eq!(fetching.await.unwrap().token.expose(), "token-1");
    assert_eq!(waiting.await.unwrap().token.expose(), "token-1");
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_cancelled_fetch_is_handed_over() {
    let issuer = Numbered { let_go: Semaphore::new(0), ..Arc::into_inner(Numbered::living(3600)).unwrap() };
    let (issuer, directory, clock) = (Arc::new(issuer), Directory::new(), clock());
    let (one, two) = (stored(&issuer, &directory, &clock), stored(&issuer, &directory, &clock));
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut fetching = pin!(one.issue());
        assert!(fetching.as_mut().poll(&mut context).is_pending());
    }
    let store = FileStore::new(directory.path());
    assert!(store.load("key").unwrap().is_none(), "nothing was stored");
    issuer.let_go.add_permits(1);
    let Poll::Ready(issued) = pin!(two.issue()).as_mut().poll(&mut context) else { panic!("the lock was not freed") };
    assert_eq!(issued.unwrap().token.expose(), "token-2");
}

#[tokio::test]
async fn a_login_goes_on_in_another_process() {
    let (issuer, directory, clock) = (Numbered::living(3600), Directory::new(), clock());
    told(&stored(&issuer, &directory, &clock)).await;
    assert_eq!(*issuer.resumed.lock().unwrap(), Vec::<String>::new(), "there was nothing to go on with");
    clock.advance(secs(10_000));
    told(&stored(&issuer, &directory, &clock)).await;
    assert_eq!(*issuer.resumed.lock().unwrap(), [r#"Some("refresh-1") of Some("ada")"#]);
    let kept = FileStore::new(directory.path()).load("key").unwrap().unwrap();
    assert_eq!(kept.refresh_token.as_ref().unwrap().expose_secret(), "refresh-2");
    assert!(!format!("{kept:?}").contains("refresh-"), "{kept:?}");
    assert!(!format!("{kept:?}").contains("token-"), "{kept:?}");
}

/// Loads nothing, and fails at what it is told to fail at.
#[derive(Debug)]
struct Broken(&'static str);

impl Broken {
    fn outcome(&self, step: &str) -> Result<(), Error> {
        if self.0 == step { Err(Error::new(ErrorKind::Authentication, format!("no {step}"))) } else { Ok(()) }
    }
}

impl TokenStore for Broken {
    fn load(&self, _: &str) -> Result<Option<StoredToken>, Error> {
        self.outcome("load").map(|()| None)
    }

    fn save(&self, _: &str, _: &StoredToken) -> Result<(), Error> {
        self.outcome("save")
    }

    fn clear(&self, _: &str) -> Result<(), Error> {
        self.outcome("clear")
    }
}

#[tokio::test]
async fn a_store_that_fails() {
    for (step, expected) in [("load", Err("no load".to_owned())), ("save", Ok("token-1".to_owned()))] {
        let source = Stored::new(Numbered::living(3600), Arc::new(Broken(step)), "key");
        let found = source.issue().await;
        assert_eq!(found.map(|it| it.token.expose().to_owned()).map_err(|error| error.to_string()), expected);
    }
}

/// A store that tells its parent when it begins to wait for the lock.
#[derive(Debug)]
struct Told(FileStore);

impl TokenStore for Told {
    fn load(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        self.0.load(key)
    }

    fn save(&self, key: &str, token: &StoredToken) -> Result<(), Error> {
        self.0.save(key, token)
    }

    fn clear(&self, key: &str) -> Result<(), Error> {
        self.0.clear(key)
    }

    fn lock<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<StoreLock, Error>> {
        say("waiting");
        self.0.lock(key)
    }
}

/// The test harness keeps what is printed to itself, but not what is written.
fn say(what: &str) {
    writeln!(std::io::stdout(), "\n{SAYS}{what}").unwrap();
}

fn next_word(output: &mut impl Iterator<Item = std::io::Result<String>>) -> String {
    output.find_map(|line| line.unwrap().strip_prefix(SAYS).map(str::to_owned)).unwrap()
}

const SAYS: &str = "child: ";
const CHILD: &str = "AGENTCORE_AUTH_TEST_STORE";

/// The other process of the next test; alone it does nothing.
#[tokio::test]
async fn a_process_of_its_own() {
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let fetches = directory.join("fetches");
    let issuer = super::super::from_fn(move || {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&fetches).unwrap();
        file.write_all(b"x").unwrap();
        let token = Token::parse(&format!("of-process-{}", std::process::id()));
        async { Ok(Issued::new(token?).expires_in(secs(3600))) }
    });
    let source = Stored::new(issuer, Arc::new(Told(FileStore::new(&directory))), "key");
    say(source.issue().await.unwrap().token.expose());
}

#[tokio::test]
async fn two_processes_make_one_fetch() {
    let directory = Directory::new();
    let lock = FileStore::new(directory.path()).lock("key").await.unwrap();
    let run = || -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "token::store::tests::a_process_of_its_own"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut children = [run(), run()];
    let mut outputs = children.each_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines());
    for output in &mut outputs {
        assert_eq!(next_word(output), "waiting");
    }
    assert!(!directory.path().join("fetches").exists(), "nobody fetches while another does");
    drop(lock);
    let tokens = outputs.each_mut().map(next_word);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert!(tokens[0].starts_with("of-process-") && tokens[0] == tokens[1], "{tokens:?}");
    assert_eq!(fs::read_to_string(directory.path().join("fetches")).unwrap(), "x");
}
