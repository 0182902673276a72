//! From server-sent events to what an agent means by them. Opens no socket, waits for nothing.

use std::{fmt, mem};

use bytestring::ByteString;
use memchr::memchr;

use super::{
    Dialect, EndMark, Error, Event, SseEvent,
    agent_error::{self, Failure},
    event_name::EventName,
    json::{Kind, Values},
    plain_text,
    settings::ReaderSettings,
    transcript::{Block, Transcript},
    understand::{is_json_only, understand, understand_list, understand_specific},
    wrapped::{Inside, Wrapped},
};

/// Understands the events of one answer: they are pushed in, and what the agent says is pulled out.
///
/// Every event becomes one [`Event`] at least, if only [`Event::Other`], or the [error](crate::ErrorKind::Agent) that the agent
/// reports. A new answer wants a new reader, because the meaning of an event depends on the stream:
///
/// - A stream of bare words streams `42`, `true`, `[1]` and `"` as words; a stream of JSON does not. First events that could be of
///   either are held until one is of one kind only, until there are 64 of them, or until [`finish`](Self::finish).
/// - A message that an agent first streams and then repeats counts once. What is remembered for that is less than
///   7 MiB, and some KiB as a rule; what is forgotten may be said twice, and is never lost.
/// - Events that were written twice, as strings of JSON or of server-sent events, are read as what they hold. A first string that
///   holds a JSON object waits for the event after it, or for [`finish`](Self::finish), since a model may answer in JSON.
/// - Half a surrogate pair waits for its other half.
///
/// ```
/// use agentcore_client::{Event, Reader, SseEvent};
///
/// let mut reader = Reader::new();
/// let mut text = String::new();
/// for data in [r#"{"data": "Hel"}"#, r#"{"data": "lo"}"#, r#"{"result": "Hello"}"#] {
///     reader.push(SseEvent::new(data));
/// }
/// reader.finish();
/// while let Some(event) = reader.next_event() {
///     text.extend(event?.text());
/// }
/// assert_eq!(text, "Hello");
/// # Ok::<(), agentcore_client::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Reader {
    settings: ReaderSettings,
    /// The dialect of the event before, which is asked first.
    last: Option<Dialect>,
    stream: StreamSoFar,
    wrapped: Wrapped,
    values: Values,
    /// Elsewhere, because readers are moved.
    transcript: Box<Transcript>,
}

/// What data that is no object stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum StreamKind {
    #[default]
    Unknown,
    /// Text as it is.
    Words,
    /// JSON, of which strings are text.
    Json,
}

/// A stream whose kind is known, or the events that may be of either.
#[derive(Clone, Default)]
struct StreamSoFar {
    kind: StreamKind,
    held: Vec<SseEvent>,
    held_bytes: usize,
}

