//! The same primitives under test. While `shuttle` explores, each use of them is a place where another thread may go on; otherwise
//! they are the ones in use. Channels are tokio's own: each of their steps is taken as a whole.

use std::{
    future::{Future, poll_fn},
    ops::{Deref, DerefMut},
    pin::pin,
    sync::{Arc, LockResult, PoisonError},
    task::Poll,
    time::Duration,
};

use shuttle::{
    current::try_get_current_task,
    future::yield_now,
    rand::{Rng as _, thread_rng},
};

use super::tokios;
use crate::BoxFuture;

/// A lock of `shuttle`'s if it was made while it explores, else one of the standard library's.
#[derive(Debug)]
pub(crate) enum Mutex<T> {
    Plain(std::sync::Mutex<T>),
    Explored(shuttle::sync::Mutex<T>),
}

pub(crate) enum MutexGuard<'a, T> {
    Plain(std::sync::MutexGuard<'a, T>),
    Explored(shuttle::sync::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        if explores() {
            Self::Explored(shuttle::sync::Mutex::new(value))
        } else {
            Self::Plain(std::sync::Mutex::new(value))
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        fn of<G, M>(outcome: LockResult<G>, guard: impl Fn(G) -> M) -> LockResult<M> {
            outcome.map(&guard).map_err(|poisoned| PoisonError::new(guard(poisoned.into_inner())))
        }
        match self {
            Self::Plain(mutex) => of(mutex.lock(), MutexGuard::Plain),
            Self::Explored(mutex) => of(mutex.lock(), MutexGuard::Explored),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Plain(guard) => guard,
            Self::Explored(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Plain(guard) => guard,
            Self::Explored(guard) => guard,
        }
    }
}

pub(crate) struct ArcSwapOption<T>(arc_swap::ArcSwapOption<T>);

impl<T> ArcSwapOption<T> {
    pub(crate) fn empty() -> Self {
        Self(arc_swap::ArcSwapOption::empty())
    }

    pub(crate) fn load(&self) -> arc_swap::Guard<Option<Arc<T>>> {
        step();
        self.0.load()
    }

    pub(crate) fn load_full(&self) -> Option<Arc<T>> {
        step();
        self.0.load_full()
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        step();
        self.0.store(value);
    }
}

/// Whatever a runtime may do: run the task, drop it at once, end in the middle of it, or not be there.
pub(crate) fn spawn(task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
    if !explores() {
        return tokios::spawn(task);
    }
    match thread_rng().gen_range(0..8) {
        0 => return Err(task),
        1 => drop(task),
        2 => {
            let handle = shuttle::future::spawn(task);
            shuttle::future::spawn(async move { handle.abort() });
        }
        _ => drop(shuttle::future::spawn(task)),
    }
    Ok(())
}

/// While `shuttle` explores, a limit may be reached whenever the future waits.
pub(crate) async fn timeout<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    if !explores() {
        return tokios::timeout(limit, future).await;
    }
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if limit.is_some() && thread_rng().gen_ratio(1, 16) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// While `shuttle` explores, a pause may end at any time.
pub(crate) async fn sleep(pause: Duration) {
    if !explores() {
        return tokios::sleep(pause).await;
    }
    for _ in 0..thread_rng().gen_range(0..4) {
        yield_now().await;
    }
}

/// Lets `shuttle` run another thread here, if it explores.
pub(crate) fn step() {
    if explores() {
        shuttle::thread::sleep(Duration::ZERO);
    }
}

fn explores() -> bool {
    try_get_current_task().is_some()
}
