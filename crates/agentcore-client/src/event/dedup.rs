//! What an agent has said, to know it again when it is said again. Decides by whole messages, never by likeness, and forgets
//! rather than grow: what is forgotten may be said twice, and is never lost.
//!
//! Many agents stream a message in pieces and then repeat it whole, some twice. A *piece* is always new. A *whole* is compared
//! with what its message had in pieces: if it is that, it is a repetition; if it begins with that, the rest is new; else all of
//! it is. White space does not tell a repetition from a new text, since agents that join blocks put line ends between them.
//!
//! No text is kept, only [prints](Print) of it: comparing costs the length of the whole, and remembering a message some bytes.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use super::print::{Print, Printer};

/// The messages of a stream.
#[derive(Clone, Default)]
pub(super) struct Dedup {
    printer: Printer,
    ids: RandomState,
    unnamed: Unnamed,
    named: Recent<MOST_MESSAGES>,
    /// The message that was added to last, by its id; without one, the unnamed one.
    last: Option<u64>,
}

impl Dedup {
    /// From now on this part of the agent speaks; `None` for an agent without parts.
    pub(super) fn speaker(&mut self, name: Option<&str>) {
        self.unnamed.speaker = name.map(|name| self.ids.hash_one(name));
    }

    /// A new message begins: no repetition is due of the one before it.
    pub(super) fn begin(&mut self) {
        *self.unnamed.current() = Message::default();
        self.last = None;
    }

    /// Notes a piece of a message.
    pub(super) fn piece(&mut self, id: Option<&str>, shape: MessageShape, text: &str) {
        let message = match id {
            None => {
                self.last = None;
                let message = self.unnamed.current();
                if message.shape.is_some() {
                    *message = Message::default();
                }
                message
            }
            Some(id) => {
                let id = self.ids.hash_one(id);
                self.last = Some(id);
                let message = self.named.entry(id);
                message.shape = Some(shape);
                message
            }
        };
        message.add(&self.printer, text);
    }

    /// Notes a whole message; returns from which byte on it is new.
    ///
    /// A shape that sends the same text twice has sent two messages: it is compared with what other shapes sent, and with what
    /// arrived in pieces.
    pub(super) fn whole(&mut self, id: Option<&str>, shape: MessageShape, text: &str) -> usize {
        let id = id.map(|id| self.ids.hash_one(id));
        let new = match id.and_then(|id| self.named.get(id)) {
            Some(known) => known.news(&self.printer, text, false),
            None => {
                let named = self.last.and_then(|id| self.named.get(id));
                named
                    .or_else(|| Some(self.unnamed.current()))
                    .filter(|last| last.shape != Some(shape))
                    .and_then(|last| last.news(&self.printer, text, self.last.is_none()))
            }
        };
        match (id, new) {
            (Some(id), _) => self.replace(id, shape, text),
            (None, Some(new)) if self.last.is_none() => {
                let message = self.unnamed.current();
                if new < text.len() {
                    message.add(&self.printer, &text[new..]);
                }
                message.shape = Some(shape);
            }
            (None, Some(_)) => {}
            (None, None) => {
                self.begin();
                let message = self.unnamed.current();
                message.add(&self.printer, text);
                message.shape = Some(shape);
            }
        }
        new.unwrap_or(0)
    }

    /// Notes a message of a list that repeats the messages of a run, each once, some under other ids; returns from which byte on
    /// it is new. `claimed` has the messages that were found again in this list.
    pub(super) fn listed(
        &mut self,
        id: Option<&str>,
        shape: MessageShape,
        text: &str,
        claimed: &mut Vec<u64>,
    ) -> usize {
        let key = id.map(|id| self.ids.hash_one(id));
        let known = key.filter(|key| self.named.get(*key).is_some());
        if known.is_some() || text.is_empty() {
            claimed.extend(known);
            return self.whole(id, shape, text);
        }
        let print = self.printer.print(text);
        let same = self.named.iter().find(|(key, message)| message.print == print && !claimed.contains(key));
        match (same.map(|(key, _)| key), key) {
            (Some(same), _) => {
                claimed.push(same);
                text.len()
            }
            (None, Some(key)) => {
                claimed.push(key);
                self.whole(id, shape, text)
            }
            (None, None) => {
                // Without an id, the next list has it by its text.
                let key = self.ids.hash_one((text, claimed.len()));
                claimed.push(key);
                let new = self.whole(None, shape, text);
                self.replace(key, shape, text);
                new
            }
        }
    }

    fn replace(&mut self, id: u64, shape: MessageShape, text: &str) {
        self.last = Some(id);
        let message = self.named.entry(id);
        *message = Message { shape: Some(shape), ..Message::default() };
        message.add(&self.printer, text);
    }
}

/// Who tells whole messages: one of the shapes of a dialect.
pub(super) type MessageShape = &'static str;

#[derive(Clone, Default)]
struct Message {
    /// The print of all pieces.
    print: Print,
    /// How many bytes of white space it ends with.
    white: usize,
    /// The prints of what was there before each of the last pieces.
    cuts: VecDeque<Print>,
    /// Who told it whole, and thereby ended it.
    shape: Option<MessageShape>,
}

impl Message {
    fn add(&mut self, printer: &Printer, text: &str) {
        if self.shape.is_none() {
            if self.cuts.len() == MOST_CUTS {
                self.cuts.pop_front();
            }
            self.cuts.push_back(self.print);
        }
        self.print = printer.and(self.print, text.as_bytes());
        let white = text.bytes().rev().take_while(u8::is_ascii_whitespace).count();
        self.white = if white == text.len() { self.white + white } else { white };
    }

