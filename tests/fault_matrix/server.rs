//! A server on loopback that answers as it should, or goes away in a phase of the answer. It reads every request whole.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    net::TcpSocket,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::wire::{Wire, http2, tls, websocket};

/// How far an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Dns,
    Connect,
    Tls,
    BeforeHeaders,
    WithinHeaders,
    BeforeTheFirstEvent,
    MidEvent,
    MidCharacter,
    /// All is there but the end.
    AtTheEnd,
    /// An answer of another status than 200.
    Refusal,
    /// No fault.
    Whole,
}

/// How it ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cut {
    /// It does not.
    Nothing,
    /// The connection is closed.
    Close,
    /// Nothing more comes, and over HTTP/2 no answer to a ping.
    Silence,
    /// The certificate is another authority's.
    Untrusted,
    /// The HTTP/2 stream is reset with `INTERNAL_ERROR`.
    Reset,
    /// The HTTP/2 stream is reset with `REFUSED_STREAM`.
    Refused,
    /// `GOAWAY` without a stream that is processed.
    GoAway,
    /// The answer has this status.
    Status(u16),
}

/// A good answer: two events, of which the second holds `é`, and what says that nothing follows them.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The media type, or none of a WebSocket.
    pub(crate) media_type: Option<&'static str>,
    pub(crate) events: [Vec<u8>; 2],
    pub(crate) end: Vec<u8>,
}

impl Answer {
    /// Returns the part of the body that is sent until a phase.
    fn body(&self, phase: Phase) -> Vec<u8> {
        let [first, second] = &self.events;
        let character = second.windows(2).position(|bytes| bytes == "é".as_bytes()).unwrap_or(second.len() / 2);
        match phase {
            Phase::MidEvent => [&first[..], &second[..character - 1]].concat(),
            Phase::MidCharacter => [&first[..], &second[..=character]].concat(),
            Phase::AtTheEnd | Phase::Whole => [&first[..], second, &self.end].concat(),
            _ => Vec::new(),
        }
    }
}

/// What the server does.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) phase: Phase,
    pub(crate) cut: Cut,
    /// The answers to the first, second … request; the last one to all that follow.
    pub(crate) answers: Vec<Answer>,
    /// The first request whose answer does not come as it should.
    pub(crate) faulty: usize,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
    silent: UnboundedReceiver<()>,
    /// Nobody listens at it, and it keeps the port from other servers, of which one would answer.
    _refusing: Option<TcpSocket>,
}

struct Serving {
    script: Script,
    requests: Arc<AtomicUsize>,
    silent: UnboundedSender<()>,
}

impl Server {
    pub(crate) fn start(encrypted: bool, script: impl FnOnce(&str) -> Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if encrypted { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (sender, silent) = unbounded_channel();
        let requests = Arc::<AtomicUsize>::default();
        let serving = Arc::new(Serving { script: script(&url), requests: requests.clone(), silent: sender });
        let mut refusing = None;
        if serving.script.phase == Phase::Connect {
            let address = listener.local_addr().unwrap();
            drop(listener);
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(address).unwrap();
            refusing = Some(socket);
        } else {
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let serving = serving.clone();
                    // A client that goes away ends it.
                    thread::spawn(move || drop(serving.connection(stream, encrypted)));
                }
            });
        }
        Self { url, requests, silent, _refusing: refusing }
    }

    /// Returns the number of requests that were read.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Waits until the server has fallen silent.
    pub(crate) async fn silent(&mut self) {
        self.silent.recv().await;
    }
}

