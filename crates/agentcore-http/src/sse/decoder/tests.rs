//! The tests of the decoder, and what they share.
//!
//! - `grammar`: inputs of every kind, and the events in them, written by hand.
//! - `properties`: any bytes, cut anywhere, against an independent `reference`.
//! - `resources`: what is copied, what is stored, how much work is done, and the bound.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod grammar;
mod properties;
mod reference;
mod resources;

use std::time::Duration;

use bytes::Bytes;

use super::{super::event::SseEvent, DecodeError, Decoder, work::WORK};

/// Everything a decoder says of some chunks, the end of the stream included.
type Outcome = (Vec<SseEvent>, Option<DecodeError>);

/// An event of type `message`, with neither id nor retry.
fn message(data: &str) -> SseEvent {
    event("message", data, "", None)
}

/// An event of type `message`, without retry.
fn with_id(data: &str, id: &str) -> SseEvent {
    event("message", data, id, None)
}

/// An event of type `message`, without id.
fn with_retry(data: &str, milliseconds: u64) -> SseEvent {
    event("message", data, "", Some(milliseconds))
}

fn event(event: &str, data: &str, id: &str, retry: Option<u64>) -> SseEvent {
    SseEvent { event: event.into(), data: data.into(), id: id.into(), retry: retry.map(Duration::from_millis) }
}

/// Pulls what there is to pull.
fn pull(decoder: &mut Decoder) -> Outcome {
    let mut events = Vec::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => {
                assert_eq!(decoder.next_event(), Ok(None), "a decoder that failed yields nothing more");
                return (events, Some(error));
            }
        }
    }
}

/// Pushes the chunks and pulls after each.
fn decode<'a>(mut decoder: Decoder, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut outcome = (Vec::new(), None);
    let mut take = |decoder: &mut Decoder| {
        let (events, error) = pull(decoder);
        outcome.0.extend(events);
        outcome.1 = outcome.1.or(error);
    };
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        take(&mut decoder);
    }
    decoder.finish();
    take(&mut decoder);
    outcome
}

/// Decodes the input whole, cut in two at every place, byte by byte, and pushed before the first pull with empty chunks
/// among its bytes.
#[track_caller]
fn check(decoder: impl Fn() -> Decoder, input: &[u8], expected: &Outcome) {
    let shown = input.escape_ascii();
    assert_eq!(decode(decoder(), [input]), *expected, "whole: {shown}");
    for cut in 0..=input.len() {
        let (head, tail) = input.split_at(cut);
        assert_eq!(decode(decoder(), [head, tail]), *expected, "cut at {cut}: {shown}");
    }
    assert_eq!(decode(decoder(), input.chunks(1)), *expected, "byte by byte: {shown}");
    let mut patient = decoder();
    for byte in input.chunks(1) {
        patient.push(Bytes::new());
        patient.push(Bytes::copy_from_slice(byte));
    }
    patient.finish();
    assert_eq!(pull(&mut patient), *expected, "pulled at the end: {shown}");
}

/// Returns the work done since the last call.
fn work_done() -> usize {
    WORK.take()
}
