//! Which calls of a client are under way, and in which sessions one was lost. Ends no call.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use agentcore_core::SessionId;
use tokio::sync::Notify;

use crate::{Error, ErrorKind};

/// What a client knows of its calls.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    state: Mutex<State>,
    /// Told when the last call ends.
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// How many calls are under way.
    under_way: usize,
    /// The sessions in which an agent may still be working on a call that was lost, the newest last.
    lost: VecDeque<SessionId>,
}

impl State {
    fn check_open(&self) -> Result<(), Error> {
        match self.closed {
            false => Ok(()),
            true => Err(Error::new(ErrorKind::Input, "the client was shut down, and nothing was sent")),
        }
    }
}

impl Lifecycle {
    /// Begins a call.
    ///
    /// # Errors
    /// If the client was shut down.
    pub(crate) fn begin(self: &Arc<Self>, session: &SessionId) -> Result<UnderWay, Error> {
        // Both under one lock, so that no call begins after the last one was waited for.
        let mut state = self.lock();
        state.check_open()?;
        state.under_way += 1;
        drop(state);
        Ok(UnderWay { lifecycle: Arc::clone(self), session: session.clone(), lost: true })
    }

    /// Checks that calls may begin.
    ///
    /// # Errors
    /// If the client was shut down.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        self.lock().check_open()
    }

    /// Returns whether a call of this client was lost in the session, and the agent may still work on it.
    pub(crate) fn was_lost(&self, session: &SessionId) -> bool {
        self.lock().lost.contains(session)
    }

    /// Lets no more calls begin.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Waits until no call is under way.
    pub(crate) async fn drained(&self) {
        let mut ended = pin!(self.drained.notified());
        loop {
            // Registered before the look, so that no end in between is missed.
            ended.as_mut().enable();
            if self.under_way() == 0 {
                return;
            }
            ended.as_mut().await;
            ended.set(self.drained.notified());
        }
    }

    pub(crate) fn under_way(&self) -> usize {
        self.lock().under_way
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    lifecycle: Arc<Lifecycle>,
    session: SessionId,
    /// Whether the agent may go on working after it.
    lost: bool,
}

impl UnderWay {
    /// Notes the session that the answer named, where the call named none.
    pub(crate) fn in_session(&mut self, session: &SessionId) {
        self.session = session.clone();
    }

    /// Notes how the call ended. One that ends without a note was given up by its caller.
    pub(crate) fn ended(&mut self, error: Option<&Error>) {
        self.lost = error.is_some_and(|error| error.may_have_run() && error.kind() != ErrorKind::Agent);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.lifecycle.lock();
        state.under_way -= 1;
        let is_last = state.under_way == 0;
        let lost = &mut state.lost;
        lost.retain(|session| *session != self.session);
        if self.lost {
            if lost.len() == MOST_LOST {
                lost.pop_front();
            }
            lost.push_back(self.session.clone());
        }
        drop(state);
        if is_last {
            self.lifecycle.drained.notify_waiters();
        }
    }
}

/// More sessions than one program talks to at a time.
const MOST_LOST: usize = 256;
