//! The lifetime of a cached token under a clock that is moved by hand and an issuer that answers when a test permits it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::timeout;

use super::*;
use crate::{ErrorKind, clock::Moment, refresh::Freshness};
use crate::{
    ManualClock,
    testing::{Issue, NOW, NumberedIssuer, at, at_once, clock, failure, poll, secs, shown},
    token::Issued,
};

const HOUR: Issue = Ok(Some(3600));
const DOWN: Issue = Err(ErrorKind::Unavailable);
const UNLIMITED: usize = 1000;

type Source = Arc<CachedToken<Arc<NumberedIssuer>>>;

fn source(permits: usize, script: &[Issue]) -> (Source, Arc<NumberedIssuer>, ManualClock) {
    let (issuer, clock) = (NumberedIssuer::new(permits, script), clock());
    let mut source = CachedToken::new(Arc::clone(&issuer)).clock(clock.clone());
    source.refresh.policy.random = || 1.0;
    (Arc::new(source), issuer, clock)
}

/// Returns a caller that can be polled by hand.
fn caller(source: &Source) -> BoxFuture<'static, String> {
    let source = Arc::clone(source);
    Box::pin(async move { shown(source.token().await) })
}

/// Asks once; the issuer must be prompt, or not needed.
fn ask(source: &Source) -> String {
    at_once(caller(source))
}

#[test]
fn a_thousand_callers_make_one_fetch() {
    for (answer, expected) in [(HOUR, "token-1"), (DOWN, "error: failure 1")] {
        let (source, issuer, _) = source(0, &[answer]);
        let mut callers: Vec<_> = (0..1000).map(|_| caller(&source)).collect();
        assert!(callers.iter_mut().all(|caller| poll(caller).is_pending()));
        issuer.permit_one();
        for caller in callers {
            assert_eq!(at_once(caller), expected);
        }
        assert_eq!((issuer.begun(), source.statistics().fetches), (1, 1));
    }
}

#[test]
fn a_fresh_token_is_given_out_as_it_is() {
    let (source, _, clock) = source(UNLIMITED, &[HOUR]);
    for _ in 0..3479 {
        assert_eq!(ask(&source), "token-1");
        clock.advance(secs(1));
    }
    let statistics = source.statistics();
    assert_eq!((statistics.fetches, statistics.refreshes, statistics.served_stale), (1, 0, 0));
    assert_eq!((statistics.age, statistics.expires_in), (Some(secs(3479)), Some(secs(121))));
}

#[test]
fn an_aging_token_is_renewed_by_one_and_given_to_the_others() {
    let (source, issuer, clock) = source(1, &[HOUR, HOUR]);
    assert_eq!(ask(&source), "token-1");
    clock.advance(secs(3480));
    let mut renewer = caller(&source);
    assert!(poll(&mut renewer).is_pending());
    for _ in 0..10 {
        assert_eq!(ask(&source), "token-1", "the others do not wait");
    }
    issuer.permit_one();
    assert_eq!(at_once(renewer), "token-2");
    assert_eq!(ask(&source), "token-2");
    let statistics = source.statistics();
    assert_eq!((issuer.begun(), statistics.refreshes, statistics.served_stale), (2, 1, 10));
}

#[test]
fn an_outage_hurts_nobody_while_the_token_lives_and_causes_few_fetches() {
    let (source, issuer, clock) = source(UNLIMITED, &[&[HOUR][..], &[DOWN; 9], &[HOUR]].concat());
    assert_eq!(ask(&source), "token-1");
    clock.advance(secs(3480));
    let mut asked = Vec::new();
    // A caller every tenth of a second until the token is dead, and on until the issuer is back.
    for tenth in 0..1500_u64 {
        let before = issuer.begun();
        let expected = match tenth {
            0..1200 => "token-1",
            1200..1215 => "error: failure 10",
            _ => "token-11",
        };
        assert_eq!(ask(&source), expected, "at {tenth}");
        if issuer.begun() > before {
            asked.push(tenth);
        }
        clock.advance(Duration::from_millis(100));
    }
    // Half a second, then twice as long each time, at most 30 seconds.
    assert_eq!(asked, [0, 5, 15, 35, 75, 155, 315, 615, 915, 1215]);
    assert_eq!(source.statistics().failures, 9);
}

