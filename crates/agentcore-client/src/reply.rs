//! A whole answer, with the numbers of the call. Plain data.

use std::time::{Duration, SystemTime};

use agentcore_core::{Arn, SessionId, header};
use agentcore_http::{Response, http::HeaderName};
use bytestring::ByteString;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{EndMark, Error, Interrupt, Usage};

/// What an agent answered.
#[derive(Clone, Debug, Serialize)]
#[doc(alias = "is_final")]
#[non_exhaustive]
pub struct Reply {
    /// What the agent said, in words. Where the answer is JSON in which no text and no interrupt is known, the JSON itself.
    #[serde(serialize_with = "words")]
    pub text: ByteString,
    /// The body, if the answer is JSON; a stream of events has none.
    pub json: Option<AnswerJson>,
    /// The session to go on in.
    #[serde(serialize_with = "text")]
    pub session_id: SessionId,
    /// The HTTP status.
    pub status: u16,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    /// From the beginning of the call to the end of the answer, retries included. In JSON: milliseconds.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// From the beginning of the call to the first event. In JSON: milliseconds.
    #[serde(rename = "first_event_ms", serialize_with = "some_millis")]
    pub first_event: Option<Duration>,
    /// How many events the answer had; one that is not a stream counts as one.
    pub events: u64,
    /// What else came with the answer.
    pub metadata: Metadata,
    /// What the agent said that its model calls took, in sum; none where it said nothing of it.
    pub usage: Option<Usage>,
    /// What the agent asks before it goes on; see [`resume`](crate::event::resume). Most answers have none.
    pub interrupts: Vec<Interrupt>,
    /// Whether the agent said that its answer is complete. Not in JSON.
    #[serde(skip)]
    pub end_mark: EndMark,
    /// The agent, if it has an ARN: a local container has none.
    #[serde(skip)]
    pub(crate) arn: Option<Arn>,
    /// When the answer ended.
    #[serde(skip)]
    pub(crate) ended: SystemTime,
}

/// JSON as it was written: its numbers keep their digits, its objects their order. It shares the memory of the answer.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerJson(ByteString);

impl AnswerJson {
    /// The text, if it is JSON.
    pub(crate) fn new(text: &ByteString) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).is_ok().then(|| Self(text.clone()))
    }

    /// Returns the JSON's text.
    #[must_use]
    pub fn text(&self) -> &ByteString {
        &self.0
    }

    /// Parses it. A [`serde_json::Value`] may take more than ten times the memory of the text.
    ///
    /// # Errors
    /// If it is not the JSON of a `T`, or nested too deep for `serde_json`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.0).map_err(|error| {
            Error::new(crate::ErrorKind::Service, "the answer is not the JSON expected").with_source(error)
        })
    }
}

impl std::fmt::Debug for AnswerJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AnswerJson {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// What comes with an answer besides its body.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The media type.
    pub content_type: Option<String>,
    /// The X-Ray trace.
    pub trace_id: Option<String>,
    /// The W3C trace parent.
    pub traceparent: Option<String>,
    /// The MCP session.
    pub mcp_session_id: Option<String>,
    /// The MCP protocol version.
    pub mcp_protocol_version: Option<String>,
    /// Where the session can be reached directly.
    pub session_endpoint_url: Option<String>,
    /// How many times the request was sent.
    pub attempts: u32,
}

impl Reply {
    /// A reply that has its head and nothing else yet.
    pub(crate) fn begin(head: &Response, arn: Option<Arn>) -> Self {
        let text = |name: HeaderName| Some(head.headers().get(name)?.to_str().ok()?.to_owned());
        Self {
            text: ByteString::new(),
            json: None,
            session_id: head.session_id().clone(),
            status: head.status(),
            request_id: head.request_id().map(str::to_owned),
            elapsed: head.elapsed(),
            first_event: None,
            events: 0,
            metadata: Metadata {
                content_type: head.content_type().map(str::to_owned),
                trace_id: head.trace_id().map(str::to_owned),
                traceparent: text(header::TRACEPARENT),
                mcp_session_id: text(header::MCP_SESSION_ID),
                mcp_protocol_version: text(header::MCP_PROTOCOL_VERSION),
                session_endpoint_url: text(header::SESSION_ENDPOINT_URL),
                attempts: head.attempts(),
            },
            usage: None,
            interrupts: Vec::new(),
            end_mark: EndMark::None,
            arn,
            ended: SystemTime::now(),
        }
    }

    /// Makes the answer that another call brought one of this call, which waited so long for it.
    #[cfg(feature = "cache")]
    pub(crate) fn kept(&mut self, session: SessionId, elapsed: Duration) {
        if self.session_id != session {
            // They lead to the machine of the other session.
            self.metadata.session_endpoint_url = None;
            self.metadata.mcp_session_id = None;
        }
        self.session_id = session;
        self.elapsed = elapsed;
        self.first_event = None;
        self.usage = None;
        self.metadata.attempts = 0;
    }

    /// Gives it what it says, at the end of the answer.
    pub(crate) fn end(&mut self, text: ByteString, elapsed: Duration) {
        self.text = text;
        self.elapsed = elapsed;
        self.ended = SystemTime::now();
    }
}

fn words<S: serde::Serializer>(text: &ByteString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn text<S: serde::Serializer>(id: &SessionId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn some_millis<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}
