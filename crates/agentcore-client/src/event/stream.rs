//! The stream of what an agent says, over an answer of either kind. Counts, and folds itself into a reply.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use agentcore_core::{Arn, SessionId};
use agentcore_http::Response;
use bytestring::ByteString;
use futures_core::Stream;

use super::{
    Dialect, Done, EndMark, Event, Reader, Usage,
    source::{Part, Source},
};
use crate::{AnswerJson, Error, ErrorKind, Reply, call::MeteredCall};

/// What an agent says, as it says it.
///
/// The last item is [`Event::Done`], which stands for a complete answer, or an error. An error that the agent itself reports is of
/// kind [`Agent`](crate::ErrorKind::Agent), comes after all that was said before it, and ends the stream; see
/// [`past_errors`](Self::past_errors).
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no event is lost.
pub struct Events {
    source: Source,
    state: State,
    past_errors: bool,
    body: Option<ByteString>,
    reader: Reader,
    /// Elsewhere, because streams are moved.
    reply: Box<Reply>,
    texts: u64,
    unknown: u64,
    usage: Usage,
    interrupts: u64,
    bytes: u64,
    max_bytes: usize,
    begun: Instant,
    call: MeteredCall,
    agent_failed: bool,
    /// Why the answer broke off, to be told last.
    failed: Option<Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// All has been pushed to the reader, and the end has not been told.
    Read,
    Over,
}

impl Events {
    pub(crate) fn new(response: Response, reader: Reader, arn: Option<Arn>, call: MeteredCall) -> Self {
        let now = Instant::now();
        let (reply, max_bytes) = (Box::new(Reply::begin(&response, arn)), response.max_bytes());
        let begun = now.checked_sub(response.elapsed()).unwrap_or(now);
        let source = Source::new(response);
        let reader = if source.is_frames() { reader.or_dialect(Dialect::Harness) } else { reader };
        Self {
            reply,
            begun,
            max_bytes,
            source,
            state: State::Reading,
            past_errors: false,
            body: None,
            reader,
            texts: 0,
            unknown: 0,
            usage: Usage::default(),
            interrupts: 0,
            bytes: 0,
            call,
            agent_failed: false,
            failed: None,
        }
    }

    /// Goes on after errors that the agent reports, of which some agents report several, or say more after one. Each is still an
    /// `Err`. The answer is not complete then: no [`Event::Done`] ends it. Default: the first ends the stream.
    #[must_use]
    pub fn past_errors(mut self) -> Self {
        self.past_errors = true;
        self
    }

