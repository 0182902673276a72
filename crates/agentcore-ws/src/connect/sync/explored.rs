//! The same primitives under test. While `shuttle` explores, each use of a channel is a place where another thread may go on, and a
//! timer may be due at any time; otherwise they are the ones in use.

use std::{
    cell::Cell,
    future::{Future, pending, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use shuttle::{
    current::try_get_current_task,
    future::yield_now,
    rand::{Rng as _, thread_rng},
};
use tokio::time::Instant;

use super::tokios;

pub(crate) mod mpsc {
    use std::task::{Context, Poll};

    use tokio::sync::mpsc::{self, Permit, error::SendError, error::TrySendError};

    use super::step;

    #[derive(Debug)]
    pub(crate) struct Sender<T>(mpsc::Sender<T>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(mpsc::Receiver<T>);

    pub(crate) fn channel<T>(size: usize) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = mpsc::channel(size);
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T> Sender<T> {
        pub(crate) async fn send(&self, value: T) -> Result<(), SendError<T>> {
            step();
            self.0.send(value).await
        }

        pub(crate) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
            step();
            self.0.try_send(value)
        }

        pub(crate) async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
            step();
            self.0.reserve().await
        }

        pub(crate) async fn closed(&self) {
            step();
            self.0.closed().await;
        }
    }

    impl<T> Receiver<T> {
        pub(crate) async fn recv(&mut self) -> Option<T> {
            step();
            self.0.recv().await
        }

        pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
            step();
            self.0.poll_recv(cx)
        }

        pub(crate) fn close(&mut self) {
            step();
            self.0.close();
        }

        pub(crate) fn is_closed(&self) -> bool {
            step();
            self.0.is_closed()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }
    }
}

pub(crate) mod oneshot {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::sync::oneshot::{
        self,
        error::{RecvError, TryRecvError},
    };

    use super::step;

    #[derive(Debug)]
    pub(crate) struct Sender<T>(oneshot::Sender<T>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(oneshot::Receiver<T>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            step();
            self.0.send(value)
        }

        pub(crate) fn is_closed(&self) -> bool {
            step();
            self.0.is_closed()
        }

        pub(crate) async fn closed(&mut self) {
            step();
            self.0.closed().await;
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn try_recv(&mut self) -> Result<T, TryRecvError> {
            step();
            self.0.try_recv()
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, RecvError>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            step();
            Pin::new(&mut self.0).poll(cx)
        }
    }
}

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if explores() {
        drop(shuttle::future::spawn(task));
    } else {
        tokios::spawn(task);
    }
}

/// While `shuttle` explores, a clock that goes on a little with each look, and with each timer to the time at which it was due.
pub(crate) fn now() -> Instant {
    if !explores() {
        return tokios::now();
    }
    set_clock(CLOCK.get() + Duration::from_nanos(1));
    CLOCK.get()
}

/// While `shuttle` explores, a timer is due after any number of steps, but for one that is set to never.
pub(crate) async fn sleep_until(at: Instant) {
    if !explores() {
        return tokios::sleep_until(at).await;
    }
    if at.saturating_duration_since(CLOCK.get()) > NEVER {
        return pending().await;
    }
    for _ in 0..thread_rng().gen_range(0..LONGEST_WAIT) {
        yield_now().await;
    }
    set_clock(at);
}

/// While `shuttle` explores, the limit is a timer as another.
pub(crate) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    if !explores() {
        return tokios::timeout(limit, future).await;
    }
    let due = async {
        match now().checked_add(limit) {
            Some(at) => sleep_until(at).await,
            None => pending().await,
        }
    };
    let (mut future, mut due) = (pin!(future), pin!(due));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => due.as_mut().poll(context).map(|()| None),
    })
    .await
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

fn set_clock(at: Instant) {
    CLOCK.set(CLOCK.get().max(at));
}

thread_local! {
    static CLOCK: Cell<Instant> = Cell::new(Instant::now());
}

/// A timer beyond that is none.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
const LONGEST_WAIT: u32 = 24;
