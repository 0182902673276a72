//! What is measured: the pieces of work, and what a contender must have read when it has done one.

use crate::{
    answer::{Answer, EVENT_DATA, EVENT_TEXT, EVENTS, FRAME_TEXT, FRAMES, SMALL_TEXT},
    input::Input,
};

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Invokes with a bearer token and reads the small body.
    Body,
    /// The same, and the text that the agent said.
    Reply,
    /// Invokes with a signature and reads the small body.
    Signed,
    /// Invokes with a bearer token and reads the large body.
    Large,
    /// Reads a stream to its end as bytes.
    StreamBytes,
    /// Reads a stream to its end as server-sent events.
    StreamEvents,
    /// Reads a stream to its end as the text that the agent said.
    StreamText,
    /// Runs a command and reads its output to its end.
    Command,
    /// Makes a client that could invoke with a bearer token.
    Build,
    /// Decodes a stream in memory.
    Decode(Input),
    /// Makes a presigned URL of the agent's WebSocket.
    Presign,
    /// Asks a cache for a token that is fresh.
    Token,
}

impl Work {
    /// What the agent that is invoked answers.
    #[must_use]
    pub fn answer(self) -> Answer {
        match self {
            Self::Body | Self::Reply | Self::Signed => Answer::Small,
            Self::Large => Answer::Large,
            Self::StreamBytes | Self::StreamEvents | Self::StreamText => Answer::Events,
            Self::Command => Answer::Command,
            // They invoke none.
            Self::Build | Self::Decode(_) | Self::Presign | Self::Token => Answer::Small,
        }
    }

    /// How many bytes a contender gets out of it; the floor looks into no body.
    pub(crate) fn bytes(self, floor: bool) -> usize {
        match self {
            Self::Build | Self::Presign | Self::Token => 0,
            Self::Decode(input) => input.data(),
            Self::Reply if !floor => SMALL_TEXT,
            Self::StreamEvents if !floor => EVENTS * EVENT_DATA,
            Self::StreamText if !floor => EVENTS * EVENT_TEXT,
            Self::Command if !floor => FRAMES * FRAME_TEXT,
            _ => self.answer().body().len(),
        }
    }

    /// What one piece of the work is divided into, and how many there are.
    pub(crate) fn units(self) -> (usize, &'static str) {
        match self {
            Self::StreamBytes | Self::StreamEvents | Self::StreamText => (EVENTS, "event"),
            Self::Build => (1, "client"),
            Self::Decode(input) => (input.events(), "event"),
            Self::Command => (FRAMES * FRAME_TEXT / MIB, "MiB"),
            Self::Presign => (1, "URL"),
            Self::Token => (1, "token"),
            _ => (1, "call"),
        }
    }
}

const MIB: usize = 1024 * 1024;

/// A row of a table: work, done so many times, so many at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) work: Work,
    pub(crate) count: usize,
    pub(crate) concurrency: usize,
}

const fn row(title: &'static str, work: Work, count: usize, concurrency: usize) -> Row {
    Row { title, work, count, concurrency }
}

/// What CPU time is measured of: each contender's share of a round takes some 50 to 200 milliseconds.
pub(crate) const TIMED: &[Row] = &[
    row("bearer, body of 200 B, one at a time", Work::Body, 2_000, 1),
    row("bearer, body of 200 B, 64 at a time", Work::Body, 6_400, 64),
    row("bearer, reply of 200 B, one at a time", Work::Reply, 2_000, 1),
    row("bearer, reply of 200 B, 64 at a time", Work::Reply, 6_400, 64),
    row("SigV4, body of 200 B, one at a time", Work::Signed, 2_000, 1),
    row("SigV4, body of 200 B, 64 at a time", Work::Signed, 6_400, 64),
    row("bearer, body of 64 KiB, one at a time", Work::Large, 1_000, 1),
    row("stream, bytes", Work::StreamBytes, 50, 1),
    row("stream, server-sent events", Work::StreamEvents, 50, 1),
    row("stream, the agent's text", Work::StreamText, 50, 1),
    row("a command's output of 100 MiB", Work::Command, 2, 1),
    row("decoder, an event a chunk", Work::Decode(Input::Chunks), 100, 1),
    row("decoder, chunks of 16 KiB", Work::Decode(Input::Blocks), 100, 1),
    row("decoder, events of 64 KiB", Work::Decode(Input::Large), 100, 1),
    row("decoder, CRLF", Work::Decode(Input::CarriageReturns), 100, 1),
    row("decoder, nine comments an event", Work::Decode(Input::Comments), 50, 1),
    row("decoder, a name and an id an event", Work::Decode(Input::Named), 50, 1),
    row("frames of a command's output", Work::Decode(Input::Frames), 50, 1),
    row("presigned URL", Work::Presign, 2_000, 1),
    row("token that is fresh", Work::Token, 200_000, 1),
];

/// What instructions are counted of.
pub(crate) const COUNTED: &[Row] = &[
    row("bearer, body of 200 B", Work::Body, 200, 1),
    row("bearer, reply of 200 B", Work::Reply, 200, 1),
    row("SigV4, body of 200 B", Work::Signed, 200, 1),
    row("stream, bytes", Work::StreamBytes, 5, 1),
    row("stream, server-sent events", Work::StreamEvents, 5, 1),
    row("stream, the agent's text", Work::StreamText, 5, 1),
    row("decoder, an event a chunk", Work::Decode(Input::Chunks), 10, 1),
    row("decoder, chunks of 16 KiB", Work::Decode(Input::Blocks), 10, 1),
    row("frames of a command's output", Work::Decode(Input::Frames), 4, 1),
    row("presigned URL", Work::Presign, 50, 1),
    row("token that is fresh", Work::Token, 2_000, 1),
    row("a client for plain HTTP", Work::Build, 20, 1),
];