/// A caller that found the token aging and comes too late to renew it gets the new one.
#[test]
fn nobody_renews_what_was_renewed() {
    let (source, issuer, clock) = source(UNLIMITED, &[HOUR, HOUR]);
    assert_eq!(ask(&source), "token-1");
    clock.advance(secs(3480));
    let late = source.token();
    assert_eq!(ask(&source), "token-2");
    assert_eq!((shown(at_once(late)), issuer.begun()), ("token-2".to_owned(), 2));
}

/// A success ends an outage: the next one is met with the shortest pause again.
#[test]
fn outages_are_counted_one_by_one() {
    let (source, _, clock) = source(UNLIMITED, &[DOWN, DOWN, DOWN, Ok(Some(10)), DOWN, Ok(Some(10))]);
    for (wait_millis, expected) in [
        (0, "error: failure 1"),
        (500, "error: failure 2"),
        (1000, "error: failure 3"),
        (2000, "token-4"),
        (10_000, "error: failure 5"),
        (499, "error: failure 5"),
        (1, "token-6"),
    ] {
        clock.advance(Duration::from_millis(wait_millis));
        assert_eq!(ask(&source), expected);
    }
}

#[test]
fn a_cancelled_fetch_is_handed_over() {
    let (source, issuer, _) = source(0, &[HOUR]);
    let mut callers = [caller(&source), caller(&source), caller(&source)];
    assert!(callers.iter_mut().all(|caller| poll(caller).is_pending()));
    let [first, mut second, third] = callers;
    drop(first);
    assert!(poll(&mut second).is_pending(), "the second caller fetches now");
    assert_eq!(issuer.begun(), 2);
    issuer.permit_one();
    assert_eq!((at_once(second), at_once(third)), ("token-2".to_owned(), "token-2".to_owned()));
    assert_eq!(issuer.begun(), 2);
}

#[test]
fn a_late_refusal_does_not_evict_a_newer_token() {
    let (source, _, clock) = source(UNLIMITED, &[HOUR, HOUR, HOUR]);
    let old = Token::parse(&ask(&source)).unwrap();
    clock.advance(secs(3600));
    assert_eq!(ask(&source), "token-2");
    assert!(source.reject(&old));
    assert_eq!(ask(&source), "token-2", "the newer token stays");
    assert!(source.reject(&Token::parse("token-2").unwrap().expiring_at(at(NOW) + secs(7200))));
    assert_eq!(ask(&source), "token-3");
    assert_eq!(source.statistics().rejected, 1);
}

/// What the runtime does with each token in turn, at which second, and how many were fetched by then.
#[test]
fn a_runtime_that_refuses_every_token_causes_no_storm() {
    let (source, issuer, clock) = source(UNLIMITED, &[HOUR; 9]);
    let refused = "error: the runtime refuses what the issuer gives: a new token was refused too, and for a while no other is fetched";
    let reject = |text: &str| source.reject(&Token::parse(text).unwrap().expiring_at(clock.now() + secs(3600)));
    assert_eq!(ask(&source), "token-1");
    assert!(reject("token-1"), "the first refusal replaces the token, however young it is");
    assert_eq!(ask(&source), "token-2");
    assert!(!reject("token-2"));
    for (pause, next) in [(60, "token-3"), (120, "token-4"), (240, "token-5")] {
        for _ in 0..5 {
            assert_eq!(ask(&source), refused);
        }
        clock.advance(secs(pause - 1));
        assert_eq!(ask(&source), refused);
        clock.advance(secs(1));
        assert_eq!(ask(&source), next);
        assert!(next == "token-5" || !reject(next));
    }
    assert_eq!(issuer.begun(), 5);
    // What was good for a minute is replaced as the first was.
    clock.advance(secs(60));
    assert!(source.reject(&Token::parse("token-5").unwrap().expiring_at(clock.now() + secs(3540))));
    assert_eq!(ask(&source), "token-6");
    assert!(!reject("token-6"));
    clock.advance(secs(60));
    assert_eq!(ask(&source), "token-7", "the pauses begin anew");
}

