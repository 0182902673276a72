//! A conversation over one WebSocket: prompts as JSON texts, and turns, whose end no protocol tells.
//!
//! Each line is sent as `{"prompt", "sessionId", "enableTrace"}`, the body that an invocation has by default. A turn ends
//! with a message that says so ([`LAST`]), when the agent closes the connection in peace, or after some silence; silence ends
//! nothing before the first event, nor after one that more must follow, such as a tool's result. What comes later is kept for
//! before the next turn. A connection that is lost is opened anew, in the same session, when there is something to say.

use std::time::Duration;

use agentcore_client::{
    ErrorKind, Event, Reader, Runtime, SessionId, SseEvent,
    core::Error,
    ws::{Incoming, Socket},
};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::agent::{Heard, Numbers};
use crate::{
    output::note,
    report::{Failure, Way},
};

/// The socket, if it is open, and how it is opened.
pub(super) struct Link {
    runtime: Runtime,
    way: Way,
    patience: Patience,
    socket: Option<Socket>,
    reader: Reader,
}

/// How long to wait for what.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For more of an answer that may be over.
    pub(super) wait: Duration,
    /// For an event that must come.
    pub(super) idle: Option<Duration>,
    /// For the whole answer.
    pub(super) total: Option<Duration>,
}

/// A turn of the agent's.
pub(super) struct Turn<'a> {
    link: &'a mut Link,
    begun: Instant,
    first: Option<Instant>,
    last: Instant,
    events: u64,
    /// Whether the agent may have said all.
    settled: bool,
    over: bool,
}

impl Link {
    pub(super) fn new(runtime: Runtime, way: Way, patience: Patience) -> Self {
        Self { runtime, way, patience, socket: None, reader: Reader::new() }
    }

    /// Sends a prompt, over a new connection where there is none.
    pub(super) async fn ask(&mut self, session: &SessionId, prompt: &str) -> Result<Turn<'_>, Failure> {
        let begun = Instant::now();
        let opened = async {
            let socket = match self.socket.take_if(|socket| socket.session_id() == session) {
                Some(socket) => socket,
                None => self.runtime.websocket().session(session).connect().await?,
            };
            socket.send_json(&Prompt { prompt, session_id: session.as_str(), enable_trace: true }).await?;
            Ok::<_, agentcore_client::Error>(socket)
        };
        let socket = match self.patience.total {
            Some(total) => timeout_at(begun + total, opened).await.unwrap_or_else(|_| Err(too_long(total).into())),
            None => opened.await,
        };
        self.socket = Some(socket.map_err(|error| Failure::of_call(error, self.way))?);
        self.reader = Reader::new();
        Ok(Turn { link: self, begun, first: None, last: begun, events: 0, settled: false, over: false })
    }

    /// Closes the socket in the background.
    pub(super) fn drop_socket(&mut self) {
        self.socket = None;
    }

    /// What has come since the last turn; looks also whether the socket is still open.
    pub(super) fn late(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(socket) = &mut self.socket {
            match socket.recv().now_or_never() {
                None => break,
                Some(Ok(Some(Incoming::Text(text)))) => {
                    self.reader.push(SseEvent::new(text));
                    events.extend(std::iter::from_fn(|| self.reader.next_event()));
                }
                Some(Ok(Some(incoming))) => pass_over(&incoming),
                Some(Ok(None) | Err(_)) => {
                    note("the connection has ended meanwhile; a new one is opened, in the same session");
                    self.socket = None;
                }
            }
        }
        events
    }
}

impl Turn<'_> {
    /// Waits for what comes next.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        let next = self.heard().await;
        if next.is_err() {
            // What is left of this answer must not be taken for the next one.
            self.link.drop_socket();
        }
        next.map_err(|error| Failure::of_call(error.into(), self.link.way))
    }

    async fn heard(&mut self) -> Result<Heard, Error> {
        loop {
            if let Some(event) = self.link.reader.next_event() {
                self.settled = may_be_last(&event);
                return Ok(Heard::Event(event));
            }
            let Some(socket) = self.link.socket.as_mut().filter(|_| !self.over) else {
                return Ok(Heard::End(self.numbers()));
            };
            let patience = self.link.patience;
            let whole = patience.total.map(|total| (self.begun + total, total));
            let quiet = if self.settled { Some(patience.wait) } else { patience.idle };
            let quiet = quiet.map(|quiet| (self.last + quiet, quiet));
            let incoming = match whole.into_iter().chain(quiet).min() {
                None => socket.recv().await,
                Some((end, bound)) => match timeout_at(end, socket.recv()).await {
                    Ok(incoming) => incoming,
                    Err(_) if self.settled && whole.is_none_or(|(whole, _)| end < whole) => {
                        return Ok(Heard::End(self.numbers()));
                    }
                    Err(_) => return Err(too_long(bound)),
                },
            };
            match incoming? {
                Some(Incoming::Text(text)) => {
                    self.last = Instant::now();
                    self.first.get_or_insert(self.last);
                    self.events += 1;
                    self.over = is_last(&text);
                    self.link.reader.push(SseEvent::new(text));
                }
                Some(incoming) => pass_over(&incoming),
                None => self.link.socket = None,
            }
        }
    }

    fn numbers(&self) -> Numbers {
        Numbers {
            first_event: self.first.map(|first| first - self.begun),
            duration: self.last - self.begun,
            events: self.events,
        }
    }
}

/// A line as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prompt<'a> {
    prompt: &'a str,
    session_id: &'a str,
    enable_trace: bool,
}

/// Whether a message says that the turn is over.
fn is_last(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    text.starts_with('{') && serde_json::from_str(text).is_ok_and(|Typed { kind }| LAST.contains(&&*kind))
}

/// Whether an agent that says no more after this may have said all.
fn may_be_last(event: &Event) -> bool {
    !matches!(event, Event::Reasoning(_) | Event::ToolUse(_) | Event::ToolResult(_) | Event::Trace(_) | Event::State(_))
}

fn pass_over(incoming: &Incoming) {
    if let Incoming::Binary(bytes) = incoming {
        note(&format!("a binary message of {} bytes is not shown", bytes.len()));
    }
}

fn too_long(bound: Duration) -> Error {
    let message = format!("the agent took more than {} s", bound.as_secs_f32());
    Error::new(ErrorKind::Timeout, message).possibly_run(true)
}

/// The types of messages that end a turn: a habit of agents over WebSockets, and AG-UI's.
const LAST: &[&str] = &["done", "RUN_FINISHED", "RUN_ERROR"];
