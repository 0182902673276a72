//! A store that can be away, that refuses late writers, and that remembers renewals which were cut short.

use tokio::time::sleep;

use super::*;
use crate::testing::{CapturedLog, failure};

/// What a server would keep. Nothing waits for a lock here.
#[derive(Debug, Default)]
struct Server(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    token: Option<StoredToken>,
    fence: u64,
    renewing: bool,
    is_away: bool,
    /// It keeps what it has, and takes nothing new.
    is_full: bool,
    /// A token that another process stores while this one waits for the lock.
    by_another: Option<StoredToken>,
    /// A token that another process stores after it took the lock over, before this one uses its refresh token.
    takes_over: Option<StoredToken>,
}

impl Server {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    fn reach<T: Send + 'static>(&self, act: impl FnOnce(&mut Kept) -> T) -> BoxFuture<'_, Result<T, Error>> {
        let mut kept = self.kept();
        let outcome =
            if kept.is_away { Err(Error::new(ErrorKind::Unavailable, "it is away")) } else { Ok(act(&mut kept)) };
        Box::pin(ready(outcome))
    }

    fn write(&self, lock: &StoreLock, act: impl FnOnce(&mut Kept)) -> BoxFuture<'_, Result<WriteOutcome, Error>> {
        self.reach(|kept| {
            if lock.fence() < kept.fence {
                return WriteOutcome::Superseded;
            }
            act(kept);
            WriteOutcome::Written
        })
    }

    /// Returns the token and the refresh token that are stored.
    fn stored(&self) -> Option<(String, String)> {
        let stored = self.kept().token.clone()?;
        Some((stored.token.expose().to_owned(), stored.refresh_token?.expose_secret().to_owned()))
    }
}

impl TokenStore for Server {
    fn load<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>> {
        self.reach(|kept| kept.token.clone())
    }

    fn save<'a>(
        &'a self,
        _: &'a str,
        token: &'a StoredToken,
        lock: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        if self.kept().is_full {
            return Box::pin(ready(Err(Error::new(ErrorKind::Authentication, "it is full"))));
        }
        self.write(lock, |kept| (kept.token, kept.renewing) = (Some(token.clone()), false))
    }

    fn clear<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.reach(|kept| kept.token = None)
    }

    fn lock<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<LockOutcome, Error>> {
        self.reach(|kept| match kept.by_another.take() {
            Some(token) => {
                kept.token = Some(token);
                LockOutcome::Changed
            }
            None => {
                kept.fence += 1;
                LockOutcome::Acquired(StoreLock::new(()).with_fence(kept.fence).with_interruption(kept.renewing))
            }
        })
    }

    fn mark_renewal<'a>(
        &'a self,
        _: &'a str,
        lock: &'a StoreLock,
        under_way: bool,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        let taken_over = self.kept().takes_over.take();
        if let Some(token) = taken_over {
            let mut kept = self.kept();
            (kept.token, kept.fence) = (Some(token), kept.fence + 1);
        }
        self.write(lock, |kept| kept.renewing = under_way)
    }
}

fn login(token: &str, issued_at: u64) -> StoredToken {
    let token = Token::parse(token).unwrap().expiring_at(at(issued_at + 3600));
    StoredToken::new(token, at(issued_at)).refresh_token("refresh-of-another")
}

fn stored(issuer: &Arc<NumberedIssuer>, server: &Arc<Server>) -> Stored<Arc<NumberedIssuer>> {
    Stored::new(Arc::clone(issuer), Arc::clone(server) as _, "key").clock(clock())
}

fn pair(token: &str, refresh_token: &str) -> Option<(String, String)> {
    Some((token.to_owned(), refresh_token.to_owned()))
}

#[tokio::test]
async fn a_token_that_comes_while_one_waits_is_taken() {
    let (issuer, server) = (NumberedIssuer::prompt(&[]), Arc::new(Server::default()));
    server.kept().by_another = Some(login("of-another", 2_000_000_000));
    assert_eq!(summary(stored(&issuer, &server)).await, ("of-another".into(), Some(3600), 0));
}

