//! Many streams on one connection of HTTP/2: each has its own fate, and what ends the connection ends each where it stands.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use agentcore_client::{Client, ErrorKind, Reply, Runtime};
use futures_util::future::join_all;

use super::{eager, transport};
use crate::wire::{Wire, http2, tls};

/// What becomes of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Whole,
    /// It is reset before the head of its answer.
    ResetAtOnce,
    /// It is refused, and served when it comes again.
    Refused,
    /// It is reset within its second event.
    ResetMidway,
    /// It is reset after its second event.
    ResetAtTheEnd,
    /// Nothing comes.
    Unanswered,
    /// One event comes.
    Begun,
}

use Fate::{Begun, Refused, ResetAtOnce, ResetAtTheEnd, ResetMidway, Unanswered, Whole};

/// What is done once all streams met their fate.
#[derive(Clone, Copy, Debug)]
enum Last {
    Nothing,
    Close,
    /// `GOAWAY` before any is answered: the streams after so many are not processed, the others meet their fate.
    GoAwayAfter(usize),
}

/// Serves a first call, and as many calls at once as there are fates; what comes again is answered whole.
fn serve(fates: &'static [Fate], last: Last) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let requests = Arc::<AtomicUsize>::default();
    let counted = requests.clone();
    thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let counted = counted.clone();
            // A client that goes away ends it.
            thread::spawn(move || drop(connection(stream, &counted, (index == 0).then_some((fates, last)))));
        }
    });
    (url, requests)
}

