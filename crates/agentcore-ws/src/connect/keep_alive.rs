//! When to ping a connection that may be dead, and what was last heard of its peer. Sends nothing.

use std::{
    future::pending,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
};

use tokio::time::{Instant, sleep_until};

use super::Settings;

/// What one half of a connection must know of the other.
#[derive(Debug)]
pub(super) struct PeerActivity {
    heard: Mutex<Heard>,
    /// Messages that left since the peer was last heard of.
    pub(super) unconfirmed: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Instant,
    /// Nothing is read, because the program takes no messages.
    deaf: bool,
}

impl PeerActivity {
    pub(super) fn new() -> Self {
        Self { heard: Mutex::new(Heard { at: Instant::now(), deaf: false }), unconfirmed: AtomicU64::new(0) }
    }

    /// Notes a sign of life, or that from now on none would be seen.
    pub(super) fn note(&self, deaf: bool) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard { at: Instant::now(), deaf };
    }

    /// Whether there was no sign of life since then, although one would have been seen.
    pub(super) fn silent_since(&self, then: Instant) -> bool {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        !heard.deaf && heard.at < then
    }
}

/// What is next to be done about a connection that may be dead.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeepAlive {
    /// A ping is due.
    Ping { at: Instant },
    /// A sign of life since the ping is due.
    Pong { at: Instant, pinged: Instant },
    /// Nothing, ever.
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
