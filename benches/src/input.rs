//! Streams in memory, for decoders alone: no connection, no server.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::{
    answer::{EVENT, EVENTS, events},
    frame::frame,
};

/// A stream in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The events of [`Answer::Events`](crate::Answer), a chunk each.
    Chunks,
    /// The same in chunks of 16 KiB.
    Blocks,
    /// Events of 64 KiB in chunks of 16 KiB.
    Large,
    /// [`Blocks`](Self::Blocks), with carriage returns.
    CarriageReturns,
    /// [`Blocks`](Self::Blocks), and nine comments before each event.
    Comments,
    /// [`Blocks`](Self::Blocks), with a name and an id in each event.
    Named,
    /// A command's output in frames of an AWS event stream, 8 KiB each, in chunks of 16 KiB.
    Frames,
}

struct Stream {
    chunks: Vec<Bytes>,
    events: usize,
    /// The bytes that the events hold.
    data: usize,
}

impl Input {
    const ALL: [Self; 7] =
        [Self::Chunks, Self::Blocks, Self::Large, Self::CarriageReturns, Self::Comments, Self::Named, Self::Frames];

    fn stream(self) -> &'static Stream {
        static STREAMS: LazyLock<Vec<Stream>> = LazyLock::new(|| Input::ALL.into_iter().map(Stream::of).collect());
        &STREAMS[self as usize]
    }

    /// Its bytes.
    #[must_use]
    pub fn chunks(self) -> &'static [Bytes] {
        &self.stream().chunks
    }

    /// How many events it has.
    pub(crate) fn events(self) -> usize {
        self.stream().events
    }

    /// The bytes that its events hold.
    pub(crate) fn data(self) -> usize {
        self.stream().data
    }
}

impl Stream {
    fn of(input: Input) -> Self {
        let plain = events(EVENTS);
        let plain_data = plain.len() - EVENTS * "data: \n\n".len();
        let text = || String::from_utf8_lossy(&plain);
        let (bytes, events, data) = match input {
            Input::Chunks | Input::Blocks => (plain.clone(), EVENTS, plain_data),
            Input::CarriageReturns => (text().replace('\n', "\r\n").into(), EVENTS, plain_data),
            Input::Comments => {
                (text().replace("data: ", &(": ping\n".repeat(9) + "data: ")).into(), EVENTS, plain_data)
            }
            Input::Named => (text().replace("data: ", "event: delta\nid: 12345678\ndata: ").into(), EVENTS, plain_data),
            Input::Large => {
                let event = format!("data: {}\n\n", "x".repeat(64 * 1024));
                (event.repeat(32).into(), 32, 32 * 64 * 1024)
            }
            Input::Frames => (frame(&output()).repeat(256).into(), 256, 256 * output().len()),
        };
        let size = if input == Input::Chunks { EVENT } else { 16 * 1024 };
        let chunks = (0..bytes.len()).step_by(size).map(|at| bytes.slice(at..bytes.len().min(at + size))).collect();
        Self { chunks, events, data }
    }
}

/// What a frame of output holds.
fn output() -> String {
    format!(r#"{{"contentDelta":{{"stdout":"{}"}}}}"#, "x".repeat(8 * 1024))
}
