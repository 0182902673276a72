//! The life of a cached token under a clock that is moved by hand and an issuer that answers when it is told to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::VecDeque,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{sync::Semaphore, time::timeout};

use super::*;
use crate::{ManualClock, token::Issued};

/// What an issuer answers: a token that lives so many seconds, or a failure.
type Answer = Result<Option<u64>, ErrorKind>;

/// Answers `token-1`, `token-2` and so on, one for each permit.
#[derive(Clone, Debug)]
struct Scripted(Arc<Script>);

#[derive(Debug)]
struct Script {
    answers: StdMutex<VecDeque<Answer>>,
    begun: AtomicU64,
    permits: Semaphore,
}

impl Scripted {
    /// An issuer that waits for nobody.
    fn prompt(answers: &[Answer]) -> Self {
        let issuer = Self::slow(answers);
        issuer.answer(1000);
        issuer
    }

    /// An issuer that answers only when told to.
    fn slow(answers: &[Answer]) -> Self {
        let answers = StdMutex::new(answers.iter().copied().collect());
        Self(Arc::new(Script { answers, begun: AtomicU64::new(0), permits: Semaphore::new(0) }))
    }

    fn answer(&self, times: usize) {
        self.0.permits.add_permits(times);
    }

    fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }
}

impl TokenIssuer for Scripted {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let number = self.0.begun.fetch_add(1, Ordering::Relaxed) + 1;
            self.0.permits.acquire().await.unwrap().forget();
            let answer = self.0.answers.lock().unwrap().pop_front().expect("the script foresees this fetch");
            let life = answer.map_err(|kind| Error::new(kind, format!("failure {number}")))?;
            let issued = Issued::new(Token::parse(&format!("token-{number}")).unwrap());
            Ok(life.map_or(issued.clone(), |life| issued.expires_in(Duration::from_secs(life))))
        })
    }
}

fn source(issuer: &Scripted) -> (Arc<CachedToken<Scripted>>, ManualClock) {
    let clock = ManualClock::new(start());
    let mut source = CachedToken::new(issuer.clone()).clock(clock.clone());
    source.refresh.policy.random = || 1.0;
    (Arc::new(source), clock)
}

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A caller that can be polled by hand.
struct Caller(Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>);

impl Caller {
    fn of(source: &Arc<CachedToken<Scripted>>) -> Self {
        let source = Arc::clone(source);
        Self(Box::pin(async move { source.token().await }))
    }

    /// The token it got, the failure it was told, or nothing yet.
    fn poll(&mut self) -> Option<Result<String, String>> {
        match self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(told(outcome)),
            Poll::Pending => None,
        }
    }
}

fn told(outcome: Result<Token, Error>) -> Result<String, String> {
    outcome.map(|token| token.expose().to_owned()).map_err(|error| error.to_string())
}

/// Asks once; the issuer must be prompt, or not needed.
fn ask(source: &Arc<CachedToken<Scripted>>) -> Result<String, String> {
    Caller::of(source).poll().expect("nothing had to be waited for")
}

fn ok(token: &str) -> Option<Result<String, String>> {
    Some(Ok(token.to_owned()))
}

#[test]
fn a_thousand_callers_make_one_fetch() {
    for (answer, expected) in [(Ok(Some(3600)), Ok("token-1")), (Err(ErrorKind::Unavailable), Err("failure 1"))] {
        let issuer = Scripted::slow(&[answer]);
        let (source, _) = source(&issuer);
        let mut callers: Vec<Caller> = (0..1000).map(|_| Caller::of(&source)).collect();
        assert!(callers.iter_mut().all(|caller| caller.poll().is_none()));
        issuer.answer(1);
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        for caller in &mut callers {
            assert_eq!(caller.poll(), Some(expected.clone()));
        }
        assert_eq!((issuer.begun(), source.statistics().fetches), (1, 1));
    }
}

