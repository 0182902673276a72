//! Prints an answer in one of four formats, as it arrives. Nothing that arrived is lost when the rest does not.

use std::io::IsTerminal as _;

use agentcore_client::{
    Dialect, Done, Error, Event, Interrupt, Invoke, Reader, Response, SessionId, SseEvent, event::no_events,
};
use clap::ValueEnum;
use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::outcome::Outcome;
use crate::{
    errors::{Failure, Mechanism},
    output::{Output, note},
    progress::Spinner,
    question::question,
    terminal,
};

/// What is printed of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The agent's text
    Text,
    /// One object at the end: the text, the numbers, what the agent asks and how the call failed
    Json,
    /// One object for each server-sent event, a line each
    Events,
    /// The body's bytes
    Raw,
}

/// Prints the outcome of a call that was not made, where the format has one; returns what failed.
pub(super) fn uncalled(format: Format, session: &SessionId, failure: Failure) -> Failure {
    let outcome = Outcome::uncalled(&failure, session).filter(|_| format == Format::Json);
    match outcome.map_or(Ok(()), |outcome| Output::default().object(&outcome)) {
        Ok(()) => failure,
        Err(closed) => closed,
    }
}

/// Prints one answer.
pub(super) struct Printer {
    format: Format,
    mechanism: Mechanism,
    spinner: Spinner,
    output: Output,
    /// The session that the user named.
    named: Option<SessionId>,
    /// How the agent writes, where the user said so.
    dialect: Option<Dialect>,
}

impl Printer {
    pub(super) fn new(
        format: Format,
        mechanism: Mechanism,
        named: Option<SessionId>,
        dialect: Option<Dialect>,
    ) -> Self {
        let spinner = Spinner::start("waiting for the agent");
        Self { format, mechanism, spinner, output: Output::default(), named, dialect }
    }

    /// What judges events that are printed as they are.
    fn reader(&self) -> Reader {
        self.dialect.into_iter().fold(Reader::new(), Reader::dialect)
    }

    /// Says so where the answer came from another session than the one that the user named.
    fn notice_session(&self, answered: &SessionId) {
        if self.named.as_ref().is_some_and(|named| named != answered) {
            note(&format!("the answer came from another session: {}", answered.as_str()));
        }
    }

    /// Sends the invocation and prints the answer to its end, or as far as it comes.
    pub(super) async fn print(mut self, invoke: Invoke) -> Result<(), Failure> {
        let printed = match self.format {
            Format::Json => self.reply(invoke).await,
            Format::Text => self.text(invoke).await,
            Format::Events => self.events(invoke).await,
            Format::Raw => self.bytes(invoke).await,
        };
        self.spinner.clear();
        if self.format != Format::Raw {
            self.output.end_line()?;
        }
        printed
    }

    async fn reply(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let session = invoke.session_id().clone();
        let result = invoke.await;
        self.spinner.clear();
        if let Ok(reply) = &result {
            self.notice_session(&reply.session_id);
        }
        if let Some(outcome) = Outcome::of(&result, &session, self.mechanism) {
            self.output.object(&outcome)?;
        }
        result.map(|_| ()).map_err(|error| self.failure(error))
    }

    /// Prints the body of whoever answered, and judges it afterwards.
    async fn bytes(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let mut response = invoke.send().await.map_err(|error| self.failure(error))?;
        let _turn = terminal::turn().await;
        let page = response.page_of_another().await;
        let mut pieces = response.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| self.failure(error))? {
            self.spinner.clear();
            self.output.write(&piece)?;
        }
        page.map_or(Ok(()), |error| Err(self.failure(error)))
    }

    /// Prints what the agent says; a JSON answer in which no text is known is printed as it is.
    async fn text(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let mut events = invoke.stream().await.map_err(|error| self.failure(error))?;
        let _turn = terminal::turn().await;
        self.notice_session(events.session_id());
        let mut asked: Vec<Box<Interrupt>> = Vec::new();
        while let Some(event) = events.try_next().await.map_err(|error| self.failure(error))? {
            self.spinner.clear();
            match event {
                Event::Text(text) => self.output.text(&text)?,
                Event::Interrupt(interrupt) => asked.push(interrupt),
                Event::Done(done) => self.end_text(&done, events.body().map(|body| &**body), &asked)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Prints what there is besides text, and names what the agent asks to whoever looks on, or where that is all of the answer.
    fn end_text(&mut self, done: &Done, body: Option<&str>, asked: &[Box<Interrupt>]) -> Result<(), Failure> {
        match body {
            _ if done.interrupts > 0 => {}
            Some(body) if done.texts == 0 => self.output.text(body)?,
            None if done.events == 0 => note("the answer ended without an event"),
            None if done.texts == 0 => note(
                "no text is known in the agent's events; --output events shows them. To have them known, save the answer by --output \
                 raw, and add it to agentcore-rs as CONTRIBUTING.md says (\"A stream that is not understood\")",
            ),
            _ => {}
        }
        if !asked.is_empty() && (done.texts == 0 || std::io::stderr().is_terminal()) {
            self.output.end_line()?;
            asked.iter().for_each(|interrupt| note(&question(interrupt)));
        }
        Ok(())
    }

    /// Prints the events by the strict grammar, and judges them as they are read for their text.
    async fn events(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let mut response = invoke.send().await.map_err(|error| self.failure(error))?;
        let _turn = terminal::turn().await;
        if let Some(error) = response.page_of_another().await {
            return Err(self.failure(error));
        }
        let mut reader = self.reader();
        if response.is_aws_event_stream() {
            return self.frames(response).await;
        }
        if !response.is_event_stream() {
            let event = SseEvent::new(response.text().await.map_err(|error| self.failure(error))?);
            self.event(&event)?;
            reader.push(event);
            reader.finish();
            return self.judge(&mut reader);
        }
        let mut events = response.events();
        let mut seen = false;
        while let Some(event) = events.try_next().await.map_err(|error| self.failure(error))? {
            seen = true;
            self.event(&event)?;
            reader.push(event);
            self.judge(&mut reader)?;
        }
        if let Some(line) = events.unknown_line().filter(|_| !seen) {
            return Err(self.failure(no_events(&line)));
        }
        reader.finish();
        self.judge(&mut reader)
    }

    /// Prints the events of a harness, whose names and data stand in frames, and judges them likewise.
    async fn frames(&mut self, response: Response) -> Result<(), Failure> {
        let mut reader = Reader::new().dialect(self.dialect.unwrap_or(Dialect::Harness));
        let mut frames = response.frames();
        while let Some(frame) = frames.try_next().await.map_err(|error| self.failure(error))? {
            let event = frame.to_event().map_err(|error| self.failure(error))?;
            self.event(&event)?;
            reader.push(event);
            self.judge(&mut reader)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &SseEvent) -> Result<(), Failure> {
        self.spinner.clear();
        let retry = event.retry.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        self.output.json(&EventLine { event: &event.event, data: &event.data, id: &event.id, retry })
    }

    /// Fails with the first error that the agent reported.
    fn judge(&self, reader: &mut Reader) -> Result<(), Failure> {
        match std::iter::from_fn(|| reader.next_event()).find_map(Result::err) {
            Some(error) => Err(self.failure(error)),
            None => Ok(()),
        }
    }

    fn failure(&self, error: impl Into<Error>) -> Failure {
        Failure::call(error, self.mechanism)
    }
}

/// An event as `--output events` prints it.
#[derive(Serialize)]
struct EventLine<'a> {
    event: &'a str,
    data: &'a str,
    id: &'a str,
    /// In milliseconds.
    retry: Option<u64>,
}