fn connection(
    stream: std::net::TcpStream,
    requests: &AtomicUsize,
    script: Option<(&'static [Fate], Last)>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut wire = tls::TRUSTED.accept(stream)?;
    http2::greet(&mut wire)?;
    let mut bodies = HashMap::<u32, Vec<u8>>::new();
    // The streams by the numbers in their prompts.
    let mut waiting = Vec::<(usize, u32)>::new();
    let mut script = script;
    loop {
        let frame = http2::read(&mut wire)?;
        match frame.kind {
            http2::SETTINGS if frame.flags & http2::ACK == 0 => {
                wire.write_all(&http2::frame(http2::SETTINGS, http2::ACK, 0, &[]))?;
            }
            http2::DATA => bodies.entry(frame.stream).or_default().extend(frame.payload),
            _ => {}
        }
        if frame.kind == http2::DATA && frame.flags & http2::END_STREAM != 0 {
            let body = String::from_utf8(bodies.remove(&frame.stream).unwrap_or_default()).unwrap_or_default();
            let number = body.split("\"prompt\":\"").nth(1).and_then(|rest| rest.split('"').next()?.parse().ok());
            requests.fetch_add(1, Ordering::SeqCst);
            match (number, script) {
                (Some(number), Some((fates, _))) if waiting.len() < fates.len() => waiting.push((number, frame.stream)),
                _ => answer(&mut wire, frame.stream, Whole)?,
            }
        }
        if let Some((fates, last)) = script
            && waiting.len() == fates.len()
        {
            let mut streams = std::mem::take(&mut waiting);
            script = None;
            if let Last::GoAwayAfter(processed) = last {
                streams.sort_by_key(|(_, stream)| *stream);
                streams.truncate(processed);
                wire.write_all(&http2::go_away(streams.last().map_or(0, |(_, stream)| *stream)))?;
            }
            for (number, stream) in streams {
                answer(&mut wire, stream, fates[number])?;
            }
            wire.flush()?;
            if let Last::Close = last {
                return Ok(());
            }
        }
        wire.flush()?;
    }
}

fn answer(wire: &mut Wire, stream: u32, fate: Fate) -> io::Result<()> {
    if let Refused = fate {
        return wire.write_all(&http2::reset(stream, http2::REFUSED_STREAM));
    }
    if let Unanswered = fate {
        return Ok(());
    }
    let (first, second) = ("data: \"one \"\n\n", "data: \"zwé\"\n\n");
    if fate != ResetAtOnce {
        wire.write_all(&http2::frame(http2::HEADERS, http2::END_HEADERS, stream, &http2::ok("text/event-stream")))?;
        wire.write_all(&http2::frame(http2::DATA, 0, stream, first.as_bytes()))?;
    }
    match fate {
        Whole => wire.write_all(&http2::frame(http2::DATA, http2::END_STREAM, stream, second.as_bytes())),
        ResetMidway => {
            wire.write_all(&http2::frame(http2::DATA, 0, stream, &second.as_bytes()[..10]))?;
            wire.write_all(&http2::reset(stream, http2::INTERNAL_ERROR))
        }
        ResetAtTheEnd => {
            wire.write_all(&http2::frame(http2::DATA, 0, stream, second.as_bytes()))?;
            wire.write_all(&http2::reset(stream, http2::INTERNAL_ERROR))
        }
        ResetAtOnce => wire.write_all(&http2::reset(stream, http2::INTERNAL_ERROR)),
        Refused | Unanswered | Begun => Ok(()),
    }
}

/// What a caller meets: the kind of the error if there is one, the text that was delivered, and whether the agent may have run.
type Outcome = (Option<ErrorKind>, &'static str, bool);

/// Makes a call for each fate at once, and compares each outcome; returns the connections made and the requests read.
async fn compare(fates: &'static [Fate], last: Last, expected: impl Fn(usize, Fate) -> Outcome) -> (u64, usize) {
    let (url, requests) = serve(fates, last);
    let transport = transport(true);
    let client = Client::builder().bearer_token("t").endpoints(url.parse::<agentcore_client::Endpoint>().unwrap());
    let client = client.transport(transport.clone()).retry(eager()).build().unwrap();
    let runtime: Runtime =
        client.runtime("arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/a".parse().unwrap());
    runtime.invoke("the first makes the connection").await.unwrap();
    let calls = (0..fates.len()).map(|number| runtime.invoke(number.to_string()).into_future());
    for (number, (reply, fate)) in join_all(calls).await.into_iter().zip(fates).enumerate() {
        let (kind, text, ran) = match &reply {
            Ok(reply) => (None, reply.text.to_string(), true),
            Err(error) => {
                let text = error.partial::<Reply>().map(|reply| reply.text.to_string()).unwrap_or_default();
                (Some(error.kind()), text, error.may_have_run())
            }
        };
        assert_eq!((kind, &*text, ran), expected(number, *fate), "{number}: {fate:?}");
    }
    (transport.connections().made, requests.load(Ordering::SeqCst) - 1)
}

const BEGUN: Outcome = (Some(ErrorKind::BrokenOff), "one ", true);
const LOST: Outcome = (Some(ErrorKind::Unavailable), "", true);
const OK: Outcome = (None, "one zwé", true);

#[tokio::test]
async fn a_stream_that_ends_takes_no_other_along() {
    const FATES: &[Fate] = &[Whole, ResetAtOnce, Refused, ResetMidway, ResetAtTheEnd, Whole];
    static MANY: std::sync::LazyLock<Vec<Fate>> = std::sync::LazyLock::new(|| FATES.repeat(10));
    let found = compare(&MANY, Last::Nothing, |_, fate| match fate {
        ResetAtOnce => LOST,
        ResetMidway => BEGUN,
        ResetAtTheEnd => (Some(ErrorKind::BrokenOff), "one zwé", true),
        _ => OK,
    });
    // Ten were refused and came again.
    assert_eq!(found.await, (1, 70));
}

#[tokio::test]
async fn a_lost_connection_ends_each_stream_where_it_stands() {
    const FATES: &[Fate] = &[Whole, Unanswered, Begun, ResetMidway];
    static MANY: std::sync::LazyLock<Vec<Fate>> = std::sync::LazyLock::new(|| FATES.repeat(10));
    let found = compare(&MANY, Last::Close, |_, fate| match fate {
        Unanswered => LOST,
        Begun | ResetMidway => BEGUN,
        _ => OK,
    });
    assert_eq!(found.await, (1, 40), "nothing comes again");
}

#[tokio::test]
async fn what_a_goaway_leaves_out_is_sent_again() {
    static MANY: std::sync::LazyLock<Vec<Fate>> = std::sync::LazyLock::new(|| vec![Whole; 40]);
    let found = compare(&MANY, Last::GoAwayAfter(25), |_, _| OK);
    assert_eq!(found.await.1, 55);
}
