//! Fetches as tasks on a tokio runtime: which callers wait, and what happens to a fetch for which no caller waits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    future::{pending, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use tokio::{
    runtime::{Builder, Runtime},
    time::{sleep, timeout},
};

use super::*;
use crate::{
    BoxFuture, Error, ErrorKind, ManualClock,
    testing::{at_once, clock, poll, secs},
};

type Behaviour = fn(u64) -> BoxFuture<'static, Result<(), Error>>;

/// Gives out 1, 2 and so on, each good for an hour.
struct Source {
    refresh: Refresh<u64>,
    clock: ManualClock,
    begun: AtomicU64,
    behaviour: Behaviour,
}

impl Source {
    fn new(behaviour: Behaviour) -> Arc<Self> {
        let mut refresh = Refresh::new(Policy {
            what: "a number",
            deadline: Some(DEFAULT_DEADLINE),
            first_pause: secs(1),
            longest_pause: secs(30),
            random: || 1.0,
        });
        let clock = clock();
        refresh.clock = Arc::new(clock.clone());
        Arc::new(Self { refresh, clock, begun: AtomicU64::new(0), behaviour })
    }

    async fn get(&self) -> Result<u64, String> {
        let fetch = |asked| -> BoxFuture<'static, _> {
            let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
            let outcome = (self.behaviour)(number);
            Box::pin(async move { outcome.await.map(|()| Entry::new(number, asked, Some(secs(3600)), secs(120))) })
        };
        self.refresh.get(fetch).await.map(|entry| entry.value).map_err(|error| error.to_string())
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

/// Ends after ten seconds, well.
fn slow(_: u64) -> BoxFuture<'static, Result<(), Error>> {
    after(10, Ok(()))
}

fn slow_failure(number: u64) -> BoxFuture<'static, Result<(), Error>> {
    after(10, Err(Error::new(ErrorKind::Unavailable, format!("failure {number}"))))
}

