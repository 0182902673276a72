//! The state machine of the refresh: which caller fetches, waits, or gets the value there is. Uses the primitives of
//! [`sync`] alone, so that a test can explore its interleavings.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{Entry, Freshness, Policy};
use crate::{
    BoxFuture, Clock, Error, ErrorKind, SystemClock,
    clock::Moment,
    sync::{self, ArcSwapOption, Mutex, MutexGuard, PoisonError, watch},
};

/// Keeps one value fresh for all callers, as [`CachedToken`](crate::CachedToken) describes.
///
/// A fetch is polled once before it becomes a task, so that what is ready at once costs no task.
pub(crate) struct Refresh<T> {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Policy,
    shared: Arc<Shared<T>>,
}

/// What callers and fetches share.
struct Shared<T> {
    /// Read without a lock; written while `state` is locked, so that no caller evicts a value it has not seen.
    slot: ArcSwapOption<Entry<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Receives the outcome of the fetch that is under way.
    fetching: Option<Receiver<T>>,
    failures_in_a_row: u32,
    /// The last failure, and until when it prevents another fetch.
    failure: Option<(Error, Moment)>,
    /// Whether the next value takes the place of one that was refused, and whether the current one does.
    replacing: bool,
    replaced: bool,
    /// Replacements that were refused soon, in a row.
    refusals_in_a_row: u32,
    counts: Counts,
}

/// A fetch that was not polled yet.
pub(crate) type Fetching<T> = BoxFuture<'static, Result<Entry<T>, Error>>;
type Outcome<T> = Result<Arc<Entry<T>>, Error>;
/// It is closed without an outcome if the fetch is dropped.
type Receiver<T> = watch::Receiver<Option<Outcome<T>>>;

/// Counts of what was done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) fetches: u64,
    pub(crate) refreshes: u64,
    pub(crate) failures: u64,
    pub(crate) stale: u64,
    pub(crate) rejected: u64,
}

/// The next step of a caller.
enum Step<T> {
    Serve(Arc<Entry<T>>),
    Fail(Error),
    Wait(Receiver<T>),
    /// To fetch; with the value there is, if that is still good.
    Begin(Receiver<T>, Fetch<T>, Option<Arc<Entry<T>>>),
}

