//! The primitives that the refresh and the token store are made of: a lock, a slot that is read without one, a channel, tasks,
//! pauses and time limits. Decides nothing. They are named in one place, so that a test can have `shuttle` choose between them.

#[cfg(test)]
mod explored;

use std::{future::Future, time::Duration};

use tokio::runtime::Handle;

use crate::BoxFuture;

pub(crate) use std::sync::PoisonError;

pub(crate) use tokio::sync::watch;

#[cfg(test)]
pub(crate) use self::explored::{ArcSwapOption, Mutex, MutexGuard, sleep, spawn, step, timeout};
#[cfg(not(test))]
pub(crate) use self::tokios::{sleep, spawn, timeout};
#[cfg(not(test))]
pub(crate) use {
    arc_swap::ArcSwapOption,
    std::sync::{Mutex, MutexGuard},
};

/// The tasks and the timer of tokio.
mod tokios {
    use super::{BoxFuture, Duration, Future, Handle};

    /// Spawns a task. Returns it if there is no tokio runtime to run it.
    pub(crate) fn spawn(task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(task);
                Ok(())
            }
            Err(_) => Err(task),
        }
    }

    /// Returns the future's output, or nothing if it takes longer than this. Without a tokio runtime there is no limit.
    pub(crate) async fn timeout<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
        match limit {
            Some(limit) if Handle::try_current().is_ok() => tokio::time::timeout(limit, future).await.ok(),
            _ => Some(future.await),
        }
    }

    /// Waits for so long.
    pub(crate) async fn sleep(pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}
