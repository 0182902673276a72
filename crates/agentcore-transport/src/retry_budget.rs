//! A budget of retries that the calls of a client share, so that an outage is not amplified. Waits for nothing.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// How many retries the calls of a client may make together. Clones share it.
///
/// Each retry takes one from the budget. A retry that succeeds brings its own back, and five calls that succeed at once bring
/// another, up to the budget's size. Where all calls fail, the budget is soon used up: then each is sent once, and its error is told
/// at once. That is the retry quota of the AWS SDKs' standard mode ("Retry behavior", AWS SDKs and Tools Reference Guide).
///
/// A replay after a 401 is free, and so is the wait for a session that is busy.
///
/// ```
/// use agentcore_transport::RetryBudget;
///
/// let shared = RetryBudget::new(50);
/// assert_eq!(shared.clone().left(), 50);
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    /// In fifths of a retry.
    left: AtomicU32,
    size: u32,
}

impl RetryBudget {
    /// The size of the default budget, in retries.
    pub const DEFAULT_RETRIES: u32 = 100;

    /// A budget of so many retries. More let more calls outlive a short outage, and prolong a long one for the service.
    #[must_use]
    pub fn new(retries: u32) -> Self {
        let size = retries.saturating_mul(FIFTHS);
        Self(Some(Arc::new(Shared { left: AtomicU32::new(size), size })))
    }

    /// No bound but each call's own policy.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Returns how many retries are left.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.0.as_ref().map_or(u32::MAX, |shared| shared.left.load(Ordering::Relaxed) / FIFTHS)
    }

    /// Takes one retry from the budget, if one is left.
    pub(crate) fn withdraw(&self) -> bool {
        let Some(shared) = &self.0 else { return true };
        let take = |left: u32| left.checked_sub(FIFTHS);
        shared.left.try_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Notes a call that succeeded, and whether its last attempt was a retry.
    pub(crate) fn succeeded(&self, retried: bool) {
        let Some(shared) = &self.0 else { return };
        let more = if retried { FIFTHS } else { 1 };
        // As a rule it is full.
        if shared.left.load(Ordering::Relaxed) < shared.size {
            let give = |left: u32| Some(left.saturating_add(more).min(shared.size));
            let _ = shared.left.try_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }
}

impl Default for RetryBudget {
    /// A budget of [`DEFAULT_RETRIES`](Self::DEFAULT_RETRIES).
    fn default() -> Self {
        Self::new(Self::DEFAULT_RETRIES)
    }
}

/// A success brings one of them.
const FIFTHS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left() {
        let budget = RetryBudget::new(2);
        assert_eq!([budget.withdraw(), budget.withdraw(), budget.withdraw()], [true, true, false]);
        // Four successes are not enough for a retry, five are.
        for (successes, granted) in [(4, false), (1, true), (4, false), (1, true)] {
            (0..successes).for_each(|_| budget.succeeded(false));
            assert_eq!(budget.clone().withdraw(), granted);
        }
        // A retry that succeeds brings its own back; more than its size it never has.
        budget.succeeded(true);
        assert_eq!(budget.left(), 1);
        (0..100).for_each(|_| budget.succeeded(true));
        assert_eq!(budget.left(), 2);
        let unlimited = RetryBudget::unlimited();
        assert!((0..1000).all(|_| unlimited.withdraw()));
        assert!(!RetryBudget::new(0).withdraw());
    }
}
