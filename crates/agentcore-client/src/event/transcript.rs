//! What dialects write into: the events that an agent's words become, with nothing said twice. Knows no dialect.

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use bytestring::ByteString;

pub(super) use super::dedup::MessageShape;
use super::{
    Dialect, EndMark, Error, Event, Interrupt, ToolResult,
    dedup::Dedup,
    inline_functions::InlineFunctions,
    json::Halves,
    tally::{Report, Tally},
    tool_calls::ToolCalls,
    usage::Usage,
};

/// A stream as far as it has been read.
#[derive(Clone, Default)]
pub(super) struct Transcript {
    texts: Dedup,
    thoughts: Dedup,
    calls: ToolCalls,
    /// What each part of the agent has just said and is expected to say once more, in an event of another shape.
    echoes: Vec<(Option<ByteString>, Echo)>,
    /// Which part of the agent speaks.
    speaker: Option<ByteString>,
    halves: Halves,
    ids: RandomState,
    /// The messages that are not the assistant's, by the hashes of their ids.
    others: VecDeque<u64>,
    tally: Tally,
    /// The interrupts that were told, by the hashes of what they are known by.
    asked: HashSet<u64>,
    /// Interrupts that the end of a run may tell better.
    vague: Vec<Interrupt>,
    end_mark: EndMark,
    functions: InlineFunctions,
    /// A tool's result whose pieces are coming.
    result: Option<(ToolResult, String)>,
    events: VecDeque<Result<Event, Error>>,
    /// How many of them were there before the event that is being read.
    before: usize,
}

/// A part of a message.
pub(super) enum Block {
    Text(ByteString),
    Reasoning(ByteString),
    Call { id: ByteString, name: ByteString, input: ByteString },
    Result(ToolResult),
}

impl Transcript {
    pub(super) fn next_event(&mut self) -> Option<Result<Event, Error>> {
        self.events.pop_front()
    }

    /// Another event is going to be read.
    pub(super) fn turn(&mut self) {
        self.before = self.events.len();
        if self.speaker.is_some() {
            self.speaker(None);
        }
    }

    /// Of the event that is being read, this part of the agent speaks.
    pub(super) fn speaker(&mut self, name: Option<ByteString>) {
        self.texts.speaker(name.as_deref());
        self.thoughts.speaker(name.as_deref());
        self.speaker = name;
    }

    /// Whether the event that is being read has told nothing so far.
    pub(super) fn is_silent(&self) -> bool {
        self.events.len() == self.before
    }

    /// An event as it is; its text, if it has one, is remembered.
    pub(super) fn event(&mut self, event: Event) {
        if let Event::Text(text) = event {
            self.texts.piece(None, "", &text);
            self.say(text, Event::Text);
        } else {
            self.events.push_back(Ok(event));
        }
    }

    pub(super) fn error(&mut self, message: impl Into<String>, name: Option<ByteString>) {
        self.fail(Error::agent(message, name.map(String::from)));
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.events.push_back(Err(error));
    }

    /// The answer has ended.
    pub(super) fn end(&mut self) {
        self.tell_vague(|interrupt| interrupt);
        self.settle_calls(Dialect::LangGraph);
        self.tell_functions(Dialect::Harness);
        self.events.extend(self.halves.end().map(|half| Ok(Event::Text(half.into()))));
    }

    /// Text that is new. Half a surrogate pair waits for the other half.
    fn say(&mut self, text: ByteString, event: impl FnOnce(ByteString) -> Event) {
        let text = self.halves.join(&text).map_or(text, ByteString::from);
        self.events.push_back(Ok(event(text)));
    }

    /// Notes whose message this is; none is the assistant's. Another's is no part of the answer.
    pub(super) fn role(&mut self, id: Option<&str>, role: Option<&str>) {
        let id = self.ids.hash_one(id);
        let index = self.others.iter().position(|other| *other == id);
        if role.is_none_or(|role| role == "assistant") {
            index.map(|index| self.others.remove(index));
        } else if index.is_none() {
            if self.others.len() == MOST_OTHERS {
                self.others.pop_front();
            }
            self.others.push_back(id);
        }
    }

    /// Whether a message is the assistant's.
    pub(super) fn is_answer(&self, id: Option<&str>) -> bool {
        self.others.is_empty() || !self.others.contains(&self.ids.hash_one(id))
    }

    /// A message begins, of an agent whose messages have no ids.
    pub(super) fn begin(&mut self) {
        self.texts.begin();
        self.thoughts.begin();
        self.tally.begin(self.speaker.as_deref());
    }

    /// Numbers of the model call with the id, or of the one that is under way.
    pub(super) fn usage(&mut self, id: Option<&str>, report: Report, usage: &Usage) {
        let new = self.tally.take(id, self.speaker.as_deref(), report, usage);
        self.events.extend(new.map(|usage| Ok(Event::Usage(usage))));
    }

    /// The agent asks something, which several events may say; `key` is what it is known by, if it is known by something.
    pub(super) fn interrupt(&mut self, key: Option<&str>, interrupt: Interrupt) {
        let is_new =
            key.is_none_or(|key| self.asked.len() < MOST_INTERRUPTS && self.asked.insert(self.ids.hash_one(key)));
        if is_new {
            self.events.push_back(Ok(Event::Interrupt(Box::new(interrupt))));
        }
    }

