//! What is expected of each cell, written by hand.

use super::operation::Operation::{
    self, Card, Cognito, Command, Harness, Idempotent, Invoke, Jwks, OAuth, Shell, Stop, Stream, WebSocket,
};
use super::server::{
    Cut::{self, Close, GoAway, Nothing, Refused, Reset, Silence, Status, Untrusted},
    Phase::{
        self, AtTheEnd, BeforeHeaders, BeforeTheFirstEvent, Connect, Dns, MidCharacter, MidEvent, Refusal, Tls, Whole,
        WithinHeaders,
    },
};

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http1Tls,
    Http2,
}

type Cells = &'static [(&'static [Operation], &'static str)];

/// The outcomes of a phase and of a way in which the connection ends there.
pub(crate) struct Row {
    pub(crate) phase: Phase,
    pub(crate) cut: Cut,
    /// The protocols of the row, for the table.
    pub(crate) over: &'static str,
    pub(crate) cells: Cells,
}

impl Row {
    /// Returns the protocols over which an operation is tried.
    pub(crate) fn protocols(&self, operation: Operation) -> &'static [Protocol] {
        // Upgrades speak HTTP/1.1.
        let upgrade = matches!(operation, WebSocket | Shell);
        match self.over {
            "TLS" => &[Protocol::Http1Tls],
            "HTTP/2" if upgrade => &[],
            "HTTP/2" => &[Protocol::Http2],
            "HTTP/1.1" => &[Protocol::Http1, Protocol::Http1Tls],
            _ if upgrade => &[Protocol::Http1, Protocol::Http1Tls],
            _ => &[Protocol::Http1, Protocol::Http1Tls, Protocol::Http2],
        }
    }

    /// Returns what had arrived of a stream, none of which may be lost.
    pub(crate) fn delivered(&self, operation: Operation) -> &'static str {
        match (operation, self.phase) {
            (Stop | Card | OAuth | Cognito | Jwks, _) => "",
            (_, MidEvent | MidCharacter) => "one ",
            (_, AtTheEnd | Whole) => "one zwé",
            _ => "",
        }
    }
}

/// What may not run twice.
const CALLS: &[Operation] = &[Invoke, Stream, Harness, Command];
/// What may.
const REPEATABLE: &[Operation] = &[Idempotent, Stop, Card];
const SOCKETS: &[Operation] = &[WebSocket, Shell];
/// A token that nobody received does no harm, so its request is sent again. The invocation counts one attempt.
const ISSUERS: &[Operation] = &[OAuth, Cognito];
/// Keys are no call of an agent, and count no attempts.
const KEYS: &[Operation] = &[Jwks];

/// What never left this machine is tried three times, by all alike.
const UNREACHED: Cells = &[
    (CALLS, "Unavailable 3/0 no 4"),
    (REPEATABLE, "Unavailable 3/0 no 4"),
    (SOCKETS, "Unavailable 3/0 no 4"),
    (ISSUERS, "Unavailable 1/0 no 4"),
    (KEYS, "Unavailable 0/0 no 4"),
];

/// What was sent and not answered is sent again only where that does no harm.
const UNANSWERED: Cells = &[
    (CALLS, "Unavailable 1/1 yes 4"),
    (REPEATABLE, "Unavailable 3/3 yes 4"),
    (SOCKETS, "Unavailable 1/1 yes 4"),
    (ISSUERS, "Unavailable 1/3 no 4"),
    (KEYS, "Unavailable 0/3 no 4"),
];

