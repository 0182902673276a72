//! The spans of a line of Markdown: where one begins, whether it closes, and what is in it. Shows nothing.
//!
//! After CommonMark 6.1 to 6.3, and stricter: a marker right after an ASCII letter or digit opens nothing, so that `2*3*4`
//! and `snake_case` stay as written.

/// A span with its markers.
pub(super) struct Span<'a> {
    pub(super) kind: Kind<'a>,
    /// What stands between the markers.
    pub(super) text: &'a str,
    /// In bytes, markers included.
    pub(super) length: usize,
}

pub(super) enum Kind<'a> {
    /// Without markers, but for the backslash that makes one plain.
    Plain,
    Code,
    /// Between one, two or three asterisks or underscores.
    Emphasis(usize),
    /// A link to this address.
    Link(&'a str),
}

impl<'a> Span<'a> {
    /// Finds the span that a text begins with, which is not empty and stands after `before`; `ends` says that it is all
    /// there is. Nothing, if what follows decides.
    pub(super) fn at(text: &'a str, before: char, ends: bool) -> Option<Self> {
        match text.as_bytes()[0] {
            b'\\' => match text[1..].chars().next() {
                Some(marker) if MARKERS.contains(&marker) => Some(Self { length: 2, ..Self::plain(&text[1..], 1) }),
                None if !ends => None,
                _ => Some(Self::plain(text, 1)),
            },
            mark @ (b'*' | b'_' | b'`') => Self::marked(text, mark, before, ends),
            b'[' => Self::link(text, ends),
            _ => Some(Self::plain(text, text.find(['\\', '*', '_', '`', '[', '\n']).unwrap_or(text.len()))),
        }
    }

    fn plain(text: &'a str, length: usize) -> Self {
        Self { kind: Kind::Plain, text: &text[..length], length }
    }

    fn marked(text: &'a str, mark: u8, before: char, ends: bool) -> Option<Self> {
        let marks = run(text, mark);
        if marks == text.len() && !ends && marks <= MAX_SPAN_BYTES {
            return None;
        }
        let opens = match mark {
            // A run of marks opens as a whole or not at all.
            _ if before == char::from(mark) => false,
            b'`' => true,
            b'_' => marks <= 3 && !before.is_alphanumeric(),
            _ => marks <= 3 && !before.is_ascii_alphanumeric(),
        };
        let solid = mark == b'`' || text[marks..].starts_with(|c: char| !c.is_whitespace());
        let plain = Self::plain(text, marks);
        if !opens || !solid {
            return Some(plain);
        }
        let mut at = marks;
        while at < text.len() && at <= MAX_SPAN_BYTES {
            let rest = &text[at..];
            match rest.as_bytes()[0] {
                b'\n' => return Some(plain),
                b'\\' if mark != b'`' && rest[1..].starts_with(MARKERS) => at += 2,
                byte if byte == mark => {
                    let length = run(rest, mark);
                    if length == rest.len() && !ends {
                        // The run may go on.
                        break;
                    }
                    if length == marks && (mark == b'`' || closes(&text[..at], mark, &rest[length..])) {
                        let kind = if mark == b'`' { Kind::Code } else { Kind::Emphasis(marks) };
                        return Some(Self { kind, text: &text[marks..at], length: at + length });
                    }
                    at += length;
                }
                _ => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        (ends || at > MAX_SPAN_BYTES).then_some(plain)
    }

    fn link(text: &'a str, ends: bool) -> Option<Self> {
        let plain = Self::plain(text, 1);
        let Some(end) = text[1..].find(['[', ']', '\n']).map(|end| end + 1) else {
            return (ends || text.len() > MAX_SPAN_BYTES).then_some(plain);
        };
        let after = &text[end + 1..];
        if !text[end..].starts_with(']') || end > MAX_SPAN_BYTES {
            return Some(plain);
        }
        let Some(target) = after.strip_prefix('(') else {
            return (ends || !after.is_empty()).then_some(plain);
        };
        let mut open = 1;
        for (at, c) in target.char_indices() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if c == '\n' || at > MAX_ADDRESS_BYTES {
                return Some(plain);
            }
            if open == 0 {
                let kind = Kind::Link(&target[..at]);
                return Some(Self { kind, text: &text[1..end], length: end + 2 + at + 1 });
            }
        }
        ends.then_some(plain)
    }
}

fn closes(inside: &str, mark: u8, after: &str) -> bool {
    let solid = inside.ends_with(|c: char| !c.is_whitespace());
    solid && (mark == b'*' || !after.starts_with(char::is_alphanumeric))
}

fn run(text: &str, mark: u8) -> usize {
    text.bytes().take_while(|byte| *byte == mark).count()
}

/// What a backslash takes the meaning from; before anything else it stays, as in `C:\dir` and `\(x\)`.
const MARKERS: [char; 3] = ['*', '_', '`'];
/// The longest span: enough for a sentence, and little to wait for where a marker never closes.
pub(super) const MAX_SPAN_BYTES: usize = 240;
/// The longest address of a link.
const MAX_ADDRESS_BYTES: usize = 2_000;
