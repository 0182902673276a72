//! The state machine of the refresh under `shuttle`, which tries out thousands of orders in which threads may run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};

use shuttle::{
    future::{block_on, yield_now},
    rand::{Rng as _, thread_rng},
    thread,
};

use super::{Entry, Policy, Refresh};
use crate::{Error, ErrorKind, ManualClock, clock::Moment};

/// A source of numbers that are never the same, and its counts.
struct World {
    refresh: Refresh<u64>,
    clock: ManualClock,
    begun: AtomicU64,
    /// Shared with the fetch that is under way.
    under_way: Arc<()>,
    done: Arc<AtomicU64>,
    rejected: Mutex<HashSet<u64>>,
    /// One in so many fetches fails; none if it is zero.
    failing: u32,
}

impl World {
    fn new(failing: u32) -> Arc<Self> {
        let (what, pause) = ("a number", Duration::from_secs(1));
        let policy = Policy { what, deadline: None, first_pause: pause, longest_pause: pause, random: || 1.0 };
        let mut refresh = Refresh::new(policy);
        let clock = ManualClock::new(UNIX_EPOCH);
        refresh.clock = Arc::new(clock.clone());
        let (begun, under_way, done) = (AtomicU64::new(0), Arc::default(), Arc::default());
        Arc::new(Self { refresh, clock, begun, under_way, done, rejected: Mutex::default(), failing })
    }

    async fn get(&self) -> Option<u64> {
        let rejected = self.rejected.lock().unwrap().clone();
        let found = self.refresh.get(|asked| Box::pin(self.fetch(asked))).await.ok().map(|entry| entry.value);
        assert!(
            !found.is_some_and(|value| rejected.contains(&value)),
            "{found:?} was rejected before it was asked for"
        );
        found
    }

    fn fetch(&self, asked: Moment) -> impl Future<Output = Result<Entry<u64>, Error>> + Send + 'static {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = self.failing > 0 && thread_rng().gen_ratio(1, self.failing);
        assert_eq!(self.under_way(), 0, "another fetch is under way");
        let (under_way, done) = (Arc::clone(&self.under_way), Arc::clone(&self.done));
        async move {
            for _ in 0..thread_rng().gen_range(0..3) {
                yield_now().await;
            }
            done.fetch_add(1, Ordering::Relaxed);
            drop(under_way);
            match fails {
                true => Err(Error::new(ErrorKind::Unavailable, "on purpose")),
                false => Ok(Entry::new(number, asked, Some(HOUR), MINUTE)),
            }
        }
    }

    fn reject(&self, value: u64) {
        self.refresh.evict(|held| *held == value, || Error::new(ErrorKind::Authentication, "refused"));
        self.rejected.lock().unwrap().insert(value);
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    fn under_way(&self) -> u64 {
        Arc::strong_count(&self.under_way) as u64 - 1
    }

    /// Returns the number of fetches that were dropped before they were done.
    fn dropped(&self) -> u64 {
        self.begun() - self.under_way() - self.done.load(Ordering::Relaxed)
    }

    fn spawn<F: Future<Output = ()> + 'static>(
        self: &Arc<Self>,
        caller: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let world = Arc::clone(self);
        thread::spawn(move || block_on(caller(world)))
    }
}

/// Asks, and gives up after so many looks.
async fn give_up(world: &World, looks: u32) {
    let mut asking = Box::pin(world.get());
    for _ in 0..looks {
        let poll = poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await;
        if poll.is_ready() {
            return;
        }
        yield_now().await;
    }
}

fn explore(scenario: fn()) {
    shuttle::check_random(scenario, ITERATIONS);
    shuttle::check_pct(scenario, ITERATIONS, 3);
}

/// Two callers that wait to the end, one that gives up, and one whose token is refused.
fn everybody(world: &Arc<World>) {
    let before = world.begun();
    let callers = [
        world.spawn(async |world| give_up(&world, u32::MAX).await),
        world.spawn(async |world| give_up(&world, u32::MAX).await),
        world.spawn(async |world| give_up(&world, thread_rng().gen_range(0..3)).await),
        world.spawn(async |world| {
            if let Some(value) = world.get().await {
                world.reject(value);
                assert_ne!(world.get().await, Some(value));
            }
        }),
    ];
    for caller in callers {
        caller.join().unwrap();
    }
    // Each fetch had its reason: no value, a value that was rejected, or a fetch that came to nothing.
    let rejected = world.rejected.lock().unwrap().len() as u64;
    let reasons = before + 1 + rejected + world.dropped();
    assert!(world.begun() <= reasons, "{} fetches for {reasons} reasons", world.begun());
}

#[test]
fn nobody_waits_for_ever_and_one_fetches_at_a_time() {
    explore(|| everybody(&World::new(2)));
}

#[test]
fn a_failure_is_remembered_whatever_the_order() {
    explore(|| {
        let world = World::new(1);
        let caller = async |world: Arc<World>| {
            assert_eq!(world.get().await, None);
            let begun = world.begun();
            assert_eq!(world.get().await, None);
            assert_eq!(world.begun(), begun, "the source is left alone");
        };
        for caller in [world.spawn(caller), world.spawn(caller), world.spawn(caller)] {
            caller.join().unwrap();
        }
    });
}

#[test]
fn where_everything_is_refused_two_are_fetched_whatever_the_order() {
    explore(|| {
        let world = World::new(0);
        let caller = async |world: Arc<World>| {
            for _ in 0..3 {
                if let Some(value) = world.get().await {
                    world.reject(value);
                }
            }
        };
        for caller in [world.spawn(caller), world.spawn(caller), world.spawn(caller)] {
            caller.join().unwrap();
        }
        assert_eq!(world.begun() - world.dropped(), 2);
    });
}

#[test]
fn an_aging_value_is_renewed_once_whatever_the_order() {
    explore(|| {
        let world = World::new(2);
        while block_on(world.get()).is_none() {
            world.clock.advance(MINUTE);
        }
        world.clock.advance(HOUR - MINUTE);
        everybody(&world);
    });
}

const ITERATIONS: usize = 1000;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
