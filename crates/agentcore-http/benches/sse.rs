//! The decoder against the floor, which is finding the line ends, and against a peer, on the same bytes in the same run.
//!
//! `cargo bench -p agentcore-http --bench sse`. Absolute numbers are the machine's; the ratios are what counts.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use agentcore_http::sse::Decoder;
use bytes::Bytes;
use divan::{Bencher, black_box, counter::BytesCount};
use eventsource_stream::Eventsource;
use futures_util::{StreamExt, stream};

fn main() {
    divan::main();
}

/// A stream of about a megabyte, in chunks of 16 KiB as a socket delivers them.
fn chunks(data: &str) -> Vec<Bytes> {
    let event = format!("data: {data}\n\n");
    let whole = Bytes::from(event.repeat(1_000_000 / event.len()));
    (0..whole.len()).step_by(16 * 1024).map(|at| whole.slice(at..whole.len().min(at + 16 * 1024))).collect()
}

fn size(chunks: &[Bytes]) -> BytesCount {
    BytesCount::new(chunks.iter().map(Bytes::len).sum::<usize>())
}

/// A token of a language model, a small object, a large one.
const EVENTS: &[&str] = &["token", "object", "document"];

fn data(name: &str) -> String {
    match name {
        "token" => "\" world\"".into(),
        "object" => format!("{{\"delta\": \"{}\"}}", "x".repeat(85)),
        _ => format!("{{\"document\": \"{}\"}}", "x".repeat(10_000)),
    }
}

#[divan::bench(args = EVENTS)]
fn floor_memchr(bencher: Bencher<'_, '_>, event: &str) {
    let chunks = chunks(&data(event));
    bencher.counter(size(&chunks)).bench(|| {
        chunks.iter().map(|chunk| memchr::memchr2_iter(b'\r', b'\n', black_box(chunk)).count()).sum::<usize>()
    });
}

#[divan::bench(args = EVENTS)]
fn ours(bencher: Bencher<'_, '_>, event: &str) {
    let chunks = chunks(&data(event));
    bencher.counter(size(&chunks)).bench(|| {
        let mut decoder = Decoder::new();
        let mut events = 0;
        for chunk in &chunks {
            decoder.push(chunk.clone());
            while let Some(event) = decoder.next_event().unwrap() {
                events += event.data.len();
            }
        }
        events
    });
}

#[divan::bench(args = EVENTS)]
fn eventsource_stream(bencher: Bencher<'_, '_>, event: &str) {
    let chunks = chunks(&data(event));
    bencher.counter(size(&chunks)).bench(|| {
        let chunks = stream::iter(chunks.iter().cloned().map(Ok::<_, std::convert::Infallible>));
        let events = chunks.eventsource().fold(0, |sum, event| async move { sum + event.unwrap().data.len() });
        futures_util::FutureExt::now_or_never(events).unwrap()
    });
}