    /// The agent asks something of which the end of the run may say more.
    pub(super) fn vague_interrupt(&mut self, interrupt: Interrupt) {
        let bytes: usize = self.vague.iter().map(Interrupt::bytes).sum();
        if bytes + interrupt.bytes() > MOST_VAGUE_BYTES {
            self.interrupt(None, interrupt);
        } else {
            self.vague.push(interrupt.copied());
        }
    }

    /// Nothing more is said of what was vague, but perhaps where it came up.
    pub(super) fn tell_vague(&mut self, complete: impl Fn(Interrupt) -> Interrupt) {
        for interrupt in std::mem::take(&mut self.vague) {
            self.interrupt(None, complete(interrupt));
        }
    }

    /// A function is called, which the caller has to run unless a result follows.
    pub(super) fn function(&mut self, dialect: Dialect, slot: ByteString, id: ByteString, name: ByteString) {
        self.functions.begin(dialect, slot, id, name);
    }

    /// Such a call as a whole, which may have begun before.
    pub(super) fn whole_function(&mut self, dialect: Dialect, id: &ByteString, name: &ByteString, input: &ByteString) {
        self.functions.take_one(id);
        self.functions.begin(dialect, id.clone(), id.clone(), name.clone());
        self.functions.input(id, input);
        self.functions.complete(Some(id));
    }

    /// Forgets such a call, and returns its name and its input.
    pub(super) fn take_function(&mut self, id: &str) -> Option<(ByteString, ByteString)> {
        self.functions.take_one(id).map(|call| (call.name, call.input.into()))
    }

    /// The calls that were noted as they grew are complete.
    pub(super) fn settle_calls(&mut self, dialect: Dialect) {
        for call in self.functions.take(dialect) {
            self.events
                .extend(self.calls.whole(call.id, call.name, call.input.into()).map(|call| Ok(Event::ToolUse(call))));
        }
    }

    /// Nothing follows: the calls of the dialect that have no result are what it asks.
    pub(super) fn tell_functions(&mut self, dialect: Dialect) {
        for call in self.functions.take(dialect) {
            let asked = Interrupt::of(dialect, Some(call.id.clone()), call.input.into());
            self.interrupt(Some(&call.id), asked.named(Some(call.name)));
        }
    }

    pub(super) fn function_input(&mut self, slot: &str, piece: &str) {
        self.functions.input(slot, piece);
    }

    /// The input of the function in a slot is complete, or that of every one.
    pub(super) fn function_complete(&mut self, slot: Option<&str>) {
        self.functions.complete(slot);
    }

    /// A result begins, whose content comes in pieces.
    pub(super) fn begin_result(&mut self, result: ToolResult) {
        self.end_result();
        self.functions.answered(&result.id);
        self.result = Some((result, String::new()));
    }

    pub(super) fn add_result(&mut self, piece: &str) {
        if let Some((_, content)) =
            self.result.as_mut().filter(|(_, content)| content.len() + piece.len() <= MOST_RESULT_BYTES)
        {
            content.push_str(piece);
        }
    }

    /// The result that began is complete.
    pub(super) fn end_result(&mut self) {
        if let Some((mut result, content)) = self.result.take() {
            result.content = content.into();
            self.result(result);
        }
    }

    /// Something better was said of what was vague.
    pub(super) fn forget_vague(&mut self) {
        self.vague.clear();
    }

    /// The agent is within an answer whose end it will say; `anew` if it has just begun one.
    pub(super) fn within(&mut self, anew: bool) {
        if anew || self.end_mark == EndMark::None {
            self.end_mark = EndMark::Missing;
        }
    }

    /// The agent says that its answer has ended.
    pub(super) fn says_end(&mut self) {
        self.end_mark = EndMark::Seen;
    }

    pub(super) fn end_mark(&self) -> EndMark {
        self.end_mark
    }

    /// A piece of the text of the message of this id, or of the only one.
    pub(super) fn text(&mut self, id: Option<&str>, shape: MessageShape, text: ByteString) {
        if !text.is_empty() {
            self.texts.piece(id, shape, &text);
            self.say(text, Event::Text);
        }
    }

    /// A piece of the reasoning that belongs to the message of this id, or to the only one.
    pub(super) fn reasoning(&mut self, id: Option<&str>, shape: MessageShape, text: ByteString) {
        if !text.is_empty() {
            self.thoughts.piece(id, shape, &text);
            self.say(text, Event::Reasoning);
        }
    }

    /// Whole parts of a message, of which some or all may have been told before.
    pub(super) fn message(&mut self, id: Option<&str>, shape: MessageShape, blocks: Vec<Block>) {
        let said = match joined(&blocks, Block::text).as_deref() {
            Some(text) => self.texts.whole(id, shape, text),
            None => 0,
        };
        self.rest(id, shape, blocks, said);
    }

