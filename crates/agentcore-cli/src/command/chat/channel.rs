//! The way to the agent, by invocations or over a socket: a prompt goes in, and events come out. Shows nothing.

use agentcore_client::{ErrorKind, Event, Events, Payload, Runtime, SessionId, operation::INVOKE};
use futures_util::StreamExt as _;

use super::{
    answer::{AnswerPart, Statistics},
    message::Message,
    socket::{SocketChannel, Turn},
    waiting::Waiting,
};
use crate::{
    errors::{Failure, Mechanism},
    flags::RequestFlags,
};

/// The way to the agent.
pub(super) enum Channel {
    Http(Box<HttpChannel>),
    Socket(Box<SocketChannel>),
}

/// Each prompt an invocation.
pub(super) struct HttpChannel {
    pub(super) runtime: Runtime,
    pub(super) request: RequestFlags,
    /// Whether a prompt asks for the agent's trace.
    pub(super) trace: bool,
    pub(super) mechanism: Mechanism,
}

/// An answer that is coming. Dropping it stops it.
pub(super) enum Answer<'a> {
    Stream(Box<Events>, Mechanism),
    Turn(Turn<'a>),
}

impl Channel {
    /// Names the agent, and the host through which it is reached.
    pub(super) fn agent(&self) -> String {
        let runtime = match self {
            Self::Http(http) => &http.runtime,
            Self::Socket(socket) => socket.runtime(),
        };
        let target = runtime.target();
        let arn = target.arn().map(ToString::to_string);
        let name = arn.as_deref().map(|arn| arn.rsplit('/').next().unwrap_or(arn));
        let name = name.unwrap_or(if target.is_local() { "a local agent" } else { "an agent" });
        match target.url(&INVOKE).as_ref().map(|url| url.authority()) {
            Ok(Some(host)) => format!("{name} at {host}"),
            _ => name.to_owned(),
        }
    }

    /// Sends a message, and returns the answer as soon as there is one to be read. While the session is busy it waits, which `busy` is
    /// told once.
    pub(super) async fn ask(
        &mut self,
        session: &SessionId,
        message: &Message<'_>,
        busy: &mut (dyn FnMut() + Send),
    ) -> Result<Answer<'_>, Failure> {
        let mut waiting = Waiting::new(busy);
        match self {
            Self::Http(http) => {
                let payload = match message {
                    Message::Prompt(prompt) => Payload::prompt(*prompt).enable_trace(http.trace),
                    Message::Answers(payload) => Payload::from((*payload).clone()),
                };
                let invoke = http.request.apply(http.runtime.invoke(payload).session(session));
                let events = loop {
                    match invoke.clone().stream().await {
                        Err(error) if waiting.goes_on(&error) => waiting.pause().await,
                        events => break events.map_err(|error| Failure::call(error, http.mechanism))?,
                    }
                };
                Ok(Answer::Stream(Box::new(events), http.mechanism))
            }
            Self::Socket(socket) => Ok(Answer::Turn(socket.ask(session, message, waiting).await?)),
        }
    }

    /// Sees to it that nothing of an answer that was given up is taken for the next one.
    pub(super) fn give_up(&mut self) {
        if let Self::Socket(socket) = self {
            socket.disconnect();
        }
    }

    /// Returns what has come since the last answer seemed to be over.
    pub(super) fn late(&mut self) -> Vec<Event> {
        match self {
            Self::Http(_) => Vec::new(),
            Self::Socket(socket) => socket.late(),
        }
    }
}

impl Answer<'_> {
    /// Waits for what comes next; nothing comes after the end or a failure.
    pub(super) async fn next(&mut self) -> Result<AnswerPart, Failure> {
        match self {
            Self::Turn(turn) => turn.next().await,
            Self::Stream(events, mechanism) => match events.next().await {
                Some(Ok(Event::Done(done))) => Ok(AnswerPart::End(Statistics {
                    first_event: done.first_event,
                    duration: done.duration,
                    events: done.events,
                })),
                Some(Ok(event)) => Ok(AnswerPart::Event(event)),
                Some(Err(error)) if error.kind() == ErrorKind::Agent => {
                    Ok(AnswerPart::Failed(Failure::call(error, *mechanism)))
                }
                Some(Err(error)) => Err(Failure::call(error, *mechanism)),
                None => Err(Failure::internal("the answer is over")),
            },
        }
    }
}