#[tokio::test]
async fn a_late_writer_uses_its_token_and_overwrites_nothing() {
    let (issuer, server) = (NumberedIssuer::new(0, &[HOUR]), Arc::new(Server::default()));
    let late = stored(&issuer, &server);
    let mut fetching = late.issue();
    assert!(poll(&mut fetching).is_pending());
    // It is paused, and another takes over.
    server.kept().fence += 1;
    server.kept().token = Some(login("of-another", 2_000_000_000));
    issuer.permit_one();
    let (log, _guard) = CapturedLog::begin();
    assert_eq!(fetching.await.unwrap().token.expose(), "token-1");
    assert_eq!(server.stored(), pair("of-another", "refresh-of-another"));
    assert!(log.text().contains("WARN") && log.text().contains("another process has taken over"), "{}", log.text());
}

#[tokio::test]
async fn a_refresh_token_is_not_used_by_one_who_lost_the_lock() {
    let (issuer, server) = (NumberedIssuer::prompt(&[]), Arc::new(Server::default()));
    server.kept().token = Some(login("dead", 1_999_990_000));
    server.kept().takes_over = Some(login("of-another", 2_000_000_000));
    assert_eq!(summary(stored(&issuer, &server)).await, ("of-another".into(), Some(3600), 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_done_without_and_filled_when_it_is_back() {
    let (issuer, server) = (NumberedIssuer::prompt(&[HOUR, HOUR]), Arc::new(Server::default()));
    server.kept().is_away = true;
    let ours = stored(&issuer, &server);
    assert_eq!(ours.issue().await.unwrap().token.expose(), "token-1");
    sleep(secs(100)).await;
    assert_eq!(server.stored(), None);
    server.kept().is_away = false;
    // The longest pause between two attempts.
    sleep(secs(30)).await;
    assert_eq!(server.stored(), pair("token-1", "refresh-1"));
    assert_eq!(summary(stored(&issuer, &server)).await.0, "token-1", "which the others use");

    // A newer token of another process stays.
    server.kept().is_away = true;
    assert_eq!(ours.issue().await.unwrap().token.expose(), "token-2");
    server.kept().is_away = false;
    server.kept().token = Some(login("of-another", 2_000_000_001));
    sleep(secs(100)).await;
    assert_eq!(server.stored(), pair("of-another", "refresh-of-another"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_away_before_the_save() {
    let (issuer, server) = (NumberedIssuer::new(0, &[HOUR, HOUR, HOUR]), Arc::new(Server::default()));
    server.kept().token = Some(login("dead", 1_999_990_000));
    let clock = clock();
    let ours = Stored::new(Arc::clone(&issuer), Arc::clone(&server) as _, "key").clock(clock.clone());
    let mut fetching = ours.issue();
    assert!(poll(&mut fetching).is_pending());
    server.kept().is_away = true;
    issuer.permit_one();
    assert_eq!(fetching.await.unwrap().token.expose(), "token-1");
    assert_eq!(server.stored(), pair("dead", "refresh-of-another"));

    // The stored refresh token is older than ours, and must not take its place.
    sleep(secs(1000)).await;
    server.kept().is_away = false;
    clock.advance(secs(4000));
    issuer.permit_one();
    assert_eq!(ours.issue().await.unwrap().token.expose(), "token-2");
    assert_eq!(*issuer.resumed.lock().unwrap(), [r#"Some("refresh-of-another") of None"#], "at the first time");
    assert_eq!(server.stored(), pair("token-2", "refresh-2"));

    // Now the store is ahead again.
    clock.advance(secs(4000));
    issuer.permit_one();
    assert_eq!(ours.issue().await.unwrap().token.expose(), "token-3");
    assert_eq!(issuer.resumed.lock().unwrap().len(), 2);
}

/// The refresh token in the store was used, and ours has taken its place.
#[tokio::test]
async fn a_store_that_takes_nothing_costs_no_login() {
    let (issuer, server) = (NumberedIssuer::prompt(&[HOUR, HOUR, HOUR, HOUR]), Arc::new(Server::default()));
    server.kept().token = Some(login("dead", 1_999_990_000));
    server.kept().is_full = true;
    let clock = clock();
    let ours = Stored::new(Arc::clone(&issuer), Arc::clone(&server) as _, "key").clock(clock.clone());
    for (is_full, token, resumed) in
        [(true, "token-1", 1), (true, "token-2", 1), (false, "token-3", 1), (false, "token-4", 2)]
    {
        server.kept().is_full = is_full;
        assert_eq!(ours.issue().await.unwrap().token.expose(), token);
        clock.advance(secs(4000));
        assert_eq!(issuer.resumed.lock().unwrap().len(), resumed, "{token}");
    }
    assert_eq!(
        *issuer.resumed.lock().unwrap(),
        [r#"Some("refresh-of-another") of None"#, r#"Some("refresh-3") of Some("ada")"#]
    );
}

#[tokio::test]
async fn a_refused_token_stays_refused_while_the_store_has_it() {
    let (issuer, server) = (NumberedIssuer::prompt(&[HOUR, HOUR]), Arc::new(Server::default()));
    server.kept().token = Some(login("refused", 2_000_000_000));
    server.kept().is_full = true;
    let ours = stored(&issuer, &server);
    for token in ["refused", "token-1", "token-2"] {
        assert_eq!(ours.issue().await.unwrap().token.expose(), token);
    }
}

#[tokio::test]
async fn a_renewal_that_was_cut_short() {
    const LOST: &str =
        "the login must be renewed: a renewal that was cut short used its refresh token, which is refused now";
    for (before, issue, after, expected) in [
        (false, HOUR, false, Ok("token-1")),
        // The refresh token was still good.
        (true, HOUR, false, Ok("token-1")),
        // The issuer's own words say what is wrong.
        (false, Err(ErrorKind::Authentication), false, Err((ErrorKind::Authentication, "failure 1"))),
        (false, Err(ErrorKind::Throttled), false, Err((ErrorKind::Throttled, "failure 1"))),
        // It may have been used up.
        (false, Err(ErrorKind::Timeout), true, Err((ErrorKind::Timeout, "failure 1"))),
        (false, Err(ErrorKind::Unavailable), true, Err((ErrorKind::Unavailable, "failure 1"))),
        (true, Err(ErrorKind::Unavailable), true, Err((ErrorKind::Unavailable, "failure 1"))),
        (true, Err(ErrorKind::Authentication), true, Err((ErrorKind::Authentication, LOST))),
    ] {
        let (issuer, server) = (NumberedIssuer::prompt(&[issue]), Arc::new(Server::default()));
        server.kept().token = Some(login("dead", 1_999_990_000));
        server.kept().renewing = before;
        let outcome = stored(&issuer, &server).issue().await;
        match expected {
            Ok(token) => assert_eq!(outcome.unwrap().token.expose(), token),
            Err((kind, message)) => assert_eq!(failure(outcome), (kind, message.to_owned()), "{before} {issue:?}"),
        }
        assert_eq!(server.kept().renewing, after, "{before} {issue:?}");
    }
}

#[tokio::test]
async fn a_renewal_is_noted_while_it_lasts() {
    for (stored_token, noted) in [
        (None, false),
        (Some(StoredToken::new(Token::parse("dead").unwrap().expiring_at(at(1)), at(0))), false),
        (Some(login("dead", 1_999_990_000)), true),
    ] {
        let (issuer, server) = (NumberedIssuer::new(0, &[HOUR]), Arc::new(Server::default()));
        server.kept().token = stored_token;
        let ours = stored(&issuer, &server);
        let mut fetching = ours.issue();
        assert!(poll(&mut fetching).is_pending());
        assert_eq!(server.kept().renewing, noted);
        // The process dies.
        drop(fetching);
        assert_eq!(server.kept().renewing, noted);
    }
}
