//! Time as a value that is passed in, so that expiry and signatures can be tested without waiting.

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// A source of time: two clocks, which fail differently.
///
/// The wall clock can be set, forwards and backwards; the monotonic one cannot, but may stand still while a machine sleeps.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the time of day.
    fn now(&self) -> SystemTime;

    /// Returns the time since some fixed moment, which never goes backwards.
    fn monotonic(&self) -> Duration;
}

/// A shared clock is a clock.
impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) wall: SystemTime,
    pub(crate) monotonic: Duration,
}

impl dyn Clock {
    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.now(), monotonic: self.monotonic() }
    }
}

impl Moment {
    /// This moment, so much later.
    pub(crate) fn after(self, pause: Duration) -> Self {
        let wall = self.wall.checked_add(pause).unwrap_or(self.wall);
        Self { wall, monotonic: self.monotonic.saturating_add(pause) }
    }

    /// Whether either clock has come to this moment.
    pub(crate) fn is_past(self, now: Self) -> bool {
        now.wall >= self.wall || now.monotonic >= self.monotonic
    }
}

/// A credential that expired is sent for so long, because clocks differ a little and the service's decides.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock that stands still until it is moved, for tests. Clones share their time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Moment>>);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Moment { wall: now, monotonic: Duration::ZERO })))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut moment = self.moment();
        *moment = moment.after(by);
    }

    /// Sets the wall clock, backwards too; no time passes.
    pub fn set(&self, to: SystemTime) {
        self.moment().wall = to;
    }

    fn moment(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.moment().wall
    }

    fn monotonic(&self) -> Duration {
        self.moment().monotonic
    }
}
