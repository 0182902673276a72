//! One pass over the bytes of a JSON text: where each value stands. Keeps its own stack, so that no depth is too deep.

use memchr::memchr2;

/// The values of one JSON text in the order in which they stand. One list serves one event after the other.
#[derive(Clone, Default)]
pub(in super::super) struct Values {
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// The text whose values these are, if they are few: most events of a stream differ from the one before in one string alone.
    short: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Of an object: a bit for each length of a name, modulo 16. Most names that are asked for are not there, and need no look.
    pub(super) lengths: u16,
    /// The text, without the quotation marks of a string.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The index of the node after this one and all that it holds.
    pub(super) next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Its members follow: the node of a name, and that of its value.
    Object,
    Array,
    String,
    /// A string with escapes.
    Escaped,
    /// A number, `NaN`, `Infinity` or `-Infinity`.
    Number,
    True,
    False,
    Null,
    /// An object or an array whose values are not listed, because they are too many or too deep.
    Large,
}

/// An object or array that has not ended.
#[derive(Clone, Copy)]
struct Open {
    node: u32,
    is_object: bool,
}

/// How deep values are listed, so that who reads them may recurse.
const MOST_DEPTH: usize = 128;

/// How many values of an event are listed: 1 MiB. In a larger event, the array or object that holds most of them is passed over.
const MOST_VALUES: usize = 64 * 1024;

impl Values {
    /// Lists the values of a text, if all of it is one JSON value and it is shorter than 4 GiB.
    pub(super) fn list(&mut self, text: &str) -> Option<&[Node]> {
        u32::try_from(text.len()).ok()?;
        let text = text.as_bytes();
        let moved = self.move_to(text);
        self.short.clear();
        if !moved {
            self.nodes.clear();
            self.open.clear();
            let end = self.scan(text)?;
            if skip_space(text, end) != text.len() {
                return None;
            }
        }
        if self.nodes.len() <= FEW_VALUES && text.len() <= SHORT_TEXT {
            self.short.extend_from_slice(text);
        }
        Some(&self.nodes)
    }

