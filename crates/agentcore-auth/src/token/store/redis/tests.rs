//! The store on a real server, which each test starts for itself. Without the variable that names the program they do nothing:
//! `cargo xtask interop` sets it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod outage;
mod server;

use redis::cmd;
use secrecy::ExposeSecret as _;

use self::server::Server;
use super::*;
use crate::{
    Token,
    testing::{CapturedLog, at, clock, failure, secs},
};

/// SHA-256 of `key`, by `sha256sum`.
const HASH: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

fn entry() -> String {
    format!("agentcore:token:{{{HASH}}}")
}

fn lease() -> String {
    format!("agentcore:token:{{{HASH}}}:lease")
}

fn key(byte: u8) -> EncryptionKey {
    EncryptionKey::new([byte; 32])
}

fn token(text: &str) -> StoredToken {
    StoredToken::new(Token::parse(text).unwrap().expiring_at(at(2_000_003_600)), at(2_000_000_000))
}

async fn lock(store: &RedisStore) -> StoreLock {
    match store.lock("key").await.unwrap() {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::Changed => panic!("nobody stored anything"),
    }
}

async fn save(store: &RedisStore, token: &StoredToken) -> WriteOutcome {
    let lock = lock(store).await;
    let outcome = store.save("key", token, &lock).await.unwrap();
    store.unlock("key", lock).await;
    outcome
}

async fn loaded(store: &RedisStore) -> Option<String> {
    Some(store.load("key").await.unwrap()?.token.expose().to_owned())
}

#[tokio::test]
async fn what_one_stores_another_reads_and_the_server_does_not() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, another) = (server.store().build().unwrap(), server.store().build().unwrap());
    assert_eq!(loaded(&one).await, None);
    let full = token("hush-token").refresh_token("hush-refresh").username("hush-ada");
    assert_eq!(save(&one, &full).await, WriteOutcome::Written);
    let read = another.load("key").await.unwrap().unwrap();
    assert_eq!((read.token.expose(), read.token.expires_at()), ("hush-token", Some(at(2_000_003_600))));
    assert_eq!((read.issued_at, read.username.as_deref()), (at(2_000_000_000), Some("hush-ada")));
    assert_eq!(read.refresh_token.unwrap().expose_secret(), "hush-refresh");
    assert!(another.load("another key").await.unwrap().is_none());

    let mut names: Vec<String> = server.ask(cmd("KEYS").arg("*")).await;
    names.sort();
    assert_eq!(names, [entry(), lease()]);
    let entry: Vec<u8> = server.ask(cmd("GET").arg(entry())).await;
    let all: Vec<String> = server.ask(cmd("HGETALL").arg(lease())).await;
    let text = format!("{}{all:?}", String::from_utf8_lossy(&entry));
    assert!(entry.len() > 100 && entry[0] == 1 && !text.contains("hush") && !text.contains("refresh"), "{text}");

    another.clear("key").await.unwrap();
    assert_eq!(loaded(&one).await, None);
    assert_eq!(server.ask::<Vec<String>>(cmd("KEYS").arg("*")).await, [lease()]);
}

#[tokio::test]
async fn an_entry_lives_as_long_as_what_is_in_it() {
    let Some(server) = Server::start(&[]) else { return };
    let unknown = StoredToken::new(Token::parse("t").unwrap(), at(2_000_000_000));
    let month = 30 * 24 * 3600;
    for (stored, lifetime, seconds) in [
        (token("t"), month, 3600),
        (token("t").refresh_token("r"), month, month),
        (token("t").refresh_token("r"), 60, 3600),
        (unknown.clone(), 60, 60),
        (unknown.refresh_token("r"), 7200, 7200),
    ] {
        let store = server.store().clock(clock()).refresh_token_lifetime(secs(lifetime)).build().unwrap();
        assert_eq!(save(&store, &stored).await, WriteOutcome::Written);
        let left: u64 = server.ask(cmd("PTTL").arg(entry())).await;
        assert!((seconds * 1000 - 5000..=seconds * 1000).contains(&left), "{seconds} s, and {left} ms are left");
        let kept: u64 = server.ask(cmd("PTTL").arg(lease())).await;
        assert!(kept + 5000 > left.max(24 * 3600 * 1000), "the lease is kept for {kept} ms");
    }
    let dead = StoredToken::new(Token::parse("dead").unwrap().expiring_at(at(1)), at(0));
    let store = server.store().clock(clock()).build().unwrap();
    store.clear("key").await.unwrap();
    assert_eq!(save(&store, &dead).await, WriteOutcome::Written);
    assert_eq!(server.ask::<u8>(cmd("EXISTS").arg(entry())).await, 0);
}

