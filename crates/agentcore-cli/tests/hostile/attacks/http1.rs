//! HTTP/1.1: heads without end, lengths that are none, bodies without end, and bytes that come one by one.

use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

use super::{Attack, Expected, TIMEOUT, Way, attack, endless, every, flat, kept, shut};
use crate::wire::Wire;

const HEAD: &str = "HTTP/1.1 200 OK\r\nx-amzn-requestid: r-1\r\ncontent-type: ";

const PORTAL: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n\
                      <!DOCTYPE html><html><body>Welcome. Please log in.</body></html>";

pub(crate) fn attacks() -> Vec<Attack> {
    let protocol = "error: the server broke the protocol";
    let broken = "error: ";
    vec![
        attack("endless text", Way::Http1, streamed(), |wire| endless(wire, &head("text/plain"), b"x")),
        attack("endless JSON", Way::Http1, collected(), |wire| endless(wire, &(head("application/json") + "\""), b"x")),
        attack("endless error", Way::Http1, once(6, "error: xxx"), |wire| {
            endless(wire, "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\r\n", b"x")
        }),
        attack("one endless header", Way::Http1, once(6, protocol), |wire| {
            endless(wire, "HTTP/1.1 200 OK\r\nx: ", b"x")
        }),
        attack("endless headers", Way::Http1, once(6, protocol), |wire| {
            endless(wire, "HTTP/1.1 200 OK\r\n", b"x: y\r\n")
        }),
        attack("10 MB of headers", Way::Http1, once(6, protocol), |wire| {
            let headers = format!("x: {}\r\n", "y".repeat(1000)).repeat(10_000);
            whole(wire, &format!("HTTP/1.1 200 OK\r\n{headers}\r\n"))
        }),
        attack("endless status line", Way::Http1, once(6, protocol), |wire| endless(wire, "HTTP/1.1 200 ", b"x")),
        attack("100,000 interim answers", Way::Http1, once(0, ""), |wire| {
            wire.write_all("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(100_000).as_bytes())?;
            whole(wire, &(head("text/plain") + "hello"))
        }),
        attack("endless interim answers", Way::Http1, once(5, TIMEOUT), |wire| {
            endless(wire, "", b"HTTP/1.1 100 Continue\r\n\r\n")
        }),
        attack("a chunk that is none", Way::Http1, once(7, broken), |wire| chunked(wire, "zz\r\nhello\r\n")),
        attack("a chunk beyond 2^64", Way::Http1, once(7, broken), |wire| {
            chunked(wire, "10000000000000000\r\nhello\r\n")
        }),
        attack("a chunk that ends early", Way::Http1, once(7, broken), |wire| chunked(wire, "ff\r\nhello\r\n")),
        attack("endless chunk extension", Way::Http1, once(7, broken), |wire| {
            endless(wire, &(head_of("text/plain", "transfer-encoding: chunked") + "5;"), b"x")
        }),
        attack("endless trailers", Way::Http1, once(7, broken), |wire| {
            endless(wire, &(head_of("text/plain", "transfer-encoding: chunked") + "5\r\nhello\r\n0\r\n"), b"x: y\r\n")
        }),
        attack("a negative length", Way::Http1, once(6, protocol), |wire| {
            whole(wire, &(head_of("text/plain", "content-length: -5") + "hello"))
        }),
        attack("two lengths", Way::Http1, once(6, protocol), |wire| {
            whole(wire, &(head_of("text/plain", "content-length: 5\r\ncontent-length: 6") + "hello"))
        }),
        attack("a length of 2^63", Way::Http1, once(7, broken), |wire| {
            whole(wire, &(head_of("text/plain", "content-length: 9223372036854775807") + "hello"))
        }),
        attack("no HTTP at all", Way::Http1, once(6, protocol), |wire| whole(wire, "SSH-2.0-OpenSSH_9.6\r\n")),
        attack("slow loris, head", Way::Http1, once(5, TIMEOUT), |wire| slowly(wire, "HTTP/1.1 200 OK\r\nx: ")),
        attack("slow loris, body", Way::Http1, once(5, TIMEOUT), |wire| {
            slowly(wire, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: \"")
        }),
        attack("captive portal", Way::Http1, every(6, "error: "), |wire| whole(wire, PORTAL)),
        attack(
            "captive portal, token",
            Way::Issuer,
            vec![flat("text", 6, "error: the token endpoint's answer is of no use")],
            |wire| whole(wire, PORTAL),
        ),
        attack(
            "captive portal, redirect",
            Way::Http1,
            once(6, "error: the service answered with a redirect"),
            |wire| whole(wire, "HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\ncontent-length: 0\r\n\r\n"),
        ),
        attack("gzip bomb", Way::Http1, every(6, "error: the answer has the content coding \"gzip\""), |wire| {
            endless(wire, &head_of("text/plain", "content-encoding: gzip"), &[0x1f, 0x8b, 8, 0])
        }),
    ]
}

fn once(exit: i32, error: &'static str) -> Vec<Expected> {
    vec![flat("text", exit, error), flat("json", exit, error)]
}

/// Text streams through, into the timeout. Where the whole is printed at the end, 100 MB are the bound.
fn streamed() -> Vec<Expected> {
    let longer = "error: the answer";
    vec![
        flat("text", 5, TIMEOUT),
        kept(100.0, "json", 6, longer),
        kept(100.0, "events", 6, longer),
        flat("raw", 5, TIMEOUT),
    ]
}

/// JSON is read whole.
fn collected() -> Vec<Expected> {
    let longer = "error: the answer is longer than 100000000 bytes";
    vec![
        kept(100.0, "text", 6, longer),
        kept(100.0, "json", 6, longer),
        kept(100.0, "events", 6, longer),
        flat("raw", 5, TIMEOUT),
    ]
}

fn head(media_type: &str) -> String {
    format!("{HEAD}{media_type}\r\n\r\n")
}

fn head_of(media_type: &str, field: &str) -> String {
    format!("{HEAD}{media_type}\r\n{field}\r\n\r\n")
}

fn chunked(wire: &mut Wire, chunks: &str) -> io::Result<()> {
    whole(wire, &(head_of("text/plain", "transfer-encoding: chunked") + chunks))
}

fn whole(wire: &mut Wire, answer: &str) -> io::Result<()> {
    wire.write_all(answer.as_bytes())?;
    shut(wire)
}

/// Sends this, and then a byte every tenth of a second, until the client goes away.
fn slowly(wire: &mut Wire, begin: &str) -> io::Result<()> {
    wire.write_all(begin.as_bytes())?;
    let Wire::Plain(stream) = wire else { return Ok(()) };
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    loop {
        stream.write_all(b"x")?;
        match stream.read(&mut [0; 64]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            other => drop(other?),
        }
    }
}