/// 16 minutes are beyond the time for further attempts, as are the 30 seconds of an issuer.
const SILENT: Cells = &[
    (CALLS, "Timeout 1/1 yes 5 after 960 s"),
    (REPEATABLE, "Timeout 1/1 yes 5 after 960 s"),
    (SOCKETS, "Timeout 1/1 yes 5 after 60 s"),
    (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
    (KEYS, "Timeout 0/1 no 5 after 30 s"),
];

/// A ping that is not answered ends a connection of HTTP/2 after 50 seconds, and no attempt begins after 120.
const DEAD: Cells = &[
    (CALLS, "Unavailable 1/1 yes 4 after 50 s"),
    (REPEATABLE, "Unavailable 3/3 yes 4 after 150 s"),
    (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
    (KEYS, "Timeout 0/1 no 5 after 30 s"),
];

/// The server says that it did not process the stream.
const UNPROCESSED: Cells = &[
    (CALLS, "Unavailable 3/3 no 4"),
    (REPEATABLE, "Unavailable 3/3 no 4"),
    (ISSUERS, "Unavailable 1/3 no 4"),
    (KEYS, "Unavailable 0/3 no 4"),
];

/// After the first byte nothing is asked for again, but of an issuer.
const BROKEN: Cells = &[
    (CALLS, "BrokenOff 1/1 yes 7"),
    (REPEATABLE, "BrokenOff 1/1 yes 7"),
    (SOCKETS, "BrokenOff 0/1 yes 7"),
    (ISSUERS, "Unavailable 1/3 no 4"),
    (KEYS, "Unavailable 0/3 no 4"),
];

/// An open socket pings after 30 seconds and waits for 30.
const STALLED: Cells = &[
    (CALLS, "Timeout 1/1 yes 5 after 960 s"),
    (REPEATABLE, "Timeout 1/1 yes 5 after 960 s"),
    (SOCKETS, "BrokenOff 0/1 yes 7 after 60 s"),
    (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
    (KEYS, "Timeout 0/1 no 5 after 30 s"),
];

const DEAD_MIDWAY: Cells = &[
    (CALLS, "BrokenOff 1/1 yes 7 after 50 s"),
    (REPEATABLE, "BrokenOff 1/1 yes 7 after 50 s"),
    (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
    (KEYS, "Timeout 0/1 no 5 after 30 s"),
];

/// The end of a stream that had its last event.
const BROKEN_AT_THE_END: Cells = &[
    (&[Invoke, Stream, Harness], "BrokenOff 1/1 yes 7"),
    // It has its exit code, and waits for nothing else.
    (&[Command], "ok 1"),
    (REPEATABLE, "BrokenOff 1/1 yes 7"),
    (SOCKETS, "BrokenOff 0/1 yes 7"),
    (ISSUERS, "Unavailable 1/3 no 4"),
    (KEYS, "Unavailable 0/3 no 4"),
];

pub(crate) const ROWS: &[Row] = &[
    // The key of the last one signed nothing: that it says so shows that the keys were read.
    row(
        Whole,
        Nothing,
        "all",
        &[
            (CALLS, "ok 1"),
            (REPEATABLE, "ok 1"),
            (SOCKETS, "ok 1"),
            (ISSUERS, "ok 2"),
            (KEYS, "UntrustedToken 0/1 no 3"),
        ],
    ),
    row(Dns, Nothing, "TLS", UNREACHED),
    row(Connect, Close, "all", UNREACHED),
    row(Tls, Close, "TLS", UNREACHED),
    row(
        Tls,
        Silence,
        "TLS",
        &[
            (CALLS, "Timeout 3/0 no 5 after 30 s"),
            (REPEATABLE, "Timeout 3/0 no 5 after 30 s"),
            (SOCKETS, "Timeout 3/0 no 5 after 30 s"),
            (ISSUERS, "Timeout 1/0 no 5 after 30 s"),
            (KEYS, "Timeout 0/0 no 5 after 30 s"),
        ],
    ),
    // A certificate is the same the next time.
    row(
        Tls,
        Untrusted,
        "TLS",
        &[
            (CALLS, "Unavailable 1/0 no 4"),
            (REPEATABLE, "Unavailable 1/0 no 4"),
            (SOCKETS, "Unavailable 1/0 no 4"),
            (ISSUERS, "Unavailable 1/0 no 4"),
            (KEYS, "Unavailable 0/0 no 4"),
        ],
    ),
    row(
        Refusal,
        Status(302),
        "all",
        &[
            (CALLS, "Refused 1/1 no 6"),
            (REPEATABLE, "Refused 1/1 no 6"),
            (SOCKETS, "Refused 1/1 no 6"),
            (&[OAuth], "Authentication 1/1 no 3"),
            // Without a name of Cognito's it is somebody else's answer.
            (&[Cognito], "Service 1/1 no 6"),
            (KEYS, "Authentication 0/1 no 3"),
        ],
    ),
    row(
        Refusal,
        Status(401),
        "all",
        &[
            (CALLS, "Authentication 1/1 no 3"),
            (REPEATABLE, "Authentication 1/1 no 3"),
            (SOCKETS, "Authentication 1/1 no 3"),
            (&[OAuth], "Authentication 1/1 no 3"),
            // Without a name of Cognito's it is somebody else's answer.
            (&[Cognito], "Service 1/1 no 6"),
            (KEYS, "Authentication 0/1 no 3"),
        ],
    ),
    // It may be an answer of the agent, which took too long.
    row(
        Refusal,
        Status(408),
        "all",
        &[
            (CALLS, "Timeout 1/1 yes 5"),
            (REPEATABLE, "Timeout 3/3 yes 5"),
            (SOCKETS, "Timeout 1/1 yes 5"),
            (ISSUERS, "Timeout 1/3 no 5"),
            (KEYS, "Timeout 0/3 no 5"),
        ],
    ),
    row(
        Refusal,
        Status(424),
        "all",
        &[
            (CALLS, "Agent 1/1 yes 6"),
            (REPEATABLE, "Agent 1/1 yes 6"),
            (SOCKETS, "Agent 1/1 yes 6"),
            (&[OAuth], "Authentication 1/1 no 3"),
            // Without a name of Cognito's it is somebody else's answer.
            (&[Cognito], "Service 1/1 no 6"),
            (KEYS, "Authentication 0/1 no 3"),
        ],
    ),
    row(
        Refusal,
        Status(429),
        "all",
        &[
            (CALLS, "Throttled 3/3 no 4"),
            (REPEATABLE, "Throttled 3/3 no 4"),
            (SOCKETS, "Throttled 3/3 no 4"),
            (ISSUERS, "Unavailable 1/3 no 4"),
            (KEYS, "Unavailable 0/3 no 4"),
        ],
    ),
    row(
        Refusal,
        Status(500),
        "all",
        &[
            (CALLS, "Service 1/1 yes 6"),
            (REPEATABLE, "Service 3/3 yes 6"),
            (SOCKETS, "Service 1/1 yes 6"),
            (ISSUERS, "Unavailable 1/3 no 4"),
            (KEYS, "Unavailable 0/3 no 4"),
        ],
    ),
    row(
        Refusal,
        Status(503),
        "all",
        &[
            (CALLS, "Unavailable 3/3 no 4"),
            (REPEATABLE, "Unavailable 3/3 no 4"),
            (SOCKETS, "Unavailable 3/3 no 4"),
            (ISSUERS, "Unavailable 1/3 no 4"),
            (KEYS, "Unavailable 0/3 no 4"),
        ],
    ),
    row(
        Refusal,
        Status(504),
        "all",
        &[
            (CALLS, "Timeout 1/1 yes 5"),
            (REPEATABLE, "Timeout 3/3 yes 5"),
            (SOCKETS, "Timeout 1/1 yes 5"),
            (ISSUERS, "Timeout 1/3 no 5"),
            (KEYS, "Timeout 0/3 no 5"),
        ],
    ),
    row(BeforeHeaders, Close, "all", UNANSWERED),
    row(BeforeHeaders, Silence, "HTTP/1.1", SILENT),
    row(BeforeHeaders, Silence, "HTTP/2", DEAD),
    row(BeforeHeaders, Reset, "HTTP/2", UNANSWERED),
    row(BeforeHeaders, Refused, "HTTP/2", UNPROCESSED),
    row(BeforeHeaders, GoAway, "HTTP/2", UNPROCESSED),
    row(WithinHeaders, Close, "all", UNANSWERED),
    row(WithinHeaders, Silence, "HTTP/1.1", SILENT),
    row(WithinHeaders, Silence, "HTTP/2", DEAD),
    row(BeforeTheFirstEvent, Close, "all", BROKEN),
    row(BeforeTheFirstEvent, Silence, "HTTP/1.1", STALLED),
    row(BeforeTheFirstEvent, Silence, "HTTP/2", DEAD_MIDWAY),
    row(BeforeTheFirstEvent, Reset, "HTTP/2", BROKEN),
    row(MidEvent, Close, "all", BROKEN),
    row(MidEvent, Silence, "HTTP/1.1", STALLED),
    row(MidEvent, Silence, "HTTP/2", DEAD_MIDWAY),
    row(MidEvent, Reset, "HTTP/2", BROKEN),
    row(MidCharacter, Close, "all", BROKEN),
    row(MidCharacter, Silence, "HTTP/1.1", STALLED),
    row(MidCharacter, Silence, "HTTP/2", DEAD_MIDWAY),
    row(MidCharacter, Reset, "HTTP/2", BROKEN),
    row(AtTheEnd, Close, "all", BROKEN_AT_THE_END),
    row(
        AtTheEnd,
        Silence,
        "HTTP/1.1",
        &[
            (&[Invoke, Stream, Harness], "Timeout 1/1 yes 5 after 960 s"),
            (&[Command], "ok 1"),
            (REPEATABLE, "Timeout 1/1 yes 5 after 960 s"),
            (SOCKETS, "BrokenOff 0/1 yes 7 after 60 s"),
            (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
            (KEYS, "Timeout 0/1 no 5 after 30 s"),
        ],
    ),
    row(
        AtTheEnd,
        Silence,
        "HTTP/2",
        &[
            (&[Invoke, Stream, Harness], "BrokenOff 1/1 yes 7 after 50 s"),
            (&[Command], "ok 1"),
            (REPEATABLE, "BrokenOff 1/1 yes 7 after 50 s"),
            (ISSUERS, "Timeout 1/1 no 5 after 30 s"),
            (KEYS, "Timeout 0/1 no 5 after 30 s"),
        ],
    ),
    row(AtTheEnd, Reset, "HTTP/2", BROKEN_AT_THE_END),
];

const fn row(phase: Phase, cut: Cut, over: &'static str, cells: Cells) -> Row {
    Row { phase, cut, over, cells }
}