#[tokio::test]
async fn what_cannot_be_opened_counts_as_nothing_and_can_be_replaced() {
    let Some(server) = Server::start(&[]) else { return };
    let (log, _guard) = CapturedLog::begin();
    let store = server.store().build().unwrap();
    save(&store, &token("hush")).await;
    let other = RedisStore::builder(&server.url(), key(2));
    assert_eq!(loaded(&other.clone().build().unwrap()).await, None, "another key");
    assert_eq!(loaded(&other.other_key(key(1)).build().unwrap()).await, Some("hush".into()), "during a rotation");
    let elsewhere = EntryNames::of("agentcore:token:", "another key").entry;
    let _: u8 = server.ask(cmd("COPY").arg(entry()).arg(&elsewhere)).await;
    assert!(store.load("another key").await.unwrap().is_none(), "it is another's entry");
    let _: u64 = server.ask(cmd("SETRANGE").arg(entry()).arg(30).arg("damage")).await;
    assert_eq!(loaded(&store).await, None);
    save(&store, &token("hush")).await;
    let _: u64 = server.ask(cmd("SETRANGE").arg(entry()).arg(1 << 20).arg("!")).await;
    assert_eq!(loaded(&store).await, None, "it is too large");
    save(&store, &token("again")).await;
    assert_eq!(loaded(&store).await, Some("again".into()));
    let text = log.text();
    assert_eq!(text.matches("a stored token is damaged, or encrypted with another key").count(), 4, "{text}");
    assert!(!text.contains("hush"), "{text}");

    let huge = token(&"x".repeat(65_536));
    let lock = lock(&store).await;
    let refused = failure(store.save("key", &huge, &lock).await);
    assert_eq!(refused, (ErrorKind::TooLarge, "a token cannot be stored: it has more than 64 KiB".into()));
    assert_eq!(loaded(&store).await, Some("again".into()));
}

#[tokio::test]
async fn a_late_writer_is_refused() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, another) = (server.store().build().unwrap(), server.store().build().unwrap());
    let late = lock(&one).await;
    server.end_lease().await;
    let newer = lock(&another).await;
    assert!(newer.fence() > late.fence() && late.fence() > 1_500_000_000_000_000, "{late:?} {newer:?}");
    assert_eq!(one.save("key", &token("late"), &late).await.unwrap(), WriteOutcome::Superseded);
    assert_eq!(one.mark_renewal("key", &late, true).await.unwrap(), WriteOutcome::Superseded);
    assert_eq!(loaded(&one).await, None, "not even where nothing is stored yet");
    assert_eq!(another.save("key", &token("newer"), &newer).await.unwrap(), WriteOutcome::Written);
    assert_eq!(one.save("key", &token("late"), &late).await.unwrap(), WriteOutcome::Superseded);
    assert_eq!(loaded(&one).await, Some("newer".into()));

    // Nor does the late one give back what is not its own.
    one.unlock("key", late).await;
    let impatient = server.store().patience(Duration::ZERO).build().unwrap();
    let message = "another process has been getting this token for more than 0 s; end it, or try again later";
    assert_eq!(failure(impatient.lock("key").await), (ErrorKind::Authentication, message.into()));
    another.unlock("key", newer).await;
    lock(&impatient).await;
}

#[tokio::test]
async fn a_logout_refuses_those_who_are_getting_a_token() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    let getting = lock(&store).await;
    store.clear("key").await.unwrap();
    assert_eq!(store.save("key", &token("late"), &getting).await.unwrap(), WriteOutcome::Superseded);
    assert_eq!(loaded(&store).await, None);
}