impl Reader {
    /// A reader that knows the dialects of this [module](crate::event).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads by this dialect only, for an agent whose dialect is known. Errors are known whatever it is. Default: what the events
    /// look like.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect(dialect);
        self.stream.kind = if dialect == Dialect::Words { StreamKind::Words } else { StreamKind::Json };
        self
    }

    /// A reader as the caller wants it.
    pub(crate) fn with(settings: ReaderSettings) -> Self {
        let only = settings.only;
        let reader = Self { settings, ..Self::default() };
        if let Some(dialect) = only { reader.dialect(dialect) } else { reader }
    }

    /// Reads by this dialect, unless another was named.
    pub(crate) fn or_dialect(self, dialect: Dialect) -> Self {
        if self.settings.only.is_none() { self.dialect(dialect) } else { self }
    }

    /// Asks this first: what it makes of an event holds, and `None` leaves the event to the others. Of several, the one given
    /// first is asked first.
    ///
    /// ```
    /// use agentcore_client::{Event, Reader, SseEvent};
    ///
    /// let mut reader = Reader::new().own_dialect(|event: &SseEvent| {
    ///     (event.event == "word").then(|| Ok(Event::Text(event.data.clone())))
    /// });
    /// ```
    #[must_use]
    pub fn own_dialect(
        mut self,
        read: impl Fn(&SseEvent) -> Option<Result<Event, Error>> + Send + Sync + 'static,
    ) -> Self {
        self.settings.own_dialect(read);
        self
    }

    /// Takes the answer's next event; what it says is pulled by [`next_event`](Self::next_event).
    ///
    /// Lines of which each is a JSON string or object of its own, while together they are no JSON, are events of their own.
    pub fn push(&mut self, event: SseEvent) {
        if self.stream.kind != StreamKind::Words
            && memchr(b'\n', event.data.as_bytes()).is_some()
            && self.is_lines(&event.data)
        {
            for line in event.data.split('\n').filter(|line| !line.is_empty()) {
                let mut one = event.clone();
                one.data = event.data.slice_ref(line);
                self.push_one(one);
            }
        } else {
            self.push_one(event);
        }
    }

    /// Takes the end of an answer: what was held is read.
    pub fn finish(&mut self) {
        self.release(None);
        self.flush();
        self.transcript.end();
    }

    /// Reads what is held by itself, where nothing that comes can say more of it.
    fn flush(&mut self) {
        let are_words = self.stream.held.iter().any(|event| plain_text::may_be_a_word(&mut self.values, &event.data));
        let kind = if are_words { StreamKind::Words } else { StreamKind::Json };
        self.stream.decide(kind, &mut self.transcript);
    }

    /// Takes a piece of an answer that is text and nothing else.
    pub(crate) fn push_text(&mut self, text: ByteString) {
        self.transcript.event(Event::Text(text));
    }

    /// Takes a JSON answer, which is one event whatever its lines are.
    pub(crate) fn push_whole(&mut self, text: ByteString) {
        self.push_one(SseEvent::new(text));
    }

    /// What the agent says next, if it was pushed; an error of kind [`Agent`](crate::ErrorKind::Agent) where it says that it failed.
    pub fn next_event(&mut self) -> Option<Result<Event, Error>> {
        self.transcript.next_event()
    }

    /// The dialect of the last event that was of one.
    pub(crate) fn found(&self) -> Option<Dialect> {
        self.settings.only.or(self.last).or(match self.stream.kind {
            StreamKind::Words => Some(Dialect::Words),
            _ => None,
        })
    }

    /// Returns whether the agent has said, in what was pushed so far, that its answer is complete. It may still say more, such as a
    /// result of a tool that it called.
    #[must_use]
    pub fn end_mark(&self) -> EndMark {
        self.transcript.end_mark()
    }

    fn is_lines(&mut self, data: &ByteString) -> bool {
        let mut is_json = |text: &ByteString, kinds: &[Kind]| {
            self.values.read(text).is_some_and(|json| kinds.is_empty() || kinds.contains(&json.kind()))
        };
        let kinds = &[Kind::Object, Kind::Large, Kind::String, Kind::Escaped];
        let mut lines = data.split('\n').filter(|line| !line.is_empty()).map(|line| data.slice_ref(line));
        !is_json(data, &[]) && lines.all(|line| is_json(&line, kinds))
    }

    /// Reads the string that was held, because it may be an event that was written twice.
    fn release(&mut self, next: Option<&ByteString>) {
        let Some((text, is_event)) = self.wrapped.release(next, &mut self.values) else { return };
        self.transcript.turn();
        let event = SseEvent::new(text);
        if is_event {
            return self.read(event, EventName::Other);
        }
        let json = self.values.read(&event.data);
        let known = json.and_then(|json| understand_specific(&mut self.last, &event, json, &mut self.transcript));
        if known.is_none() {
            self.transcript.event(Event::Text(event.data));
        } else if self.transcript.is_silent() {
            self.transcript.event(Event::Other(event));
        }
    }

    fn push_one(&mut self, event: SseEvent) {
        if self.wrapped.is_holding() && EventName::of(&event.event) != EventName::KeepAlive {
            self.release(Some(&event.data));
        }
        self.transcript.turn();
        if let Some(own) = self.settings.ask(&event) {
            match own {
                Ok(event) => self.transcript.event(event),
                Err(error) => self.transcript.fail(error),
            }
            return;
        }
        match EventName::of(&event.event) {
            EventName::Error => {
                self.flush();
                agent_error::named(&event.data, &mut self.values, &mut self.transcript);
            }
            EventName::KeepAlive => self.transcript.event(Event::Other(event)),
            name => self.read(event, name),
        }
    }

    fn read(&mut self, event: SseEvent, name: EventName) {
        let data = &event.data;
        let is_word = plain_text::is_word(data);
        if data.is_empty() || matches!(&**data, "[DONE]" | "\"[DONE]\"") {
            if !data.is_empty() {
                self.transcript.says_end();
            }
            self.transcript.event(Event::Other(event));
            return;
        }
        if name == EventName::Lifecycle && !data.starts_with(['{', '[', '"']) {
            self.transcript.event(Event::Trace(event));
            return;
        }
        if is_word || (self.stream.kind == StreamKind::Words && !data.starts_with('{')) {
            self.stream.decide(StreamKind::Words, &mut self.transcript);
            self.transcript.turn();
            self.transcript.event(Event::Text(event.data));
            return;
        }
        let Some(json) = self.values.read(data) else {
            if data.trim_start().starts_with('"') {
                // A word in quotation marks, with others inside.
                self.stream.decide(StreamKind::Words, &mut self.transcript);
            }
            return self.stream.unsure(event, &mut self.transcript);
        };
        if !self.stream.held.is_empty() && json.object().and_then(Failure::of).is_some() {
            self.flush();
            self.transcript.turn();
            return self.read(event, name);
        }
        if self.stream.kind == StreamKind::Unknown && is_json_only(json) {
            self.stream.decide(StreamKind::Json, &mut self.transcript);
            self.transcript.turn();
        }
        let known = match json.kind() {
            Kind::String | Kind::Escaped => match json.string().filter(|text| !plain_text::is_repr(text)) {
                Some(text) if name == EventName::Lifecycle => {
                    self.transcript.message(None, "end", vec![Block::Text(text)]);
                    Some(())
                }
                Some(text) => return self.read_string(event, text),
                None => None,
            },
            Kind::Object => understand(self.settings.only, &mut self.last, &event, json, &mut self.transcript),
            Kind::Array => understand_list(self.settings.only, &mut self.last, &event, json, &mut self.transcript),
            _ => None,
        };
        if known.is_none() || self.transcript.is_silent() {
            self.stream.unsure(event, &mut self.transcript);
        }
    }

    /// Reads a string: text, or the events that an agent wrote twice.
    fn read_string(&mut self, event: SseEvent, text: ByteString) {
        let inside = match self.settings.only {
            Some(Dialect::Strings) => Inside::Text(text),
            _ => self.wrapped.judge(text, &mut self.values),
        };
        match inside {
            Inside::Text(text) => self.transcript.event(Event::Text(text)),
            Inside::Held => {}
            Inside::Events(inner) if inner.is_empty() => self.transcript.event(Event::Other(event)),
            Inside::Events(inner) => {
                for event in inner {
                    self.push_one(event);
                }
            }
        }
    }
}

