//! The faults of invocations and handshakes: throttled, reset, stalled, late, split, huge. Waits on tokio's clock only.

mod error_response;
mod websocket;

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::invocation::{AgentRequest, AgentResponse, event};
use error_response::{ErrorResponse, decimal};

pub(crate) use websocket::WebSocketFault;

/// A fault, parsed from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answers with an error, for the first so many requests of a session.
    Error(u32, ErrorResponse),
    /// Resets the connection, for the first so many requests of a session.
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
    pub(crate) fn parse(agent: &str) -> Option<Self> {
        Some(match agent {
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
            _ if agent.starts_with("error-") => Self::Error(u32::MAX, ErrorResponse::parse(agent)?),
            _ => {
                let (kind, number) = agent.split_once('-')?;
                let number = decimal(number)?;
                match kind {
                    "throttle" => Self::Error(number, ErrorResponse::parse("error-429-after-0")?),
                    "unavailable" => Self::Error(number, ErrorResponse::parse("error-503-after-0")?),
                    "conflict" => Self::Error(number, ErrorResponse::parse("error-RetryableConflictException")?),
                    "unauthorized" => Self::Error(number, ErrorResponse::parse("error-401")?),
                    "reset" => Self::Reset(number),
                    "slow" => Self::Slow(Duration::from_millis(number.into())),
                    "huge" => Self::Huge(number),
                    _ => return None,
                }
            }
        })
    }

    /// Responds to an invocation, or returns `None` if the agent goes on as echo.
    pub(crate) async fn respond(self, request: &AgentRequest) -> Option<AgentResponse> {
        Some(match self {
            Self::ResetMidstream => AgentResponse::event_stream(reset_midstream()),
            Self::FailMidstream => AgentResponse::events(first_events().into_iter().chain([failure()])),
            Self::Stall => AgentResponse::event_stream(stall()),
            Self::Split => AgentResponse::event_stream(split()),
            Self::Huge(bytes) => AgentResponse::event_stream(huge(bytes)),
            Self::Empty => AgentResponse::event_stream(stream::empty::<Result<Bytes, Infallible>>()),
            Self::Gzip => AgentResponse::whole("application/json", GZIP)
                .with_header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
            _ => return self.respond_to_handshake(request).await,
        })
    }

    /// Responds to a handshake, or returns `None` if the agent goes on as echo.
    pub(crate) async fn respond_to_handshake(self, request: &AgentRequest) -> Option<AgentResponse> {
        Some(match self {
            Self::Error(first, error) if request.attempt <= first.into() => error.response(),
            Self::Reset(first) if request.attempt <= first.into() => AgentResponse::reset(),
            Self::Error(..) | Self::Reset(_) => return None,
            Self::Slow(delay) => {
                tokio::time::sleep(delay).await;
                return None;
            }
            Self::Redirect => AgentResponse::text("Over there.")
                .with_status(StatusCode::TEMPORARY_REDIRECT)
                .with_header(header::LOCATION, HeaderValue::from_static("http://127.0.0.1:9/elsewhere")),
            Self::Html => AgentResponse::whole("text/html; charset=utf-8", HTML).with_status(StatusCode::BAD_GATEWAY),
            _ => AgentResponse::unsupported("The agent has no WebSocket."),
        })
    }
}

/// Returns the two events before the fault of a stream.
fn first_events() -> [Value; 2] {
    ["Once".into(), " upon".into()]
}

/// Returns the event by which the official SDK's runtime reports an agent that failed after its first event.
fn failure() -> Value {
    json!({
        "error": "the agent lost its thread",
        "error_type": "ValueError",
        "message": "An error occurred during streaming",
    })
}

fn stall() -> impl Stream<Item = Result<Bytes, Infallible>> {
    let [first, _] = first_events();
    stream::iter([Ok(chunk(first))]).chain(stream::pending())
}

fn reset_midstream() -> impl Stream<Item = io::Result<Bytes>> {
    broken_off(stream::iter(first_events().map(chunk).map(Ok)))
}

/// Returns the pieces of a body, after which the connection breaks off.
pub(crate) fn broken_off(pieces: impl Stream<Item = io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> {
    let broken = stream::once(async {
        // The server writes what it has while a body is pending; an error at once would discard the pieces.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    pieces.chain(broken)
}

fn split() -> impl Stream<Item = Result<Bytes, Infallible>> {
    let text: String = ["Grüße", " an die 世界", " 🌍"].into_iter().map(|word| event(&word.into())).collect();
    stream::iter(text.into_bytes()).then(|byte| async move {
        tokio::task::yield_now().await;
        Ok(Bytes::from(vec![byte]))
    })
}

/// Streams one event whose JSON string has so many bytes, in pieces so that it is never in memory as a whole.
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

/// `{"gzip":true}`, compressed by Python's gzip module.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0xaf, 0xca, 0x2c, 0x50, 0xb2, 0x2a,
    0x29, 0x2a, 0x4d, 0xad, 0x05, 0x00, 0xf9, 0xea, 0xf4, 0x36, 0x0d, 0x00, 0x00, 0x00,
];

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\
                    <body><center><h1>502 Bad Gateway</h1></center></body></html>\n";
