//! The timeouts of a call. Measures no time.

use std::time::Duration;

use tokio::time::Instant;

/// The timeouts of a call. Each has a default and can be switched off.
///
/// No other timeout bounds a silent agent, which may work for minutes: only [`first_byte`](Self::first_byte) and
/// [`idle`](Self::idle) do. The defaults are a minute above the service's quotas (15 minutes for a request, 60 for a stream), so
/// that the service's error arrives first.
///
/// ```
/// use std::time::Duration;
/// use agentcore_http::Timeouts;
///
/// let strict = Timeouts::default().first_byte(Duration::from_secs(30)).idle(None);
/// # let _ = strict;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub(crate) first_byte: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
}

impl Timeouts {
    /// Returns no timeouts. The [`Transport`](crate::Transport) still bounds connecting.
    #[must_use]
    pub fn off() -> Self {
        Self { first_byte: None, idle: None, total: None }
    }

    /// Returns when a call that began at `started` ends at the latest; `None` for never.
    #[must_use]
    pub fn deadline(&self, started: Instant) -> Option<Instant> {
        self.total.and_then(|total| started.checked_add(total))
    }
}

agentcore_core::setters! {
    impl Timeouts:

    /// Bounds the time from sending an attempt to the head of its answer, connecting included. Default: 16 minutes. Short values
    /// detect failed agents sooner, and give up on slow ones, which may have run nevertheless.
    first_byte(timeout: impl Into<Option<Duration>>) => first_byte = timeout.into();

    /// Bounds the time between two pieces of an answer's body. Default: 16 minutes.
    idle(timeout: impl Into<Option<Duration>>) => idle = timeout.into();

    /// Bounds the whole call: attempts, pauses, and reading the answer to its end. Default: 61 minutes.
    total(timeout: impl Into<Option<Duration>>) => total = timeout.into();
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Some(REQUEST + MARGIN), idle: Some(REQUEST + MARGIN), total: Some(STREAM + MARGIN) }
    }
}

/// AgentCore Runtime quota: request timeout.
const REQUEST: Duration = Duration::from_secs(15 * 60);
/// AgentCore Runtime quota: streaming maximum duration.
const STREAM: Duration = Duration::from_secs(60 * 60);
const MARGIN: Duration = Duration::from_secs(60);
