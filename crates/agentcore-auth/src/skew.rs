//! What a refusal teaches about the service's clock. Reads no clock itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// How many seconds the service's clock is ahead of ours. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skew(Arc<AtomicI64>);

impl Skew {
    /// Returns the service's time, as far as it is known.
    pub(crate) fn corrected(&self, now: SystemTime) -> SystemTime {
        let skew = self.0.load(Ordering::Relaxed);
        let by = Duration::from_secs(skew.unsigned_abs());
        let corrected = if skew >= 0 { now.checked_add(by) } else { now.checked_sub(by) };
        corrected.unwrap_or(now)
    }

    /// Learns from the date of a refusal, and returns whether that explains it: a credential that was judged or made `at` a time.
    pub(crate) fn learn(&self, at: SystemTime, service: SystemTime, now: SystemTime) -> bool {
        let apart = |a: SystemTime, b: SystemTime| {
            let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
            a.duration_since(b).map_or_else(|behind| -seconds(behind.duration()), seconds)
        };
        if apart(service, at).unsigned_abs() < NOTABLE.as_secs() {
            return false;
        }
        self.0.store(apart(service, now), Ordering::Relaxed);
        true
    }
}

/// A smaller difference is no reason for a refusal: AWS allows five minutes either way.
const NOTABLE: Duration = Duration::from_secs(4 * 60);
