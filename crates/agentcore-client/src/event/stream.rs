//! The stream of what an agent says, over an answer of either kind. Counts, and folds itself into a reply.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use agentcore_core::{Arn, SessionId};
use agentcore_http::{Response, SseEvent, sse};
use bytes::Bytes;
use bytestring::ByteString;
use futures_core::Stream;

use super::{Done, Event, Reader};
use crate::{BoxFuture, Error, Reply, call::MeteredCall};

/// What an agent says, as it says it.
///
/// Its last item is [`Event::Done`], or the failure of the call. An error the agent itself reports is an [`Event::Error`], after
/// which the stream may go on.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no event is lost.
pub struct Events {
    source: Source,
    reader: Reader,
    reply: Reply,
    texts: u64,
    bytes: u64,
    begun: Instant,
    call: MeteredCall,
    agent_failed: bool,
}

enum Source {
    Stream(Box<sse::EventStream>),
    Whole {
        json: bool,
        body: BoxFuture<'static, Result<Bytes, Error>>,
    },
    /// All has been pushed to the reader, and the end has not been told.
    Read,
    Over,
}

impl Events {
    pub(crate) fn new(response: Response, reader: Reader, arn: Option<Arn>, call: MeteredCall) -> Self {
        let reply = Reply::begin(&response, arn);
        let now = Instant::now();
        let begun = now.checked_sub(response.elapsed()).unwrap_or(now);
        let source = if response.is_event_stream() {
            Source::Stream(Box::new(response.events()))
        } else {
            Source::Whole { json: response.is_json(), body: Box::pin(response.bytes()) }
        };
        Self { source, reader, reply, texts: 0, bytes: 0, begun, call, agent_failed: false }
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
    /// If the answer broke off.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Event>, Error> {
        self.next().await.transpose()
    }

    /// Reads to the end and puts the whole answer together.
    ///
    /// # Errors
    /// If the answer breaks off, or the agent reports an error; [`Error::partial`] has what came before.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer; what was read is lost.
    pub async fn into_reply(mut self) -> Result<Reply, Error> {
        let mut text = String::new();
        let mut failed: Option<Error> = None;
        while let Some(event) = self.next().await {
            match event {
                Ok(Event::Text(piece)) => text.push_str(&piece),
                Ok(Event::Error(error)) => failed = failed.or(Some(error)),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let mut reply = self.reply;
        if let (0, Some(json)) = (self.texts, &reply.json) {
            text = json.to_string();
        }
        reply.end(text, self.begun.elapsed());
        match failed {
            Some(error) => Err(error.with_partial(reply)),
            None => Ok(reply),
        }
    }

    fn count(&mut self, data: &ByteString) {
        self.reply.events += 1;
        self.reply.first_event.get_or_insert_with(|| self.begun.elapsed());
        self.bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
    }

    /// Takes an answer that is not a stream as one event.
    fn whole(&mut self, json: bool, body: Bytes) {
        let text =
            ByteString::try_from(body.clone()).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
        self.count(&text);
        if json {
            self.reply.json = serde_json::from_str(&text).ok();
            self.reader.push(SseEvent::new(text));
        } else {
            self.reader.push_text(text);
        }
    }

    /// Adds to an agent's error in which call it was reported.
    fn explained(&self, error: Error) -> Error {
        let reply = &self.reply;
        error
            .with_answer(reply.status, reply.request_id.as_deref())
            .with_attempts(reply.metadata.attempts, self.begun.elapsed())
            .with_call(reply.arn.as_ref().map(Arn::as_str), Some(reply.session_id.as_str()))
    }

    fn done(&self) -> Done {
        Done {
            events: self.reply.events,
            texts: self.texts,
            bytes: self.bytes,
            first_event: self.reply.first_event,
            duration: self.begun.elapsed(),
            session_id: self.reply.session_id.clone(),
        }
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let span = this.call.span();
        let _entered = span.enter();
        loop {
            if let Some(event) = this.reader.next_event() {
                this.texts += u64::from(event.text().is_some());
                return Poll::Ready(Some(Ok(match event {
                    Event::Error(error) => {
                        this.agent_failed = true;
                        Event::Error(this.explained(error))
                    }
                    event => event,
                })));
            }
            let read = match &mut this.source {
                Source::Stream(events) => match ready!(Pin::new(&mut **events).poll_next(cx)) {
                    Some(event) => event.map(|event| {
                        this.count(&event.data);
                        this.reader.push(event);
                    }),
                    None => {
                        this.source = Source::Read;
                        Ok(())
                    }
                },
                Source::Whole { json, body } => {
                    let (json, body) = (*json, ready!(body.as_mut().poll(cx)));
                    this.source = Source::Read;
                    body.map(|body| this.whole(json, body))
                }
                Source::Read => {
                    this.source = Source::Over;
                    let done = this.done();
                    this.call.done(&done, this.reply.metadata.attempts, this.agent_failed);
                    return Poll::Ready(Some(Ok(Event::Done(done))));
                }
                Source::Over => return Poll::Ready(None),
            };
            if let Err(error) = read {
                this.source = Source::Over;
                this.call.failed(&error);
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("session_id", &self.reply.session_id).finish_non_exhaustive()
    }
}
