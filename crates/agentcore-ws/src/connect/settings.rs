//! How a socket is kept: the clocks it runs under, the sizes it sends and takes, and whether it comes back.

use std::time::Duration;

use agentcore_core::RetryPolicy;

/// How a socket is opened, kept open, and closed.
///
/// ```
/// use std::time::Duration;
/// use agentcore_ws::{RetryPolicy, Settings};
///
/// let lasting = Settings::default().reconnect(RetryPolicy::default().max_attempts(8));
/// let bare = Settings::default().ping_interval(None).max_message_bytes(1024 * 1024);
/// # let _ = (lasting, bare);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(crate) open_timeout: Option<Duration>,
    pub(crate) open_deadline: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Option<Duration>,
    pub(crate) max_frame_bytes: usize,
    pub(crate) max_frames_per_second: u32,
    pub(crate) max_message_bytes: usize,
    pub(crate) open: RetryPolicy,
    pub(crate) reconnect: Option<RetryPolicy>,
}

impl Settings {
    /// From asking for the socket to the answer, for one attempt. Default: 60 seconds, which leaves an agent the 30 it may
    /// take to start; `None` waits for ever.
    #[must_use]
    pub fn open_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.open_timeout = timeout.into();
        self
    }

    /// From asking for the socket to its being open, all attempts and the pauses between them included. Default: 180 seconds;
    /// `None` leaves it to the other bounds.
    #[must_use]
    pub fn open_deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.open_deadline = deadline.into();
        self
    }

    /// How long the agent may take to answer a close frame before the connection is dropped. Default: 5 seconds; longer
    /// values lose less of what an agent still had to say, and keep a program that wants to end waiting.
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How often the connection is proved alive. Default: every 30 seconds, which also keeps middleboxes from forgetting it
    /// (AgentCore's shell clients do the same); `None` sends no pings.
    #[must_use]
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.ping_interval = interval.into();
        self
    }

    /// How long nothing at all may come after a ping before the connection counts as lost. Default: 30 seconds; shorter values
    /// find a dead connection sooner and give up on an agent that is only busy. `None` waits for the operating system.
    ///
    /// While the program does not take messages from a full socket, nothing is read and nothing counts.
    #[must_use]
    pub fn pong_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.pong_timeout = timeout.into();
        self
    }

    /// The most bytes of payload in one frame; a larger message leaves in several. Default: 32,000, within the smaller of the two
    /// limits that AWS states (32 KB on the WebSocket page of the developer guide, 64 KB on the quota page). Zero counts as
    /// one.
    #[must_use]
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes.max(1);
        self
    }

    /// The most frames sent within any second; more wait. Default: 250, the service's quota, beyond which it closes the
    /// connection. With frames of 32,000 bytes that is 8 MB a second. Zero counts as one.
    #[must_use]
    pub fn max_frames_per_second(mut self, frames: u32) -> Self {
        self.max_frames_per_second = frames.max(1);
        self
    }

    /// The most bytes in a message of the agent's; a larger one ends the connection. Default: 16 MiB.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// How hard to try to open the socket. Default: as for invocations ([`RetryPolicy`]): what was never accepted, 409
    /// `RetryableConflictException`, 429 and 503, is asked for again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.open = policy;
        self
    }

    /// Comes back when the connection is lost, in the same session, by this policy: its attempts and its time count anew at
    /// each loss. Default: never, because what was on its way is lost and only the program knows whether that matters.
    ///
    /// Messages that had not begun to leave are sent afterwards; [`Reconnected`](crate::Reconnected) tells what may be
    /// missing. [`reconnect`](crate::reconnect) says after what it does not come back.
    #[must_use]
    pub fn reconnect(mut self, policy: impl Into<Option<RetryPolicy>>) -> Self {
        self.reconnect = policy.into();
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            open_timeout: Some(Duration::from_secs(60)),
            open_deadline: Some(Duration::from_secs(180)),
            close_timeout: Duration::from_secs(5),
            ping_interval: Some(Duration::from_secs(30)),
            pong_timeout: Some(Duration::from_secs(30)),
            max_frame_bytes: 32_000,
            max_frames_per_second: 250,
            max_message_bytes: 16 * 1024 * 1024,
            open: RetryPolicy::default(),
            reconnect: None,
        }
    }
}
