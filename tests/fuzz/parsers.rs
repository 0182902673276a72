//! What is parsed without asking anybody: names, events, frames, tokens, signatures.

use std::{
    fs,
    path::Path,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use agentcore_client::{
    Arn, Credentials, CustomHeader, Endpoint, Qualifier, Region, SessionId, Target as Place, UserId,
    auth::{
        Auth, EncryptionKey, Issued, RedisStore, StaticToken, Token, cognito::PoolId, credentials, jwks, token::jwt,
    },
    event::{Dialect, Event, Reader},
    ws::{Expiry, ShellFrame, ShellId, ShellStatus, SigV4, WebSocket},
};
use agentcore_core::{operation, service_error};
use agentcore_http::{event_stream::FrameDecoder, sse::Decoder};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use serde_json::Value;

use super::{Target, cut, texts};

pub(crate) fn targets() -> Vec<Target> {
    vec![
        text("arn", texts([ARN, "arn:aws-cn:bedrock-agentcore:cn-north-1:123456789012:harness/h-abc"]), |text| {
            let Some(arn) = twice::<Arn>(text) else { return };
            for operation in [&operation::INVOKE, &operation::COMMAND, &operation::WEBSOCKET, &operation::SHELL] {
                let _ = Place::new(arn.clone()).by_account().url(operation);
            }
        }),
        text("endpoint", texts(["https://[::1]:8080/a/b", "http://127.0.0.1:1", "https://example.com"]), |text| {
            let _ = (twice::<Endpoint>(text), Place::local(text));
            let _ = (jwks::Issuer::from_str(text), agentcore_client::auth::oauth::TokenEndpoint::from_str(text));
        }),
        text(
            "names",
            texts(["us-gov-west-1", "us-east-1_ABC123DEF", "X-Amzn-Bedrock-Custom: value", "DEFAULT"]),
            |text| {
                let _ =
                    (twice::<Region>(text), twice::<SessionId>(text), twice::<Qualifier>(text), twice::<PoolId>(text));
                let _ = (
                    twice::<UserId>(text),
                    twice::<ShellId>(text),
                    CustomHeader::from_str(text),
                    Expiry::from_str(text),
                );
                let _ = (SessionId::derive(text), SessionId::from_answer(text));
            },
        ),
        target("store url", texts(["rediss://user:secret@[::1]:6380/3", "redis://127.0.0.1"]), 1000, |input, _| {
            let text = &*String::from_utf8_lossy(input);
            let _ = (RedisStore::has_password(text), EncryptionKey::from_base64(text));
            let _ = RedisStore::builder(text, EncryptionKey::new([1; 32])).build();
        }),
        target("token", texts([JWT, "opaque", "\u{feff}opaque\n"]), 20_000, |input, _| {
            let _ = (Token::read(input), StaticToken::parse(&String::from_utf8_lossy(input)));
            let text = String::from_utf8_lossy(input);
            let _ = (jwt::claims(&text), jwt::expiry(&text), jwt::issued_at(&text));
            if let Ok(token) = Token::parse(&text) {
                let _ = (token.principal(), token.clone().alive_at(UNIX_EPOCH), Issued::found(token));
            }
        }),
        target("jwt payload", texts([r#"{"exp":1,"iat":2,"iss":"i","sub":"s","aud":["a"]}"#]), 20_000, |input, _| {
            let token = format!("e30.{}.c2ln", base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, input));
            let _ = (jwt::claims(&token), jwt::expiry(&token), jwt::issued_at(&token), StaticToken::parse(&token));
        }),
        target("refusal", vectors("error_vectors.json", "body"), 20_000, refusal),
        target("signature", texts(["AKIDEXAMPLE", "path/%20?a=b&c", "x-amz-date", "äé"]), 5_000, signature),
        target("server-sent events", streams(), 5_000, events),
        target("agents' events", streams(), 3_000, agents),
        target("event stream", frames(), 10_000, frame),
        target("shell frame", shell_frames(), 20_000, |input, _| {
            let decoded = ShellFrame::decode(Bytes::copy_from_slice(input));
            if let Some(encoded) = decoded.as_ref().and_then(|frame| frame.encode().ok()) {
                assert_eq!(ShellFrame::decode(encoded), decoded);
            }
            let _ = ShellStatus::parse(input);
        }),
    ]
}

fn target(name: &'static str, seeds: Vec<Vec<u8>>, inputs: u32, read: impl Fn(&[u8], &mut Rng) + 'static) -> Target {
    Target { name, seeds, inputs, read: Box::new(read) }
}

fn text(name: &'static str, seeds: Vec<Vec<u8>>, read: impl Fn(&str) + 'static) -> Target {
    target(name, seeds, 20_000, move |input, _| read(&String::from_utf8_lossy(input)))
}

/// Parses a text; what it shows parses to the same again.
fn twice<T: FromStr + ToString + PartialEq + std::fmt::Debug>(text: &str) -> Option<T> {
    let parsed = text.parse::<T>().ok()?;
    let again = parsed.to_string().parse().ok();
    assert_eq!(again.as_ref(), Some(&parsed), "{text:?}");
    Some(parsed)
}

/// A refused answer: the first byte chooses status and header.
fn refusal(input: &[u8], random: &mut Rng) {
    let mut headers = HeaderMap::new();
    for name in ["x-amzn-errortype", "content-type", "retry-after", "date", "x-amzn-requestid", "www-authenticate"] {
        let start = random.usize(..=input.len());
        let value = HeaderValue::from_bytes(&input[start..(start + 40).min(input.len())]);
        value.into_iter().for_each(|value| drop(headers.insert(HeaderName::from_static(name), value)));
    }
    let status = StatusCode::from_u16(random.u16(100..1000)).unwrap();
    let error = service_error::read(status, &headers, input, &["secret".to_owned(), "a".to_owned()], UNIX_EPOCH);
    let _ =
        (error.to_string(), format!("{error:?}"), service_error::failure_point(&error), service_error::date(&headers));
    let _ = service_error::exception(&String::from_utf8_lossy(input), input).to_string();
}

/// Credentials, headers, a URL and parameters of the input's pieces.
fn signature(input: &[u8], random: &mut Rng) {
    let pieces = cut(input, random);
    let mut piece = || String::from_utf8_lossy(random.choice(&pieces).unwrap()).into_owned();
    let token = Some(piece()).filter(|token| !token.is_empty());
    let keys = Credentials::new(piece(), piece(), token, None, "fuzz");
    let value = piece();
    let _ = credentials::from_env(|_| Some(value.clone()));
    let region = piece().parse().unwrap_or_else(|_| "us-east-1".parse().unwrap());
    let mut request = Request::post("https://example.com/x").body(Bytes::from(piece())).unwrap();
    for uri in [piece(), format!("https://example.com/{}", piece()), format!("http://{}/", piece())] {
        uri.parse().into_iter().for_each(|uri| *request.uri_mut() = uri);
    }
    for _ in 0..3 {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(piece().as_bytes()), HeaderValue::from_str(&piece())) {
            request.headers_mut().append(name, value);
        }
    }
    let seconds = piece().len() as u64;
    let at = UNIX_EPOCH + Duration::from_secs(1 << (seconds % 38));
    let signed = Auth::sigv4(keys.clone()).authorize(&mut request, Some(&region), at).now_or_never().unwrap();
    let _ = signed.map_err(|error| error.to_string());
    let socket = WebSocket::new(Place::new(ARN.parse().unwrap())).param(&piece(), &piece());
    if let Ok(socket) = socket {
        let signer = SigV4::new(keys);
        let _ = socket.presign(&signer, Expiry::default()).now_or_never().unwrap();
        let _ = socket.handshake(&Auth::bearer(StaticToken::parse("t").unwrap())).now_or_never().unwrap();
    }
}

