//! Streams of events: too many, too long, and of nothing.

use std::io::{self, Write as _};

use super::{Attack, SSE, Size, TIMEOUT, Way, attack, endless, every, flat, kept, shut};
use crate::wire::Wire;

pub(crate) fn attacks(size: &Size) -> Vec<Attack> {
    let (events, ids) = (size.events, size.ids);
    let text_mb = events as f64 / 1e6;
    let ids_mb = ids as f64 / 1e6;
    vec![
        attack(
            "tiny events",
            Way::Http1,
            vec![flat("text", 0, ""), kept(text_mb, "json", 0, ""), flat("events", 0, ""), flat("raw", 0, "")],
            move |wire| numbered(wire, events, |_| "data: \"x\"\n\n".to_owned()),
        ),
        attack("endless comments", Way::Http1, every(5, TIMEOUT), |wire| endless(wire, SSE, b": x\n")),
        attack("endless blank lines", Way::Http1, every(5, TIMEOUT), |wire| endless(wire, SSE, b"\n")),
        attack("endless id:", Way::Http1, every(5, TIMEOUT), |wire| endless(wire, SSE, b"id: 1\n")),
        attack("endless data:", Way::Http1, oversized(), |wire| {
            endless(wire, SSE, format!("data:{}\n", "x".repeat(1000)).as_bytes())
        }),
        attack("one endless line", Way::Http1, oversized(), |wire| {
            wire.write_all(SSE.as_bytes())?;
            endless(wire, "data: \"", b"x")
        }),
        attack("one endless comment", Way::Http1, every(5, TIMEOUT), |wire| endless(wire, SSE, b":")),
        attack("new message ids", Way::Http1, numbers(ids_mb), move |wire| {
            numbered(wire, ids, |n| {
                format!("data: {{\"type\":\"TEXT_MESSAGE_CONTENT\",\"messageId\":\"m{n}\",\"delta\":\"x\"}}\n\n")
            })
        }),
        attack("new tool calls", Way::Http1, numbers(0.0), move |wire| {
            numbered(wire, ids, |n| {
                format!("data: {{\"type\":\"TOOL_CALL_START\",\"toolCallId\":\"c{n}\",\"toolCallName\":\"t{n}\"}}\n\n")
            })
        }),
        attack("new Converse blocks", Way::Http1, numbers(ids_mb), move |wire| {
            numbered(wire, ids, |n| {
                format!(
                    "data: {{\"contentBlockDelta\":{{\"contentBlockIndex\":{n},\"delta\":{{\"text\":\"x\"}}}}}}\n\n"
                )
            })
        }),
        attack("new LangGraph ids", Way::Http1, numbers(ids_mb), move |wire| {
            numbered(wire, ids, |n| {
                format!(
                    "data: [{{\"type\":\"AIMessageChunk\",\"id\":\"run-{n}\",\"content\":\"x\"}},{{\"langgraph_node\":\"n{n}\"}}]\n\n"
                )
            })
        }),
        attack("unknown events", Way::Http1, numbers(ids_mb * 30.0), move |wire| {
            numbered(wire, ids, |n| format!("event: e{n}\ndata: {{\"unknown{n}\":{n}}}\n\n"))
        }),
    ]
}

fn numbers(mb: f64) -> Vec<super::Expected> {
    vec![flat("text", 0, ""), kept(mb, "json", 0, ""), flat("events", 0, "")]
}

/// An event is held until it is too long, of which the bound is 16 MiB; the bytes are not.
fn oversized() -> Vec<super::Expected> {
    let error = "error: ";
    vec![
        kept(16.8, "text", 7, error),
        kept(16.8, "json", 7, error),
        kept(16.8, "events", 7, error),
        flat("raw", 5, TIMEOUT),
    ]
}

/// Sends so many events, and ends the answer.
fn numbered(wire: &mut Wire, events: usize, event: impl Fn(usize) -> String) -> io::Result<()> {
    wire.write_all(SSE.as_bytes())?;
    let mut block = String::new();
    for number in 0..events {
        block.push_str(&event(number));
        if block.len() > 60_000 {
            wire.write_all(block.as_bytes())?;
            block.clear();
        }
    }
    wire.write_all(block.as_bytes())?;
    shut(wire)
}
