//! HTTP/2 (RFC 9113): floods of frames that each ask for work and carry nothing.

use std::{
    io::{self, Read as _, Write as _},
    sync::Arc,
    time::Duration,
};

use super::{Attack, Expected, TIMEOUT, Way, flat};
use crate::wire::{
    Wire,
    http2::{ACK, DATA, END_HEADERS, HEADERS, INTERNAL_ERROR, SETTINGS, field, frame, ok, reset},
};

const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

pub(crate) fn attacks() -> Vec<Attack> {
    let head = |stream| frame(HEADERS, END_HEADERS, stream, &ok("text/event-stream"));
    vec![
        attack("h2: rapid reset", both(4, "error: "), |wire, stream| {
            // The answer is reset, and so are streams that never were.
            wire.write_all(&reset(stream, INTERNAL_ERROR))?;
            flood(wire, &reset(stream, INTERNAL_ERROR))
        }),
        attack("h2: resets of others", both(6, "error: "), |wire, stream| {
            let mut other = stream + 2;
            loop {
                wire.write_all(&reset(other, INTERNAL_ERROR))?;
                other += 2;
            }
        }),
        attack("h2: SETTINGS", both(5, TIMEOUT), |wire, _| flood_and_read(wire, &frame(SETTINGS, 0, 0, &[]))),
        attack("h2: SETTINGS ACK", both(6, "error: "), |wire, _| flood(wire, &frame(SETTINGS, ACK, 0, &[]))),
        attack("h2: PING", both(5, TIMEOUT), |wire, _| flood_and_read(wire, &frame(PING, 0, 0, &[0; 8]))),
        attack("h2: CONTINUATION", both(6, "error: "), |wire, stream| {
            wire.write_all(&frame(HEADERS, 0, stream, &ok("text/event-stream")))?;
            flood(wire, &frame(CONTINUATION, 0, stream, &field("x", "y")))
        }),
        attack("h2: empty CONTINUATION", both(6, "error: "), |wire, stream| {
            wire.write_all(&frame(HEADERS, 0, stream, &ok("text/event-stream")))?;
            flood(wire, &frame(CONTINUATION, 0, stream, &[]))
        }),
        attack("h2: 10 MB of headers", both(6, "error: "), |wire, stream| {
            let fields: Vec<u8> = (0..1000).flat_map(|_| field("x", &"y".repeat(120))).collect();
            wire.write_all(&frame(HEADERS, 0, stream, &ok("text/event-stream")))?;
            for part in fields.repeat(80).chunks(16_000) {
                wire.write_all(&frame(CONTINUATION, 0, stream, part))?;
            }
            wire.write_all(&frame(CONTINUATION, END_HEADERS, stream, &[]))
        }),
        attack("h2: empty DATA", both(7, "error: "), move |wire, stream| {
            wire.write_all(&head(stream))?;
            flood(wire, &frame(DATA, 0, stream, &[]))
        }),
        attack(
            "h2: DATA of one byte",
            vec![flat("text", 5, TIMEOUT).or(7), flat("raw", 5, TIMEOUT).or(7)],
            move |wire, stream| {
                wire.write_all(&head(stream))?;
                flood(wire, &frame(DATA, 0, stream, b":"))
            },
        ),
        attack("h2: PUSH_PROMISE", both(6, "error: "), |wire, stream| {
            flood(wire, &frame(PUSH_PROMISE, END_HEADERS, stream, &[&[0, 0, 0, 2], &ok("text/plain")[..]].concat()))
        }),
        attack("h2: WINDOW_UPDATE", both(5, TIMEOUT), |wire, _| {
            flood(wire, &frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))
        }),
        attack("h2: unknown frames", both(5, TIMEOUT), |wire, _| flood(wire, &frame(0xbe, 0, 0, &[0; 100]))),
    ]
}

fn attack(
    name: &'static str,
    expected: Vec<Expected>,
    answer: impl Fn(&mut Wire, u32) -> io::Result<()> + Send + Sync + 'static,
) -> Attack {
    let answer = Arc::new(move |wire: &mut Wire, stream: &str| answer(wire, stream.parse().unwrap()));
    Attack { name, way: Way::Http2, answer, token: None, expected }
}

fn both(exit: i32, error: &'static str) -> Vec<Expected> {
    vec![flat("text", exit, error), flat("raw", exit, error)]
}

/// Sends this, again and again, until the client goes away.
fn flood(wire: &mut Wire, piece: &[u8]) -> io::Result<()> {
    let block = piece.repeat(16_000 / piece.len());
    loop {
        wire.write_all(&block)?;
    }
}

/// Does the same, and reads what the client answers.
fn flood_and_read(wire: &mut Wire, piece: &[u8]) -> io::Result<()> {
    let (block, mut buffer) = (piece.repeat(16_000 / piece.len()), [0; 16_384]);
    let Wire::Tls(stream) = wire else { return Ok(()) };
    stream.sock.set_read_timeout(Some(Duration::from_millis(1)))?;
    loop {
        stream.write_all(&block)?;
        match stream.read(&mut buffer) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            other => drop(other?),
        }
    }
}
