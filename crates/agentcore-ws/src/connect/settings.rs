//! The settings of sockets: timeouts, sizes, rates and retries. Decides nothing.

use std::time::Duration;

use agentcore_core::RetryPolicy;

/// Settings for how a socket is opened, kept open and closed.
///
/// A duration beyond what the clock can hold, such as [`Duration::MAX`], means *never*.
///
/// ```
/// use std::time::Duration;
/// use agentcore_ws::{RetryPolicy, Settings};
///
/// let lasting = Settings::default().reconnect(RetryPolicy::default().max_attempts(8));
/// let small = Settings::default().ping_interval(Duration::from_secs(10)).max_message_bytes(1024 * 1024);
/// # let _ = (lasting, small);
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

agentcore_core::setters! {
    impl Settings:

    /// Limits one attempt to open the socket, until its answer. Default: 60 seconds, which leaves an agent the 30 it may take
    /// to start; `None` sets no limit.
    open_timeout(timeout: impl Into<Option<Duration>>) => open_timeout = timeout.into();

    /// Limits all attempts to open the socket together, with the pauses between them. Default: 180 seconds; `None` leaves the
    /// limits of [`open_timeout`](Self::open_timeout) and [`retry`](Self::retry).
    open_deadline(deadline: impl Into<Option<Duration>>) => open_deadline = deadline.into();

    /// Limits the wait for the agent's answer to a close frame, after which the connection is dropped. Default: 5 seconds;
    /// longer values lose fewer of the agent's last messages, and keep a program waiting that wants to end.
    close_timeout(timeout: Duration) => close_timeout = timeout;

    /// Sets how often a ping is sent. Default: every 30 seconds, as AgentCore's shell clients do, so that middleboxes do not
    /// drop an idle connection; `None` sends no pings.
    ping_interval(interval: impl Into<Option<Duration>>) => ping_interval = interval.into();

    /// Sets how long no frame may arrive after a ping before the connection counts as lost. Default: 30 seconds; shorter values
    /// find a dead connection sooner and may drop an agent that is only busy. `None` waits for the operating system.
    ///
    /// The limit also bounds each write. Where the agent's side does not read, at most one frame and 16 KiB of pongs wait to be
    /// written, and the newest ping is answered. The limit does not run while the program takes no messages from a full socket.
    pong_timeout(timeout: impl Into<Option<Duration>>) => pong_timeout = timeout.into();

    /// Sets the most bytes of payload in one frame; a larger message is sent in several. Default: 32,000, within the smaller of the two
    /// limits that AWS states (32 KB on the WebSocket page of the developer guide, 64 KB on the quota page). Zero counts as
    /// one.
    max_frame_bytes(bytes: usize) => max_frame_bytes = bytes.max(1);

    /// Sets the most frames sent within any second; more wait. Default: 250, the service's quota, above which it closes the
    /// connection. With frames of 32,000 bytes that is 8 MB a second. Zero counts as one.
    max_frames_per_second(frames: u32) => max_frames_per_second = frames.max(1);

    /// Sets the most bytes in a message of the agent; a larger one ends the connection. Default: 16 MiB.
    max_message_bytes(bytes: usize) => max_message_bytes = bytes;

    /// Sets how often to try to open the socket. Default: as for invocations ([`RetryPolicy`]), which retries what was not
    /// accepted: 409 `RetryableConflictException`, 429 and 503.
    retry(policy: RetryPolicy) => open = policy;

    /// Reconnects in the same session when the connection is lost, by this policy, whose attempts and time count anew at each
    /// loss. Default: never, because messages in flight are lost and only the program knows whether that matters.
    ///
    /// Messages not yet begun are sent afterwards; [`Reconnected`](crate::Reconnected) counts those that may be missing. The
    /// table of [`reconnect`](crate::reconnect) has the losses after which it does not reconnect.
    reconnect(policy: impl Into<Option<RetryPolicy>>) => reconnect = policy.into();
}

impl Settings {
    /// Returns the settings that fit shells: up to 6 minutes for an attempt to open one, because a harness may take 330 seconds for
    /// the first; and a lost connection is replaced for as long as a detached shell lives by default, 15 minutes.
    #[must_use]
    pub fn for_shells() -> Self {
        let lasting = RetryPolicy::default().max_attempts(u32::MAX).max_elapsed(SHELL_LIFE);
        Self::default().open_timeout(Duration::from_secs(360)).open_deadline(SHELL_LIFE).reconnect(lasting)
    }
}

/// The idle time after which the service ends a shell, attached or not (AWS developer guide, "Interactive shells").
const SHELL_LIFE: Duration = Duration::from_secs(15 * 60);

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
