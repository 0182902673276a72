//! Prints an answer in one of four formats, as it arrives. Nothing that arrived is lost when the rest does not.

use agentcore_client::{AgentError, Error, Event, Invoke, Reader, Response, SseEvent};
use clap::ValueEnum;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::{
    output::{Output, note},
    progress::Spinner,
    report::{Failure, Way},
};

/// What is printed of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The agent's text
    Text,
    /// One object at the end: the text and the numbers of the call
    Json,
    /// One object for each server-sent event, a line each
    Events,
    /// The body's bytes
    Raw,
}

/// Prints one answer.
pub(super) struct Printer {
    format: Format,
    way: Way,
    spinner: Spinner,
    output: Output,
    reader: Reader,
    failed: Option<AgentError>,
}

impl Printer {
    pub(super) fn new(format: Format, way: Way) -> Self {
        Self {
            format,
            way,
            spinner: Spinner::start("waiting for the agent"),
            output: Output::default(),
            reader: Reader::new(),
            failed: None,
        }
    }

    /// Sends the invocation and prints the answer to its end, or as far as it comes.
    pub(super) async fn print(mut self, invoke: Invoke) -> Result<(), Failure> {
        let printed = match self.format {
            Format::Json => self.reply(invoke).await,
            _ => match invoke.send().await {
                Ok(response) => self.answer(response).await,
                Err(error) => Err(self.explained(error)),
            },
        };
        self.spinner.clear();
        let whole = self.format == Format::Raw || self.output.end_line().is_ok();
        // What the agent reported first is why the rest went wrong.
        match (printed, self.failed.take()) {
            (Err(Failure::OutputClosed), _) => Err(Failure::OutputClosed),
            (_, Some(error)) => Err(self.explained(error)),
            (Ok(()), None) if !whole => Err(Failure::OutputClosed),
            (printed, None) => printed,
        }
    }

    async fn answer(&mut self, response: Response) -> Result<(), Failure> {
        match self.format {
            Format::Raw => self.bytes(response).await,
            Format::Events if response.is_event_stream() => self.events(response).await,
            Format::Events => self.body_as_event(response).await,
            _ if response.is_event_stream() => self.text_of_events(response).await,
            _ if response.is_json() => self.text_of_json(response).await,
            _ => self.bytes(response).await,
        }
    }

    async fn reply(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let (reply, failure) = match invoke.await {
            Ok(reply) => (Some(reply), None),
            Err(error) => (error.partial().cloned(), Some(self.explained(error))),
        };
        if let Some(reply) = reply {
            self.object(&reply)?;
        }
        failure.map_or(Ok(()), Err)
    }

    async fn bytes(&mut self, response: Response) -> Result<(), Failure> {
        let mut pieces = response.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| self.explained(error))? {
            self.piece(&piece)?;
        }
        Ok(())
    }

    async fn events(&mut self, response: Response) -> Result<(), Failure> {
        let mut events = response.events();
        while let Some(event) = events.try_next().await.map_err(|error| self.explained(error))? {
            self.event(event)?;
        }
        Ok(())
    }

    async fn body_as_event(&mut self, response: Response) -> Result<(), Failure> {
        let body = response.text().await.map_err(|error| self.explained(error))?;
        self.event(SseEvent::new(body))
    }

    async fn text_of_events(&mut self, response: Response) -> Result<(), Failure> {
        let mut events = response.events();
        let (mut seen, mut texts) = (0_u64, 0_u64);
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| self.explained(error))?;
            self.spinner.clear();
            seen += 1;
            texts += self.text(event)?;
        }
        match (seen, texts, &self.failed) {
            (0, ..) => note("the stream ended without an event; --lenient-sse takes events that no empty line ends"),
            (_, 0, None) => note("no text is known in the agent's events; --output events shows them"),
            _ => {}
        }
        Ok(())
    }

    async fn text_of_json(&mut self, response: Response) -> Result<(), Failure> {
        let body = response.text().await.map_err(|error| self.explained(error))?;
        let event = SseEvent::new(body);
        let body = event.data.clone();
        match (self.text(event)?, &self.failed) {
            (0, None) => self.piece(body.as_bytes()),
            _ => Ok(()),
        }
    }

    /// Prints what an event has of text, and remembers whether it told of a failure; returns how many pieces it had.
    fn text(&mut self, event: SseEvent) -> Result<u64, Failure> {
        let mut texts = 0;
        self.reader.push(event);
        while let Some(event) = self.reader.next_event() {
            match event {
                Event::Text(text) => {
                    texts += 1;
                    self.piece(text.as_bytes())?;
                }
                Event::Error(error) => self.fail(error),
                _ => {}
            }
        }
        Ok(texts)
    }

    /// Prints an event as it came, and remembers whether it told of a failure.
    fn event(&mut self, event: SseEvent) -> Result<(), Failure> {
        let retry = event.retry.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        self.object(&Line { event: &event.event, data: &event.data, id: &event.id, retry })?;
        self.reader.push(event);
        while let Some(event) = self.reader.next_event() {
            if let Event::Error(error) = event {
                self.fail(error);
            }
        }
        Ok(())
    }

    fn object<T: Serialize>(&mut self, object: &T) -> Result<(), Failure> {
        self.spinner.clear();
        let json = serde_json::to_string(object)
            .map_err(|error| Failure::trouble("cannot write the answer as JSON").caused_by(&error))?;
        self.output.line(&json)
    }

    fn piece(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.spinner.clear();
        self.output.write(piece)
    }

    fn fail(&mut self, error: AgentError) {
        self.failed.get_or_insert(error);
    }

    fn explained(&self, error: impl Into<Error>) -> Failure {
        Failure::of_call(error.into(), self.way)
    }
}

/// An event as `--output events` prints it.
#[derive(Serialize)]
struct Line<'a> {
    event: &'a str,
    data: &'a str,
    id: &'a str,
    /// In milliseconds.
    retry: Option<u64>,
}