#[test]
fn a_fresh_token_is_given_out_as_it_is() {
    let issuer = Scripted::prompt(&[Ok(Some(3600))]);
    let (source, clock) = source(&issuer);
    for _ in 0..3479 {
        assert_eq!(ask(&source), Ok("token-1".into()));
        clock.advance(secs(1));
    }
    let statistics = source.statistics();
    assert_eq!((statistics.fetches, statistics.refreshes, statistics.served_stale), (1, 0, 0));
    assert_eq!((statistics.age, statistics.expires_in), (Some(secs(3479)), Some(secs(121))));
}

#[test]
fn an_ageing_token_is_renewed_by_one_and_given_to_the_others() {
    let issuer = Scripted::slow(&[Ok(Some(3600)), Ok(Some(3600))]);
    issuer.answer(1);
    let (source, clock) = source(&issuer);
    assert_eq!(ask(&source), Ok("token-1".into()));
    clock.advance(secs(3480));
    let mut renewer = Caller::of(&source);
    assert_eq!(renewer.poll(), None);
    for _ in 0..10 {
        assert_eq!(ask(&source), Ok("token-1".into()), "the others do not wait");
    }
    issuer.answer(1);
    assert_eq!(renewer.poll(), ok("token-2"));
    assert_eq!(ask(&source), Ok("token-2".into()));
    let statistics = source.statistics();
    assert_eq!((issuer.begun(), statistics.refreshes, statistics.served_stale), (2, 1, 10));
}

#[test]
fn an_outage_hurts_nobody_while_the_token_lives_and_is_asked_after_sparingly() {
    let down = Err(ErrorKind::Unavailable);
    let mut answers = vec![Ok(Some(3600))];
    answers.extend([down; 9]);
    answers.push(Ok(Some(3600)));
    let issuer = Scripted::prompt(&answers);
    let (source, clock) = source(&issuer);
    ask(&source).unwrap();
    clock.advance(secs(3480));
    let mut asked = Vec::new();
    // A caller every tenth of a second until the token is dead, and on until the issuer is back.
    for tenth in 0..1500_u64 {
        let before = issuer.begun();
        let outcome = ask(&source);
        if tenth < 1200 {
            assert_eq!(outcome, Ok("token-1".into()), "at {tenth}");
        } else if tenth < 1215 {
            assert_eq!(outcome, Err("failure 10".into()), "the failure is told at once");
        } else {
            assert_eq!(outcome, Ok("token-11".into()));
        }
        if issuer.begun() > before {
            asked.push(tenth);
        }
        clock.advance(Duration::from_millis(100));
    }
    // Half a second, then twice as long each time, at most 30 seconds.
    assert_eq!(asked, [0, 5, 15, 35, 75, 155, 315, 615, 915, 1215]);
    assert_eq!(source.statistics().failures, 9);
}

/// Whoever found the token ageing and comes too late to renew it gets the new one.
#[test]
fn nobody_renews_what_was_renewed() {
    let issuer = Scripted::prompt(&[Ok(Some(3600)), Ok(Some(3600))]);
    let (source, clock) = source(&issuer);
    ask(&source).unwrap();
    clock.advance(secs(3480));
    let mut late = source.token();
    assert_eq!(ask(&source), Ok("token-2".into()));
    let Poll::Ready(outcome) = late.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    assert_eq!((told(outcome), issuer.begun()), (Ok("token-2".into()), 2));
}

/// A success ends an outage: the next one is met with the shortest pause again.
#[test]
fn outages_are_counted_one_by_one() {
    let down = Err(ErrorKind::Unavailable);
    let issuer = Scripted::prompt(&[down, down, down, Ok(Some(10)), down, Ok(Some(10))]);
    let (source, clock) = source(&issuer);
    for (wait_millis, expected) in [
        (0, Err("failure 1")),
        (500, Err("failure 2")),
        (1000, Err("failure 3")),
        (2000, Ok("token-4")),
        (10_000, Err("failure 5")),
        (499, Err("failure 5")),
        (1, Ok("token-6")),
    ] {
        clock.advance(Duration::from_millis(wait_millis));
        assert_eq!(ask(&source), expected.map(str::to_owned).map_err(str::to_owned));
    }
}

