//! Requests to issuers against a scripted network under a paused clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as _;

use agentcore_core::ErrorKind;
use http::Method;
use tokio::time::Instant;

use super::*;
use crate::testing::{Piece, Script, Step, answer, body};

/// Makes an exchange, and returns its status or the error, with the number of requests and the time in milliseconds.
async fn run(method: Method, repeat: Option<Repeat>, script: &Script) -> (Result<u16, Error>, usize, u128) {
    let engine = CallEngine::new(script.network(), Arc::new(SystemClock::default())).random(|| 0.0);
    let mut request = Request::builder().method(method).uri("https://issuer.example/token").body(Bytes::new()).unwrap();
    if let Some(repeat) = repeat {
        request.extensions_mut().insert(repeat);
    }
    let started = Instant::now();
    let found = exchange(&engine, request).await.map(|response| response.status().as_u16());
    assert_eq!(script.left(), 0);
    (found, script.seen().len(), started.elapsed().as_millis())
}

fn status(status: u16) -> Step {
    answer(status, &[], "{}")
}

/// Each pause lasts 100 milliseconds.
#[tokio::test(start_paused = true)]
async fn what_is_repeated() {
    type Case = (&'static str, Method, Option<Repeat>, Vec<Step>, (Result<u16, ErrorKind>, usize, u128));
    let lost = || Step::SendError { sent: true, lasting: false };
    let throttled = || answer(400, &[], r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#);
    let long_pause = answer(503, &[("retry-after", "3600")], "");
    let cases: Vec<Case> = vec![
        ("first", Method::GET, None, vec![status(200)], (Ok(200), 1, 0)),
        ("429 once", Method::GET, None, vec![status(429), status(200)], (Ok(200), 2, 100)),
        ("500 once", Method::GET, None, vec![status(500), status(200)], (Ok(200), 2, 100)),
        ("503 once", Method::GET, None, vec![status(503), status(200)], (Ok(200), 2, 100)),
        ("503 each time", Method::GET, None, vec![status(503), status(503), status(503)], (Ok(503), 3, 200)),
        ("400", Method::GET, None, vec![status(400)], (Ok(400), 1, 0)),
        ("400, throttled", Method::POST, None, vec![throttled(), status(200)], (Ok(200), 2, 100)),
        ("400, throttled on", Method::POST, None, vec![throttled(), throttled(), throttled()], (Ok(400), 3, 200)),
        ("never", Method::GET, Some(Repeat::Never), vec![status(503)], (Ok(503), 1, 0)),
        ("500, not accepted", Method::GET, Some(Repeat::WhereNotAccepted), vec![status(500)], (Ok(500), 1, 0)),
        ("always", Method::POST, Some(Repeat::Always), vec![status(500), status(200)], (Ok(200), 2, 100)),
        ("POST, 500", Method::POST, None, vec![status(500)], (Ok(500), 1, 0)),
        ("POST, 503", Method::POST, None, vec![status(503), status(200)], (Ok(200), 2, 100)),
        ("POST, lost", Method::POST, None, vec![lost()], (Err(ErrorKind::Unavailable), 1, 0)),
        ("lost once", Method::GET, None, vec![lost(), status(200)], (Ok(200), 2, 100)),
        ("lost each time", Method::GET, None, vec![lost(), lost(), lost()], (Err(ErrorKind::Unavailable), 3, 200)),
        ("a long Retry-After", Method::GET, None, vec![long_pause], (Ok(503), 1, 0)),
        ("silence", Method::GET, None, vec![Step::Hang], (Err(ErrorKind::Timeout), 1, 30_000)),
    ];
    for (name, method, repeat, steps, expected) in cases {
        let (found, attempts, millis) = run(method, repeat, &Script::of(steps)).await;
        assert_eq!((found.map_err(|error| error.kind()), attempts, millis), expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_read_whole_within_a_mebibyte() {
    const HALF: &str = match str::from_utf8(&[b'x'; 512 * 1024]) {
        Ok(text) => text,
        Err(_) => "",
    };
    let half = Piece::Data(HALF);
    for (pieces, expected) in [
        (vec![half, half], Ok(200)),
        (vec![half, half, Piece::Data("x")], Err("the answer is longer than 1048576 bytes")),
        (vec![half, Piece::Break], Err("the connection broke")),
    ] {
        let (found, attempts, _) = run(Method::POST, None, &Script::of(vec![body(&pieces)])).await;
        let found = found.map_err(|error| error.source().unwrap().to_string());
        assert_eq!((found, attempts), (expected.map_err(str::to_owned), 1));
    }
}
