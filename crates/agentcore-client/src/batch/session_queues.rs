//! The calls of one session, one after the other, in the order in which they were asked for. Sends nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as StateMutex, MutexGuard, PoisonError},
};

use agentcore_core::SessionId;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The sessions in which calls are under way or wait.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionQueues(Arc<StateMutex<Queues>>);

type Queues = HashMap<SessionId, Arc<Mutex<()>>>;

/// The only call of a session, until this is dropped.
#[derive(Debug)]
pub(super) struct SessionTurn {
    queues: SessionQueues,
    session: SessionId,
    held: Option<OwnedMutexGuard<()>>,
}

impl SessionQueues {
    /// Waits until no earlier call of the session is under way.
    ///
    /// # Cancel safety
    /// Dropping the future lets the next call of the session go.
    pub(super) async fn turn(&self, session: &SessionId) -> SessionTurn {
        // Made before the wait, so that a session whose calls all give up is removed as well.
        let mut turn = SessionTurn { queues: self.clone(), session: session.clone(), held: None };
        let queue = self.lock().entry(session.clone()).or_default().clone();
        turn.held = Some(match queue.clone().try_lock_owned() {
            Ok(held) => held,
            Err(_) => queue.lock_owned().await,
        });
        turn
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionTurn {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut queues = self.queues.lock();
        // Whoever waits holds the queue too.
        if queues.get(&self.session).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other_and_no_trace_of_them() {
        let (queues, a, b) = (SessionQueues::default(), SessionId::random(), SessionId::random());
        let first = queues.turn(&a).await;
        let other = queues.turn(&b).now_or_never().unwrap();
        let (mut second, mut third) = (Box::pin(queues.turn(&a)), Box::pin(queues.turn(&a)));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "it is the turn of the second");
        drop(second.as_mut().now_or_never().unwrap());
        drop(second);
        let mut given_up = Box::pin(queues.turn(&b));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop((given_up, other));
        drop(third.await);
        assert!(queues.lock().is_empty());
    }
}
