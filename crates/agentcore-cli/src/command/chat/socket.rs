//! A conversation over one WebSocket: prompts as JSON texts, and turns, whose end no protocol defines.
//!
//! Each line is sent as `{"prompt", "sessionId", "enableTrace"}`, the body that an invocation has by default. A turn ends
//! with a message that says so, when the agent closes the connection normally, or after some silence; silence ends
//! nothing before the first event, nor after one that more must follow, such as a tool's result, unless the agent's dialect marks
//! an end and it has come ([`Ending`]). What comes later is kept for
//! before the next turn. A connection that is lost is opened anew, in the same session, when there is something to say.

use std::time::Duration;

use agentcore_client::{
    Error, Event, Reader, RetryPolicy, Runtime, SessionId, SseEvent,
    ws::{Incoming, Settings, Socket},
};
use futures_util::FutureExt as _;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{
    answer::{AnswerPart, Statistics},
    ending::Ending,
    message::Message,
    waiting::Waiting,
};
use crate::{
    end_mark::is_last,
    errors::{Failure, Mechanism},
    output::{note, note_binary},
};

/// The socket, if it is open, and how it is opened.
pub(super) struct SocketChannel {
    runtime: Runtime,
    mechanism: Mechanism,
    timeouts: TurnTimeouts,
    retry: RetryPolicy,
    /// Whether a prompt asks for the agent's trace.
    trace: bool,
    socket: Option<Socket>,
    reader: Reader,
}

/// How long to wait for what.
#[derive(Clone, Copy)]
pub(super) struct TurnTimeouts {
    /// For more of an answer that may be over.
    pub(super) wait: Duration,
    /// For an event that must come.
    pub(super) idle: Duration,
    /// For the whole answer.
    pub(super) total: Duration,
}

/// A turn of the agent's.
pub(super) struct Turn<'a> {
    channel: &'a mut SocketChannel,
    begun: Instant,
    first: Option<Instant>,
    last: Instant,
    events: u64,
    ending: Ending,
    over: bool,
    /// Whether the reader has been told.
    ended: bool,
}

impl SocketChannel {
    pub(super) fn new(
        runtime: Runtime,
        mechanism: Mechanism,
        timeouts: TurnTimeouts,
        retry: RetryPolicy,
        trace: bool,
    ) -> Self {
        Self { runtime, mechanism, timeouts, retry, trace, socket: None, reader: Reader::new() }
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Sends a message, over a new connection where there is none.
    pub(super) async fn ask(
        &mut self,
        session: &SessionId,
        message: &Message<'_>,
        mut waiting: Waiting<'_>,
    ) -> Result<Turn<'_>, Failure> {
        let begun = Instant::now();
        let request = self.runtime.websocket().session(session).settings(Settings::default().retry(self.retry.clone()));
        let kept = self.socket.take_if(|socket| socket.session_id() == session);
        let opened = async {
            let socket = match kept {
                Some(socket) => socket,
                None => loop {
                    match request.clone().connect().await {
                        Err(error) if waiting.goes_on(&error) => waiting.pause().await,
                        opened => break opened?,
                    }
                },
            };
            match message {
                Message::Prompt(prompt) => {
                    let prompt = Prompt { prompt, session_id: session.as_str(), enable_trace: self.trace };
                    socket.send_json(&prompt).await?;
                }
                Message::Answers(payload) => socket.send_json(payload).await?,
            }
            Ok::<_, Error>(socket)
        };
        let total = self.timeouts.total;
        let socket = timeout(total, opened).await.map_err(|_| too_long(total))?;
        self.socket = Some(socket.map_err(|error| Failure::call(error, self.mechanism))?);
        self.reader = Reader::new();
        Ok(Turn {
            channel: self,
            begun,
            first: None,
            last: begun,
            events: 0,
            ending: Ending::default(),
            over: false,
            ended: false,
        })
    }

    /// Closes the socket in the background.
    pub(super) fn disconnect(&mut self) {
        self.socket = None;
    }

    /// Returns what has come since the last turn; looks also whether the socket is still open.
    pub(super) fn late(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(socket) = &mut self.socket {
            match socket.try_next().now_or_never() {
                None => break,
                Some(Ok(Some(Incoming::Text(text)))) => {
                    self.reader.push(SseEvent::new(text));
                    for event in std::iter::from_fn(|| self.reader.next_event()) {
                        match event {
                            Ok(event) => events.push(event),
                            Err(error) => note(&format!("the agent reported an error meanwhile: {error}")),
                        }
                    }
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
    pub(super) async fn next(&mut self) -> Result<AnswerPart, Failure> {
        let next = self.receive().await;
        if matches!(next, Err(_) | Ok(AnswerPart::Failed(_))) {
            // What is left of this answer must not be taken for the next one.
            self.channel.disconnect();
        }
        next
    }

    async fn receive(&mut self) -> Result<AnswerPart, Failure> {
        loop {
            if let Some(event) = self.channel.reader.next_event() {
                return Ok(match event {
                    Ok(event) => {
                        self.ending.note(&event, self.channel.reader.end_mark());
                        AnswerPart::Event(event)
                    }
                    Err(error) => AnswerPart::Failed(Failure::call(error, self.channel.mechanism)),
                });
            }
            let Some(socket) = self.channel.socket.as_mut().filter(|_| !self.over) else {
                if self.end() {
                    return Ok(AnswerPart::End(self.statistics()));
                }
                continue;
            };
            let TurnTimeouts { wait, idle, total } = self.channel.timeouts;
            let quiet = if self.ending.is_settled() { wait } else { idle };
            let now = Instant::now();
            let (whole_left, quiet_left) =
                (total.saturating_sub(now - self.begun), quiet.saturating_sub(now - self.last));
            let incoming = match timeout(whole_left.min(quiet_left), socket.try_next()).await {
                Ok(incoming) => incoming.map_err(|error| Failure::call(error, self.channel.mechanism))?,
                Err(_) if self.ending.is_settled() && quiet_left < whole_left => {
                    self.over = true;
                    continue;
                }
                Err(_) => return Err(too_long(if whole_left < quiet_left { total } else { quiet })),
            };
            match incoming {
                Some(Incoming::Text(text)) => {
                    self.last = Instant::now();
                    self.first.get_or_insert(self.last);
                    self.events += 1;
                    self.over = is_last(&text);
                    self.ending.message();
                    self.channel.reader.push(SseEvent::new(text));
                }
                Some(incoming) => pass_over(&incoming),
                None => self.channel.socket = None,
            }
        }
    }

    /// Reads what the reader holds, once; returns whether that has been done before.
    fn end(&mut self) -> bool {
        if !self.ended {
            self.channel.reader.finish();
        }
        std::mem::replace(&mut self.ended, true)
    }

    fn statistics(&self) -> Statistics {
        Statistics {
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

fn pass_over(incoming: &Incoming) {
    if let Incoming::Binary(bytes) = incoming {
        note_binary(bytes);
    }
}

fn too_long(bound: Duration) -> Failure {
    Failure::timeout(&format!("the agent took more than {} s", bound.as_secs_f32()))
}
