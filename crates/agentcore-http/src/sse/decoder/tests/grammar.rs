//! Inputs of every kind, and the events in them: written by hand, from the standard's text.

use super::{super::Decoder, Bytes, SseEvent, check, event, message, pull, with_id, with_retry};

/// An input, what a strict decoder makes of it, and what a lenient one makes of it if that is something else.
struct Case {
    input: &'static [u8],
    strict: Vec<SseEvent>,
    lenient: Option<Vec<SseEvent>>,
}

fn both(input: &'static [u8], events: impl Into<Vec<SseEvent>>) -> Case {
    Case { input, strict: events.into(), lenient: None }
}

fn differ(input: &'static [u8], strict: impl Into<Vec<SseEvent>>, lenient: impl Into<Vec<SseEvent>>) -> Case {
    Case { input, strict: strict.into(), lenient: Some(lenient.into()) }
}

#[track_caller]
fn check_all(cases: impl IntoIterator<Item = Case>) {
    for Case { input, strict, lenient } in cases {
        let lenient = lenient.unwrap_or_else(|| strict.clone());
        check(Decoder::new, input, &(strict, None));
        check(|| Decoder::new().lenient(true), input, &(lenient, None));
    }
}

#[test]
fn lines_end_by_cr_lf_or_both() {
    check_all([
        both(b"", []),
        both(b"\n\r\r\n\n", []),
        both(b"data: a\n\n", [message("a")]),
        both(b"data: a\r\r", [message("a")]),
        both(b"data: a\r\n\r\n", [message("a")]),
        both(b"data: a\n\r", [message("a")]),
        both(b"data: a\n\r\n", [message("a")]),
        both(b"data: a\r\n\n", [message("a")]),
        both(b"data: a\r\n\r", [message("a")]),
        both(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [message("a"), message("b"), message("c")]),
        both(b"data: a\rdata: b\ndata: c\r\ndata: d\r\n\n", [message("a\nb\nc\nd")]),
        // One CRLF is one line end, so that the second line here belongs to the first one's event.
        both(b"data: a\r\ndata: b\r\n\r\n", [message("a\nb")]),
        // Other characters that some call line ends are none.
        both("data: a\u{85}\u{2028}\u{b}\u{c}b\n\n".as_bytes(), [message("a\u{85}\u{2028}\u{b}\u{c}b")]),
    ]);
}

#[test]
fn a_field_has_a_name_a_colon_and_at_most_one_space() {
    check_all([
        both(b"data:a\n\n", [message("a")]),
        both(b"data:  a \n\n", [message(" a ")]),
        both(b"data:\ta\n\n", [message("\ta")]),
        both(b"data: \n\n", [message("")]),
        both(b"data:\n\n", [message("")]),
        both(b"data\n\n", [message("")]),
        both(b"data\ndata\n\n", [message("\n")]),
        both(b"data\ndata: a\ndata:\n\n", [message("\na\n")]),
        both(b"data: a: b:\n\n", [message("a: b:")]),
        both(b"data::a\n\n", [message(":a")]),
        // Names are compared exactly, and no space belongs before the colon.
        both(b"Data: a\nDATA: a\n data: a\ndata : a\ndatax: a\ndat: a\ndat\nd\n: data: a\nx\nx: y\n\n", []),
        both(b"dat: a\ndata: b\ndatas: c\n\n", [message("b")]),
        both(b"even: a\neventt: b\nevent: c\ni: 1\nidd: 2\nretr: 3\nretryy: 4\ndata\n\n", [event("c", "", "", None)]),
        both(b"event\rid\rretry\rdata\r\r", [message("")]),
    ]);
}

#[test]
fn comments_are_nothing() {
    check_all([
        both(b":\n\n: ping\n\n:data: a\n\n", []),
        both(b": ping\ndata: a\n: pong\ndata: b\n:\n\n", [message("a\nb")]),
        both(b":\r:\r\ndata: a\r\n\r\n", [message("a")]),
    ]);
}

