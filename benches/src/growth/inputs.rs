//! Inputs that grow, for the decoders in memory and for a whole call: what the server answers, and how it is read.

use std::convert::Infallible;

use agentcore_auth::{Auth, StaticToken};
use agentcore_client::{Client, Event, Runtime};
use agentcore_core::Target;
use agentcore_http::{event_stream::FrameDecoder, sse::Decoder};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::task::yield_now;

use super::{Read, Subject, wait};
use crate::{
    Result,
    answer::{CHUNKS_A_WRITE, EVENT, EVENT_TEXT, events},
    contender::Site,
    frame::frame,
};

/// What is read of inputs in memory, and of answers.
pub(super) fn subjects() -> Vec<Subject> {
    let here = |title: &str, (least, unit), read: fn(&Site, usize) -> Result<()>| Subject {
        title: title.to_owned(),
        least,
        unit,
        read: Read::Here(Box::new(read)),
    };
    vec![
        here("events: one line in chunks of 1 KiB", (MIB, "bytes"), |_, size| {
            let line = format!("data: {}\n\n", "x".repeat(size)).into();
            decode(cut(&line, 1024), size)
        }),
        here("events: many lines of one event in chunks of 1 KiB", (10_000, "lines"), |_, size| {
            let lines = ("data: ".to_owned() + &"x".repeat(112) + "\n").repeat(size) + "\n";
            decode(cut(&lines.into(), 1024), (size * 113).saturating_sub(1))
        }),
        here("events: all in one chunk", (10_000, "events"), |_, size| {
            let all = template().repeat(size).into();
            decode([all], size * DATA)
        }),
        here("events: in chunks of 16 KiB", (125_000, "events"), |_, size| {
            let all = template().repeat(size).into();
            decode(cut(&all, 16 * 1024), size * DATA)
        }),
        here("frames: one in chunks of 1 KiB", (MIB, "bytes"), |_, size| {
            let payload = "x".repeat(size);
            unframe(cut(&frame(&payload).into(), 1024), size)
        }),
        here("frames: all in one chunk", (10_000, "frames"), |_, size| unframe([frame("x").repeat(size).into()], size)),
        here("`Events`", (1_000, "events"), |site, size| {
            let agent = agent(site, "events", size)?;
            wait(async move {
                let (mut events, mut read) = (agent.invoke("Hello").stream().await?, 0);
                while let Some(event) = events.try_next().await? {
                    read += if let Event::Text(text) = event { text.len() } else { 0 };
                }
                equal(read, size * EVENT_TEXT)
            })
        }),
        here("`Reply` of a stream", (1_000, "events"), |site, size| {
            let agent = agent(site, "events", size)?;
            wait(async move { equal(agent.invoke("Hello").await?.text.len(), size * EVENT_TEXT) })
        }),
        here("`Reply` of one JSON object", (MIB, "bytes"), |site, size| {
            let agent = agent(site, "object", size)?;
            wait(async move { equal(agent.invoke("Hello").await?.text.len(), size + 1) })
        }),
    ]
}

fn decode(chunks: impl IntoIterator<Item = Bytes>, expected: usize) -> Result<()> {
    let (mut decoder, mut read) = (Decoder::new(), 0);
    for chunk in chunks {
        decoder.push(chunk);
        while let Some(event) = decoder.next_event()? {
            read += event.data.len();
        }
    }
    equal(read, expected)
}

fn unframe(chunks: impl IntoIterator<Item = Bytes>, expected: usize) -> Result<()> {
    let (mut decoder, mut read) = (FrameDecoder::new(), 0);
    for chunk in chunks {
        decoder.push(&chunk);
        while let Some(frame) = decoder.next_frame()? {
            read += frame.payload().len();
        }
    }
    equal(read, expected)
}

/// Fails where something else was read than there is.
pub(super) fn equal(read: usize, expected: usize) -> Result<()> {
    if read == expected { Ok(()) } else { Err(format!("{read} were read, not {expected}").into()) }
}

/// Chunks of so many bytes.
fn cut(whole: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    (0..whole.len()).step_by(size).map(move |at| whole.slice(at..whole.len().min(at + size)))
}

/// An event that costs nothing to write again.
fn template() -> String {
    format!("data: {}\n\n", "x".repeat(DATA))
}

fn agent(site: &Site, kind: &str, size: usize) -> Result<Runtime> {
    let client = Client::builder().auth(Auth::bearer(StaticToken::parse(&site.token)?)).build()?;
    Ok(client.target(Target::at(site.base.parse()?, arn(kind, size).parse()?)))
}

/// The agent that answers with so much of a kind.
pub(super) fn arn(kind: &str, size: usize) -> String {
    format!("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/grown_{kind}_{size}-AbC1234567")
}

/// What the agent whose percent-encoded ARN stands in the path answers, and its media type, if its answers grow.
pub(crate) fn answer(path: &str) -> Option<(UnsyncBoxBody<Bytes, Infallible>, &'static str)> {
    let (kind, rest) = path.split_once("%2Fgrown_")?.1.split_once('_')?;
    let size: usize = rest.split_once('-')?.0.parse().ok()?;
    if kind == "object" {
        // No text would be the object itself.
        let object = format!(r#"{{"result":"{}"}}"#, "x".repeat(size + 1));
        return Some((Full::from(object).boxed_unsync(), "application/json"));
    }
    let all = events(size);
    let chunks: Vec<_> = cut(&all, EVENT).collect();
    let chunks = stream::iter(chunks).enumerate().then(|(index, chunk)| async move {
        if index % CHUNKS_A_WRITE == 0 {
            yield_now().await;
        }
        Ok(Frame::data(chunk))
    });
    Some((StreamBody::new(chunks).boxed_unsync(), "text/event-stream"))
}

const MIB: usize = 1024 * 1024;
const DATA: usize = 112;
