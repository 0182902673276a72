//! The messages of an answer, and how it may end. Answers no request of the agent.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use agentcore_core::{Arn, ServiceResponse, SessionId};
use agentcore_http::{Response, SseEvent, sse::EventStream};
use bytes::Bytes;
use bytestring::ByteString;
use futures_core::Stream;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::{AnswerJson, BoxFuture, Dialect, Done, EndMark, Error, ErrorKind, Reader, Usage, call::MeteredCall};

/// The messages of JSON-RPC in an answer, as they come: notifications and requests of the agent, and responses.
///
/// An error of JSON-RPC ends them as an [`Error`] of kind [`Agent`](ErrorKind::Agent), whose [`code`](Error::code) is its number. The code
/// −32003 is of kind [`Throttled`](ErrorKind::Throttled): AgentCore Runtime reports an exceeded quota of an MCP server so, with status
/// 200. An answer that ends before the response has come, or before an A2A stream says that its task has ended or waits, is
/// [`BrokenOff`](ErrorKind::BrokenOff). Events without data, which prime a stream to be resumed (MCP specification 2025-11-25,
/// "Resumability and Redelivery"), are skipped: the runtime's API has no `GET` to resume it by.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no message is lost.
pub struct RpcMessages {
    body: MessageSource,
    expects: Expects,
    call: MeteredCall,
    facts: Facts,
    /// Whether the response has come.
    answered: bool,
    /// Knows whether an A2A stream may end.
    reader: Option<Reader>,
}

/// What an answer has to hold, and who learns from it.
pub(crate) struct Expects {
    pub(crate) dialect: Dialect,
    pub(crate) arn: Option<Arn>,
    /// The id of the response; none where the message was no request.
    pub(crate) id: Option<Value>,
    /// Is given the result.
    pub(crate) learn: Option<Learn>,
}

/// Takes the result of a request, as JSON.
pub(crate) type Learn = Box<dyn Fn(&str) + Send + Sync>;

impl fmt::Debug for Expects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expects").field("dialect", &self.dialect).field("id", &self.id).finish_non_exhaustive()
    }
}

enum MessageSource {
    Events(Box<EventStream>),
    Whole(BoxFuture<'static, Result<Bytes, Error>>),
    /// What a JSON answer held.
    Read(VecDeque<ByteString>),
    Over,
}

/// What is told of a failure, and counted.
struct Facts {
    status: u16,
    request_id: Option<String>,
    session: SessionId,
    attempts: u32,
    begun: Instant,
    first: Option<Duration>,
    messages: u64,
    bytes: u64,
}

impl RpcMessages {
    pub(super) fn new(response: Response, call: MeteredCall, expects: Expects, begun: Instant) -> Self {
        let facts = Facts {
            status: response.status(),
            request_id: response.request_id().map(str::to_owned),
            session: response.session_id().clone(),
            attempts: response.attempts(),
            begun,
            first: None,
            messages: 0,
            bytes: 0,
        };
        let is_stream = response.is_event_stream();
        let body = match expects.id {
            _ if is_stream => MessageSource::Events(Box::new(response.events().unterminated())),
            // Nothing in the answer to a notification matters: 202 and nothing as a rule, a page or a word at times.
            None => MessageSource::Read(VecDeque::new()),
            Some(_) => MessageSource::Whole(Box::pin(response.bytes())),
        };
        let reader = (is_stream && expects.dialect == Dialect::A2a).then(|| Reader::new().dialect(Dialect::A2a));
        Self { body, expects, call, facts, answered: false, reader }
    }

    /// Returns the next message; nothing after the last one.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<AnswerJson, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns the next message as [`next`](Self::next) does, for use with `?`.
    ///
    /// # Errors
    /// If the agent reports an error of JSON-RPC, or the answer broke off or ended too soon.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<AnswerJson>, Error> {
        self.next().await.transpose()
    }

    /// Reads to the response, and returns its result.
    pub(super) async fn into_result(mut self) -> Result<AnswerJson, Error> {
        if self.expects.id.is_none() {
            self.end();
            return Err(Error::input("the message has no result: it is no request"));
        }
        while let Some(message) = self.try_next().await? {
            let result = self.result_in(message.text());
            if let Some(result) = result.and_then(|result| AnswerJson::new(&result)) {
                self.end();
                return Ok(result);
            }
        }
        Err(self.ended_too_soon("the answer ended without the response to the request"))
    }

    /// Returns the result in a message, if it is the response that is waited for.
    fn result_in(&self, text: &ByteString) -> Option<ByteString> {
        let head: Head<'_> = serde_json::from_str(text).ok()?;
        let result = head.result.filter(|_| head.answers(self.expects.id.as_ref()))?;
        Some(text.slice_ref(result.get()))
    }