impl Serving {
    fn connection(&self, mut stream: TcpStream, encrypted: bool) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if self.script.phase == Phase::Tls {
            match self.script.cut {
                Cut::Untrusted => {}
                Cut::Silence => {
                    let _ = self.silent.send(());
                    Wire::Plain(stream).hold();
                    return Ok(());
                }
                // After a part of the client's words.
                _ => return stream.read_exact(&mut [0; 16]),
            }
        }
        let mut wire = match (encrypted, self.script.cut) {
            (false, _) => Wire::Plain(stream),
            (true, Cut::Untrusted) => tls::Authority::generate().accept(stream)?,
            (true, _) => tls::TRUSTED.accept(stream)?,
        };
        if wire.is_http2() {
            return self.http2(&mut wire);
        }
        loop {
            let request = wire.request()?;
            let (answer, phase) = self.next();
            if let (Phase::Refusal, Cut::Status(status)) = (phase, self.script.cut) {
                let head =
                    format!("HTTP/1.1 {status} No\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 2\r\n\r\n{{}}");
                wire.write_all(head.as_bytes())?;
                wire.flush()?;
                continue;
            }
            let head = match answer.media_type {
                None => websocket::accept(&request),
                Some(media_type) => format!(
                    "HTTP/1.1 200 OK\r\nx-amzn-requestid: r-1\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n"
                ),
            };
            let body = answer.body(phase);
            let chunk = match answer.media_type {
                Some(_) if !body.is_empty() => [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat(),
                _ => body,
            };
            wire.write_all(match phase {
                Phase::BeforeHeaders => &[],
                Phase::WithinHeaders => &head.as_bytes()[..40],
                _ => head.as_bytes(),
            })?;
            wire.write_all(&chunk)?;
            wire.flush()?;
            match phase {
                Phase::Whole if answer.media_type.is_none() => wire.write_all(&websocket::frame(8, &[]))?,
                Phase::Whole => wire.write_all(b"0\r\n\r\n")?,
                _ if self.script.cut == Cut::Silence => {
                    let _ = self.silent.send(());
                    wire.hold();
                    return Ok(());
                }
                _ => return Ok(()),
            }
            wire.flush()?;
        }
    }

    fn http2(&self, wire: &mut Wire) -> io::Result<()> {
        http2::greet(wire)?;
        loop {
            let frame = http2::read(wire)?;
            let stream = frame.stream;
            match frame.kind {
                http2::SETTINGS if frame.flags & http2::ACK == 0 => {
                    wire.write_all(&http2::frame(http2::SETTINGS, http2::ACK, 0, &[]))?;
                }
                http2::HEADERS | http2::DATA if frame.flags & http2::END_STREAM != 0 => {
                    let (answer, phase) = self.next();
                    if let (Phase::Refusal, Cut::Status(status)) = (phase, self.script.cut) {
                        let head = http2::field(":status", &status.to_string());
                        wire.write_all(&http2::frame(http2::HEADERS, http2::END_HEADERS, stream, &head))?;
                        wire.write_all(&http2::frame(http2::DATA, http2::END_STREAM, stream, b"{}"))?;
                        wire.flush()?;
                        continue;
                    }
                    let head = http2::ok(answer.media_type.unwrap_or_default());
                    let (flags, part) = match phase {
                        Phase::WithinHeaders => (0, &head[..6]),
                        _ => (http2::END_HEADERS, &head[..]),
                    };
                    if phase != Phase::BeforeHeaders {
                        wire.write_all(&http2::frame(http2::HEADERS, flags, stream, part))?;
                    }
                    let body = answer.body(phase);
                    if !body.is_empty() {
                        wire.write_all(&http2::frame(http2::DATA, 0, stream, &body))?;
                    }
                    match self.script.cut {
                        _ if phase == Phase::Whole => {
                            wire.write_all(&http2::frame(http2::DATA, http2::END_STREAM, stream, &[]))?;
                        }
                        Cut::Reset => wire.write_all(&http2::reset(stream, http2::INTERNAL_ERROR))?,
                        Cut::Refused => wire.write_all(&http2::reset(stream, http2::REFUSED_STREAM))?,
                        Cut::GoAway => {
                            wire.write_all(&http2::go_away(0))?;
                            wire.flush()?;
                            wire.hold();
                            return Ok(());
                        }
                        Cut::Silence => {
                            wire.flush()?;
                            let _ = self.silent.send(());
                            wire.hold();
                            return Ok(());
                        }
                        _ => return wire.flush(),
                    }
                }
                _ => {}
            }
            wire.flush()?;
        }
    }

    /// Counts a request, and returns its answer and how much of it is sent.
    fn next(&self) -> (&Answer, Phase) {
        let Script { answers, phase, faulty, .. } = &self.script;
        let index = self.requests.fetch_add(1, Ordering::SeqCst);
        let last = if *phase == Phase::Whole { answers.len() - 1 } else { *faulty };
        (&answers[index.min(last)], if index < *faulty { Phase::Whole } else { *phase })
    }
}
