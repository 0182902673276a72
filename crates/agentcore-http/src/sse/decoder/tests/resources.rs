//! What is copied, what is stored, how much work is done, and the bound on an event.

use super::{
    super::{Bytes, DEFAULT_MAX_EVENT_BYTES, DecodeError, Decoder},
    SseEvent, check, decode, event, message, pull, with_id, work_done,
};

/// Whether the text lies in the memory of the chunk.
fn lies_in(text: &str, chunk: &Bytes) -> bool {
    !text.is_empty() && chunk.as_ptr_range().contains(&text.as_ptr())
}

/// Decodes the chunks and returns the events, each with the number of the chunk its data lies in.
fn places(mut decoder: Decoder, chunks: &[&'static [u8]]) -> Vec<(SseEvent, Option<usize>)> {
    let chunks: Vec<Bytes> = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk)).collect();
    let mut places = Vec::new();
    for chunk in &chunks {
        decoder.push(chunk.clone());
        for event in pull(&mut decoder).0 {
            assert!(!chunks.iter().any(|chunk| lies_in(&event.event, chunk) || lies_in(&event.id, chunk)));
            let place = chunks.iter().position(|chunk| lies_in(&event.data, chunk));
            places.push((event, place));
        }
    }
    places
}

#[test]
fn data_is_a_slice_of_its_chunk_wherever_it_can_be() {
    type Case = (&'static [&'static [u8]], Vec<(SseEvent, Option<usize>)>);
    let slice = |data, chunk| (message(data), Some(chunk));
    let copy = |data| (message(data), None);
    let cases: [Case; 8] = [
        (
            &[b"data: one\n\n: x\ndata:two\r\n\r\nevent: e\nid: 1\ndata: three\n\n"],
            vec![slice("one", 0), slice("two", 0), (event("e", "three", "1", None), Some(0))],
        ),
        // A line that straddles chunks is copied, and its neighbours are not.
        (&[b"data: one\n\ndata: t", b"wo\n\ndata: three\n\n"], vec![slice("one", 0), copy("two"), slice("three", 1)]),
        // An event may straddle chunks where its data does not.
        (&[b"data: one\n", b"\n"], vec![slice("one", 0)]),
        (&[b"id: 1\nda", b"ta", b": ", b"one\r", b"\n\r\n"], vec![(with_id("one", "1"), Some(3))]),
        (&[b"data: one", b"\n\n"], vec![copy("one")]),
        (&[b"data: one\ndata: two\n\n"], vec![copy("one\ntwo")]),
        (&[b"data: \xFF\n\ndata: one\n\n"], vec![copy("\u{fffd}"), slice("one", 0)]),
        (&[b"data: \xC3\xA9\n\n"], vec![slice("é", 0)]),
    ];
    for (chunks, expected) in cases {
        assert_eq!(places(Decoder::new(), chunks), expected);
        assert_eq!(places(Decoder::new().lenient(true), chunks), expected);
    }
    let lenient = places(Decoder::new().lenient(true), &[b"data: 1\ndata: 2", b"\ndata: 3\n\n"]);
    assert_eq!(lenient, [slice("1", 0), copy("2"), slice("3", 1)]);
}

#[test]
fn a_chunk_is_let_go_once_it_is_read() {
    let chunk = Bytes::from(b"event: e\nid: 1\ndata: one\n\n: x".to_vec());
    let mut decoder = Decoder::new();
    decoder.push(chunk.clone());
    let (events, _) = pull(&mut decoder);
    assert_eq!(events, [event("e", "one", "1", None)]);
    assert!(!chunk.is_unique(), "the event's data is a slice of it");
    drop(events);
    assert!(chunk.is_unique(), "neither the last id nor the position hold it");
}

#[test]
fn work_is_linear_in_the_input() {
    const SIZE: usize = 1 << 15;
    let long = |unit: &str| unit.repeat(SIZE / unit.len());
    let inputs = [
        ("one long line", format!("data: {}\n\n", long("x"))),
        ("a long comment", format!(": {}\n\n", long("x"))),
        ("a long unknown field", format!("datum: {}\n\n", long("x"))),
        ("a long line that never ends", format!("data: {}", long("x"))),
        ("many lines of text", long("data: some text\n") + "\n"),
        ("many empty lines of text", long("data\n") + "\n"),
        ("many lines of JSON", long("data: {\"a\":[1]}\n")),
        ("many fields between lines of JSON", long("data: {\"a\":[1]}\nevent: e\nid: 1\nretry: 2\n")),
        ("many events", long("data: some text\n\n")),
        ("many blank lines", long("\r")),
        ("one long line of JSON, and more", format!("data: [{}1]\n{}", long("1,"), long("data: x\n"))),
        ("one long line that is almost JSON", format!("data: [{}\n{}", long("1,"), long("data\n"))),
        ("deep JSON", format!("data: {}\ndata: x\n", long("["))),
    ];
    for (name, input) in &inputs {
        for lenient in [false, true] {
            for size in [1, 7, 4096, input.len()] {
                work_done();
                decode(Decoder::new().lenient(lenient), input.as_bytes().chunks(size));
                let work = work_done();
                // At most: searched, copied as a part, copied as a line among several, and parsed, once each.
                assert!(work <= 4 * input.len(), "{name} in chunks of {size}: {work} bytes for {}", input.len());
            }
        }
    }
}