    /// Takes a message, or what stands in its place.
    fn take(&mut self, event: SseEvent) -> Result<Option<AnswerJson>, Error> {
        let SseEvent { event: name, data, .. } = &event;
        if data.trim_ascii().is_empty() {
            return Ok(None);
        }
        self.facts.messages += 1;
        self.facts.bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.facts.first.get_or_insert_with(|| self.facts.begun.elapsed());
        // The Python SDK of A2A 1.x reports an exception in mid-stream by an event of this name.
        if name.eq_ignore_ascii_case("error") {
            return Err(self.agent_error(data));
        }
        let Some(message) = AnswerJson::new(data) else {
            return Err(self.malformed("the answer is not JSON"));
        };
        let head: Head<'_> = match serde_json::from_str(data) {
            Ok(head) => head,
            Err(_) => return Err(self.malformed("the answer is not JSON-RPC")),
        };
        if head.method.is_none() && head.error.is_some() {
            return Err(self.agent_error(data));
        }
        if let Some(result) = head.result.filter(|_| head.answers(self.expects.id.as_ref())) {
            self.answered = true;
            if let Some(learn) = &self.expects.learn {
                learn(result.get());
            }
        }
        if let Some(reader) = &mut self.reader {
            reader.push(event);
            while reader.next_event().is_some() {}
        }
        Ok(Some(message))
    }

    /// Takes the end of the body.
    fn finish(&mut self) -> Result<(), Error> {
        if self.expects.id.is_some() && !self.answered {
            return Err(self.ended_too_soon("the answer ended without the response to the request"));
        }
        if self.reader.as_ref().is_some_and(|reader| reader.end_mark() == EndMark::Missing) {
            return Err(self.ended_too_soon("the stream ended before its task did, or waited"));
        }
        Ok(())
    }

    /// Ends the call after a complete answer.
    fn end(&mut self) {
        self.body = MessageSource::Over;
        self.call.done(&self.done(), self.facts.attempts, false);
    }

    fn done(&self) -> Done {
        Done {
            events: self.facts.messages,
            texts: 0,
            bytes: self.facts.bytes,
            unknown: 0,
            dialect: Some(self.expects.dialect),
            usage: Usage::default(),
            interrupts: 0,
            end_mark: EndMark::None,
            first_event: self.facts.first,
            duration: self.facts.begun.elapsed(),
            session_id: self.facts.session.clone(),
        }
    }

    fn ended_too_soon(&self, message: &str) -> Error {
        self.explained(self.of_the_call(ErrorKind::BrokenOff, message))
    }

    fn malformed(&self, message: &str) -> Error {
        self.explained(self.of_the_call(ErrorKind::Service, message))
    }

    fn of_the_call(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, message).with_response(ServiceResponse::default()).possibly_run(true)
    }

    /// Reads what an agent says has failed.
    fn agent_error(&self, data: &ByteString) -> Error {
        let mut event = SseEvent::new(data.clone());
        event.event = ByteString::from_static("error");
        let mut reader = Reader::new();
        reader.push(event);
        reader.finish();
        let error = std::iter::from_fn(|| reader.next_event()).find_map(Result::err);
        let error = error.unwrap_or_else(|| Error::agent("the agent reports an error", None));
        let is_quota = self.expects.dialect == Dialect::Mcp && self.expects.arn.is_some();
        let error = match error.code() {
            Some(QUOTA_EXCEEDED) if is_quota => error.with_kind(ErrorKind::Throttled),
            _ => error,
        };
        self.explained(error)
    }

    /// Adds in which call it was.
    fn explained(&self, error: Error) -> Error {
        let Facts { status, request_id, session, attempts, begun, .. } = &self.facts;
        error
            .with_answer(*status, request_id.as_deref())
            .with_attempts(*attempts, begun.elapsed())
            .with_call(self.expects.arn.as_ref().map(Arn::as_str), Some(session.as_str()))
    }

    /// Ends the call with a failure.
    fn fail(&mut self, error: Error) -> Error {
        self.body = MessageSource::Over;
        match error.kind() {
            ErrorKind::Agent => self.call.done(&self.done(), self.facts.attempts, true),
            _ => self.call.failed(&error),
        }
        error
    }

    /// Takes a JSON answer apart: one message, or several (MCP specification 2025-03-26, "Batching").
    fn apart(&self, body: &Bytes) -> Result<VecDeque<ByteString>, Error> {
        let text = ByteString::try_from(body.clone()).map_err(|_| self.malformed("the answer is not UTF-8"))?;
        let trimmed = text.trim_start_matches('\u{feff}').trim_ascii();
        if !trimmed.starts_with('[') {
            return Ok([text.slice_ref(trimmed)].into());
        }
        let parts: Vec<&RawValue> =
            serde_json::from_str(trimmed).map_err(|_| self.malformed("the answer is not JSON"))?;
        Ok(parts.into_iter().map(|part| text.slice_ref(part.get())).collect())
    }
}

impl Stream for RpcMessages {
    type Item = Result<AnswerJson, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let span = this.call.span();
        let _entered = span.enter();
        loop {
            let next = match &mut this.body {
                MessageSource::Over => return Poll::Ready(None),
                MessageSource::Events(events) => ready!(Pin::new(&mut **events).poll_next(cx)),
                MessageSource::Read(parts) => parts.pop_front().map(|part| Ok(SseEvent::new(part))),
                MessageSource::Whole(body) => {
                    let body = ready!(body.as_mut().poll(cx));
                    match body.and_then(|body| this.apart(&body)) {
                        Ok(parts) => {
                            this.body = MessageSource::Read(parts);
                            continue;
                        }
                        Err(error) => Some(Err(error)),
                    }
                }
            };
            let message = match next {
                Some(Ok(event)) => this.take(event),
                Some(Err(error)) => Err(if error.session_id().is_none() { this.explained(error) } else { error }),
                None => match this.finish() {
                    Ok(()) => {
                        this.end();
                        return Poll::Ready(None);
                    }
                    Err(error) => Err(error),
                },
            };
            match message {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(this.fail(error)))),
            }
        }
    }
}

impl fmt::Debug for RpcMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcMessages").field("messages", &self.facts.messages).finish_non_exhaustive()
    }
}

/// What tells one message of JSON-RPC from another (JSON-RPC 2.0 sections 4 and 5).
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    /// `null` is a result.
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Head<'_> {
    /// Returns whether it is the response to the request with this id.
    fn answers(&self, id: Option<&Value>) -> bool {
        let found = self.id.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        self.method.is_none() && found.is_some() && found.as_ref() == id
    }
}

/// AWS developer guide, "MCP protocol contract": the JSON-RPC code of `ThrottlingException`.
const QUOTA_EXCEEDED: &str = "-32003";
