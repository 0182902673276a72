//! What an event's own name says, whatever its data is.

/// The kinds of names that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventName {
    /// The agent, or something before it, failed.
    Error,
    /// The event keeps the connection open and says nothing.
    KeepAlive,
    /// A beginning or an end, whose data is rarely the agent's.
    Lifecycle,
    Other,
}

impl EventName {
    pub(super) fn of(name: &str) -> Self {
        // Nearly all events have no name of their own.
        if name == "message" {
            return Self::Other;
        }
        let is_in = |names: &[&str]| names.iter().any(|plain| is_spelled(name, plain));
        if is_error(name) {
            Self::Error
        } else if is_in(KEEP_ALIVE) {
            Self::KeepAlive
        } else if is_in(LIFECYCLE) {
            Self::Lifecycle
        } else {
            Self::Other
        }
    }
}

/// Whether a name is this one, whatever its capitals and what stands between its words.
fn is_spelled(name: &str, plain: &str) -> bool {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).eq(plain.bytes())
}

/// Whether a name, an event's or a type's, is that of an error: `error`, `…Error`, `…Exception`, `…_error`.
pub(super) fn is_error(name: &str) -> bool {
    let name = name.rsplit(['#', '/', ':', '.']).next().unwrap_or(name);
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    is("error")
        || is("errors")
        || is("exception")
        || is("fatal")
        || ["Error", "Exception", "_error", "_exception", "-error"].iter().any(|end| name.ends_with(end))
}

const KEEP_ALIVE: &[&str] = &["ping", "pong", "heartbeat", "heartbeats", "keepalive", "keepalives", "noop", "hb"];

const LIFECYCLE: &[&str] = &[
    "start",
    "started",
    "open",
    "opened",
    "connected",
    "connection",
    "ready",
    "metadata",
    "end",
    "ended",
    "done",
    "complete",
    "completed",
    "finish",
    "finished",
    "close",
    "closed",
    "stop",
    "stopped",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("message", EventName::Other),
            ("token", EventName::Other),
            ("error", EventName::Error),
            ("Error", EventName::Error),
            ("stream_error", EventName::Error),
            ("response.error", EventName::Error),
            ("ThrottlingException", EventName::Error),
            ("terror", EventName::Other),
            ("errorless", EventName::Other),
            ("ping", EventName::KeepAlive),
            ("Keep-Alive", EventName::KeepAlive),
            ("keep_alive", EventName::KeepAlive),
            ("heartbeat", EventName::KeepAlive),
            ("shopping", EventName::Other),
            ("done", EventName::Lifecycle),
        ] {
            assert_eq!(EventName::of(name), expected, "{name}");
        }
    }
}