#[test]
fn one_byte_order_mark_is_skipped_at_the_start() {
    check_all([
        both(b"\xEF\xBB\xBFdata: a\n\n", [message("a")]),
        both(b"\xEF\xBB\xBF\ndata: a\n\n", [message("a")]),
        both(b"\xEF\xBB\xBF: ping\rdata: a\r\r", [message("a")]),
        // A second one is part of the field's name, and no field has such a name.
        both(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\ndata: b\n\n", [message("b")]),
        both(b"\n\xEF\xBB\xBFdata: a\ndata: b\n\n", [message("b")]),
        both(b"data: a\n\xEF\xBB\xBFdata: b\n\n", [message("a")]),
        // In a value it is a character like any other.
        both(b"data: \xEF\xBB\xBFa\n\n", [message("\u{feff}a")]),
        // A part of one is no byte order mark, and its line has no known name.
        both(b"\xEF\xBBdata: a\ndata: b\n\n", [message("b")]),
        both(b"\xEF\ndata: a\n\n", [message("a")]),
        both(b"\xEF\xBB\xBF", []),
        both(b"\xEF\xBB", []),
    ]);
}

#[test]
fn an_event_type_is_for_one_block() {
    check_all([
        both(b"event: a\ndata: x\n\ndata: y\n\n", [event("a", "x", "", None), message("y")]),
        both(b"event: a\n\ndata: y\n\n", [message("y")]),
        both(b"event: a\nevent: b\ndata: x\n\n", [event("b", "x", "", None)]),
        both(b"event: a\nevent:\ndata: x\n\n", [message("x")]),
        both(b"event: a\nevent\ndata: x\n\n", [message("x")]),
        both(b"data: x\nevent: a\n\n", [event("a", "x", "", None)]),
        both(b"event:  a\ndata: x\n\n", [event(" a", "x", "", None)]),
        both(b"event: \xC3\xA9\xFF\ndata: x\n\n", [event("\u{e9}\u{fffd}", "x", "", None)]),
    ]);
}

#[test]
fn an_id_holds_until_the_next() {
    check_all([
        both(
            b"id: 1\ndata: x\n\ndata: y\n\nid: 2\n\ndata: z\n\n",
            [with_id("x", "1"), with_id("y", "1"), with_id("z", "2")],
        ),
        both(b"id: 1\ndata: x\n\nid\ndata: y\n\n", [with_id("x", "1"), message("y")]),
        both(b"id: 1\ndata: x\n\nid:\ndata: y\n\n", [with_id("x", "1"), message("y")]),
        // One with a NUL is not taken at all, so that the one before it holds.
        both(b"id: 1\nid: 2\x003\ndata: x\n\n", [with_id("x", "1")]),
        both(b"id: \x00\ndata: x\x00\n\n", [message("x\0")]),
        both(b"id: a\xFFb\ndata: x\n\n", [with_id("x", "a\u{fffd}b")]),
        both(b"data: x\nid: 1\n\n", [with_id("x", "1")]),
    ]);
}

#[test]
fn a_reconnection_time_is_made_of_digits() {
    check_all([
        both(b"retry: 1500\ndata: x\n\ndata: y\n\n", [with_retry("x", 1500), message("y")]),
        both(b"retry: 0\ndata: x\n\n", [with_retry("x", 0)]),
        both(b"retry:007\ndata: x\n\n", [with_retry("x", 7)]),
        both(b"data: x\nretry: 1\nretry: 2\n\n", [with_retry("x", 2)]),
        both(b"retry: 1\nretry: 2s\ndata: x\n\n", [with_retry("x", 1)]),
        both(b"retry: 1\ndata: x\nretry: soon\n\n", [with_retry("x", 1)]),
        // The block of the first one is no event; it asks nothing of the next.
        both(b"retry: 1\n\ndata: x\n\n", [message("x")]),
        both(b"retry: 1 \nretry:  1\nretry: +1\nretry: -1\nretry: 1.5\nretry:\nretry\ndata: x\n\n", [message("x")]),
        both("retry: \u{661}\ndata: x\n\n".as_bytes(), [message("x")]),
        both(b"retry: 18446744073709551615\ndata: x\n\n", [with_retry("x", u64::MAX)]),
        both(b"retry: 18446744073709551616\ndata: x\n\n", [message("x")]),
    ]);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    check_all([
        both("data: é€😀\n\n".as_bytes(), [message("é€😀")]),
        both("data: é\ndata: 😀\n\n".as_bytes(), [message("é\n😀")]),
        both(b"data: a\xFFb\n\ndata: c\n\n", [message("a\u{fffd}b"), message("c")]),
        // Three bytes of four are replaced by one character; the line end after them still counts.
        both(b"data: \xF0\x9F\x98\n\n", [message("\u{fffd}")]),
        both(b"data: \xE2\x82\ndata: \xAC\n\n", [message("\u{fffd}\n\u{fffd}")]),
        both(b"data: \xC0\xAF\xED\xA0\x80\n\n", [message("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}")]),
        both(b"d\xFFata: a\ndata\xFF: a\n\xFF\ndata: b\n\n", [message("b")]),
    ]);
}

#[test]
fn an_unterminated_event_is_dropped_or_delivered() {
    check_all([
        differ(b"data: a", [], [message("a")]),
        differ(b"data: a\n", [], [message("a")]),
        differ(b"data: a\r", [], [message("a")]),
        differ(b"data: a\r\n", [], [message("a")]),
        differ(b"data: a\n\ndata: b", [message("a")], [message("a"), message("b")]),
        differ(b"data: a\ndata: b", [], [message("a\nb")]),
        differ(b"data", [], [message("")]),
        differ(b"data:", [], [message("")]),
        differ(b"data: a\nevent: e", [], [event("e", "a", "", None)]),
        differ(b"data: a\nid: 1", [], [with_id("a", "1")]),
        differ(b"data: \xC3", [], [message("\u{fffd}")]),
        differ(b"\xEF\xBB\xBFdata: a", [], [message("a")]),
        both(b"dat", []),
        both(b"event: a\nid: 1\nretry: 1", []),
        both(b": ping", []),
        both(b"data: a\n\n: ping\n", [message("a")]),
    ]);
}

#[test]
fn single_line_feeds_separate_json_in_lenient_mode() {
    let partial = [
        "{\"event\": \"partial response 1\"}",
        "{\"event\": \"partial response 2\"}",
        "{\"event\": \"final response\"}",
    ];
    check_all([
        // The AgentCore developer guide's example, HTTP protocol contract.
        differ(
            b"data: {\"event\": \"partial response 1\"}\ndata: {\"event\": \"partial response 2\"}\n\
              data: {\"event\": \"final response\"}\n\n",
            [message(&partial.join("\n"))],
            partial.map(message),
        ),
        differ(b"data: \"Hello\"\r\ndata: \" world\"\r\n", [], [message("\"Hello\""), message("\" world\"")]),
        differ(b"data:1\rdata\r\r", [message("1\n")], [message("1"), message("")]),
        differ(b"data: [1]\n: ping\nx: y\ndata: [2]\n\n", [message("[1]\n[2]")], [message("[1]"), message("[2]")]),
        // The line that separates need not be JSON, nor be followed by JSON.
        differ(
            b"data: null\ndata: one\ndata: two\ndata: 3\n\n",
            [message("null\none\ntwo\n3")],
            [message("null"), message("one\ntwo\n3")],
        ),
        // Plain text and JSON over several lines are joined.
        both(b"data: line1\ndata: line2\n\n", [message("line1\nline2")]),
        both(b"data: {\ndata:  \"a\": 1\ndata: }\n\n", [message("{\n \"a\": 1\n}")]),
        both(b"data: [1,\ndata: 2]\n\n", [message("[1,\n2]")]),
        both(b"data:\ndata: 1\ndata: 2\n\n", [message("\n1\n2")]),
        both(b"data: {} {}\ndata: 1\n\n", [message("{} {}\n1")]),
        both(b"data: one\ndata: 1\ndata: 2\n\n", [message("one\n1\n2")]),
        // One that is JSON only over two lines is JSON too late to be separated.
        both(b"data: [\ndata: ]\ndata: 1\n\n", [message("[\n]\n1")]),
        // The blank line separates as ever.
        both(b"data: 1\n\ndata: 2\n\n", [message("1"), message("2")]),
    ]);
}

#[test]
fn fields_between_two_json_lines_are_for_the_second_in_lenient_mode() {
    let e = |data| event("e", data, "", None);
    check_all([
        // The type holds for the whole block, but not for the next one.
        differ(b"event: e\ndata: 1\ndata: 2\n\ndata: 3\n\n", [e("1\n2"), message("3")], [e("1"), e("2"), message("3")]),
        differ(
            b"event: e\nid: 1\nretry: 10\ndata: 1\nevent: f\nid: 2\nretry: 20\ndata: 2\n\n",
            [event("f", "1\n2", "2", Some(20))],
            [event("e", "1", "1", Some(10)), event("f", "2", "2", Some(20))],
        ),
        differ(
            b"id: 1\ndata: 1\nid: 2\ndata: 2\nid: 3\ndata: 3\n",
            [],
            [with_id("1", "1"), with_id("2", "2"), with_id("3", "3")],
        ),
        differ(b"retry: 10\ndata: 1\ndata: 2\n\n", [with_retry("1\n2", 10)], [with_retry("1", 10), message("2")]),
        differ(
            b"data: 1\nretry: 20\nevent: f\ndata: 2\n\n",
            [event("f", "1\n2", "", Some(20))],
            [message("1"), event("f", "2", "", Some(20))],
        ),
        // Without a second data line they are for the first.
        both(b"data: 1\nevent: f\nid: 2\n\n", [event("f", "1", "2", None)]),
        both(b"retry: 10\ndata: 1\nevent: f\n\ndata: 2\n\n", [event("f", "1", "", Some(10)), message("2")]),
        both(b"retry: 10\ndata: x\nevent: f\ndata: y\n\n", [event("f", "x\ny", "", Some(10))]),
    ]);
}

#[test]
fn the_odd_stream_of_the_official_sdk() {
    let mut odd = vec![event("start", "{\"a\":1}", "1", Some(100))];
    odd.extend(["line1\nline2", "{\"split\": true}", "nospace", ""].map(|data| with_id(data, "1")));
    odd.push(event("done", "[DONE]", "1", None));
    let with_the_last = [&odd[..], &[with_id("unterminated", "1")]].concat();
    check_all([differ(
        b": comment\n\nevent: start\nid: 1\nretry: 100\ndata: {\"a\":1}\n\n\
          data: line1\ndata: line2\r\n\r\ndata: {\"split\": true}\n\n\
          \xEF\xBB\xBFdata: bom-mid\n\ndata:nospace\n\ndata\n\nevent: done\ndata: [DONE]\n\ndata: unterminated",
        odd,
        with_the_last,
    )]);
}

#[test]
fn an_event_is_delivered_with_the_byte_that_completes_it() {
    /// Chunks, each with the data of the events that it must set free at once.
    type Steps = &'static [(&'static str, &'static [&'static str])];
    let strict: &[Steps] = &[
        &[("data: a", &[]), ("\n", &[]), ("\n", &["a"]), ("data: b\n", &[]), ("\n", &["b"])],
        &[("data: a\r", &[]), ("\r", &["a"]), ("\r", &[]), ("data: b\r\r", &["b"]), ("\n", &[])],
        &[("data: a\r\n\r", &["a"]), ("\ndata: b\r", &[]), ("\n\r", &["b"]), ("\n", &[])],
        &[("data: a\n\ndata: b\n\ndata", &["a", "b"]), (": c\n\n", &["c"]), ("", &[])],
    ];
    let lenient: &[Steps] = &[
        &[("data: 1\nevent: e\ndat", &[]), ("a", &[]), (":", &["1"]), (" 2\n", &[]), ("\n", &["2"])],
        &[("data: 1\ndata", &[]), ("\r", &["1"]), ("\r", &[""])],
    ];
    for (setting, streams) in [(false, strict), (true, lenient)] {
        for steps in streams {
            let mut decoder = Decoder::new().lenient(setting);
            for (chunk, expected) in *steps {
                decoder.push(Bytes::from_static(chunk.as_bytes()));
                let (events, _) = pull(&mut decoder);
                let data: Vec<&str> = events.iter().map(|event| &*event.data).collect();
                assert_eq!(data, *expected, "{chunk:?} in {steps:?}");
            }
        }
    }
}

#[test]
fn nothing_follows_the_end() {
    for lenient in [false, true] {
        let mut decoder = Decoder::new().lenient(lenient);
        decoder.push("data: a\n\n".into());
        decoder.finish();
        decoder.finish();
        decoder.push("data: b\n\n".into());
        assert_eq!(pull(&mut decoder), (vec![message("a")], None));
        assert_eq!(decoder.next_event(), Ok(None));
    }
}
