//! Measures a client's frames, which the library joins to messages, against the limits of the service. Closes nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{lock::lock, server::ConnectionControl};

/// The limits of a connection's frames.
#[derive(Clone)]
pub(crate) struct FrameLimits(Arc<Mutex<Meter>>);

impl FrameLimits {
    /// Measures every byte that is read from a connection from now on.
    pub(crate) fn observe(control: &ConnectionControl) -> Self {
        let limits = Self(Arc::default());
        let observer = limits.clone();
        control.observe(move |bytes| lock(&observer.0).read(bytes, Instant::now()));
        limits
    }

    /// Returns the first limit that was exceeded.
    pub(super) fn exceeded(&self) -> Option<Limit> {
        lock(&self.0).exceeded
    }
}

/// A limit of the service, with the code of its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The bytes of a frame or a message.
    Size,
    /// The frames in a second.
    Rate,
}

impl Limit {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Size => 1009,
            Self::Rate => 1008,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Size => "a frame or a message is too big",
            Self::Rate => "too many frames in a second",
        }
    }
}

/// Parses the headers of frames (RFC 6455 section 5.2) and skips masks and payloads.
#[derive(Default)]
struct Meter {
    header: Vec<u8>,
    /// The bytes of mask and payload that are not read yet.
    rest: u64,
    /// The bytes of the message so far.
    message: u64,
    /// The start of the second, and its frames so far.
    second: Option<(Instant, u32)>,
    exceeded: Option<Limit>,
}

impl Meter {
    fn read(&mut self, mut bytes: &[u8], now: Instant) {
        while let [first, others @ ..] = bytes {
            if self.rest > 0 {
                let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                self.rest -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header.push(*first);
            bytes = others;
            if let Some(length) = payload_length(&self.header) {
                self.count(length, now);
                let mask = if self.header[1] & 0x80 == 0 { 0 } else { 4 };
                self.rest = length.saturating_add(mask);
                self.header.clear();
            }
        }
    }

    fn count(&mut self, length: u64, now: Instant) {
        let (is_final, is_control) = (self.header[0] & 0x80 != 0, self.header[0] & 0x08 != 0);
        let mut bytes = length;
        if !is_control {
            self.message = self.message.saturating_add(length);
            bytes = self.message;
            if is_final {
                self.message = 0;
            }
        }
        let (start, frames) = self.second.filter(|(start, _)| now - *start < SECOND).unwrap_or((now, 0));
        self.second = Some((start, frames + 1));
        if length > MAX_FRAME_BYTES as u64 || bytes > MAX_MESSAGE_BYTES as u64 {
            self.exceeded.get_or_insert(Limit::Size);
        }
        if frames == MAX_FRAMES_A_SECOND {
            self.exceeded.get_or_insert(Limit::Rate);
        }
    }
}

/// Returns the payload's length, once the header is complete but for the mask.
fn payload_length(header: &[u8]) -> Option<u64> {
    let [_, short, extended @ ..] = header else { return None };
    match short & 0x7f {
        126 => extended.try_into().ok().map(|bytes| u16::from_be_bytes(bytes).into()),
        127 => extended.try_into().ok().map(u64::from_be_bytes),
        short => Some(short.into()),
    }
}

/// The largest frame: 64 KB ("Quotas for Amazon Bedrock AgentCore").
pub(crate) const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The largest message, of however many frames: 10 MB, the quota of a streamed chunk.
pub(crate) const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;

/// The most frames in a second, control frames included ("Quotas for Amazon Bedrock AgentCore").
const MAX_FRAMES_A_SECOND: u32 = 250;

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths at the borders of the three ways to write one, of masked frames and one that is not.
    const FRAMES: &[(&[u8], usize)] = &[
        (&[0x82, 0x80, 1, 2, 3, 4], 0),
        (&[0x81, 0xfd, 1, 2, 3, 4], 125),
        (&[0x89, 0x05], 5),
        (&[0x02, 0xfe, 0x00, 0x7e, 1, 2, 3, 4], 126),
        (&[0x80, 0xfe, 0xff, 0xff, 1, 2, 3, 4], 65_535),
        (&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4], 65_536),
    ];

    #[test]
    fn frames_in_chunks_of_any_size() {
        let now = Instant::now();
        let bytes: Vec<u8> =
            FRAMES.iter().flat_map(|(header, length)| [header, &[0xff].repeat(*length)[..]].concat()).collect();
        for size in (1..20).chain([1000, 65_536, bytes.len()]) {
            let mut meter = Meter::default();
            bytes.chunks(size).for_each(|chunk| meter.read(chunk, now));
            assert_eq!((meter.second, meter.rest, meter.exceeded), (Some((now, 6)), 0, None), "chunks of {size}");
            assert_eq!((meter.header.len(), meter.message), (0, 0), "chunks of {size}");
        }
    }

    #[test]
    fn sizes() {
        let frame = |first: u8, length: u64| [&[first, 0xff], &length.to_be_bytes()[..], &[0; 4]].concat();
        for (frames, expected) in [
            (vec![(0x82, 65_536)], None),
            (vec![(0x82, 65_537)], Some(Limit::Size)),
            (vec![(0x82, u64::MAX)], Some(Limit::Size)),
            ([vec![(0x02, 65_536)], vec![(0x00, 65_536); 159]].concat(), None),
            ([vec![(0x02, 65_536)], vec![(0x00, 65_536); 159], vec![(0x89, 125), (0x80, 0)]].concat(), None),
            ([vec![(0x02, 65_536)], vec![(0x00, 65_536); 159], vec![(0x80, 1)]].concat(), Some(Limit::Size)),
            (vec![(0x82, 65_536); 161], None),
        ] {
            let mut meter = Meter::default();
            for (first, length) in &frames {
                meter.read(&frame(*first, *length), Instant::now());
                meter.rest = 0;
            }
            assert_eq!(meter.exceeded, expected, "{} frames", frames.len());
        }
    }

    #[test]
    fn seconds() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        for (moments, expected) in [
            (vec![at(0); 250], None),
            (vec![at(0); 251], Some(Limit::Rate)),
            ([vec![at(0)], vec![at(999); 250]].concat(), Some(Limit::Rate)),
            ([vec![at(0)], vec![at(999); 249]].concat(), None),
            ([vec![at(0); 250], vec![at(1000); 250]].concat(), None),
            ([vec![at(0); 250], vec![at(1000); 250], vec![at(1999)]].concat(), Some(Limit::Rate)),
        ] {
            let mut meter = Meter::default();
            moments.iter().for_each(|now| meter.read(&[0x89, 0x00], *now));
            assert_eq!(meter.exceeded, expected, "{} frames", moments.len());
        }
    }
}
