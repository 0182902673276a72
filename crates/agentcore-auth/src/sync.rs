//! The primitives that the refresh is made of: a lock, a slot that is read without one, a channel, tasks with a time limit.
//! Decides nothing. They are named in one place, so that a test can replace them by `shuttle`'s.

use std::{future::Future, time::Duration};

use tokio::runtime::Handle;

use crate::BoxFuture;

pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use arc_swap::ArcSwapOption;
pub(crate) use tokio::sync::watch;

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