/// Tokens of eight seconds are to be renewed after six. Those that die on the way are replaced, however often; those that do not are not.
#[test]
fn tokens_that_live_for_seconds_are_refused_at_their_end() {
    let (source, issuer, clock) = source(UNLIMITED, &[Ok(Some(8)); 9]);
    for (second, next, replaced) in
        [(6, "token-1", true), (7, "token-2", true), (9, "token-3", true), (1, "token-4", false)]
    {
        let token = at_once(source.token()).unwrap();
        assert_eq!(token.expose(), next);
        clock.advance(secs(second));
        assert_eq!(source.reject(&token), replaced, "{next}");
    }
    assert_eq!(issuer.begun(), 4);
    assert!(ask(&source).starts_with("error: the runtime refuses"));
}

/// When a token is renewed early and when it is dead, in seconds after it came.
#[test]
fn lifetimes() {
    // {"iat":1999999760,"exp":2000003360}: an hour, by an issuer whose clock is four minutes behind ours.
    let dated = "e30.eyJpYXQiOjE5OTk5OTk3NjAsImV4cCI6MjAwMDAwMzM2MH0.c2ln";
    // {"iat":2000000240,"exp":2000003840}: an hour, by one whose clock is four minutes ahead.
    let ahead = "e30.eyJpYXQiOjIwMDAwMDAyNDAsImV4cCI6MjAwMDAwMzg0MH0.c2ln";
    // {"iat":1399990000,"exp":1399993600}: an hour, by a clock that is years behind ours, or ours is years ahead.
    let long_ago = "e30.eyJpYXQiOjEzOTk5OTAwMDAsImV4cCI6MTM5OTk5MzYwMH0.c2ln";
    // {"iat":1999998200,"exp":2000001800}: half of its hour is over.
    let half_spent = "e30.eyJpYXQiOjE5OTk5OTgyMDAsImV4cCI6MjAwMDAwMTgwMH0.c2ln";
    // {"exp":2000000300}
    let undated = "e30.eyJleHAiOjIwMDAwMDAzMDB9.c2ln";
    for (token, expires_in, window, ageing, dead) in [
        ("opaque", None, 120, None, None),
        ("opaque", Some(3600), 120, Some(3480.0), Some(3600.0)),
        ("opaque", Some(3600), 7200, Some(2700.0), Some(3600.0)),
        ("opaque", Some(300), 120, Some(225.0), Some(300.0)),
        ("opaque", Some(5), 120, Some(3.75), Some(5.0)),
        ("opaque", Some(2), 120, Some(1.5), Some(2.0)),
        ("opaque", Some(1), 120, Some(1.0), Some(1.0)),
        (dated, None, 120, Some(3480.0), Some(3600.0)),
        (dated, Some(60), 120, Some(45.0), Some(60.0)),
        (dated, Some(7200), 120, Some(3480.0), Some(3600.0)),
        (long_ago, Some(7200), 120, Some(3480.0), Some(3600.0)),
        (undated, Some(7200), 120, Some(7080.0), Some(7200.0)),
        (ahead, None, 120, Some(3480.0), Some(3600.0)),
        (half_spent, None, 120, Some(1680.0), Some(1800.0)),
        (undated, None, 10, Some(290.0), Some(300.0)),
    ] {
        let mut issued = Issued::new(Token::parse(token).unwrap());
        issued.expires_in = expires_in.map(secs);
        let asked = Moment { wall: at(NOW), monotonic: secs(7) };
        let entry = issued.entry(asked, secs(window)).unwrap();
        let freshness = |seconds: f64| entry.freshness(asked.after(Duration::from_secs_f64(seconds)));
        let case = format!("{token} {expires_in:?} {window}");
        match (ageing, dead) {
            (Some(ageing), Some(dead)) => {
                assert!(ageing == 0.0 || freshness(ageing - 0.001) == Freshness::Fresh, "{case}");
                assert_eq!(freshness(ageing), if ageing < dead { Freshness::Aging } else { Freshness::Dead }, "{case}");
                assert!(dead == ageing || freshness(dead - 0.001) == Freshness::Aging, "{case}");
                assert_eq!(freshness(dead), Freshness::Dead, "{case}");
            }
            _ => assert_eq!(freshness(1e9), Freshness::Fresh, "{case}"),
        }
        let death = dead.map(|dead| at(NOW) + Duration::from_secs_f64(dead));
        assert_eq!(entry.value.expires_at(), death, "{case}: the last check before sending knows it too");
    }
}

