//! The agent's end of the conversation, by either way: a prompt goes in, and events come out. Shows nothing.

use std::time::Duration;

use agentcore_client::{CustomHeader, Event, Events, Invoke, Runtime, SessionId, Timeouts, UserId};
use futures_util::StreamExt as _;

use super::link::{Link, Turn};
use crate::report::{Failure, Way};

/// The way to the agent.
pub(super) enum Agent {
    Http(Box<Http>),
    Socket(Box<Link>),
}

/// Each prompt an invocation.
pub(super) struct Http {
    pub(super) runtime: Runtime,
    pub(super) user: Option<UserId>,
    pub(super) headers: Vec<CustomHeader>,
    pub(super) timeouts: Timeouts,
    pub(super) way: Way,
}

/// An answer that is coming. Dropping it stops it.
pub(super) enum Answer<'a> {
    Stream(Box<Events>, Way),
    Turn(Turn<'a>),
}

/// What an answer consists of.
pub(super) enum Heard {
    Event(Event),
    End(Numbers),
}

/// The numbers of an answer.
pub(super) struct Numbers {
    pub(super) first_event: Option<Duration>,
    pub(super) duration: Duration,
    pub(super) events: u64,
}

impl Agent {
    /// Says something, and returns the answer as soon as there is one to be read.
    pub(super) async fn ask(&mut self, session: &SessionId, prompt: &str) -> Result<Answer<'_>, Failure> {
        match self {
            Self::Http(http) => http.ask(session, prompt).await,
            Self::Socket(link) => Ok(Answer::Turn(link.ask(session, prompt).await?)),
        }
    }

    /// Sees to it that nothing of an answer that was given up is taken for the next one.
    pub(super) fn give_up(&mut self) {
        if let Self::Socket(link) = self {
            link.drop_socket();
        }
    }

    /// What has come since the last answer seemed to be over.
    pub(super) fn late(&mut self) -> Vec<Event> {
        match self {
            Self::Http(_) => Vec::new(),
            Self::Socket(link) => link.late(),
        }
    }
}

impl Http {
    async fn ask(&self, session: &SessionId, prompt: &str) -> Result<Answer<'static>, Failure> {
        let mut invoke = self.runtime.invoke(prompt).session(session).timeouts(self.timeouts.clone());
        if let Some(user) = &self.user {
            invoke = invoke.user(user.clone());
        }
        let invoke = self.headers.iter().cloned().fold(invoke, Invoke::header);
        let events = invoke.stream().await.map_err(|error| Failure::of_call(error, self.way))?;
        Ok(Answer::Stream(Box::new(events), self.way))
    }
}

impl Answer<'_> {
    /// Waits for what comes next; nothing comes after the end or a failure.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        match self {
            Self::Turn(turn) => turn.next().await,
            Self::Stream(events, way) => match events.next().await {
                Some(Ok(Event::Done(done))) => Ok(Heard::End(Numbers {
                    first_event: done.first_event,
                    duration: done.duration,
                    events: done.events,
                })),
                Some(Ok(event)) => Ok(Heard::Event(event)),
                Some(Err(error)) => Err(Failure::of_call(error, *way)),
                None => Err(Failure::trouble("the answer is over")),
            },
        }
    }
}
