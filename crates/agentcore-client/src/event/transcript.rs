//! What dialects write into: the events that an agent's words become, with nothing said twice. Knows no dialect.

use std::collections::VecDeque;

use bytestring::ByteString;

pub(super) use super::dedup::MessageShape;
use super::{Error, Event, ToolResult, dedup::Dedup, tool_calls::ToolCalls};

/// A stream as far as it has been read.
#[derive(Clone, Default)]
pub(super) struct Transcript {
    texts: Dedup,
    thoughts: Dedup,
    calls: ToolCalls,
    /// What an event has just said that is expected to be said once more, by an event of another shape.
    echo: Option<ByteString>,
    events: VecDeque<Event>,
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
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Another event is going to be read.
    pub(super) fn turn(&mut self) {
        self.before = self.events.len();
    }

    /// Whether the event that is being read has told nothing so far.
    pub(super) fn is_silent(&self) -> bool {
        self.events.len() == self.before
    }

    /// An event as it is; its text, if it has one, is remembered.
    pub(super) fn event(&mut self, event: Event) {
        if let Event::Text(text) = &event {
            self.texts.piece(None, "", text);
        }
        self.events.push_back(event);
    }

    pub(super) fn error(&mut self, message: impl Into<String>, name: Option<ByteString>) {
        self.events.push_back(Event::Error(Error::agent(message, name.map(String::from))));
    }

    /// A message begins, of an agent whose messages have no ids.
    pub(super) fn begin(&mut self) {
        self.texts.begin();
        self.thoughts.begin();
    }

    /// A piece of the text of the message of this id, or of the only one.
    pub(super) fn text(&mut self, id: Option<&str>, shape: MessageShape, text: ByteString) {
        if !text.is_empty() {
            self.texts.piece(id, shape, &text);
            self.events.push_back(Event::Text(text));
        }
    }

    /// A piece of the reasoning that belongs to the message of this id, or to the only one.
    pub(super) fn reasoning(&mut self, id: Option<&str>, shape: MessageShape, text: ByteString) {
        if !text.is_empty() {
            self.thoughts.piece(id, shape, &text);
            self.events.push_back(Event::Reasoning(text));
        }
    }

    /// Whole parts of a message, of which some or all may have been told before.
    pub(super) fn message(&mut self, id: Option<&str>, shape: MessageShape, blocks: Vec<Block>) {
        let mut said = skipped(
            &blocks,
            |block| match block {
                Block::Text(text) => Some(text),
                _ => None,
            },
            |whole| self.texts.whole(id, shape, whole),
        );
        let mut thought = skipped(
            &blocks,
            |block| match block {
                Block::Reasoning(text) => Some(text),
                _ => None,
            },
            |whole| self.thoughts.whole(id, shape, whole),
        );
        for block in blocks {
            match block {
                Block::Text(text) => self.events.extend(rest(&mut said, &text).map(Event::Text)),
                Block::Reasoning(text) => self.events.extend(rest(&mut thought, &text).map(Event::Reasoning)),
                Block::Call { id, name, input } => {
                    self.events.extend(self.calls.whole(id, name, input).map(Event::ToolUse));
                }
                Block::Result(result) => self.result(result),
            }
        }
    }

    pub(super) fn result(&mut self, result: ToolResult) {
        let (call, result) = self.calls.result(result);
        self.events.extend(call.map(Event::ToolUse));
        self.events.extend(result.map(Event::ToolResult));
    }

    /// A tool is being called; its input comes in pieces known by the slot.
    pub(super) fn call(&mut self, slot: ByteString, id: ByteString, name: ByteString) {
        self.events.extend(self.calls.begin(slot, id, name).into_iter().map(Event::ToolUse));
    }

    /// A piece of a call's input; without a slot, of the call begun last.
    pub(super) fn input(&mut self, slot: Option<&str>, input: ByteString) {
        if !input.is_empty() {
            self.events.extend(self.calls.input(slot, input).map(Event::ToolUse));
        }
    }

    /// The input of the calls whose slots are such is complete.
    pub(super) fn end_calls(&mut self, slots: impl Fn(&str) -> bool) {
        self.events.extend(self.calls.end(slots).into_iter().map(Event::ToolUse));
    }

    /// Expects this to be said once more, by an event of another shape.
    pub(super) fn expect_echo(&mut self, text: &ByteString) {
        self.echo = Some(text.clone());
    }

    /// Whether this is what was expected to be said once more, which is over then.
    pub(super) fn is_echo(&mut self, text: &ByteString) -> bool {
        self.echo.take_if(|echo| echo == text).is_some()
    }
}

/// How many bytes of these blocks have been told before.
fn skipped<'a>(
    blocks: &'a [Block],
    text: impl Fn(&'a Block) -> Option<&'a ByteString>,
    whole: impl FnOnce(&str) -> usize,
) -> usize {
    let texts: Vec<&str> = blocks.iter().filter_map(text).map(|text| &**text).filter(|text| !text.is_empty()).collect();
    match texts[..] {
        [] => 0,
        [only] => whole(only),
        _ => whole(&texts.concat()),
    }
}

/// What is left of a block after the bytes to skip, if anything is.
fn rest(skip: &mut usize, text: &ByteString) -> Option<ByteString> {
    let skipped = text.len().min(*skip);
    *skip -= skipped;
    (skipped < text.len()).then(|| text.slice_ref(&text[skipped..]))
}
