//! The primitives that a socket is made of: channels, tasks, a timer. Decides nothing. They are named in one place, so that a test
//! can have `shuttle` choose between them.

#[cfg(test)]
mod explored;

use std::{future::Future, time::Duration};

use tokio::time::Instant;

#[cfg(test)]
pub(super) use self::explored::{mpsc, now, oneshot, sleep_until, spawn, step, timeout};
#[cfg(not(test))]
pub(super) use {
    self::tokios::{now, sleep_until, spawn, timeout},
    tokio::sync::{mpsc, oneshot},
};

/// The tasks and the timer of tokio.
mod tokios {
    use super::{Duration, Future, Instant};

    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    pub(crate) async fn sleep_until(at: Instant) {
        tokio::time::sleep_until(at).await;
    }

    /// Returns the future's output, or nothing if it takes longer than this.
    pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(limit, future).await.ok()
    }
}