    /// From which byte on the text is new; `None` if it is another one. `from_any_piece`: whether it may be a repetition of the
    /// last pieces only, as where nothing tells the end of one message from the beginning of the next.
    fn news(&self, printer: &Printer, whole: &str, from_any_piece: bool) -> Option<usize> {
        if self.print == Print::default() && self.cuts.is_empty() {
            return None;
        }
        let (print, begins) = printer.print_and_end_of(whole, self.print);
        if print == self.print {
            return Some(whole.len());
        }
        if from_any_piece && print.bytes > 0 && print.bytes < self.print.bytes {
            let before = self.print.bytes - print.bytes;
            let cut = self.cuts.binary_search_by_key(&before, |cut| cut.bytes).ok().map(|index| self.cuts[index]);
            if cut.is_some_and(|cut| printer.and(cut, whole.as_bytes()) == self.print) {
                return Some(whole.len());
            }
        }
        begins.map(|end| end + whole[end..].bytes().take(self.white).take_while(u8::is_ascii_whitespace).count())
    }
}

/// How many pieces of a message are remembered, 24 bytes each, for a repetition of its last pieces only.
const MOST_CUTS: usize = 4096;

/// The messages without ids: the one that is being said, or one for each part of the agent.
#[derive(Clone, Default)]
struct Unnamed {
    alone: Message,
    parts: Recent<MOST_PARTS>,
    /// Which part of the agent speaks.
    speaker: Option<u64>,
}

impl Unnamed {
    fn current(&mut self) -> &mut Message {
        match self.speaker {
            None => &mut self.alone,
            Some(speaker) => self.parts.entry(speaker),
        }
    }
}

/// The newest messages, so many at most.
#[derive(Clone, Default)]
struct Recent<const MOST: usize> {
    entries: HashMap<u64, Message>,
    order: VecDeque<u64>,
}

impl<const MOST: usize> Recent<MOST> {
    fn get(&self, key: u64) -> Option<&Message> {
        self.entries.get(&key)
    }

    fn entry(&mut self, key: u64) -> &mut Message {
        if !self.entries.contains_key(&key) {
            if self.order.len() == MOST {
                self.order.pop_front().map(|oldest| self.entries.remove(&oldest));
            }
            self.order.push_back(key);
        }
        self.entries.entry(key).or_default()
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.order.iter().filter_map(|key| Some((*key, self.entries.get(key)?)))
    }
}

/// How many messages are remembered, some hundred bytes each, before the oldest is forgotten.
const MOST_MESSAGES: usize = 1024;

/// How many parts of an agent are remembered, 96 KiB each for the pieces of its message.
const MOST_PARTS: usize = 32;

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

    /// A message that comes under another id in the list at the end of a run.
    #[test]
    fn lists_that_repeat_a_run() {
        let mut said = Dedup::default();
        said.piece(Some("m1"), "t", "Hello");
        said.piece(Some("m2"), "t", "Hello");
        let mut list = |messages: &[(Option<&str>, &str)]| {
            let mut claimed = Vec::new();
            let new = |(id, text): &(Option<&str>, &str)| said.listed(*id, "t", text, &mut claimed);
            messages.iter().map(new).collect::<Vec<_>>()
        };
        assert_eq!(list(&[(Some("new"), "Hello"), (None, "Hello")]), [5, 5]);
        assert_eq!(list(&[(Some("m1"), "Hello"), (Some("n1"), "Hello"), (Some("n2"), "Hello")]), [5, 5, 0]);
        assert_eq!(list(&[(None, "Hello"), (None, "Hello"), (None, "Hello"), (None, "Bye")]), [5, 5, 5, 0]);
        assert_eq!(list(&[(None, "Bye"), (None, "Bye")]), [3, 0]);
    }

    #[test]
    fn parts_of_an_agent_speak_for_themselves() {
        let mut said = Dedup::default();
        for (speaker, piece) in [("a", "Hel"), ("b", "Wor"), ("a", "lo"), ("b", "ld")] {
            said.speaker(Some(speaker));
            said.piece(None, "t", piece);
        }
        for (speaker, whole) in [("a", "Hello"), ("b", "World")] {
            said.speaker(Some(speaker));
            assert_eq!(said.whole(None, "w", whole), 5);
        }
    }

    #[test]
    fn the_oldest_message_is_forgotten() {
        for (others, known) in [(MOST_MESSAGES - 1, true), (MOST_MESSAGES, false)] {
            let mut said = Dedup::default();
            said.piece(Some("first"), "t", "Hello");
            (0..others).for_each(|number| said.piece(Some(&number.to_string()), "t", "x"));
            assert_eq!(said.whole(Some("first"), "w", "Hello") == 5, known, "{others} others");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut said = Dedup::default();
        for number in 0..3 * MOST_MESSAGES {
            said.piece(Some(&number.to_string()), "t", "x");
            said.speaker(Some(&number.to_string()));
            said.piece(None, "t", "x");
        }
        said.speaker(None);
        (0..3 * MOST_CUTS).for_each(|_| said.piece(None, "t", "x"));
        assert!(said.named.entries.len() <= MOST_MESSAGES && said.unnamed.parts.entries.len() <= MOST_PARTS);
        assert_eq!(said.unnamed.alone.cuts.len(), MOST_CUTS);
        assert_eq!(said.whole(None, "w", &"x".repeat(MOST_CUTS)), MOST_CUTS, "the last pieces are remembered");
        assert_eq!(said.whole(None, "v", &"x".repeat(3 * MOST_CUTS)), 3 * MOST_CUTS, "and so is the whole");
    }
}