impl StreamSoFar {
    /// Holds an event that may be a word or JSON, where neither is known of the stream.
    fn unsure(&mut self, event: SseEvent, transcript: &mut Transcript) {
        match self.kind {
            StreamKind::Unknown => {
                self.held_bytes += event.data.len();
                self.held.push(event);
                if self.held.len() == MOST_HELD || self.held_bytes > MOST_HELD_BYTES {
                    self.decide(StreamKind::Words, transcript);
                }
            }
            StreamKind::Words => transcript.event(Event::Text(event.data)),
            StreamKind::Json => transcript.event(Event::Other(event)),
        }
    }

    /// From now on the stream is of this kind, if none was known; what was held is read so.
    fn decide(&mut self, kind: StreamKind, transcript: &mut Transcript) {
        if self.kind != StreamKind::Unknown {
            return;
        }
        self.kind = kind;
        self.held_bytes = 0;
        for event in mem::take(&mut self.held) {
            transcript.turn();
            transcript.event(match kind {
                StreamKind::Words => Event::Text(event.data),
                _ => Event::Other(event),
            });
        }
    }
}

impl fmt::Debug for Reader {
    /// Prints no text: what was said belongs to the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("kind", &self.stream.kind)
            .field("dialect", &self.found())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How many events are held, and how many bytes of data.
const MOST_HELD: usize = 64;
const MOST_HELD_BYTES: usize = 64 * 1024;
