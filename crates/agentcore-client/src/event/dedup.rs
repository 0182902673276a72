//! What an agent has said, to know it again when it is said again. Decides by whole texts, never by likeness, and forgets
//! rather than grow without a bound.
//!
//! Many agents stream a message in pieces and then repeat it whole, some twice. A *piece* is always new. A *whole* is compared
//! with what its message had in pieces: if it is that, it is a repetition; if it begins with that, the rest is new; else all of
//! it is. White space does not tell a repetition from a new text, since agents that join blocks put line ends between them.

use std::{collections::HashMap, mem};

/// The messages of a stream.
#[derive(Clone, Default)]
pub(super) struct Dedup {
    /// The message being said by those who give their messages no ids.
    unnamed: Message,
    named: HashMap<String, Message>,
    /// The one that was added to last; without an id, the unnamed one.
    last: Option<String>,
    /// How much is remembered of all.
    bytes: usize,
}

impl Dedup {
    /// A new message begins: no repetition is due of the one before it.
    pub(super) fn begin(&mut self) {
        self.bytes -= self.unnamed.clear();
        self.last = None;
    }

    /// Notes a piece of a message.
    pub(super) fn piece(&mut self, id: Option<&str>, shape: MessageShape, text: &str) {
        match id {
            None => {
                if self.unnamed.shape.is_some() {
                    self.begin();
                }
                self.last = None;
                self.bytes += self.unnamed.add(text);
            }
            Some(id) => {
                let message = self.named(id);
                message.shape = Some(shape);
                let added = message.add(text);
                self.bytes += added;
            }
        }
        self.bound();
    }

    /// Notes a whole message; returns from which byte on it is new.
    ///
    /// A shape that sends the same text twice has sent two messages: it is compared with what other shapes sent, and with what
    /// arrived in pieces.
    pub(super) fn whole(&mut self, id: Option<&str>, shape: MessageShape, text: &str) -> usize {
        let new = match id.and_then(|id| self.named.get(id)) {
            Some(known) => known.news(text, false),
            None => {
                let last = self.last.as_ref().and_then(|id| self.named.get(id)).unwrap_or(&self.unnamed);
                (last.shape != Some(shape)).then(|| last.news(text, self.last.is_none())).flatten()
            }
        };
        match (id, new) {
            (Some(id), _) => {
                let message = self.named(id);
                let (cleared, added) = (message.clear(), message.add(text));
                message.shape = Some(shape);
                self.bytes = self.bytes + added - cleared;
            }
            (None, Some(new)) if self.last.is_none() => {
                self.bytes += if new < text.len() { self.unnamed.add(&text[new..]) } else { 0 };
                self.unnamed.shape = Some(shape);
            }
            (None, Some(_)) => {}
            (None, None) => {
                self.begin();
                self.bytes += self.unnamed.add(text);
                self.unnamed.shape = Some(shape);
            }
        }
        self.bound();
        new.unwrap_or(0)
    }

    /// The message of this id, from now on the last one.
    fn named(&mut self, id: &str) -> &mut Message {
        if self.last.as_deref() != Some(id) {
            self.last = Some(id.to_owned());
        }
        if !self.named.contains_key(id) {
            self.bytes += id.len();
        }
        self.named.entry(id.to_owned()).or_default()
    }

    fn bound(&mut self) {
        if self.bytes > LONGEST {
            *self = Self::default();
        }
    }
}

/// Who tells whole messages: one of the shapes of a dialect.
pub(super) type MessageShape = &'static str;

#[derive(Clone, Default)]
struct Message {
    /// The pieces, each behind a mark.
    text: Vec<u8>,
    /// Who told it whole, and thereby ended it.
    shape: Option<MessageShape>,
}

impl Message {
    fn add(&mut self, text: &str) -> usize {
        self.text.push(MARK);
        self.text.extend_from_slice(text.as_bytes());
        text.len() + 1
    }

    fn clear(&mut self) -> usize {
        self.shape = None;
        mem::take(&mut self.text).len()
    }

    /// From which byte on the text is new; `None` if it is another one. `from_any_piece`: whether it may be a repetition of the
    /// last pieces only, as where nothing tells the end of one message from the beginning of the next.
    fn news(&self, whole: &str, from_any_piece: bool) -> Option<usize> {
        if self.text.is_empty() {
            return None;
        }
        if self.ends_with(whole, from_any_piece) {
            return Some(whole.len());
        }
        let mut rest = whole.bytes();
        let extends = self.text.iter().filter(|byte| **byte != MARK).all(|byte| rest.next() == Some(*byte));
        extends.then(|| whole.len() - rest.len())
    }