#[test]
fn a_cancelled_fetch_is_handed_over() {
    let issuer = Scripted::slow(&[Ok(Some(3600))]);
    let (source, _) = source(&issuer);
    let (mut first, mut second, mut third) = (Caller::of(&source), Caller::of(&source), Caller::of(&source));
    assert!(first.poll().is_none() && second.poll().is_none() && third.poll().is_none());
    drop(first);
    assert!(second.poll().is_none(), "the second caller fetches now");
    assert_eq!(issuer.begun(), 2);
    issuer.answer(1);
    assert_eq!(second.poll(), ok("token-2"));
    assert_eq!(third.poll(), ok("token-2"));
    assert_eq!(issuer.begun(), 2);
}

#[test]
fn a_late_refusal_does_not_evict_a_newer_token() {
    let issuer = Scripted::prompt(&[Ok(Some(3600)), Ok(Some(3600)), Ok(Some(3600))]);
    let (source, clock) = source(&issuer);
    let old = Token::parse(&ask(&source).unwrap()).unwrap();
    clock.advance(secs(3600));
    assert_eq!(ask(&source), Ok("token-2".into()));
    assert!(source.reject(&old));
    assert_eq!(ask(&source), Ok("token-2".into()), "the newer token stays");
    assert!(source.reject(&Token::parse("token-2").unwrap().expiring_at(start() + secs(7200))));
    assert_eq!(ask(&source), Ok("token-3".into()));
    assert_eq!(source.statistics().rejected, 1);
}

/// When a token is renewed early and when it is dead, in seconds after it came.
#[test]
fn lives() {
    // {"iat":1999990000,"exp":1999993600}: an hour, by an issuer whose clock is far behind ours.
    let dated = "e30.eyJpYXQiOjE5OTk5OTAwMDAsImV4cCI6MTk5OTk5MzYwMH0.c2ln";
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
        ("opaque", Some(0), 120, Some(0.0), Some(0.0)),
        (dated, None, 120, Some(3480.0), Some(3600.0)),
        (dated, Some(60), 120, Some(45.0), Some(60.0)),
        (undated, None, 10, Some(290.0), Some(300.0)),
    ] {
        let mut issued = Issued::new(Token::parse(token).unwrap());
        issued.expires_in = expires_in.map(secs);
        let asked = Moment { wall: start(), monotonic: secs(7) };
        let held = issued.into_entry(asked, secs(window));
        let at = |seconds: f64| held.freshness(asked.after(Duration::from_secs_f64(seconds)));
        let case = format!("{token} {expires_in:?} {window}");
        match (ageing, dead) {
            (Some(ageing), Some(dead)) => {
                assert!(ageing == 0.0 || at(ageing - 0.001) == Freshness::Fresh, "{case}");
                assert_eq!(at(ageing), if ageing < dead { Freshness::Aging } else { Freshness::Dead }, "{case}");
                assert!(dead == ageing || at(dead - 0.001) == Freshness::Aging, "{case}");
                assert_eq!(at(dead), Freshness::Dead, "{case}");
            }
            _ => assert_eq!(at(1e9), Freshness::Fresh, "{case}"),
        }
        let death = dead.map(|dead| start() + Duration::from_secs_f64(dead));
        assert_eq!(held.value.expires_at(), death, "{case}: the last check before sending knows it too");
    }
}