/// A token that was found lives until its `exp`, and a dead one is never kept, whatever its claims say of its lifetime.
#[test]
fn tokens_that_may_be_old() {
    // {"iat":1999999760,"exp":2000003360}, {"iat":1399990000,"exp":1399993600}, {"exp":-1}, {"exp":"1399993600"}
    let dated = "e30.eyJpYXQiOjE5OTk5OTk3NjAsImV4cCI6MjAwMDAwMzM2MH0.c2ln";
    let of_2014 = "e30.eyJpYXQiOjEzOTk5OTAwMDAsImV4cCI6MTM5OTk5MzYwMH0.c2ln";
    let negative = "e30.eyJleHAiOi0xfQ.c2ln";
    let as_text = "e30.eyJleHAiOiIxMzk5OTkzNjAwIn0.c2ln";
    let token = |text| Token::parse(text).unwrap();
    for (issued, lifetime) in [
        (Issued::found(token(dated)), Some(3360)),
        (Issued::found(token(dated)).expires_in(secs(60)), Some(60)),
        (Issued::found(token(dated)).expires_in(secs(7200)), Some(3360)),
        (Issued::found(token("opaque")), None),
    ] {
        assert_eq!(issued.alive(at(NOW)).unwrap().expires_in, lifetime.map(secs));
    }
    for dead in [
        Issued::found(token(of_2014)),
        Issued::new(token(of_2014)),
        Issued::new(token(negative)),
        Issued::new(token(as_text)),
        Issued::new(token("opaque")).expires_in(Duration::ZERO),
    ] {
        let error = dead.alive(at(NOW)).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::ExpiredToken, "the issuer gave a token that has expired")
        );
    }
}

/// How long an answer takes, and how old the token is when it comes: the issuer may have counted from the request on.
#[test]
fn the_lifetime_begins_with_the_request() {
    for (took, age) in [(0, 0), (10, 10), (30, 30), (31, 30), (600, 30)] {
        let (source, issuer, clock) = source(0, &[HOUR]);
        let mut caller = caller(&source);
        assert!(poll(&mut caller).is_pending());
        clock.advance(secs(took));
        issuer.permit_one();
        assert_eq!(at_once(caller), "token-1");
        let statistics = source.statistics();
        assert_eq!((statistics.age, statistics.expires_in), (Some(secs(age)), Some(secs(3600 - age))), "{took}");
        let token = at_once(Box::pin(source.token())).unwrap();
        assert_eq!(token.expires_at(), Some(at(NOW) + secs(took - age + 3600)), "{took}");
    }
}

/// A clock that is set while the answer is under way makes no token older than it can be, or younger than it is.
#[test]
fn a_clock_that_is_set_during_a_fetch() {
    for (set_to, age) in [(NOW - 3600, 10), (NOW + 3600, 30)] {
        let (source, issuer, clock) = source(0, &[HOUR]);
        let mut caller = caller(&source);
        assert!(poll(&mut caller).is_pending());
        clock.advance(secs(10));
        clock.set(at(set_to));
        issuer.permit_one();
        assert_eq!(at_once(caller), "token-1");
        assert_eq!(source.statistics().age, Some(secs(age)), "{set_to}");
    }
}

#[test]
fn clocks_that_jump_and_machines_that_sleep() {
    let (source, _, clock) = source(UNLIMITED, &[HOUR, HOUR, HOUR]);
    assert_eq!(ask(&source), "token-1");
    // Set back by a day: the token's lifetime is no day longer for it.
    clock.set(at(NOW) - secs(86_400));
    assert_eq!(ask(&source), "token-1");
    clock.advance(secs(3600));
    assert_eq!(ask(&source), "token-2");
    // Asleep for two hours, in which the monotonic clock stood still.
    clock.set(clock.now() + secs(7200));
    assert_eq!(ask(&source), "token-3");
}