    fn ends_with(&self, whole: &str, from_any_piece: bool) -> bool {
        let mut said = self.text.iter().rev().copied().filter(|byte| !byte.is_ascii_whitespace()).peekable();
        for byte in whole.bytes().rev().filter(|byte| !byte.is_ascii_whitespace()) {
            while said.next_if_eq(&MARK).is_some() {}
            if said.next() != Some(byte) {
                return false;
            }
        }
        if from_any_piece { said.next().is_none_or(|byte| byte == MARK) } else { said.all(|byte| byte == MARK) }
    }
}

/// A byte that is in no UTF-8 text.
const MARK: u8 = 0xFF;

/// How many bytes are remembered of a stream, its messages' ids included, before all is forgotten: as many as an event may have
/// by default, for what is longer cannot be repeated in one.
const LONGEST: usize = agentcore_http::sse::DEFAULT_MAX_EVENT_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    enum Told {
        Begin,
        Piece(Option<&'static str>, &'static str),
        /// The id, the shape, the text, and from where on it is new.
        Whole(Option<&'static str>, MessageShape, &'static str, usize),
    }

    #[test]
    fn what_is_new() {
        use Told::{Begin, Piece, Whole};
        for (name, story) in [
            ("nothing before", vec![Whole(None, "a", "Hello", 0)]),
            ("a repetition", vec![Piece(None, "Hel"), Piece(None, "lo"), Whole(None, "a", "Hello", 5)]),
            ("told by two", vec![Piece(None, "Hello"), Whole(None, "a", "Hello", 5), Whole(None, "b", "Hello\n", 6)]),
            ("told twice by one", vec![Whole(None, "a", "Hello", 0), Whole(None, "a", "Hello", 0)]),
            (
                "said again after it was told",
                vec![Whole(None, "a", "x", 0), Piece(None, "x"), Whole(None, "a", "x", 1), Whole(None, "a", "x", 0)],
            ),
            ("the rest of it", vec![Piece(None, "Hé"), Whole(None, "a", "Héllo", 3), Whole(None, "b", "Héllo", 6)]),
            ("something else", vec![Piece(None, "Hello"), Whole(None, "a", "Help", 0)]),
            ("less than it", vec![Piece(None, "Hello"), Whole(None, "a", "Hell", 0)]),
            (
                "the last pieces",
                vec![Piece(None, "So: "), Piece(None, "4"), Piece(None, "2"), Whole(None, "a", "42", 2)],
            ),
            ("half of the last piece", vec![Piece(None, "So: "), Piece(None, "42"), Whole(None, "a", "2", 0)]),
            ("blocks joined by lines", vec![Piece(None, "a "), Piece(None, "b"), Whole(None, "a", "a\nb\n", 4)]),
            ("another message", vec![Piece(None, "x"), Begin, Whole(None, "a", "x", 0)]),
            ("by id", vec![Piece(Some("1"), "a"), Piece(Some("2"), "b"), Whole(Some("1"), "t", "a", 1)]),
            ("by id, growing", vec![Whole(Some("1"), "t", "a", 0), Whole(Some("1"), "t", "ab", 1)]),
            ("by id, its end only", vec![Piece(Some("1"), "a"), Piece(Some("1"), "b"), Whole(Some("1"), "t", "b", 0)]),
            ("two ids of the same words", vec![Piece(Some("1"), "3"), Whole(Some("2"), "t", "3", 0)]),
            ("an id after pieces without", vec![Piece(None, "Hi"), Whole(Some("1"), "t", "Hi", 2)]),
            (
                "no id after pieces with one",
                vec![Piece(Some("1"), "Hi"), Whole(None, "a", "Hi", 2), Whole(None, "b", "Hi", 2)],
            ),
        ] {
            let mut said = Dedup::default();
            for told in story {
                match told {
                    Begin => said.begin(),
                    Piece(id, text) => said.piece(id, "t", text),
                    Whole(id, shape, text, new) => assert_eq!(said.whole(id, shape, text), new, "{name}: {text}"),
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut said = Dedup::default();
        let piece = "x".repeat(LONGEST / 4);
        for id in [None, Some("1"), None, Some("2"), Some("3"), None] {
            said.piece(id, "t", &piece);
            let held = said.unnamed.text.len() + said.named.values().map(|message| message.text.len()).sum::<usize>();
            assert!(held <= said.bytes && said.bytes <= LONGEST);
        }
        for _ in 0..5 {
            said.begin();
            said.piece(None, "t", &piece);
            assert!(said.bytes <= LONGEST);
            assert_eq!(said.whole(None, "a", &piece), piece.len(), "nothing is forgotten for messages that are over");
        }
    }
}
