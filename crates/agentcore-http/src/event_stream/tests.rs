//! Frames of another implementation, cut at every byte, damaged at every bit, and longer than is read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../../tests/vectors/event_stream_vectors.json");

fn frame(name: &str) -> Vec<u8> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let digits = vectors["frames"][name].as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Returns type, name and payload of the messages, and the error after them.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, max: usize) -> (Vec<(String, String)>, Option<FrameError>) {
    let mut decoder = FrameDecoder::new().max_frame_bytes(max);
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(message)) => {
                    let payload = String::from_utf8(message.payload().to_vec()).unwrap();
                    messages.push((format!("{:?} {:?}", message.frame_type(), message.name()), payload));
                }
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}

#[test]
fn frames_of_another_implementation() {
    for (name, kind, payload) in [
        ("started", "Some(Event) Some(\"chunk\")", "{\"contentStart\":{}}"),
        ("stdout", "Some(Event) Some(\"chunk\")", "{\"contentDelta\":{\"stdout\":\"héllo\\n\"}}"),
        (
            "exception",
            "Some(Exception) Some(\"validationException\")",
            "{\"message\":\"no such directory\",\"reason\":\"CannotParse\"}",
        ),
        ("error", "Some(Error) Some(\"InternalError\")", ""),
        ("empty", "None None", ""),
        ("headers_of_every_type", "Some(Event) Some(\"chunk\")", "{}"),
    ] {
        let (messages, error) = decode([&*frame(name)], DEFAULT_MAX_FRAME_BYTES);
        assert_eq!(messages, [(kind.to_owned(), payload.to_owned())], "{name}");
        assert!(error.is_none());
    }
}

#[test]
fn wherever_they_are_cut() {
    let all: Vec<u8> = ["started", "stdout", "both", "empty", "exit_0"].iter().flat_map(|name| frame(name)).collect();
    let (whole, _) = decode([&*all], DEFAULT_MAX_FRAME_BYTES);
    assert_eq!(whole.len(), 5);
    for cut in 0..=all.len() {
        let (before, after) = all.split_at(cut);
        assert_eq!(decode([before, after], DEFAULT_MAX_FRAME_BYTES).0, whole, "cut at {cut}");
    }
    assert_eq!(decode(all.chunks(1), DEFAULT_MAX_FRAME_BYTES).0, whole);
}

#[test]
fn a_bit_that_flips_damages_one_message_and_not_the_one_before() {
    let (good, bad) = (frame("started"), frame("stdout"));
    for bit in 0..bad.len() * 8 {
        let mut damaged = bad.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (messages, error) = decode([&*good, &*damaged], DEFAULT_MAX_FRAME_BYTES);
        assert_eq!(messages.len(), 1, "bit {bit}");
        assert!(matches!(error, Some(FrameError::Damaged)), "bit {bit}");
    }
}

/// Nothing is kept for a message whose prelude is damaged, impossible or too large.
#[test]
fn a_prelude_is_checked_at_once() {
    let prelude = |length: u32, headers: u32| {
        let lengths = [length.to_be_bytes(), headers.to_be_bytes()].concat();
        [&lengths[..], &crc32fast::hash(&lengths).to_be_bytes()].concat()
    };
    for (bytes, expected) in [
        (prelude(16, 0), "Ok(None)"),
        (prelude(1000, 984), "Ok(None)"),
        (prelude(1000, 985), "Err(Damaged)"),
        (prelude(15, 0), "Err(Damaged)"),
        (prelude(0, 0), "Err(Damaged)"),
        (prelude(1001, 0), "Err(TooLong { bytes: 1001, max: 1000 })"),
        (prelude(u32::MAX, u32::MAX), "Err(Damaged)"),
        (vec![0; 12], "Err(Damaged)"),
        (b"<!doctype html>".to_vec(), "Err(Damaged)"),
    ] {
        let mut decoder = FrameDecoder::new().max_frame_bytes(1000);
        decoder.push(&bytes[..11]);
        assert!(decoder.next_frame().unwrap().is_none());
        decoder.push(&bytes[11..]);
        assert_eq!(format!("{:?}", decoder.next_frame().map(|message| message.map(|_| ()))), expected);
        if expected.starts_with("Err") {
            decoder.push(&frame("started"));
            assert!(decoder.buffer.is_empty(), "nothing is read after an error");
        }
    }
}

proptest! {
    /// No contents behind valid checksums make it panic.
    #[test]
    fn headers_of_any_bytes(headers in proptest::collection::vec(any::<u8>(), 0..80), payload in proptest::collection::vec(any::<u8>(), 0..20)) {
        let length = u32::try_from(SHORTEST_FRAME_BYTES + headers.len() + payload.len()).unwrap();
        let mut bytes = [length.to_be_bytes(), u32::try_from(headers.len()).unwrap().to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend(&headers);
        bytes.extend(&payload);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        let mut decoder = FrameDecoder::new();
        decoder.push(&bytes);
        if let Ok(Some(message)) = decoder.next_frame() {
            let _ = (message.frame_type(), message.name().is_some());
            prop_assert_eq!(&message.payload()[..], &payload[..]);
        }
    }
}
