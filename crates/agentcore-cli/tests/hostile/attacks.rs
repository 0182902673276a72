//! The attacks: what is sent, and what the program must make of it.

mod http1;
mod http2;
mod json;
mod streams;
mod websocket;

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use crate::{server::Answer, wire::Wire};

/// An attack, and what comes of it by each output.
#[derive(Clone)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
    pub(crate) answer: Answer,
    /// The token that is used, if it is a part of the attack.
    pub(crate) token: Option<String>,
    pub(crate) expected: Vec<Expected>,
}

/// How the program meets the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Http1,
    Http2,
    Issuer,
    Token,
    WebSocket,
}

/// What the program must make of an attack.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) output: &'static str,
    pub(crate) exit: i32,
    /// Another exit code, where it depends on who is the faster.
    pub(crate) or: Option<i32>,
    /// How the line of the error begins, or nothing where there is none.
    pub(crate) error: &'static str,
    /// What is kept of the answer, which may be in memory three times. What streams through is nothing.
    pub(crate) collected_mb: f64,
}

/// How large the attacks are.
pub(crate) struct Size {
    /// Of tiny events.
    pub(crate) events: usize,
    /// Of events with ever-new ids.
    pub(crate) ids: usize,
    /// For what never ends.
    pub(crate) timeout: Duration,
    /// For all.
    pub(crate) patience: Duration,
}

impl Size {
    pub(crate) const FULL: Self = Self {
        events: 10_000_000,
        ids: 1_000_000,
        timeout: Duration::from_secs(10),
        patience: Duration::from_secs(900),
    };
    pub(crate) const BOUNDED: Self =
        Self { events: 100_000, ids: 50_000, timeout: Duration::from_secs(1), patience: Duration::from_secs(30) };
}

pub(crate) fn all(size: &Size) -> Vec<Attack> {
    [streams::attacks(size), http1::attacks(), json::attacks(), http2::attacks(), websocket::attacks()].concat()
}

/// Returns what is no attack, for comparison.
pub(crate) fn control() -> Attack {
    let answer = |wire: &mut Wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: \"one\"\n\n").and(shut(wire))
    };
    attack("control", Way::Http1, vec![flat("text", 0, "")], answer)
}

fn attack(
    name: &'static str,
    way: Way,
    expected: Vec<Expected>,
    answer: impl Fn(&mut Wire) -> io::Result<()> + Send + Sync + 'static,
) -> Attack {
    Attack { name, way, answer: Arc::new(move |wire, _| answer(wire)), token: None, expected }
}

/// Expects that memory stays as it is.
fn flat(output: &'static str, exit: i32, error: &'static str) -> Expected {
    kept(0.0, output, exit, error)
}

/// Expects that so much is kept.
fn kept(collected_mb: f64, output: &'static str, exit: i32, error: &'static str) -> Expected {
    Expected { output, exit, or: None, error, collected_mb }
}

impl Expected {
    fn or(mut self, exit: i32) -> Self {
        self.or = Some(exit);
        self
    }
}

/// Expects the same of every output.
fn every(exit: i32, error: &'static str) -> Vec<Expected> {
    ["text", "json", "events", "raw"].map(|output| flat(output, exit, error)).to_vec()
}

/// Ends the answer.
fn shut(wire: &mut Wire) -> io::Result<()> {
    wire.flush()?;
    match wire {
        Wire::Plain(stream) => stream.shutdown(std::net::Shutdown::Write),
        Wire::Tls(stream) => {
            stream.conn.send_close_notify();
            stream.flush()
        }
    }
}

/// Sends a head and then this, again and again, until the client goes away.
fn endless(wire: &mut Wire, head: &str, piece: &[u8]) -> io::Result<()> {
    wire.write_all(head.as_bytes())?;
    let block = piece.repeat((64 * 1024 / piece.len()).max(1));
    loop {
        wire.write_all(&block)?;
    }
}

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const TIMEOUT: &str = "error: ";
