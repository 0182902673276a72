//! The decision to send a request again, by the point at which it failed. Sleeps nowhere, sends nothing.
//!
//! An invocation may have side effects, so the decision depends on whether the agent may have run:
//!
//! | where it failed | [`FailurePoint`] | sent again |
//! |---|---|---|
//! | no connection: DNS, TCP, proxy, or the pooled connection was closed before the request left | `NotSent` | yes |
//! | the server says that it did not process the HTTP/2 stream: `REFUSED_STREAM`, or `GOAWAY` below it (RFC 9113 §8.7) | `NotSent` | yes |
//! | the TLS certificate was refused | `NotSent`, lasting | no |
//! | 429 | `Throttled` | yes, after `Retry-After`, unless the policy [leaves it](RetryPolicy::retry_throttled) to the caller |
//! | 503, 409 `RetryableConflictException` | `NotAccepted` | yes, after `Retry-After` |
//! | 401 while the token's source has another; a signature refused for its time | `Unauthorized` | once, at once |
//! | 408, 500, 502, 504, connection lost, no first byte in time, the head of the answer unreadable | `Uncertain` | only if the caller said idempotent |
//! | every other answer, 401 of a fixed token and 424 included | `Final` | no |
//! | anything after the head of a successful answer | | never: the caller may have read a part of it |
//!
//! Retries are bounded by count, by [`RetryPolicy::max_elapsed`] and by the call's total timeout, whichever comes first. A
//! `Retry-After` beyond one of them ends the call at once; [`Error::retry_after`](crate::Error::retry_after) returns it.

use std::time::Duration;

use super::Backoff;

/// Bounds the number of attempts, their time, and the pauses between them.
///
/// ```
/// use std::time::Duration;
/// use agentcore_core::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(5).max_elapsed(Duration::from_secs(300));
/// let once = RetryPolicy::off();
/// # let _ = (patient, once);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    max_elapsed: Duration,
    base: Duration,
    cap: Duration,
    throttled: bool,
}

impl RetryPolicy {
    /// Makes one attempt only. A refused token is not replaced either.
    #[must_use]
    pub fn off() -> Self {
        Self::default().max_attempts(1)
    }

    /// Returns whether nothing is retried.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.max_attempts == 1
    }

    /// Sets the shortest and the longest pause. Default: 100 milliseconds and 20 seconds. Shorter pauses recover sooner, and load
    /// an overloaded service more.
    #[must_use]
    pub fn pauses(mut self, shortest: Duration, longest: Duration) -> Self {
        self.base = shortest;
        self.cap = longest;
        self
    }

    /// Returns the pauses of one call.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.base, self.cap)
    }
}

crate::setters! {
    impl RetryPolicy:

    /// Bounds the number of attempts. Default: 3, as in the AWS SDKs. More attempts outlast longer throttling, and callers wait
    /// longer. Zero counts as one. The one replay with a renewed credential is not counted.
    max_attempts(attempts: u32) => max_attempts = attempts.max(1);

    /// Bounds the time from the beginning of the call to the beginning of its last attempt. Default: 120 seconds, which also bounds
    /// the wait for a `Retry-After`.
    max_elapsed(elapsed: Duration) => max_elapsed = elapsed;

    /// Sets whether a throttled request (429) is sent again. Default: yes. Where it is not, its error comes at once, for a caller that
    /// paces many calls together and sends it again itself.
    retry_throttled(retry: bool) => throttled = retry;
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            max_elapsed: Duration::from_secs(120),
            base: Duration::from_millis(100),
            cap: Duration::from_secs(20),
            throttled: true,
        }
    }
}

/// How far a call has come.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of arguments")]
pub struct Progress {
    /// Attempts made, the failed one included.
    pub attempts: u32,
    /// Whether one of them was the replay with a renewed credential.
    pub replayed: bool,
    /// Whether running the agent twice does no harm, as the caller knows.
    pub idempotent: bool,
    /// Time since the call began.
    pub elapsed: Duration,
    /// Time left of the call's total timeout, if it has one.
    pub remaining: Option<Duration>,
    /// The pause that the service asked for (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The next pause of the backoff.
    pub pause: Duration,
}

/// The point at which an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the decision is a table over all of them")]
pub enum FailurePoint {
    /// The request did not leave this machine, or the server did not look at it.
    NotSent {
        /// Whether the next attempt would fail the same way.
        lasting: bool,
    },
    /// The service refused the request before the agent received it.
    NotAccepted,
    /// The same, because there were too many requests.
    Throttled,
    /// The credential was refused, and can be replaced.
    Unauthorized,
    /// The request was sent, and the agent may have received it.
    Uncertain,
    /// The answer would be the same again.
    Final,
}

/// The decision after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every verdict")]
pub enum Verdict {
    /// Send it again after a pause.
    Retry {
        /// The pause.
        after: Duration,
    },
    /// Send it again at once, with a renewed credential.
    Replay,
    /// Report the failure.
    GiveUp,
}

