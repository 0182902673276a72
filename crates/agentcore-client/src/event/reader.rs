//! From server-sent events to what an agent means by them: asks one dialect after the other. Opens no socket, waits for nothing.

use std::{fmt, sync::Arc};

use bytestring::ByteString;

use super::{
    Event, SseEvent, a2a, agent_error, agui, bedrock_agents, converse, generic, json::Json, langgraph, mcp, plain_text,
    strands, transcript::Transcript,
};

/// Understands the events of one answer: they are pushed in, and what the agent says is pulled out.
///
/// Every event becomes one [`Event`] at least, if only [`Event::Other`]. It remembers what was said, so that a message which an
/// agent first streams and then repeats counts once; a new answer wants a new reader. The memory is bounded to the size an
/// event may have by default, [`DEFAULT_MAX_EVENT_BYTES`](agentcore_http::sse::DEFAULT_MAX_EVENT_BYTES): longer messages
/// cannot be repeated within one event.
///
/// ```
/// use agentcore_client::{Event, Reader, SseEvent};
///
/// let mut reader = Reader::new();
/// let mut text = String::new();
/// for data in [r#"{"data": "Hel"}"#, r#"{"data": "lo"}"#, r#"{"result": "Hello"}"#] {
///     reader.push(SseEvent::new(data));
///     while let Some(event) = reader.next_event() {
///         text.extend(event.text());
///     }
/// }
/// assert_eq!(text, "Hello");
/// ```
#[derive(Clone, Default)]
pub struct Reader {
    own: Vec<Own>,
    transcript: Transcript,
}

/// A dialect of the user's own.
type Own = Arc<dyn Fn(&SseEvent) -> Option<Event> + Send + Sync>;

impl Reader {
    /// A reader that knows the dialects of this [module](crate::event).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this first: what it makes of an event holds, and `None` leaves the event to the others. Of several, the one given
    /// first is asked first.
    ///
    /// ```
    /// use agentcore_client::{Event, Reader, SseEvent};
    ///
    /// let mut reader = Reader::new().dialect(|event: &SseEvent| {
    ///     (event.event == "word").then(|| Event::Text(event.data.clone()))
    /// });
    /// ```
    #[must_use]
    pub fn dialect(mut self, read: impl Fn(&SseEvent) -> Option<Event> + Send + Sync + 'static) -> Self {
        self.own.push(Arc::new(read));
        self
    }

    /// Takes the answer's next event; what it says is pulled by [`next_event`](Self::next_event).
    pub fn push(&mut self, event: SseEvent) {
        self.transcript.turn();
        if let Some(own) = self.own.iter().find_map(|read| read(&event)) {
            self.transcript.event(own);
        } else if let Some(text) = plain_text::read(&event.data) {
            self.transcript.event(Event::Text(text));
        } else if let Some(json) = Json::parse(&event.data) {
            read(&event, json, &mut self.transcript);
        }
        if self.transcript.is_silent() {
            self.transcript.event(Event::Other(event));
        }
    }

    /// Takes an answer that is text and nothing else.
    pub(crate) fn push_text(&mut self, text: ByteString) {
        self.transcript.event(Event::Text(text));
    }

    /// What the agent says next, if it was pushed.
    pub fn next_event(&mut self) -> Option<Event> {
        self.transcript.next_event()
    }
}

impl fmt::Debug for Reader {
    /// Prints no text: what was said belongs to the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("own_dialects", &self.own.len()).finish_non_exhaustive()
    }
}

/// Asks the dialects whose shape is theirs alone before those who take what is left.
fn read(event: &SseEvent, json: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let Some(object) = json.object() else {
        return langgraph::tuple(event, &json.array()?, transcript);
    };
    if object.has("jsonrpc") {
        return agent_error::read(&object, transcript)
            .or_else(|| a2a::read(event, &object, transcript))
            .or_else(|| mcp::read(event, &object, transcript));
    }
    agent_error::read(&object, transcript)
        .or_else(|| agui::read(event, &object, transcript))
        .or_else(|| langgraph::read(event, &object, transcript))
        .or_else(|| strands::read(event, &object, transcript))
        .or_else(|| converse::read(event, &object, transcript))
        .or_else(|| bedrock_agents::read(event, &object, transcript))
        .or_else(|| generic::read(&object, transcript))
}