    /// Moves the listed values to where they stand in a text that differs from theirs within one string, which is no name. Returns
    /// whether that is so, and changes nothing where it is not.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`list` has counted the text, and a difference wraps both ways"
    )]
    fn move_to(&mut self, text: &[u8]) -> bool {
        let same = same_bytes(&self.short, text);
        let holds =
            |node: &&Node| node.kind == Kind::String && (node.start as usize..=node.end as usize).contains(&same);
        let Some(string) = self.nodes.iter().rfind(holds) else { return false };
        let (start, end) = (string.start as usize, string.end as usize);
        // From the quotation mark on.
        let rest = &self.short[end..];
        let Some(new_end) = text.len().checked_sub(rest.len()).filter(|new_end| *new_end >= start) else {
            return false;
        };
        let is_name = rest.get(skip_space(rest, 1)) == Some(&b':');
        if is_name || text[new_end..] != *rest || memchr2(b'"', b'\\', &text[start..new_end]).is_some() {
            return false;
        }
        let moved = (new_end as u32).wrapping_sub(end as u32);
        for node in &mut self.nodes {
            if node.start as usize > start {
                node.start = node.start.wrapping_add(moved);
            }
            if node.end as usize >= end {
                node.end = node.end.wrapping_add(moved);
            }
        }
        true
    }

    /// Reads one value and returns where it ends.
    fn scan(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = skip_space(text, 0);
        // The depth below which nothing is listed.
        let mut passed = usize::MAX;
        loop {
            let listed = self.open.len() < passed;
            match *text.get(at)? {
                byte @ (b'{' | b'[') => {
                    let is_object = byte == b'{';
                    let kind = if is_object { Kind::Object } else { Kind::Array };
                    let node = if listed { self.add(kind, at, at) } else { 0 };
                    self.open.push(Open { node, is_object });
                    let listed = listed && self.open.len() < MOST_DEPTH;
                    if !listed && self.open.len() == MOST_DEPTH && passed == usize::MAX {
                        self.nodes[node as usize].kind = Kind::Large;
                        passed = MOST_DEPTH;
                    }
                    at = skip_space(text, at + 1);
                    if *text.get(at)? != byte + 2 {
                        if is_object {
                            at = self.name(text, at, listed)?;
                        }
                        continue;
                    }
                }
                _ => {
                    let (kind, start, end, after) = scalar(text, at)?;
                    if listed {
                        self.add(kind, start, end);
                    }
                    at = after;
                }
            }
            if listed && self.nodes.len() > MOST_VALUES && !self.open.is_empty() {
                passed = self.pass_over();
            }
            // Here a value ends, and with it perhaps those that hold it.
            loop {
                let Some(Open { node, is_object }) = self.open.last().copied() else { return Some(at) };
                at = skip_space(text, at);
                match (*text.get(at)?, is_object) {
                    (b',', _) => {
                        at = skip_space(text, at + 1);
                        if is_object {
                            at = self.name(text, at, self.open.len() < passed)?;
                        }
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        at += 1;
                        if self.open.len() <= passed {
                            self.end(node, at);
                            passed = usize::MAX;
                        }
                        self.open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Reads the name of a member and its colon; returns where its value begins.
    fn name(&mut self, text: &[u8], at: usize, listed: bool) -> Option<usize> {
        if *text.get(at)? != b'"' {
            return None;
        }
        let (kind, end) = string(text, at + 1)?;
        if listed {
            self.add(kind, at + 1, end);
            let holder = self.open.last().map(|open| open.node as usize);
            if let Some(object) = holder.and_then(|index| self.nodes.get_mut(index)) {
                object.lengths |= if kind == Kind::Escaped { u16::MAX } else { length_bit(end - at - 1) };
            }
        }
        let at = skip_space(text, end + 1);
        (*text.get(at)? == b':').then(|| skip_space(text, at + 1))
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are fewer values than bytes, which `list` has counted")]
    fn add(&mut self, kind: Kind, start: usize, end: usize) -> u32 {
        let node = self.nodes.len() as u32;
        self.nodes.push(Node { kind, lengths: 0, start: start as u32, end: end as u32, next: node + 1 });
        node
    }

    #[expect(clippy::cast_possible_truncation, reason = "as in `add`")]
    fn end(&mut self, node: u32, end: usize) {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[node as usize];
        (node.end, node.next) = (end as u32, next);
    }

    /// Takes the values of the innermost open container that holds most of them off the list; returns its depth.
    fn pass_over(&mut self) -> usize {
        let most = |open: &Open| self.nodes.len() - open.node as usize > MOST_VALUES / 2;
        let index = self.open.iter().rposition(most).unwrap_or(0);
        let node = self.open[index].node as usize;
        self.nodes.truncate(node + 1);
        self.nodes[node].kind = Kind::Large;
        index + 1
    }
}

/// What is remembered to be moved: a search for the one string that differs must stay cheaper than reading all anew.
const FEW_VALUES: usize = 64;
pub(super) const SHORT_TEXT: usize = 1024;

/// How many bytes two texts begin with in common.
fn same_bytes(one: &[u8], other: &[u8]) -> usize {
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let words = 8 * words.take_while(|(one, other)| one == other).count();
    words + one[words..].iter().zip(&other[words..]).take_while(|(one, other)| one == other).count()
}

/// The bit of names of a length.
pub(super) fn length_bit(length: usize) -> u16 {
    1 << (length % 16)
}

/// Reads a value that holds no other: its kind, where its text begins and ends, and where it ends.
fn scalar(text: &[u8], at: usize) -> Option<(Kind, usize, usize, usize)> {
    if text[at] == b'"' {
        let (kind, end) = string(text, at + 1)?;
        return Some((kind, at + 1, end, end + 1));
    }
    if let Some(end) = number(text, at) {
        return Some((Kind::Number, at, end, end));
    }
    let (word, kind) = WORDS.iter().find(|(word, _)| text[at..].starts_with(word))?;
    let end = at + word.len();
    Some((*kind, at, end, end))
}

/// Python's `json.dumps` writes the last three, which are no JSON.
const WORDS: &[(&[u8], Kind)] = &[
    (b"true", Kind::True),
    (b"false", Kind::False),
    (b"null", Kind::Null),
    (b"NaN", Kind::Number),
    (b"Infinity", Kind::Number),
    (b"-Infinity", Kind::Number),
];

/// Finds the end of a string, and whether it has escapes. Control characters are let through.
fn string(text: &[u8], start: usize) -> Option<(Kind, usize)> {
    let mut at = start;
    let mut kind = Kind::String;
    loop {
        at = end_or_escape(text, at)?;
        if text[at] == b'"' {
            return Some((kind, at));
        }
        kind = Kind::Escaped;
        at += 2;
    }
}

/// Finds the next quotation mark or backslash. Names and words are shorter than what `memchr2` needs to begin.
#[inline]
fn end_or_escape(text: &[u8], mut at: usize) -> Option<usize> {
    let (words, _) = text.get(at..)?.as_chunks::<8>();
    for word in &words[..words.len().min(SHORT_WORDS)] {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set is that of the first such byte (Hacker's Delight, "find first 0-byte").
        let zero = |word: u64| word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
        let found = zero(word ^ 0x2222_2222_2222_2222) | zero(word ^ 0x5C5C_5C5C_5C5C_5C5C);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr2(b'"', b'\\', text.get(at..)?)?)
}

/// How many words of eight bytes are searched before `memchr2` is.
const SHORT_WORDS: usize = 4;

/// Finds the end of a number by RFC 8259, section 6.
fn number(text: &[u8], start: usize) -> Option<usize> {
    let digits = |at: usize| at + text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let integer = start + usize::from(text.get(start) == Some(&b'-'));
    let mut end = digits(integer);
    if end == integer || (end > integer + 1 && text[integer] == b'0') {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent.min(text.len()));
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

#[inline]
fn skip_space(text: &[u8], mut at: usize) -> usize {
    // As a rule there is none.
    if text.get(at).is_some_and(|byte| *byte > b' ') {
        return at;
    }
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}