#[test]
fn clocks_that_jump_and_machines_that_sleep() {
    let answers = [Ok(Some(3600)), Ok(Some(3600)), Ok(Some(3600))];
    let issuer = Scripted::prompt(&answers);
    let (source, clock) = source(&issuer);
    assert_eq!(ask(&source), Ok("token-1".into()));
    // Set back by a day: the token does not live a day longer for it.
    clock.set(start() - secs(86_400));
    assert_eq!(ask(&source), Ok("token-1".into()));
    clock.advance(secs(3600));
    assert_eq!(ask(&source), Ok("token-2".into()));
    // Asleep for two hours, in which the monotonic clock stood still.
    clock.set(clock.now() + secs(7200));
    assert_eq!(ask(&source), Ok("token-3".into()));
}

#[test]
fn a_token_that_is_born_dead_is_an_error_and_no_loop() {
    let issuer = Scripted::prompt(&[Ok(Some(0)), Ok(Some(0))]);
    let (source, clock) = source(&issuer);
    for _ in 0..100 {
        assert_eq!(ask(&source), Err("the issuer gave a token that has expired".into()));
    }
    assert_eq!(issuer.begun(), 1);
    clock.advance(secs(1));
    assert!(ask(&source).is_err());
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
    let clock = ManualClock::new(start());
    let source = CachedToken::new(SameAgain(AtomicU64::new(0))).clock(clock.clone());
    for _ in 0..9_999 {
        let mut call = pin!(source.token());
        assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
        clock.advance(Duration::from_millis(10));
    }
    let fetches = source.issuer.0.load(Ordering::Relaxed);
    assert!(fetches < 20, "{fetches} fetches in 100 seconds");
}

#[test]
fn debug_is_blind() {
    let issuer = Scripted::prompt(&[Ok(Some(3600))]);
    let (source, _) = source(&issuer);
    ask(&source).unwrap();
    assert!(!format!("{source:?} {:?}", source.statistics()).contains("token-1"));
}

/// On a runtime a login is a task of its own.
#[tokio::test(start_paused = true)]
async fn a_login_that_takes_longer_than_every_caller_waits_serves_the_next_one() {
    let issuer = Scripted::slow(&[Ok(Some(3600))]);
    let (source, _) = source(&issuer);
    for _ in 0..9 {
        assert!(timeout(secs(1), source.token()).await.is_err());
    }
    issuer.answer(1);
    assert_eq!(told(source.token().await), Ok("token-1".into()));
    assert_eq!((issuer.begun(), source.statistics().fetches), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_on_a_runtime_share_one_failure() {
    let issuer = Scripted::slow(&[Err(ErrorKind::Unavailable)]);
    let (source, clock) = source(&issuer);
    let callers = (0..1000).map(|_| Arc::clone(&source));
    let callers: Vec<_> = callers.map(|source| tokio::spawn(async move { source.token().await })).collect();
    tokio::task::yield_now().await;
    issuer.answer(1);
    for caller in callers {
        assert_eq!(told(caller.await.unwrap()), Err("failure 1".into()));
    }
    clock.advance(Duration::from_millis(499));
    assert_eq!(ask(&source), Err("failure 1".into()));
    assert_eq!((issuer.begun(), source.statistics().failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn on_a_runtime_nobody_waits_for_a_renewal() {
    let issuer = Scripted::slow(&[Ok(Some(3600)), Ok(Some(3600))]);
    issuer.answer(1);
    let (source, clock) = source(&issuer);
    assert_eq!(ask(&source), Ok("token-1".into()));
    clock.advance(secs(3480));
    for _ in 0..10 {
        assert_eq!(ask(&source), Ok("token-1".into()));
    }
    issuer.answer(1);
    tokio::task::yield_now().await;
    assert_eq!(ask(&source), Ok("token-2".into()));
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
    let source = CachedToken::new(Silent(Some(5)));
    let error = source.token().await.unwrap_err();
    let message = "the fetch of a token took longer than 5 s and was given up";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Unavailable, message));
    assert!(timeout(secs(1_000_000), CachedToken::new(Silent(None)).token()).await.is_err());
}
