//! Any bytes, cut anywhere: always what the whole input gives, and in strict mode what the reference gives.

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample::{Index, select},
};

use super::{super::Decoder, decode, message, reference};

/// Pieces of which event streams are made, and pieces that break them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(vec!["\n", "\r", "\r\n", "\n\n"]).prop_map(|piece| piece.as_bytes().to_vec()),
        4 => select(vec!["data", "data:", "data: ", "event", "event: ", "id: ", "retry: ", "id", "retry"])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        2 => select(vec!["{\"a\":1}", "\"b\"", "1", "[", "]", "c", "é", "😀", "\u{feff}", " ", ":", "\0", "x"])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..4),
        1 => vec(select(b"\n\r: \0\xEF\xBB\xBF\xF0\x9Fdataeventidretry059".to_vec()), 1..6),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Cuts the input at these places.
fn cut<'a>(input: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &input[ends[0]..ends[1]]).collect()
}

/// The lines of an event with this data.
fn encoded(data: &str, line_end: &str) -> String {
    let lines: String = data.split('\n').map(|line| format!("data: {line}{line_end}")).collect();
    lines + line_end
}

proptest! {
    #[test]
    fn a_strict_decoder_agrees_with_the_reference(input in stream()) {
        prop_assert_eq!(decode(Decoder::new(), [&input[..]]), (reference::events(&input), None));
    }

    #[test]
    fn any_chunks_are_as_good_as_the_whole(
        input in stream(),
        cuts in vec(any::<Index>(), 0..12),
        lenient in any::<bool>(),
        max in prop_oneof![0..24_usize, Just(usize::MAX)],
    ) {
        let decoder = || Decoder::new().lenient(lenient).max_event_bytes(max);
        let whole = decode(decoder(), [&input[..]]);
        prop_assert_eq!(&decode(decoder(), cut(&input, &cuts)), &whole);
        prop_assert_eq!(&decode(decoder(), input.chunks(1)), &whole);
    }

    #[test]
    fn texts_come_back_as_they_were_sent(
        texts in vec("([^\r]|\n){0,20}", 0..8),
        line_end in select(vec!["\n", "\r", "\r\n"]),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let input: String = texts.iter().map(|text| encoded(text, line_end)).collect();
        let expected = texts.iter().map(|text| message(text)).collect();
        prop_assert_eq!(decode(Decoder::new(), cut(input.as_bytes(), &cuts)), (expected, None));
    }
}