impl<T: Send + Sync + 'static> Refresh<T> {
    pub(crate) fn new(policy: Policy) -> Self {
        let state = State {
            fetching: None,
            failures_in_a_row: 0,
            failure: None,
            replacing: false,
            replaced: false,
            refusals_in_a_row: 0,
            counts: Counts::default(),
        };
        let shared = Arc::new(Shared { slot: ArcSwapOption::empty(), state: Mutex::new(state) });
        Self { clock: Arc::new(SystemClock::default()), policy, shared }
    }

    /// Reads the value if it is fresh.
    pub(crate) fn fresh<R>(&self, read: impl FnOnce(&T) -> R) -> Option<R> {
        let entry = self.shared.slot.load();
        let fresh = entry.as_ref().filter(|entry| entry.freshness(self.clock.moment()) == Freshness::Fresh);
        fresh.map(|entry| read(&entry.value))
    }

    /// Returns the last value, even if it is dead.
    pub(crate) fn last(&self) -> Option<Arc<Entry<T>>> {
        self.shared.slot.load_full()
    }

    /// Waits until no fetch is under way.
    pub(crate) async fn settled(&self) {
        let fetching = self.shared.lock().fetching.clone();
        if let Some(mut receiver) = fetching {
            // It is closed if the fetch was dropped.
            let _ = receiver.wait_for(Option::is_some).await;
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// Returns a value that is not dead, fetched if need be.
    pub(crate) async fn get(&self, fetch: impl Fn(Moment) -> Fetching<T>) -> Outcome<T> {
        self.other_than(None, fetch).await
    }

    /// Returns a value that is not dead and not this one, fetched if need be.
    pub(crate) async fn other_than(
        &self,
        unfit: Option<&Arc<Entry<T>>>,
        fetch: impl Fn(Moment) -> Fetching<T>,
    ) -> Outcome<T> {
        let mut may_spawn = true;
        loop {
            let (mut receiver, own, current) = match self.step(unfit) {
                Step::Serve(entry) => return Ok(entry),
                Step::Fail(error) => return Err(error),
                Step::Wait(receiver) => (receiver, false, None),
                Step::Begin(receiver, guard, current) => {
                    let mut task = guard.run(fetch(self.clock.moment()));
                    if poll_fn(|context| Poll::Ready(task.as_mut().poll(context))).await.is_pending() {
                        let spawned = if may_spawn { sync::spawn(task) } else { Err(task) };
                        match (spawned, &current) {
                            (Ok(()), Some(entry)) => return Ok(Arc::clone(entry)),
                            (Ok(()), None) => {}
                            (Err(task), _) => task.await,
                        }
                    }
                    (receiver, true, current)
                }
            };
            let outcome = receiver.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
            match outcome {
                // What was rejected in the meantime is not served.
                Some(Ok(entry)) if self.holds(&entry) && (own || !self.is_dead(&entry)) => return Ok(entry),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return current.filter(|entry| self.holds(entry) && !self.is_dead(entry)).ok_or(error);
                }
                // The fetch was dropped. A runtime that drops one at once may drop the next.
                None => may_spawn &= !own,
            }
        }
    }

    /// Forgets a value that was refused, if this is the one, and returns whether the next caller gets another. A newer one stays.
    ///
    /// Where the value took the place of a refused one and was refused soon after it came, others would be too: nothing is fetched
    /// for a minute, twice as long after each in a row, and callers get `refused`.
    pub(crate) fn evict(&self, is_it: impl FnOnce(&T) -> bool, refused: impl FnOnce() -> Error) -> bool {
        let now = self.clock.moment();
        let mut state = self.shared.lock();
        let Some(entry) = self.shared.slot.load_full().filter(|entry| is_it(&entry.value)) else {
            let resting = state.failure.as_ref().is_some_and(|(_, until)| !until.is_past(now));
            return self.shared.slot.load().is_some() || !resting;
        };
        self.shared.slot.store(None);
        state.counts.rejected += 1;
        // What has aged was good: it is refused because it dies on the way.
        let soon = entry.lived(now) < SOON && entry.freshness(now) == Freshness::Fresh;
        let storm = state.replaced && soon;
        state.refusals_in_a_row = if storm { state.refusals_in_a_row.saturating_add(1) } else { 0 };
        (state.replacing, state.replaced) = (true, false);
        if storm {
            let pause = SOON.saturating_mul(1 << (state.refusals_in_a_row - 1).min(16)).min(LONGEST_REST);
            state.failure = Some((refused(), now.after(pause)));
        }
        !storm
    }

    fn step(&self, unfit: Option<&Arc<Entry<T>>>) -> Step<T> {
        let now = self.clock.moment();
        let usable = || {
            let entry = self.last().filter(|entry| unfit.is_none_or(|unfit| !Arc::ptr_eq(unfit, entry)))?;
            Some((entry.freshness(now), entry)).filter(|(freshness, _)| *freshness != Freshness::Dead)
        };
        if let Some((Freshness::Fresh, entry)) = usable() {
            return Step::Serve(entry);
        }
        let mut state = self.shared.lock();
        let resting = state.failure.as_ref().filter(|(_, until)| !until.is_past(now));
        let current = match (usable(), &state.fetching, resting) {
            (Some((Freshness::Aging, entry)), None, None) => Some(entry),
            (Some((freshness, entry)), ..) => {
                state.counts.stale += u64::from(freshness == Freshness::Aging);
                return Step::Serve(entry);
            }
            (None, Some(receiver), _) => return Step::Wait(receiver.clone()),
            (None, None, Some((error, _))) => return Step::Fail(error.clone()),
            (None, None, None) => None,
        };
        let (sender, receiver) = watch::channel(None);
        state.fetching = Some(receiver.clone());
        state.counts.fetches += 1;
        state.counts.refreshes += u64::from(current.is_some());
        Step::Begin(receiver, Fetch { refresh: self.clone(), early: current.is_some(), sender: Some(sender) }, current)
    }

    fn holds(&self, entry: &Arc<Entry<T>>) -> bool {
        self.shared.slot.load().as_ref().is_some_and(|held| Arc::ptr_eq(held, entry))
    }

    fn is_dead(&self, entry: &Entry<T>) -> bool {
        entry.freshness(self.clock.moment()) == Freshness::Dead
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Refresh<T> {
    fn clone(&self) -> Self {
        Self { clock: Arc::clone(&self.clock), policy: self.policy, shared: Arc::clone(&self.shared) }
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> fmt::Debug for Refresh<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("last", &self.last()).finish_non_exhaustive()
    }
}

/// A value that is refused sooner than this after it came, and has not aged, was never good; and how long no other is fetched then.
const SOON: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// The fetch that is under way. There is no other until it is complete or dropped.
struct Fetch<T> {
    refresh: Refresh<T>,
    /// Whether there is a value that is still good.
    early: bool,
    /// None once it is complete.
    sender: Option<watch::Sender<Option<Outcome<T>>>>,
}

impl<T: Send + Sync + 'static> Fetch<T> {
    /// Fetches within the deadline. A panic is a failure, so that callers do not wait for ever.
    fn run(self, fetching: Fetching<T>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Policy { what, deadline, .. } = self.refresh.policy;
            let mut bounded = Box::pin(sync::timeout(deadline, fetching));
            let caught = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| bounded.as_mut().poll(context))) {
                Ok(poll) => poll.map(Ok),
                Err(_) => Poll::Ready(Err(())),
            });
            self.complete(match caught.await {
                Ok(Some(outcome)) => outcome,
                Ok(None) => {
                    let limit = deadline.unwrap_or_default().as_secs();
                    let message = format!("the fetch of {what} took longer than {limit} s and was given up");
                    Err(Error::new(ErrorKind::Timeout, message))
                }
                Err(()) => Err(Error::new(ErrorKind::Unavailable, format!("the fetch of {what} panicked"))),
            });
        })
    }

    fn complete(mut self, outcome: Result<Entry<T>, Error>) {
        let Some(sender) = self.sender.take() else { return };
        let Refresh { clock, policy, shared } = &self.refresh;
        let outcome = outcome.map(Arc::new);
        if let (true, Err(error)) = (self.early, &outcome) {
            let what = policy.what;
            tracing::warn!(kind = ?error.kind(), %error, "{what} could not be renewed early; the last value is used");
        }
        let mut state = shared.lock();
        state.fetching = None;
        match &outcome {
            Ok(entry) => {
                (state.failures_in_a_row, state.failure) = (0, None);
                state.replaced = std::mem::take(&mut state.replacing);
                shared.slot.store(Some(Arc::clone(entry)));
            }
            Err(error) => {
                let pause = policy.pause(state.failures_in_a_row);
                state.failures_in_a_row += 1;
                state.failure = Some((error.clone(), clock.moment().after(pause)));
                state.counts.failures += 1;
                // The caller that caused the fetch gets the value there is.
                let stale = self.early && shared.slot.load().as_ref().is_some_and(|entry| !self.refresh.is_dead(entry));
                state.counts.stale += u64::from(stale);
            }
        }
        drop(state);
        sender.send_replace(Some(outcome));
    }
}

/// A fetch that is dropped has no outcome: a caller that waits begins another, or the next caller does.
impl<T> Drop for Fetch<T> {
    fn drop(&mut self) {
        if self.sender.is_some() {
            self.refresh.shared.lock().fetching = None;
        }
    }
}