fn after(seconds: u64, outcome: Result<(), Error>) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        sleep(secs(seconds)).await;
        outcome
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_takes_longer_than_every_caller_waits_serves_the_next_one() {
    let source = Source::new(slow);
    for _ in 0..9 {
        assert!(timeout(secs(1), source.get()).await.is_err());
    }
    assert_eq!(source.get().await, Ok(1));
    assert_eq!(source.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_a_failure_that_is_remembered() {
    let source = Source::new(slow_failure);
    let callers: Vec<_> =
        (0..1000).map(|_| Arc::clone(&source)).map(|source| tokio::spawn(async move { source.get().await })).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Err("failure 1".into()));
    }
    assert_eq!(at_once(source.get()), Err("failure 1".into()), "callers do not wait for it");
    for (failures, pause) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)] {
        assert_eq!(source.begun(), failures);
        source.clock.advance(secs(pause) - Duration::from_millis(1));
        assert_eq!(source.get().await, Err(format!("failure {failures}")));
        source.clock.advance(Duration::from_millis(1));
        assert_eq!(source.get().await, Err(format!("failure {}", failures + 1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_fails_at_its_deadline() {
    let source = Source::new(|_| Box::pin(pending()));
    let message = "the fetch of a number took longer than 30 s and was given up";
    let begin = tokio::time::Instant::now();
    let (one, other) = tokio::join!(source.get(), source.get());
    assert_eq!((one, other), (Err(message.into()), Err(message.into())));
    assert_eq!(begin.elapsed(), secs(30));
    assert_eq!(at_once(source.get()), Err(message.into()), "it is remembered");
    assert_eq!(source.begun(), 1);
    source.clock.advance(secs(1));
    assert!(timeout(secs(29), source.get()).await.is_err());
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_without_a_deadline_takes_its_time() {
    let mut source = Source::new(|_| after(86_400, Ok(())));
    Arc::get_mut(&mut source).unwrap().refresh.policy.deadline = None;
    assert_eq!(source.get().await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_has_failed() {
    let immediately: Behaviour = |_| Box::pin(async { panic!("on purpose") });
    let later: Behaviour = |_| {
        Box::pin(async {
            sleep(secs(1)).await;
            panic!("on purpose")
        })
    };
    for behaviour in [immediately, later] {
        let source = Source::new(behaviour);
        let callers = tokio::join!(source.get(), source.get(), source.get());
        let failed = || Err("the fetch of a number panicked".to_owned());
        assert_eq!(callers, (failed(), failed(), failed()));
        assert_eq!(source.get().await, failed());
        assert_eq!(source.begun(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_aging_value_is_renewed_in_the_background() {
    let source = Source::new(slow);
    assert_eq!(source.get().await, Ok(1));
    source.clock.advance(secs(3480));
    for _ in 0..1000 {
        assert_eq!(at_once(source.get()), Ok(1));
    }
    assert_eq!(source.begun(), 2);
    sleep(secs(11)).await;
    assert_eq!(at_once(source.get()), Ok(2));
    let counts = source.refresh.counts();
    assert_eq!((counts.fetches, counts.refreshes, counts.failures, counts.stale), (2, 1, 0, 999));
}

/// What is ready at once needs no task: the caller that causes the fetch gets the new value.
#[tokio::test]
async fn an_aging_value_is_renewed_at_once_if_that_takes_no_time() {
    let source = Source::new(|_| Box::pin(ready(Ok(()))));
    assert_eq!(at_once(source.get()), Ok(1));
    source.clock.advance(secs(3480));
    assert_eq!(at_once(source.get()), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_hurts_nobody_before_the_value_is_dead() {
    let source = Source::new(|number| if number == 1 { slow(number) } else { slow_failure(number) });
    assert_eq!(source.get().await, Ok(1));
    source.clock.advance(secs(3480));
    assert_eq!(source.get().await, Ok(1));
    sleep(secs(11)).await;
    let counts = source.refresh.counts();
    assert_eq!((counts.fetches, counts.failures, counts.stale), (2, 1, 1), "the first got it after all");
    assert_eq!(source.get().await, Ok(1));
    assert_eq!(source.begun(), 2, "the source is left alone");
    // The failure of a renewal is no news to those who have no value when it comes.
    source.clock.advance(secs(1));
    assert_eq!(source.get().await, Ok(1));
    source.clock.advance(secs(119));
    assert_eq!(source.get().await, Err("failure 3".into()));
    assert_eq!(source.begun(), 3);
}

fn refused() -> Error {
    Error::new(ErrorKind::Authentication, "refused")
}

#[tokio::test(start_paused = true)]
async fn eviction_is_of_one_value_and_no_newer_one() {
    let source = Source::new(slow);
    assert_eq!(source.get().await, Ok(1));
    source.clock.advance(secs(3480));
    assert_eq!(source.get().await, Ok(1), "the second is on its way");
    source.refresh.evict(|value| *value == 1, refused);
    assert!(poll(source.get()).is_pending(), "the first is never served again");
    assert_eq!(source.get().await, Ok(2));
    source.refresh.evict(|value| *value == 1, refused);
    assert_eq!(at_once(source.get()), Ok(2));
    assert_eq!((source.begun(), source.refresh.counts().rejected), (2, 1));
}

/// A caller that wakes up late is not served what another had rejected in between.
#[tokio::test(start_paused = true)]
async fn what_was_rejected_before_a_waiting_caller_looked_is_fetched_again() {
    let source = Source::new(slow);
    let mut late = pin!(source.get());
    assert!(poll(late.as_mut()).is_pending());
    assert_eq!(source.get().await, Ok(1));
    source.refresh.evict(|value| *value == 1, refused);
    assert_eq!(late.await, Ok(2));
}

#[test]
fn a_runtime_that_shuts_down_takes_its_fetch_with_it() {
    let source = Source::new(slow);
    let (first, second) = (runtime(), runtime());
    first.block_on(async { assert!(timeout(secs(1), source.get()).await.is_err()) });
    second.block_on(async {
        let mut waiting = pin!(source.get());
        assert!(poll(waiting.as_mut()).is_pending());
        assert_eq!(source.begun(), 1, "it waits for the fetch on the other runtime");
        first.shutdown_background();
        assert_eq!(waiting.await, Ok(2));
    });
}

#[test]
fn whoever_comes_after_a_runtime_was_shut_down_begins_anew() {
    let source = Source::new(slow);
    runtime().block_on(async { assert!(timeout(secs(1), source.get()).await.is_err()) });
    assert_eq!(runtime().block_on(source.get()), Ok(2));
}

/// A task that is spawned on a runtime after its end is dropped at once, so the caller does the fetch itself. A deadline cannot
/// be kept there.
#[test]
fn a_runtime_that_was_shut_down_before_makes_nobody_wait_for_ever() {
    let ended = runtime();
    let handle = ended.handle().clone();
    drop(ended);
    let _entered = handle.enter();
    for (deadline, expected, begun) in
        [(None, Ok(2), 2), (Some(secs(30)), Err("the fetch of a number panicked".to_owned()), 1)]
    {
        let mut source = Source::new(|_| {
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(())
            })
        });
        Arc::get_mut(&mut source).unwrap().refresh.policy.deadline = deadline;
        let mut caller = pin!(source.get());
        let outcome = (0..9).find_map(|_| match poll(caller.as_mut()) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        });
        assert_eq!((outcome, source.begun()), (Some(expected), begun));
    }
}