/// The decoder agrees with itself however the bytes are cut.
fn events(input: &[u8], random: &mut Rng) {
    let (lenient, most) = (random.bool(), *random.choice(&[16, 4096, usize::MAX]).unwrap());
    let decode = |pieces: &[Vec<u8>]| {
        let mut decoder = Decoder::new().lenient(lenient).max_event_bytes(most);
        pieces.iter().for_each(|piece| decoder.push(piece.clone().into()));
        decoder.finish();
        let mut found = Vec::new();
        while let Some(event) = decoder.next_event().transpose() {
            found.push(event.map_err(|error| error.to_string()));
        }
        (format!("{found:?}"), decoder.unknown_line())
    };
    assert_eq!(decode(&cut(input, random)), decode(&[input.to_vec()]));
}

/// The readers of agents' events take whatever a stream holds, in a dialect that was named or found.
fn agents(input: &[u8], random: &mut Rng) {
    let mut decoder = Decoder::new().lenient(true);
    decoder.push(Bytes::copy_from_slice(input));
    decoder.finish();
    let mut reader = Reader::new();
    if random.bool() {
        reader = reader.dialect(*random.choice(Dialect::ALL).unwrap());
    }
    let session = SessionId::derive("fuzz");
    let mut asked = Vec::new();
    let mut drain = |reader: &mut Reader| {
        while let Some(event) = reader.next_event() {
            match event {
                Ok(Event::Interrupt(interrupt)) => asked.push(*interrupt),
                other => drop(format!("{other:?}")),
            }
        }
    };
    while let Some(event) = decoder.next_event().unwrap() {
        reader.push(event);
        drain(&mut reader);
    }
    reader.finish();
    drain(&mut reader);
    let answers: Vec<_> = asked.iter().map(|interrupt| (interrupt, "yes")).collect();
    if !answers.is_empty() {
        let _ = agentcore_client::event::resume(&session, &answers);
    }
}

