//! WebSockets (RFC 6455): frames that are never whole, messages without end, and pings without end.

use std::{io, io::Write as _, sync::Arc};

use super::{Attack, Expected, Way, flat, kept};
use crate::wire::{Wire, websocket};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        attack("ws: a frame of 1 GB", both(0.0, 7, "error: "), |wire| {
            wire.write_all(&[&[0x81, 127][..], &1_000_000_000_u64.to_be_bytes()].concat())?;
            flood(wire, b"x")
        }),
        attack("ws: a frame of 2^63", both(0.0, 7, "error: "), |wire| {
            wire.write_all(&[0x81, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255])?;
            flood(wire, b"x")
        }),
        attack("ws: endless fragments", both(16.8, 7, "error: "), |wire| {
            wire.write_all(b"\x01\x01x")?;
            flood(wire, &[&[0x00, 126, 0x40, 0][..], &[b'x'; 0x4000]].concat())
        }),
        attack("ws: tiny fragments", unclosed(), |wire| {
            wire.write_all(b"\x01\x01x")?;
            flood(wire, b"\x00\x01x")
        }),
        attack("ws: empty fragments", unclosed(), |wire| {
            wire.write_all(b"\x01\x01x")?;
            flood(wire, b"\x00\x00")
        }),
        attack("ws: pings", unclosed(), |wire| flood(wire, b"\x89\x04ping")),
        attack("ws: pongs", unclosed(), |wire| flood(wire, b"\x8a\x00")),
        attack("ws: many tiny messages", both(0.0, 0, ""), |wire| {
            wire.write_all(&b"\x81\x01x".repeat(200_000))?;
            wire.write_all(b"\x88\x02\x03\xe8")
        }),
        attack("ws: a bad frame", both(0.0, 7, "error: "), |wire| flood(wire, b"\xff\xff")),
    ]
}

/// No message comes, so the socket is closed; the close is not answered either.
fn unclosed() -> Vec<Expected> {
    vec![flat("text", 5, "error: the agent did not answer the close within 5")]
}

fn both(mb: f64, exit: i32, error: &'static str) -> Vec<Expected> {
    match mb {
        0.0 => vec![flat("text", exit, error), flat("json", exit, error)],
        _ => vec![kept(mb, "text", exit, error), kept(mb, "json", exit, error)],
    }
}

fn attack(
    name: &'static str,
    expected: Vec<Expected>,
    answer: impl Fn(&mut Wire) -> io::Result<()> + Send + Sync + 'static,
) -> Attack {
    let answer = Arc::new(move |wire: &mut Wire, request: &str| {
        wire.write_all(websocket::accept(request).as_bytes())?;
        answer(wire)
    });
    Attack { name, way: Way::WebSocket, answer, token: None, expected }
}

/// Sends this, again and again, until the client goes away.
fn flood(wire: &mut Wire, piece: &[u8]) -> io::Result<()> {
    let block = piece.repeat((60_000 / piece.len()).max(1));
    loop {
        wire.write_all(&block)?;
    }
}