#[test]
fn a_token_that_has_expired_when_it_comes_is_an_error_and_no_loop() {
    let (source, issuer, clock) = source(UNLIMITED, &[Ok(Some(0)), Ok(Some(0))]);
    for _ in 0..100 {
        assert_eq!(ask(&source), "error: the issuer gave a token that has expired");
    }
    assert_eq!(issuer.begun(), 1);
    clock.advance(secs(1));
    assert!(ask(&source).starts_with("error: "));
    assert_eq!(issuer.begun(), 2);
}

/// An issuer that gives out one token until it dies, such as a projected file, is asked a few times and not at every call.
#[test]
fn tokens_born_within_the_window_cause_no_hot_loop() {
    #[derive(Debug)]
    struct SameAgain(AtomicU64);
    impl TokenIssuer for SameAgain {
        fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            // {"exp":2000000100}
            Box::pin(std::future::ready(Token::parse("e30.eyJleHAiOjIwMDAwMDAxMDB9.c2ln").map(Issued::new)))
        }
    }
    let clock = clock();
    let source = CachedToken::new(SameAgain(AtomicU64::new(0))).clock(clock.clone());
    for _ in 0..9_999 {
        at_once(source.token()).unwrap();
        clock.advance(Duration::from_millis(10));
    }
    let fetches = source.issuer.0.load(Ordering::Relaxed);
    assert!(fetches < 20, "{fetches} fetches in 100 seconds");
}

#[test]
fn debug_is_blind() {
    let (source, ..) = source(UNLIMITED, &[HOUR]);
    assert_eq!(ask(&source), "token-1");
    assert!(!format!("{source:?} {:?}", source.statistics()).contains("token-1"));
}

/// On a runtime a login is a task.
#[tokio::test(start_paused = true)]
async fn a_login_that_takes_longer_than_every_caller_waits_serves_the_next_one() {
    let (source, issuer, _) = source(0, &[HOUR]);
    for _ in 0..9 {
        assert!(timeout(secs(1), source.token()).await.is_err());
    }
    issuer.permit_one();
    assert_eq!(caller(&source).await, "token-1");
    assert_eq!((issuer.begun(), source.statistics().fetches), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_on_a_runtime_share_one_failure() {
    let (source, issuer, clock) = source(0, &[DOWN]);
    let callers: Vec<_> = (0..1000).map(|_| tokio::spawn(caller(&source))).collect();
    tokio::task::yield_now().await;
    issuer.permit_one();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "error: failure 1");
    }
    clock.advance(Duration::from_millis(499));
    assert_eq!(ask(&source), "error: failure 1");
    assert_eq!((issuer.begun(), source.statistics().failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn on_a_runtime_nobody_waits_for_a_renewal() {
    let (source, issuer, clock) = source(1, &[HOUR, HOUR]);
    assert_eq!(ask(&source), "token-1");
    clock.advance(secs(3480));
    for _ in 0..10 {
        assert_eq!(ask(&source), "token-1");
    }
    issuer.permit_one();
    tokio::task::yield_now().await;
    assert_eq!(ask(&source), "token-2");
    let statistics = source.statistics();
    assert_eq!((issuer.begun(), statistics.refreshes, statistics.served_stale), (2, 1, 9));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_the_issuers_own() {
    #[derive(Debug)]
    struct Silent(Option<u64>);
    impl TokenIssuer for Silent {
        fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
            Box::pin(std::future::pending())
        }

        fn deadline(&self) -> Option<Duration> {
            self.0.map(secs)
        }
    }
    let message = "the fetch of a token took longer than 5 s and was given up";
    let late = failure(CachedToken::new(Silent(Some(5))).token().await);
    assert_eq!(late, (ErrorKind::Timeout, message.to_owned()));
    assert!(timeout(secs(1_000_000), CachedToken::new(Silent(None)).token()).await.is_err());
}
