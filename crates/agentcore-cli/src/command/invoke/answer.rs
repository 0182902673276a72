//! Prints an answer in one of four formats, as it arrives. Nothing that arrived is lost when the rest does not.

use agentcore_client::{Error, Event, Invoke, Reader, Reply, Response, SseEvent};
use clap::ValueEnum;
use futures_util::TryStreamExt as _;
use serde::Serialize;

use crate::{
    errors::{Failure, Mechanism},
    output::{Output, note},
    progress::Spinner,
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
    mechanism: Mechanism,
    spinner: Spinner,
    output: Output,
    reader: Reader,
    failed: Option<Error>,
}

impl Printer {
    pub(super) fn new(format: Format, mechanism: Mechanism) -> Self {
        Self {
            format,
            mechanism,
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
                Err(error) => Err(self.failure(error)),
            },
        };
        self.spinner.clear();
        let whole = self.format == Format::Raw || self.output.end_line().is_ok();
        // What the agent reported first is why the rest went wrong.
        match (printed, self.failed.take()) {
            (Err(Failure::OutputClosed), _) => Err(Failure::OutputClosed),
            (_, Some(error)) => Err(self.failure(error)),
            (Ok(()), None) if !whole => Err(Failure::OutputClosed),
            (printed, None) => printed,
        }
    }

    async fn answer(&mut self, response: Response) -> Result<(), Failure> {
        if self.format == Format::Raw {
            self.bytes(response).await
        } else if response.is_event_stream() {
            self.events(response).await
        } else if self.format == Format::Events || response.is_json() {
            self.whole(response).await
        } else {
            self.bytes(response).await
        }
    }

    async fn reply(&mut self, invoke: Invoke) -> Result<(), Failure> {
        let (reply, failure) = match invoke.await {
            Ok(reply) => (Some(reply), None),
            Err(error) => (error.partial::<Reply>().cloned(), Some(self.failure(error))),
        };
        self.spinner.clear();
        if let Some(reply) = reply {
            self.output.json(&reply)?;
        }
        failure.map_or(Ok(()), Err)
    }

    async fn bytes(&mut self, response: Response) -> Result<(), Failure> {
        let mut pieces = response.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| self.failure(error))? {
            self.spinner.clear();
            self.output.write(&piece)?;
        }
        Ok(())
    }

    async fn events(&mut self, response: Response) -> Result<(), Failure> {
        let mut events = response.events();
        let (mut seen, mut texts) = (0_u64, 0_u64);
        while let Some(event) = events.try_next().await.map_err(|error| self.failure(error))? {
            seen += 1;
            texts += self.event(event)?;
        }
        match (seen, texts, &self.failed) {
            _ if self.format == Format::Events => {}
            (0, ..) => note("the stream ended without an event; --lenient-sse takes events that no empty line ends"),
            (_, 0, None) => note("no text is known in the agent's events; --output events shows them"),
            _ => {}
        }
        Ok(())
    }

    /// Prints an answer that is no stream as one event; as text it is itself, where no text is known in it.
    async fn whole(&mut self, response: Response) -> Result<(), Failure> {
        let event = SseEvent::new(response.text().await.map_err(|error| self.failure(error))?);
        let body = event.data.clone();
        match (self.event(event)?, &self.failed) {
            (0, None) if self.format == Format::Text => self.output.write(body.as_bytes()),
            _ => Ok(()),
        }
    }

    /// Prints an event, or its text, and remembers the first failure that it reports; returns how many pieces of text it has.
    fn event(&mut self, event: SseEvent) -> Result<u64, Failure> {
        self.spinner.clear();
        if self.format == Format::Events {
            let retry = event.retry.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            self.output.json(&EventLine { event: &event.event, data: &event.data, id: &event.id, retry })?;
        }
        self.reader.push(event);
        let mut texts = 0;
        while let Some(event) = self.reader.next_event() {
            match event {
                Event::Text(text) if self.format == Format::Text => {
                    texts += 1;
                    self.output.write(text.as_bytes())?;
                }
                Event::Error(error) => _ = self.failed.get_or_insert(error),
                _ => {}
            }
        }
        Ok(texts)
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
