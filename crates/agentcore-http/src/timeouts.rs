//! The four clocks a call runs under. Each is separate, has a default and can be switched off.

use std::time::Duration;

/// How long to wait for what.
///
/// There is no hidden one besides: an agent may think in silence for minutes, and only [`first_byte`](Self::first_byte) and
/// [`idle`](Self::idle) bound that. The defaults lie a minute beyond the service's own quotas (15 minutes for a request, 60
/// for a stream), so that the service's own error arrives first where there is one.
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
    /// No bound but the one on connecting, which belongs to the [`Transport`](crate::Transport).
    #[must_use]
    pub fn off() -> Self {
        Self { first_byte: None, idle: None, total: None }
    }

    /// From handing an attempt to the transport to the head of its answer, connecting included. Default: 16 minutes. Short
    /// values find dead agents sooner and cut slow ones off, which may have run nevertheless.
    #[must_use]
    pub fn first_byte(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.first_byte = timeout.into();
        self
    }

    /// Between two pieces of an answer's body. Default: 16 minutes.
    #[must_use]
    pub fn idle(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.idle = timeout.into();
        self
    }

    /// The whole call: all attempts, the pauses between them, and reading the answer to its end. Default: 61 minutes.
    #[must_use]
    pub fn total(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.total = timeout.into();
        self
    }
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
