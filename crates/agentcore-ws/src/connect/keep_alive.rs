//! Decides when to ping a connection, and notes the activity of its peer. Sends nothing.

use std::{
    future::pending,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
};

use tokio::time::{Instant, sleep_until};

use super::Settings;

/// What the writing half of a connection must know of the reading half.
#[derive(Debug)]
pub(super) struct PeerActivity {
    last: Mutex<Activity>,
    /// Messages sent, in whole or in part, since a frame last arrived.
    pub(super) unconfirmed: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Activity {
    at: Instant,
    /// Nothing is read, because the program takes no messages.
    paused: bool,
}

impl PeerActivity {
    pub(super) fn new() -> Self {
        Self { last: Mutex::new(Activity { at: Instant::now(), paused: false }), unconfirmed: AtomicU64::new(0) }
    }

    /// Notes a frame of the peer, or that reading pauses.
    pub(super) fn note(&self, paused: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Activity { at: Instant::now(), paused };
    }

    /// Checks whether no frame arrived since then, although one would have been read.
    pub(super) fn silent_since(&self, then: Instant) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        !last.paused && last.at < then
    }
}

/// The next check of a connection that may be dead.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeepAlive {
    /// A ping is due.
    Ping { at: Instant },
    /// A frame must have arrived since the ping.
    Pong { at: Instant, pinged: Instant },
    /// No check.
    Never,
}

impl KeepAlive {
    pub(super) fn first(settings: &Settings) -> Self {
        Self::ping_after(settings, Instant::now())
    }

    pub(super) fn ping_after(settings: &Settings, then: Instant) -> Self {
        match settings.ping_interval.and_then(|interval| then.checked_add(interval)) {
            Some(at) => Self::Ping { at },
            None => Self::Never,
        }
    }

    pub(super) fn pong_after(settings: &Settings, pinged: Instant) -> Self {
        match settings.pong_timeout.and_then(|bound| pinged.checked_add(bound)) {
            Some(at) => Self::Pong { at, pinged },
            None => Self::ping_after(settings, pinged),
        }
    }

    pub(super) async fn due(self) {
        match self {
            Self::Ping { at } | Self::Pong { at, .. } => sleep_until(at).await,
            Self::Never => pending().await,
        }
    }
}
