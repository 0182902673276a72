//! How long a prompt waits while its session is busy with another. Sends nothing.

use std::time::Duration;

use agentcore_client::{Error, ErrorKind};
use tokio::time::Instant;

/// The wait for a session that is busy with something else.
pub(super) struct Waiting<'a> {
    since: Instant,
    told: bool,
    busy: &'a mut (dyn FnMut() + Send),
}

impl<'a> Waiting<'a> {
    /// Begins it; `busy` is called once, if the session is busy.
    pub(super) fn new(busy: &'a mut (dyn FnMut() + Send)) -> Self {
        Self { since: Instant::now(), told: false, busy }
    }

    /// Whether the call failed because the session is busy, and it can become idle yet.
    pub(super) fn goes_on(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Conflict && error.is_retryable() && self.since.elapsed() < MAX_BUSY
    }

    /// Waits for a moment.
    pub(super) async fn pause(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            (self.busy)();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The service ends a session that has been idle for 15 minutes.
const MAX_BUSY: Duration = Duration::from_secs(16 * 60);
const PAUSE: Duration = Duration::from_secs(1);
