//! An answer of any kind as server-sent events: a stream of them, JSON, lines of JSON, or text as it comes. Judges no meaning.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use agentcore_http::{
    ByteStream, Response, SseEvent,
    event_stream::{Frame, FrameStream},
    sse,
};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_core::Stream as _;

use super::sniff::is_event_stream;
use crate::{BoxFuture, Error, ErrorKind};

/// Where an answer's events come from.
pub(super) enum Source {
    Events(Box<sse::EventStream>),
    /// An AWS event stream, and whether its last message has ended.
    Frames(Box<FrameStream>, bool),
    /// A JSON answer, read as a whole.
    Json(BoxFuture<'static, Result<Bytes, Error>>),
    Lines(Pieces),
    /// Text, or server-sent events that nothing calls so, as long as too little has come to tell.
    Unknown(Pieces),
    Text(Pieces),
    /// Server-sent events that nothing calls so, and where more comes from, if more does.
    Framed(Box<sse::Decoder>, Option<Pieces>),
    Over,
}

/// The next part of an answer.
pub(super) enum Part {
    Event(SseEvent),
    /// The whole of a JSON answer.
    Json(ByteString),
    Text(ByteString),
}

/// The bytes of a streamed answer that are still part of a line or a character.
pub(super) struct Pieces {
    bytes: Pin<Box<ByteStream>>,
    held: BytesMut,
    /// How much of it has been searched for an end.
    searched: usize,
    max: usize,
    ended: bool,
    /// Why it ended, where that is still to be told.
    failed: Option<Error>,
}

impl Source {
    pub(super) fn new(response: Response) -> Self {
        let max = response.max_event_bytes();
        let pieces = |response: Response, max: usize| Pieces {
            bytes: Box::pin(response.into_stream()),
            held: BytesMut::new(),
            searched: 0,
            max,
            ended: false,
            failed: None,
        };
        if response.is_event_stream() {
            Self::Events(Box::new(response.events().unterminated()))
        } else if response.is_aws_event_stream() {
            Self::Frames(Box::new(response.frames()), false)
        } else if response.is_json() {
            Self::Json(Box::pin(response.bytes()))
        } else if response.is_json_lines() {
            Self::Lines(pieces(response, max))
        } else {
            Self::Unknown(pieces(response, max))
        }
    }

    /// Whether it is an AWS event stream.
    pub(super) fn is_frames(&self) -> bool {
        matches!(self, Self::Frames(..))
    }

