//! How long a token lives, and when it is time to renew it: arithmetic over moments, nothing else.

use std::time::Duration;

use super::Issued;
use crate::{Token, clock::Moment};

/// A token with the times of its life.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: Token,
    asked: Moment,
    /// From the moment it was asked for to its death; none if that is not known.
    life: Option<Duration>,
    window: Duration,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Still good, and to be renewed.
    Ageing,
    Dead,
}

impl Held {
    pub(super) fn new(issued: Issued, asked: Moment, window: Duration) -> Self {
        let life = issued.life(asked.wall);
        let Issued { token, age, .. } = issued;
        let token = match life.and_then(|life| asked.wall.checked_add(life)) {
            Some(death) => token.expiring_at(death),
            None => token,
        };
        // Near the end of a short life the window shrinks to nothing, and the shortest interval keeps fetches apart.
        let window = life.map_or(Duration::ZERO, |life| {
            longest_window(window, life.saturating_add(age)).min(life.saturating_sub(SHORTEST_INTERVAL))
        });
        Self { token, asked, life, window }
    }

    pub(super) fn age(&self, now: Moment) -> Age {
        match self.left(now) {
            None => Age::Fresh,
            Some(Duration::ZERO) => Age::Dead,
            Some(left) if left <= self.window => Age::Ageing,
            Some(_) => Age::Fresh,
        }
    }

    /// The time since it was asked for, by the clock that went further.
    pub(super) fn lived(&self, now: Moment) -> Duration {
        let by_wall = now.wall.duration_since(self.asked.wall).unwrap_or_default();
        by_wall.max(now.monotonic.saturating_sub(self.asked.monotonic))
    }

    /// What is left of its life, if that is known.
    pub(super) fn left(&self, now: Moment) -> Option<Duration> {
        Some(self.life?.saturating_sub(self.lived(now)))
    }
}

/// A refresh window is never more than a fraction of the whole life.
pub(in crate::token) fn longest_window(window: Duration, whole_life: Duration) -> Duration {
    window.min(whole_life / 4)
}

/// A token is not renewed sooner than this after it came, however short its life.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