/// The frames of an event stream are the same however the bytes are cut.
fn frame(input: &[u8], random: &mut Rng) {
    let decode = |pieces: &[Vec<u8>]| {
        let mut decoder = FrameDecoder::new().max_frame_bytes(4096);
        let mut found = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame().transpose() {
                let event = frame.map(|frame| format!("{:?} {:?}", frame.frame_type(), frame.to_event()));
                found.push(event.map_err(|error| error.to_string()));
            }
        }
        (found, decoder.is_within_a_frame())
    };
    assert_eq!(decode(&cut(input, random)), decode(&[input.to_vec()]));
}

const ARN: &str = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/agent-abc";
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJpIiwiZXhwIjoxMzAwODE5MzgwLCJpYXQiOjEzMDA4MTU3ODB9.c2ln";

/// Streams of real agents.
pub(crate) fn streams() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut streams = Vec::new();
    let mut folders = vec![root.join("samples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { streams.push(fs::read(path).unwrap()) }
        }
    }
    assert!(streams.len() > 10);
    streams.sort();
    streams
}

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn vectors(name: &str, member: &str) -> Vec<Vec<u8>> {
    let vectors = read(name)["vectors"].as_array().cloned().unwrap();
    vectors.iter().map(|vector| vector[member].as_str().unwrap().as_bytes().to_vec()).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

pub(crate) fn frames() -> Vec<Vec<u8>> {
    let frames = read("event_stream_vectors.json")["frames"].as_object().cloned().unwrap();
    frames.values().map(|hex| unhex(hex.as_str().unwrap())).collect()
}

fn shell_frames() -> Vec<Vec<u8>> {
    let vectors = read("shell_vectors.json");
    let mut frames: Vec<_> = ["encode", "decode"]
        .iter()
        .flat_map(|side| vectors[side].as_array().unwrap())
        .filter_map(|vector| vector["hex"].as_str())
        .map(unhex)
        .collect();
    frames.push(br#"{"status":"Success","metadata":{"shellId":"s","reconnected":true,"bytesDropped":1}}"#.to_vec());
    frames
}