    /// The first line of a stream of events that is no part of their grammar.
    pub(super) fn unknown_line(&self) -> Option<String> {
        match self {
            Self::Events(events) => events.unknown_line(),
            _ => None,
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Part, Error>>> {
        Poll::Ready(match self {
            Self::Events(events) => ready!(Pin::new(&mut **events).poll_next(cx)).map(|event| event.map(Part::Event)),
            Self::Frames(frames, has_ended) => match ready!(Pin::new(&mut **frames).poll_next(cx)) {
                Some(Ok(frame)) => Some(event_of(&frame, has_ended).map(Part::Event)),
                Some(Err(error)) => Some(Err(error)),
                None if *has_ended => None,
                None => {
                    *self = Self::Over;
                    let message = "the answer ended without the end of its message (messageStop)";
                    Some(Err(Error::new(ErrorKind::BrokenOff, message).possibly_run(true)))
                }
            },
            Self::Json(body) => {
                let body = ready!(body.as_mut().poll(cx));
                *self = Self::Over;
                match body {
                    Ok(body) if is_event_stream(&body) == Some(true) => {
                        let mut decoder = decoder(body.len());
                        decoder.push(body);
                        decoder.finish();
                        *self = Self::Framed(decoder, None);
                        return self.poll_next(cx);
                    }
                    body => Some(body.map(|body| {
                        let rest = body.strip_prefix(BYTE_ORDER_MARK);
                        Part::Json(text(rest.map_or_else(|| body.clone(), |rest| body.slice_ref(rest))))
                    })),
                }
            }
            Self::Unknown(pieces) => {
                let is_framed = ready!(pieces.poll_kind(cx));
                if let Self::Unknown(mut pieces) = mem::replace(self, Self::Over) {
                    *self = if is_framed {
                        let mut decoder = decoder(pieces.max);
                        decoder.push(pieces.held.split().freeze());
                        Self::Framed(decoder, Some(pieces))
                    } else {
                        // Of text no more is held than the beginning of a character.
                        Self::Text(Pieces { max: usize::MAX, ..pieces })
                    };
                }
                return self.poll_next(cx);
            }
            Self::Framed(decoder, pieces) => loop {
                match decoder.next_event() {
                    Ok(Some(event)) => break Some(Ok(Part::Event(event))),
                    Ok(None) => {}
                    Err(error) => {
                        *self = Self::Over;
                        let message = error.to_string();
                        break Some(Err(Error::new(ErrorKind::BrokenOff, message).lasting()));
                    }
                }
                let Some(more) = pieces else { break None };
                match ready!(more.bytes.as_mut().poll_next(cx)) {
                    Some(Ok(piece)) => decoder.push(piece),
                    Some(Err(error)) => {
                        *self = Self::Over;
                        break Some(Err(error));
                    }
                    None => {
                        decoder.finish();
                        *pieces = None;
                    }
                }
            },
            Self::Lines(pieces) => {
                ready!(pieces.poll(cx, line)).map(|line| line.map(|line| Part::Event(SseEvent::new(line))))
            }
            Self::Text(pieces) => ready!(pieces.poll(cx, characters)).map(|text| text.map(Part::Text)),
            Self::Over => None,
        })
    }
}

/// Returns a frame as an event, and notes whether the message that it belongs to has ended.
fn event_of(frame: &Frame, has_ended: &mut bool) -> Result<SseEvent, Error> {
    let event = frame.to_event()?;
    *has_ended = match &*event.event {
        "messageStart" => false,
        "messageStop" => true,
        _ => *has_ended,
    };
    Ok(event)
}

/// Reads server-sent events that nothing calls so.
fn decoder(max: usize) -> Box<sse::Decoder> {
    Box::new(sse::Decoder::new().unterminated(true).max_event_bytes(max))
}

impl Pieces {
    /// Waits until it is known whether this is a stream of server-sent events; text that ends before is text.
    fn poll_kind(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            match is_event_stream(&self.held) {
                None if !self.ended => {}
                known => return Poll::Ready(known == Some(true)),
            }
            match ready!(self.bytes.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => self.held.extend_from_slice(&piece),
                end => (self.ended, self.failed) = (true, end.and_then(Result::err)),
            }
        }
    }

    /// Takes the next part off what has come, or waits for more. What is left at the end is the last part.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        take: impl Fn(&mut BytesMut, usize) -> Option<BytesMut>,
    ) -> Poll<Option<Result<ByteString, Error>>> {
        loop {
            let part = take(&mut self.held, mem::take(&mut self.searched));
            if let Some(part) = part.or_else(|| self.ended.then(|| self.held.split())) {
                if part.len() > self.max {
                    return Poll::Ready(Some(Err(self.too_long())));
                }
                let part = (!part.is_empty()).then(|| Ok(text(part.freeze())));
                return Poll::Ready(part.or_else(|| self.failed.take().map(Err)));
            }
            self.searched = self.held.len();
            match ready!(self.bytes.as_mut().poll_next(cx)) {
                Some(Ok(_)) if self.held.len() > self.max => return Poll::Ready(Some(Err(self.too_long()))),
                Some(Ok(piece)) => self.held.extend_from_slice(&piece),
                Some(Err(error)) => {
                    self.end();
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.ended = true,
            }
        }
    }

    fn too_long(&mut self) -> Error {
        self.end();
        let message = format!("a line of the answer is longer than {} bytes", self.max);
        Error::new(ErrorKind::BrokenOff, message).lasting()
    }

    /// Nothing more is taken, because the answer has failed.
    fn end(&mut self) {
        self.ended = true;
        self.searched = 0;
        self.held.clear();
    }
}

/// Takes a line, without its end, of which there is none in what has been searched.
fn line(held: &mut BytesMut, mut searched: usize) -> Option<BytesMut> {
    loop {
        let end = searched + memchr::memchr(b'\n', &held[searched..])?;
        searched = 0;
        let mut line = held.split_to(end + 1);
        line.truncate(line.trim_ascii_end().len());
        if !line.is_empty() {
            return Some(line);
        }
    }
}

/// Takes all but the beginning of a character whose rest has not come.
fn characters(held: &mut BytesMut, _searched: usize) -> Option<BytesMut> {
    let whole = match std::str::from_utf8(held) {
        Ok(_) => held.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // Bytes that are no UTF-8 will be replaced; what begins behind them waits.
        Err(_) => {
            let last = held.utf8_chunks().last().map(|chunk| chunk.invalid());
            let waits =
                last.is_some_and(|last| std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none()));
            held.len() - if waits { last.map_or(0, <[u8]>::len) } else { 0 }
        }
    };
    (whole > 0).then(|| held.split_to(whole))
}

fn text(bytes: Bytes) -> ByteString {
    ByteString::try_from(bytes.clone()).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
