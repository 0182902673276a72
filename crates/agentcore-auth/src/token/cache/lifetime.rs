//! How long a token lives, and when it is time to renew it: arithmetic over moments, nothing else.

use std::time::Duration;

use super::Issued;
use crate::{Token, clock::Moment};

/// A token with the times of its lifetime.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) token: Token,
    asked: Moment,
    /// From the moment it was asked for to its death; none if that is not known.
    lifetime: Option<Duration>,
    window: Duration,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Still good, and to be renewed.
    Aging,
    Dead,
}

impl Entry {
    pub(super) fn new(issued: Issued, asked: Moment, window: Duration) -> Self {
        let lifetime = issued.lifetime(asked.wall);
        let Issued { token, age, .. } = issued;
        let token = match lifetime.and_then(|lifetime| asked.wall.checked_add(lifetime)) {
            Some(death) => token.expiring_at(death),
            None => token,
        };
        // Near the end of a short lifetime the window shrinks to nothing, and the shortest interval keeps fetches apart.
        let window = lifetime.map_or(Duration::ZERO, |lifetime| {
            longest_window(window, lifetime.saturating_add(age)).min(lifetime.saturating_sub(SHORTEST_INTERVAL))
        });
        Self { token, asked, lifetime, window }
    }

    pub(super) fn age(&self, now: Moment) -> Freshness {
        match self.left(now) {
            None => Freshness::Fresh,
            Some(Duration::ZERO) => Freshness::Dead,
            Some(left) if left <= self.window => Freshness::Aging,
            Some(_) => Freshness::Fresh,
        }
    }

    /// The time since it was asked for, by the clock that went further.
    pub(super) fn lived(&self, now: Moment) -> Duration {
        let by_wall = now.wall.duration_since(self.asked.wall).unwrap_or_default();
        by_wall.max(now.monotonic.saturating_sub(self.asked.monotonic))
    }

    /// What is left of its lifetime, if that is known.
    pub(super) fn left(&self, now: Moment) -> Option<Duration> {
        Some(self.lifetime?.saturating_sub(self.lived(now)))
    }
}

/// A refresh window is never more than a fraction of the whole lifetime.
pub(in crate::token) fn longest_window(window: Duration, whole_life: Duration) -> Duration {
    window.min(whole_life / 4)
}

/// A token is not renewed sooner than this after it came, however short its lifetime.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
