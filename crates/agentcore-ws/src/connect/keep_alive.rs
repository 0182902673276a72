//! Decides when to ping a connection, and notes the activity of its peer. Sends nothing.

use std::{
    future::pending,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use tokio::time::Instant;

use super::{
    Settings,
    sync::{now, sleep_until},
};

/// What the writing half of a connection must know of the reading half.
#[derive(Debug)]
pub(super) struct PeerActivity {
    last: Mutex<Activity>,
    /// Messages sent, in whole or in part, and how many of them were there when the peer answered.
    sent: AtomicU64,
    confirmed: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Activity {
    at: Instant,
    /// Nothing is read, because the program takes no messages.
    paused: bool,
}

impl PeerActivity {
    pub(super) fn new() -> Self {
        let last = Mutex::new(Activity { at: now(), paused: false });
        Self { last, sent: AtomicU64::new(0), confirmed: AtomicU64::new(0) }
    }

    /// Notes a message that was sent, in whole or in part.
    pub(super) fn note_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a message of the peer's, which counts as the answer to all that was sent.
    pub(super) fn note_answer(&self) {
        self.confirmed.store(self.sent.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Returns what a ping carries, and its pong brings back: how much was sent before it.
    pub(super) fn ping(&self) -> Bytes {
        Bytes::copy_from_slice(&self.sent.load(Ordering::Relaxed).to_be_bytes())
    }

    /// Notes a pong: the peer has read what was sent before its ping (RFC 6455 §5.5.3).
    pub(super) fn note_pong(&self, payload: &[u8]) {
        if let Ok(sent) = payload.try_into().map(u64::from_be_bytes)
            && sent <= self.sent.load(Ordering::Relaxed)
        {
            self.confirmed.fetch_max(sent, Ordering::Relaxed);
        }
    }

    /// Returns how many messages nothing has confirmed.
    pub(super) fn unconfirmed(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) - self.confirmed.load(Ordering::Relaxed)
    }

    /// Notes a frame of the peer, or that reading pauses.
    pub(super) fn note(&self, paused: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Activity { at: now(), paused };
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
        Self::ping_after(settings, now())
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