    /// The session to go on in.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.reply.session_id
    }

    /// The id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.reply.request_id.as_deref()
    }

    /// The body of an answer that calls itself JSON, when it has been read: what there is where no text is known in it.
    #[must_use]
    pub fn body(&self) -> Option<&ByteString> {
        self.body.as_ref()
    }

    /// Returns what the agent says next; nothing after the last item.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns what the agent says next as [`next`](Self::next) does, for use with `?`.
    ///
    /// # Errors
    /// If the answer broke off, or the agent reports an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Event>, Error> {
        self.next().await.transpose()
    }

    /// Reads to the end and puts the whole answer together.
    ///
    /// # Errors
    /// If the answer breaks off, its text is longer than the client's limit for an answer (100 MB by default), or the agent reports
    /// an error; [`Error::partial`] has what came before.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer; what was read is lost.
    pub async fn into_reply(mut self) -> Result<Reply, Error> {
        let (mut text, mut only) = (String::new(), ByteString::new());
        let (mut interrupts, mut asked_bytes) = (Vec::new(), 0);
        let mut failed: Option<Error> = None;
        while let Some(event) = self.next().await {
            match event {
                Ok(Event::Text(piece)) => {
                    if text.len() + only.len() + piece.len() + asked_bytes > self.max_bytes {
                        failed = failed.or(Some(self.too_large()));
                        break;
                    }
                    if text.is_empty() && only.is_empty() {
                        // A text of one piece is not copied.
                        only = piece;
                    } else {
                        text.push_str(&mem::take(&mut only));
                        text.push_str(&piece);
                    }
                }
                Ok(Event::Interrupt(interrupt)) => {
                    asked_bytes += interrupt.bytes();
                    if text.len() + only.len() + asked_bytes > self.max_bytes {
                        failed = failed.or(Some(self.too_large()));
                        break;
                    }
                    interrupts.push(interrupt.copied());
                }
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let Done { usage, end_mark, .. } = self.done();
        let mut reply = *self.reply;
        reply.usage = (!usage.is_unknown()).then_some(usage);
        (reply.interrupts, reply.end_mark) = (interrupts, end_mark);
        let text = match (self.texts, self.body) {
            (0, Some(body)) if failed.is_none() && reply.interrupts.is_empty() => body,
            _ if text.is_empty() => only,
            _ => text.into(),
        };
        reply.end(text, self.begun.elapsed());
        match failed {
            Some(error) => Err(error.with_partial(reply)),
            None => Ok(reply),
        }
    }

    fn too_large(&self) -> Error {
        let message = format!("the answer's text is longer than {} bytes", self.max_bytes);
        self.explained(Error::new(ErrorKind::TooLarge, message).possibly_run(true))
    }

    fn count(&mut self, data: &ByteString) {
        self.reply.events += 1;
        self.reply.first_event.get_or_insert_with(|| self.begun.elapsed());
        self.bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Text(_) => self.texts += 1,
            Event::Other(_) => self.unknown += 1,
            Event::Usage(usage) => {
                self.usage.add(usage);
                self.call.used(usage);
            }
            Event::Interrupt(_) => {
                self.interrupts += 1;
                self.call.interrupted();
            }
            _ => {}
        }
    }

    fn take(&mut self, part: Part) {
        match part {
            Part::Event(event) => {
                self.count(&event.data);
                self.reader.push(event);
            }
            Part::Json(text) => {
                self.count(&text);
                self.reply.json = AnswerJson::new(&text);
                self.body = Some(text.clone());
                self.reader.push_whole(text);
            }
            Part::Text(text) => {
                if self.reply.events == 0 {
                    self.count(&text);
                } else {
                    self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
                }
                self.reader.push_text(text);
            }
        }
    }

    /// Takes the end of an answer that ended cleanly.
    fn end(&mut self) -> Result<(), Error> {
        if let (0, Some(line)) = (self.reply.events, self.source.unknown_line()) {
            return Err(self.explained(no_events(&line)));
        }
        self.reader.finish();
        Ok(())
    }

    /// Adds to an agent's error in which call it was reported.
    fn explained(&self, error: Error) -> Error {
        let reply = &self.reply;
        error
            .with_answer(reply.status, reply.request_id.as_deref())
            .with_trace(reply.metadata.trace_id.as_deref())
            .with_attempts(reply.metadata.attempts, self.begun.elapsed())
            .with_call(reply.arn.as_ref().map(Arn::as_str), Some(reply.session_id.as_str()))
    }

    fn done(&self) -> Done {
        Done {
            events: self.reply.events,
            texts: self.texts,
            bytes: self.bytes,
            unknown: self.unknown,
            dialect: self.reader.found(),
            usage: self.usage,
            interrupts: self.interrupts,
            end_mark: if self.body.is_some() { EndMark::None } else { self.reader.end_mark() },
            first_event: self.reply.first_event,
            duration: self.begun.elapsed(),
            session_id: self.reply.session_id.clone(),
        }
    }

    /// What is to be told of an error that the agent reports.
    fn agent_error(&mut self, error: Error) -> Error {
        self.agent_failed = true;
        if !self.past_errors {
            self.state = State::Over;
            self.source = Source::Over;
            self.call.done(&self.done(), self.reply.metadata.attempts, true);
        }
        self.explained(error)
    }

    /// What is told last.
    fn last(&mut self) -> Option<Result<Event, Error>> {
        self.state = State::Over;
        if let Some(error) = self.failed.take() {
            self.call.failed(&error);
            return Some(Err(error));
        }
        let done = self.done();
        self.call.done(&done, self.reply.metadata.attempts, self.agent_failed);
        (!self.agent_failed).then(|| Ok(Event::Done(Box::new(done))))
    }
}

/// The failure of an answer that says that it is a stream of server-sent events, and is none; `line` is its first.
#[must_use]
pub fn no_events(line: &str) -> Error {
    let message = format!("the answer is no stream of events, as its type says; it begins with {line:?}");
    Error::new(ErrorKind::Service, message).possibly_run(true)
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let span = this.call.span();
        let _entered = span.enter();
        loop {
            if this.state == State::Over {
                return Poll::Ready(None);
            }
            if let Some(event) = this.reader.next_event() {
                return Poll::Ready(Some(match event {
                    Ok(event) => {
                        this.note(&event);
                        Ok(event)
                    }
                    Err(error) => Err(this.agent_error(error)),
                }));
            }
            if this.state == State::Read {
                return Poll::Ready(this.last());
            }
            match ready!(this.source.poll_next(cx)) {
                Some(Ok(part)) => this.take(part),
                Some(Err(error)) => {
                    // What the reader holds arrived before the answer broke off.
                    this.reader.finish();
                    this.failed = Some(if error.arn().is_none() { this.explained(error) } else { error });
                    this.state = State::Read;
                }
                None => {
                    this.failed = this.end().err();
                    this.state = State::Read;
                }
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("session_id", &self.reply.session_id).finish_non_exhaustive()
    }
}
