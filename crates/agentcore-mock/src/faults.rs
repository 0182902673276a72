//! The agents that misbehave: throttled, reset, silent, late, torn, huge. Every wait is on tokio's clock.

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    AgentAnswer, AgentRequest,
    agents::{answer::event, decimal, echo::echo, error::ErrorAgent},
};

/// A way to misbehave, read from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error for the first so many requests of a session, then echo.
    Refuse(u32, ErrorAgent),
    /// Resets the connection for the first so many requests of a session, then echo.
    Reset(u32),
    ResetMidstream,
    FailMidstream,
    Stall,
    Slow(Duration),
    Split,
    Huge(u32),
    Empty,
    Redirect,
    Gzip,
    Html,
}

impl Fault {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "reset" => Self::Reset(u32::MAX),
            "reset-midstream" => Self::ResetMidstream,
            "fail-midstream" => Self::FailMidstream,
            "stall" => Self::Stall,
            "slow" => Self::Slow(Duration::from_secs(1)),
            "split" => Self::Split,
            "huge" => Self::Huge(20 * 1024 * 1024),
            "empty" => Self::Empty,
            "redirect" => Self::Redirect,
            "gzip" => Self::Gzip,
            "html" => Self::Html,
            _ => {
                let (kind, number) = name.split_once('-')?;
                let number = decimal(number)?;
                match kind {
                    "throttle" => Self::Refuse(number, ErrorAgent::named("error-429-after-0")?),
                    "unavailable" => Self::Refuse(number, ErrorAgent::named("error-503-after-0")?),
                    "conflict" => Self::Refuse(number, ErrorAgent::named("error-RetryableConflictException")?),
                    "unauthorized" => Self::Refuse(number, ErrorAgent::named("error-401")?),
                    "reset" => Self::Reset(number),
                    "slow" => Self::Slow(Duration::from_millis(number.into())),
                    "huge" => Self::Huge(number),
                    _ => return None,
                }
            }
        })
    }

    /// Answers an invocation.
    pub(crate) async fn answer(self, request: &AgentRequest) -> AgentAnswer {
        match self {
            Self::Refuse(..) | Self::Reset(_) | Self::Slow(_) | Self::Redirect | Self::Html => {
                self.open(request).await.map_or_else(|answer| answer, |()| echo(request))
            }
            Self::ResetMidstream => sse(reset_midstream()),
            Self::FailMidstream => AgentAnswer::events(opening().into_iter().chain([failure()])),
            Self::Stall => sse(stall()),
            Self::Split => sse(split()),
            Self::Huge(bytes) => sse(huge(bytes)),
            Self::Empty => sse(stream::empty::<Result<Bytes, Infallible>>()),
            Self::Gzip => AgentAnswer::whole("application/json", GZIP)
                .with_header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        }
    }

    /// Lets an invocation or a WebSocket go on as echo, or answers in its place.
    pub(crate) async fn open(self, request: &AgentRequest) -> Result<(), AgentAnswer> {
        match self {
            Self::Refuse(first, error) if request.attempt <= first.into() => Err(error.answer()),
            Self::Reset(first) if request.attempt <= first.into() => Err(AgentAnswer::reset()),
            Self::Refuse(..) | Self::Reset(_) => Ok(()),
            Self::Slow(late) => {
                tokio::time::sleep(late).await;
                Ok(())
            }
            Self::Redirect => Err(AgentAnswer::text("Over there.")
                .with_status(StatusCode::TEMPORARY_REDIRECT)
                .with_header(header::LOCATION, HeaderValue::from_static("http://127.0.0.1:9/elsewhere"))),
            Self::Html => {
                Err(AgentAnswer::whole("text/html; charset=utf-8", HTML).with_status(StatusCode::BAD_GATEWAY))
            }
            _ => Err(AgentAnswer::unserved("The agent has no WebSocket.")),
        }
    }
}

/// The two events before a stream goes wrong.
fn opening() -> [Value; 2] {
    ["Once".into(), " upon".into()]
}

/// The event by which the official SDK's runtime reports an agent that failed after its first event.
fn failure() -> Value {
    json!({
        "error": "the agent lost its thread",
        "error_type": "ValueError",
        "message": "An error occurred during streaming",
    })
}

fn stall() -> impl Stream<Item = Result<Bytes, Infallible>> {
    let [first, _] = opening();
    stream::iter([Ok(chunk(first))]).chain(stream::pending())
}

fn reset_midstream() -> impl Stream<Item = io::Result<Bytes>> {
    let broken = stream::once(async {
        // The server writes what it has while a body is pending; an error at once would take the events with it.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    stream::iter(opening().map(chunk).map(Ok)).chain(broken)
}

fn split() -> impl Stream<Item = Result<Bytes, Infallible>> {
    let text: String = ["Grüße", " an die 世界", " 🌍"].into_iter().map(|word| event(&word.into())).collect();
    stream::iter(text.into_bytes()).then(|byte| async move {
        tokio::task::yield_now().await;
        Ok(Bytes::from(vec![byte]))
    })
}

/// One event holding a JSON string of so many bytes, sent in pieces so that it never lies in memory whole.
fn huge(bytes: u32) -> impl Stream<Item = Result<Bytes, Infallible>> {
    static PIECE: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let bytes = bytes as usize;
    let pieces = std::iter::repeat_n(&PIECE[..], bytes / PIECE.len()).chain([&PIECE[..bytes % PIECE.len()]]);
    let pieces = [&b"data: \""[..]].into_iter().chain(pieces).chain([&b"\"\n\n"[..]]);
    stream::iter(pieces.filter(|piece| !piece.is_empty()).map(|piece| Ok(Bytes::from_static(piece))))
}

fn chunk(value: Value) -> Bytes {
    event(&value).into()
}

fn sse<S, E>(body: S) -> AgentAnswer
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    AgentAnswer::stream("text/event-stream; charset=utf-8", body)
}

/// `{"gzip":true}`, compressed by Python's gzip module.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0xaf, 0xca, 0x2c, 0x50, 0xb2, 0x2a,
    0x29, 0x2a, 0x4d, 0xad, 0x05, 0x00, 0xf9, 0xea, 0xf4, 0x36, 0x0d, 0x00, 0x00, 0x00,
];

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
                    <body><center><h1>502 Bad Gateway</h1></center></body></html>\n";
