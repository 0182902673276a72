//! JSON nested 100,000 deep, wherever JSON is read.

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Attack, Expected, SSE, Way, attack, every, flat, shut};

pub(crate) fn attacks() -> Vec<Attack> {
    let deep = || format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = || format!("{}1{}", "{\"message\":".repeat(100_000), "}".repeat(100_000));
    let answer = |name, way, expected: Vec<Expected>, head: &str, body: String| {
        let answer = format!("{head}{body}");
        attack(name, way, expected, move |wire| {
            wire.write_all(answer.as_bytes())?;
            shut(wire)
        })
    };
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let error = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\r\n";
    let token =
        format!("{}.{}.c2ln", part(r#"{"alg":"none"}"#), part(&format!("{{\"exp\":4000000000,\"deep\":{}}}", deep())));
    vec![
        answer("deep event", Way::Http1, every(0, ""), SSE, format!("data: {}\n\n", deep())),
        answer("deep event of objects", Way::Http1, every(0, ""), SSE, format!("data: {}\n\n", objects())),
        answer("deep answer", Way::Http1, every(0, ""), json, deep()),
        answer("deep answer of objects", Way::Http1, every(0, ""), json, objects()),
        answer(
            "deep error",
            Way::Http1,
            vec![flat("text", 6, "error: "), flat("json", 6, "error: ")],
            error,
            objects(),
        ),
        answer(
            "deep token reply",
            Way::Issuer,
            vec![flat("text", 6, "error: ")],
            json,
            format!("{{\"access_token\":{}}}", deep()),
        ),
        Attack {
            token: Some(token),
            ..answer("deep JWT", Way::Token, vec![flat("text", 2, "error: ")], json, String::new())
        },
    ]
}

fn part(json: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json)
}