/// Decides by the table in the [module's documentation](self).
#[must_use]
pub fn decide(policy: &RetryPolicy, failure: FailurePoint, progress: &Progress) -> Verdict {
    let after = match failure {
        FailurePoint::Unauthorized => {
            return if progress.replayed || policy.max_attempts == 1 { Verdict::GiveUp } else { Verdict::Replay };
        }
        FailurePoint::NotSent { lasting: false } => progress.pause,
        FailurePoint::Throttled if !policy.throttled => return Verdict::GiveUp,
        FailurePoint::NotAccepted | FailurePoint::Throttled => {
            progress.pause.max(progress.retry_after.unwrap_or_default())
        }
        FailurePoint::Uncertain if progress.idempotent => progress.pause.max(progress.retry_after.unwrap_or_default()),
        FailurePoint::NotSent { lasting: true } | FailurePoint::Uncertain | FailurePoint::Final => {
            return Verdict::GiveUp;
        }
    };
    let sent = progress.attempts - u32::from(progress.replayed);
    let left = policy.max_elapsed.saturating_sub(progress.elapsed);
    let left = progress.remaining.map_or(left, |remaining| left.min(remaining));
    if sent >= policy.max_attempts || after >= left { Verdict::GiveUp } else { Verdict::Retry { after } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [FailurePoint; 7] = [
        FailurePoint::NotSent { lasting: false },
        FailurePoint::NotSent { lasting: true },
        FailurePoint::NotAccepted,
        FailurePoint::Throttled,
        FailurePoint::Unauthorized,
        FailurePoint::Uncertain,
        FailurePoint::Final,
    ];

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn first() -> Progress {
        Progress {
            attempts: 1,
            replayed: false,
            idempotent: false,
            elapsed: secs(1),
            remaining: None,
            retry_after: None,
            pause: secs(2),
        }
    }

    /// Every failure in every situation that makes a difference; `r` retry, `p` replay, `.` give up.
    #[test]
    fn table() {
        let policy = RetryPolicy::default();
        #[rustfmt::skip]
        let table = [
            // what is special                                                              NotSent lasting NotAccepted Throttled Unauthorized Uncertain Final
            ("nothing",          first(),                                                     "r.rrp.."),
            ("idempotent",       Progress { idempotent: true, ..first() },                    "r.rrpr."),
            ("second attempt",   Progress { attempts: 2, ..first() },                         "r.rrp.."),
            ("third attempt",    Progress { attempts: 3, idempotent: true, ..first() },       "....p.."),
            ("replayed",         Progress { attempts: 2, replayed: true, ..first() },         "r.rr..."),
            ("third + replay",   Progress { attempts: 4, replayed: true, ..first() },         "......."),
            ("long elapsed",     Progress { elapsed: secs(119), ..first() },                  "....p.."),
            ("elapsed, edge",    Progress { elapsed: secs(118), ..first() },                  "....p.."),
            ("elapsed, within",  Progress { elapsed: secs(117), ..first() },                  "r.rrp.."),
            ("deadline near",    Progress { remaining: Some(secs(2)), idempotent: true, ..first() }, "....p.."),
            ("deadline far",     Progress { remaining: Some(secs(3)), idempotent: true, ..first() }, "r.rrpr."),
            ("long retry-after", Progress { retry_after: Some(secs(3600)), ..first() },       "r...p.."),
        ];
        for (name, progress, expected) in table {
            let found: String = ALL
                .iter()
                .map(|failure| match decide(&policy, *failure, &progress) {
                    Verdict::Retry { .. } => 'r',
                    Verdict::Replay => 'p',
                    Verdict::GiveUp => '.',
                })
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn off_means_one_attempt() {
        let eager = Progress { idempotent: true, ..first() };
        for failure in ALL {
            assert_eq!(decide(&RetryPolicy::off(), failure, &eager), Verdict::GiveUp, "{failure:?}");
        }
        assert_eq!(RetryPolicy::default().max_attempts(0), RetryPolicy::off());
    }

    #[test]
    fn throttling_is_left_to_the_caller() {
        let policy = RetryPolicy::default().retry_throttled(false);
        let verdict = |point| decide(&policy, point, &first());
        assert_eq!(verdict(FailurePoint::Throttled), Verdict::GiveUp);
        assert_eq!(verdict(FailurePoint::NotAccepted), Verdict::Retry { after: secs(2) });
    }

    #[test]
    fn retry_after_is_a_lower_bound() {
        for (retry_after, after) in [(None, 2), (Some(0), 2), (Some(1), 2), (Some(7), 7)] {
            let progress = Progress { retry_after: retry_after.map(secs), ..first() };
            let verdict = decide(&RetryPolicy::default(), FailurePoint::NotAccepted, &progress);
            assert_eq!(verdict, Verdict::Retry { after: secs(after) });
        }
    }
}