#[test]
fn what_is_ignored_is_not_stored() {
    for start in [": ", ":", "x", "datum: ", "data ", "\u{feff}\u{feff}data: "] {
        let mut decoder = Decoder::new().max_event_bytes(8);
        decoder.push(start.into());
        for _ in 0..1000 {
            decoder.push("more and more and more of it".into());
            assert_eq!(decoder.next_event(), Ok(None));
            assert_eq!(decoder.partial.capacity(), 0, "{start}");
        }
        decoder.push("\ndata: ok\n\n".into());
        assert_eq!(pull(&mut decoder), (vec![message("ok")], None), "{start}");
    }
}

#[test]
fn an_event_over_the_bound_is_an_error_in_any_chunks() {
    let too_large = Some(DecodeError { limit: 4 });
    let each_full = event("1234", "1234", "1234", Some(1234));
    let strict: [(&[u8], Vec<SseEvent>, _); 15] = [
        (b"data: 1234\n\n", vec![message("1234")], None),
        (b"data: 12345\n\n", vec![], too_large),
        (b"data: 12345", vec![], too_large),
        (b"data: a\n\ndata: 12345\n\ndata: b\n\n", vec![message("a")], too_large),
        // The line feeds that join lines count; line ends, names, colons and spaces do not.
        (b"data: a\ndata: b\r\ndata\n\n", vec![message("a\nb\n")], None),
        (b"data: ab\ndata: cd\n\n", vec![], too_large),
        (b"data: ab\ndata: cd", vec![], too_large),
        (b"data\ndata\ndata\ndata\ndata\n\n", vec![message("\n\n\n\n")], None),
        (b"data\ndata\ndata\ndata\ndata\ndata\n\n", vec![], too_large),
        // Each other field has the bound to itself, and what is ignored has none.
        (b"event: 1234\nid: 1234\nretry: 1234\ndata: 1234\n: 12345\nx12345\n\n", vec![each_full], None),
        (b"id: 12345\n\n", vec![], too_large),
        (b"event: 12345\n\n", vec![], too_large),
        // U+FFFD counts for the three bytes it takes in the text.
        (b"data: \xFFx\n\n", vec![message("\u{fffd}x")], None),
        (b"data: \xFF\xFF\n\n", vec![], too_large),
        (b"data: \xFF\ndata\ndata\n\n", vec![], too_large),
    ];
    for (input, events, error) in strict {
        let expected = (events, error);
        check(|| Decoder::new().max_event_bytes(4), input, &expected);
        check(|| Decoder::new().max_event_bytes(4).lenient(true), input, &expected);
    }
    // Events that a single line feed separates are measured one by one.
    let lenient: [(&[u8], Vec<SseEvent>, _); 2] = [
        (b"data: 1234\ndata: 5678\n", vec![message("1234"), message("5678")], None),
        (b"data: 1234\ndata: 56789", vec![message("1234")], too_large),
    ];
    for (input, events, error) in lenient {
        check(|| Decoder::new().max_event_bytes(4).lenient(true), input, &(events, error));
    }
}

#[test]
fn the_default_bound_is_16_mib() {
    assert_eq!(DEFAULT_MAX_EVENT_BYTES, 16_777_216);
    let line = |size| Bytes::from([b"data:", &vec![b'x'; size][..], b"\n\n"].concat());
    let mut decoder = Decoder::default();
    decoder.push(line(16_777_216));
    assert_eq!(decoder.next_event().unwrap().unwrap().data.len(), 16_777_216);
    decoder.push(line(16_777_217));
    assert_eq!(decoder.next_event(), Err(DecodeError { limit: 16_777_216 }));
}

#[test]
fn an_error_ends_everything_and_frees_the_memory() {
    let mut decoder = Decoder::new().lenient(true).max_event_bytes(4);
    let chunks = [Bytes::from(b"id: 1\ndata: 123".to_vec()), Bytes::from(b"456\n\n".to_vec()), Bytes::from(vec![b'x'])];
    chunks.iter().for_each(|chunk| decoder.push(chunk.clone()));
    let error = decoder.next_event().unwrap_err();
    assert_eq!(error.to_string(), "a server-sent event is larger than the limit of 4 bytes");
    assert_eq!(decoder.partial.capacity(), 0);
    assert!(chunks.iter().all(Bytes::is_unique));
    decoder.push("data: a\n\n".into());
    decoder.finish();
    assert_eq!(decoder.next_event(), Ok(None));
}

#[test]
fn debug_shows_settings_and_no_content() {
    let mut decoder = Decoder::new().lenient(true).max_event_bytes(64);
    decoder.push("data: secret".into());
    assert_eq!(decoder.next_event(), Ok(None));
    assert_eq!(format!("{decoder:?}"), "Decoder { lenient: true, max_event_bytes: 64, closed: false, .. }");
}

/// A stream that waits for its next event keeps no buffer of the network: the chunk is a part of one.
#[test]
fn a_chunk_that_has_been_read_is_let_go() {
    let mut decoder = Decoder::new();
    for text in ["data: one\n\n", ": comment\n\n"] {
        let chunk = Bytes::from(text.to_owned());
        decoder.push(chunk.clone());
        let event = decoder.next_event().unwrap();
        assert!(!chunk.is_unique() || event.is_none());
        drop(event);
        assert!(chunk.is_unique(), "{text:?}");
    }
}