#[tokio::test]
async fn a_server_that_lost_its_memory_takes_no_late_writer_for_a_new_one() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    let late = lock(&store).await;
    let _: String = server.ask(&cmd("FLUSHALL")).await;
    let newer = lock(&store).await;
    assert!(newer.fence() > late.fence(), "{late:?} {newer:?}");
    assert_eq!(store.save("key", &token("late"), &late).await.unwrap(), WriteOutcome::Superseded);
}

#[tokio::test]
async fn a_clock_that_was_set_back_gives_out_no_old_fencing_token() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    // 2100-01-01, in microseconds.
    let _: u8 = server.ask(cmd("HSET").arg(lease()).arg("fence").arg("4102444800000000")).await;
    assert_eq!(lock(&store).await.fence(), 4_102_444_800_000_001);
}

#[tokio::test]
async fn who_waits_sees_the_token_come() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, another) = (server.store().build().unwrap(), server.store().build().unwrap());
    let held = lock(&one).await;
    let waiting = tokio::spawn(async move { (another.lock("key").await.unwrap(), loaded(&another).await) });
    // It waits, and the holder stores before it gives the lease back.
    server.wait_for_attempts(2).await;
    one.save("key", &token("new"), &held).await.unwrap();
    let (outcome, found) = waiting.await.unwrap();
    assert!(matches!(outcome, LockOutcome::Changed), "{outcome:?}");
    assert_eq!(found, Some("new".into()));
    // A lease that is dropped is given back too.
    drop(held);
    lock(&server.store().patience(secs(5)).build().unwrap()).await;
}

#[tokio::test]
async fn a_lease_is_prolonged_while_it_is_held_and_ends_when_nobody_does() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().lease(secs(1)).build().unwrap();
    let held = lock(&store).await;
    let until = || async { server.ask::<u64>(cmd("HGET").arg(lease()).arg("until")).await };
    let first = until().await;
    while until().await == first {}
    assert!(until().await >= first + 300, "at a third of it");
    // Its process dies.
    let _: u8 = server.ask(cmd("HSET").arg(lease()).arg("owner").arg("a dead one")).await;
    lock(&server.store().patience(secs(5)).build().unwrap()).await;
    drop(held);
}

#[tokio::test]
async fn a_renewal_that_was_cut_short_is_known_to_the_next() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    let dying = lock(&store).await;
    assert!(!dying.was_interrupted());
    assert_eq!(store.mark_renewal("key", &dying, true).await.unwrap(), WriteOutcome::Written);
    server.end_lease().await;
    let next = lock(&store).await;
    assert!(next.was_interrupted());
    assert_eq!(store.save("key", &token("new"), &next).await.unwrap(), WriteOutcome::Written);
    store.unlock("key", next).await;
    let next = lock(&store).await;
    assert!(!next.was_interrupted());
    // A refresh token that was not used up, and a login.
    store.mark_renewal("key", &next, true).await.unwrap();
    store.mark_renewal("key", &next, false).await.unwrap();
    server.end_lease().await;
    let next = lock(&store).await;
    assert!(!next.was_interrupted());
    store.mark_renewal("key", &next, true).await.unwrap();
    store.clear("key").await.unwrap();
    server.end_lease().await;
    assert!(!lock(&store).await.was_interrupted());
}

#[tokio::test]
async fn prefixes_and_databases_keep_fleets_apart() {
    let Some(server) = Server::start(&[]) else { return };
    let store = server.store().build().unwrap();
    save(&store, &token("one")).await;
    let other = RedisStore::builder(&format!("{}/3", server.url()), key(1)).build().unwrap();
    assert_eq!(loaded(&other).await, None);
    let prefixed = server.store().prefix("fleet:").build().unwrap();
    assert_eq!(loaded(&prefixed).await, None);
    save(&prefixed, &token("two")).await;
    assert_eq!(server.ask::<u8>(cmd("EXISTS").arg(format!("fleet:{{{HASH}}}"))).await, 1);
    assert_eq!(loaded(&store).await, Some("one".into()));
}
