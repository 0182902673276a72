//! A naive reader beside the dialects: a text that is written piece by piece comes out whole, whatever it says and however it is cut.

use agentcore_client::event::{Event, Reader};
use agentcore_http::sse::Decoder;
use fastrand::Rng;
use serde_json::{Value, json};

use super::{Target, cut};

/// The texts that stand in agents' mouths, and what a careless reader would take for something else.
const SEEDS: [&str; 4] =
    ["Grüße 世界 🌍, \"quoted\" \\ and\n\ttabbed", "data: {\"error\": 1}\n\n[DONE]", "\u{0}\u{1b}[31m\u{2028}", "done"];

pub(crate) fn targets() -> Vec<Target> {
    vec![Target { name: "texts of dialects", seeds: super::texts(SEEDS), inputs: 1_000, read: Box::new(texts) }]
}

type Write = fn(&str) -> Value;

/// How a dialect writes a piece of text.
const DIALECTS: [(&str, Write); 7] = [
    ("strands", |text| json!({"data": text})),
    ("converse", |text| json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text}}})),
    ("openai", |text| {
        let choice = json!({"index": 0, "delta": {"content": text}, "finish_reason": null});
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
    }),
    (
        "anthropic",
        |text| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
    ),
    ("ag-ui", |text| json!({"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": text})),
    ("vercel", |text| json!({"type": "text-delta", "id": "0", "delta": text})),
    (
        "responses",
        |text| json!({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": text}),
    ),
];

fn texts(input: &[u8], random: &mut Rng) {
    let whole = String::from_utf8_lossy(input);
    // Most texts are pieces of some letters.
    let mut pieces = Vec::new();
    let mut letters = whole.chars().peekable();
    while letters.peek().is_some() {
        pieces.push(letters.by_ref().take(random.usize(1..12)).collect::<String>());
    }
    let (dialect, write) = *random.choice(&DIALECTS).unwrap();
    let mut stream = Vec::new();
    for piece in &pieces {
        let json = written(&write(piece), random);
        stream.extend(format!("data: {json}\n\n").into_bytes());
    }
    let mut decoder = Decoder::new();
    let mut reader = Reader::new();
    let mut read = String::new();
    for piece in cut(&stream, random) {
        decoder.push(piece.into());
        while let Some(event) = decoder.next_event().unwrap() {
            reader.push(event);
            take(&mut reader, &mut read);
        }
    }
    reader.finish();
    take(&mut reader, &mut read);
    assert_eq!(read, pieces.concat(), "{dialect}: {pieces:?}");
}

fn take(reader: &mut Reader, read: &mut String) {
    while let Some(event) = reader.next_event() {
        if let Ok(Event::Text(text)) = event {
            read.push_str(&text);
        }
    }
}

/// Writes JSON as one of the writers that are met: compact, or with everything escaped that is not ASCII, as Python does.
fn written(value: &Value, random: &mut Rng) -> String {
    let compact = value.to_string();
    if random.bool() {
        return compact;
    }
    let mut escaped = String::new();
    for letter in compact.chars() {
        if letter.is_ascii() {
            escaped.push(letter);
        } else {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        }
    }
    escaped
}