    /// A message of a list that repeats a run; `claimed` is the list's.
    pub(super) fn listed(&mut self, id: Option<&str>, shape: MessageShape, blocks: Vec<Block>, claimed: &mut Vec<u64>) {
        let said = match joined(&blocks, Block::text).as_deref() {
            Some(text) => self.texts.listed(id, shape, text, claimed),
            None => 0,
        };
        self.rest(id, shape, blocks, said);
    }

    /// What is new in a message of whose text so many bytes have been told before.
    fn rest(&mut self, id: Option<&str>, shape: MessageShape, blocks: Vec<Block>, mut said: usize) {
        let mut thought = match joined(&blocks, Block::reasoning).as_deref() {
            Some(text) => self.thoughts.whole(id, shape, text),
            None => 0,
        };
        for block in blocks {
            match block {
                Block::Text(text) => {
                    if let Some(text) = rest(&mut said, &text) {
                        self.say(text, Event::Text);
                    }
                }
                Block::Reasoning(text) => {
                    if let Some(text) = rest(&mut thought, &text) {
                        self.say(text, Event::Reasoning);
                    }
                }
                Block::Call { id, name, input } => {
                    self.events.extend(self.calls.whole(id, name, input).map(|call| Ok(Event::ToolUse(call))));
                }
                Block::Result(result) => self.result(result),
            }
        }
    }

    pub(super) fn result(&mut self, result: ToolResult) {
        let (call, result) = self.calls.result(result);
        self.events.extend(call.map(|call| Ok(Event::ToolUse(call))));
        self.events.extend(result.map(|result| Ok(Event::ToolResult(result))));
    }

    /// A tool is being called; its input comes in pieces known by the slot.
    pub(super) fn call(&mut self, slot: ByteString, id: ByteString, name: ByteString) {
        self.events.extend(self.calls.begin(slot, id, name).into_iter().map(|call| Ok(Event::ToolUse(call))));
    }

    /// A piece of a call's input; without a slot, of the call begun last.
    pub(super) fn input(&mut self, slot: Option<&str>, input: ByteString) {
        if !input.is_empty() {
            self.events.extend(self.calls.input(slot, input).map(|call| Ok(Event::ToolUse(call))));
        }
    }

    /// The input of the calls whose slots are such is complete.
    pub(super) fn end_calls(&mut self, slots: impl Fn(&str) -> bool) {
        self.events.extend(self.calls.end(slots).into_iter().map(|call| Ok(Event::ToolUse(call))));
    }

    /// Expects this to be said once more, by an event of another shape.
    pub(super) fn expect_echo(&mut self, text: &ByteString) {
        self.echoes.retain(|(speaker, _)| *speaker != self.speaker);
        if self.echoes.len() == MOST_ECHOES {
            self.echoes.remove(0);
        }
        self.echoes.push((self.speaker.clone(), self.echo(text)));
    }

    fn echo(&self, text: &ByteString) -> Echo {
        if text.len() > LONGEST_ECHO { Echo::Long(self.ids.hash_one(text)) } else { Echo::Short(text.clone()) }
    }

    /// Whether this is what was expected to be said once more, which is over then.
    pub(super) fn is_echo(&mut self, text: &ByteString) -> bool {
        if self.echoes.is_empty() {
            return false;
        }
        let expected = self.echo(text);
        let same = |(speaker, echo): &(_, Echo)| *speaker == self.speaker && *echo == expected;
        let found = self.echoes.iter().position(same);
        found.map(|index| self.echoes.remove(index)).is_some()
    }
}

/// How many messages of others than the assistant are remembered.
const MOST_OTHERS: usize = 256;

/// How many interrupts of an answer are told and known again.
const MOST_INTERRUPTS: usize = 256;

/// What is kept of a result that comes in pieces; the rest is in the events as they came.
const MOST_RESULT_BYTES: usize = 16 * 1024 * 1024;

/// How many bytes the interrupts have that wait for the end of a run; what has more does not wait.
const MOST_VAGUE_BYTES: usize = 64 * 1024;

/// A text that is expected once more; of a long one only its hash is kept.
#[derive(Clone, PartialEq)]
enum Echo {
    Short(ByteString),
    Long(u64),
}

const LONGEST_ECHO: usize = 4096;

/// How many parts of an agent are waited for to say again what they said.
const MOST_ECHOES: usize = 16;

impl Block {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn reasoning(&self) -> Option<&str> {
        if let Self::Reasoning(text) = self { Some(text) } else { None }
    }
}

/// The text of these blocks, if they have any.
fn joined<'a>(blocks: &'a [Block], text: impl Fn(&'a Block) -> Option<&'a str>) -> Option<Cow<'a, str>> {
    let mut texts = blocks.iter().filter_map(text).filter(|text| !text.is_empty());
    let first = texts.next()?;
    let mut joined = Cow::Borrowed(first);
    texts.for_each(|text| joined.to_mut().push_str(text));
    Some(joined)
}

/// What is left of a block after the bytes to skip, if anything is.
fn rest(skip: &mut usize, text: &ByteString) -> Option<ByteString> {
    let skipped = text.len().min(*skip);
    *skip -= skipped;
    (skipped < text.len()).then(|| text.slice_ref(&text[skipped..]))
}
