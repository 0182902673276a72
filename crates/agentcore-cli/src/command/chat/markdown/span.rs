//! The spans of a line of Markdown: where one begins, whether it closes, and what is in it. Shows nothing.
//!
//! After CommonMark 6.1 to 6.3, and stricter: a marker right after an ASCII letter or digit opens nothing, so that `2*3*4`
//! and `snake_case` stay as written.

/// What stands at the beginning of a text within a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form<'a> {
    /// So many bytes of plain text.
    Plain(usize),
    /// A backslash and the marker that it makes plain, together so many bytes.
    Escaped(usize),
    Span(Span<'a>),
    /// What follows decides.
    Undecided,
}

/// A span with its markers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) kind: Kind<'a>,
    /// What stands between the markers.
    pub(super) text: &'a str,
    /// In bytes, markers included.
    pub(super) length: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Code,
    /// Between one, two or three asterisks or underscores.
    Emphasis(usize),
    /// A link to this address.
    Link(&'a str),
}

impl<'a> Span<'a> {
    /// Judges the beginning of a text that is not empty and stands after `before`; `ends` says that it is all there is.
    pub(super) fn at(text: &'a str, before: char, ends: bool) -> Form<'a> {
        match text.as_bytes()[0] {
            b'\\' => match text[1..].chars().next() {
                Some(marker) if MARKERS.contains(&marker) => Form::Escaped(2),
                None if !ends => Form::Undecided,
                _ => Form::Plain(1),
            },
            mark @ (b'*' | b'_' | b'`') => Self::marked(text, mark, before, ends),
            b'[' => Self::link(text, ends),
            _ => Form::Plain(text.find(['\\', '*', '_', '`', '[', '\n']).unwrap_or(text.len())),
        }
    }

    fn marked(text: &'a str, mark: u8, before: char, ends: bool) -> Form<'a> {
        let marks = run(text, mark);
        if marks == text.len() && !ends && marks <= MAX_SPAN_BYTES {
            return Form::Undecided;
        }
        let opens = match mark {
            // A run of marks opens as a whole or not at all.
            _ if before == char::from(mark) => false,
            b'`' => true,
            b'_' => marks <= 3 && !before.is_alphanumeric(),
            _ => marks <= 3 && !before.is_ascii_alphanumeric(),
        };
        let solid = mark == b'`' || text[marks..].starts_with(|c: char| !c.is_whitespace());
        if !opens || !solid {
            return Form::Plain(marks);
        }
        let mut at = marks;
        while at < text.len() && at <= MAX_SPAN_BYTES {
            let rest = &text[at..];
            match rest.as_bytes()[0] {
                b'\n' => return Form::Plain(marks),
                b'\\' if mark != b'`' && rest[1..].starts_with(MARKERS) => at += 2,
                byte if byte == mark => {
                    let length = run(rest, mark);
                    if length == rest.len() && !ends {
                        // The run may go on.
                        break;
                    }
                    if length == marks && (mark == b'`' || closes(&text[..at], mark, &rest[length..])) {
                        let kind = if mark == b'`' { Kind::Code } else { Kind::Emphasis(marks) };
                        return Form::Span(Self { kind, text: &text[marks..at], length: at + length });
                    }
                    at += length;
                }
                _ => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        undecided(at, ends, marks)
    }

    fn link(text: &'a str, ends: bool) -> Form<'a> {
        let Some(end) = text[1..].find(['[', ']', '\n']).map(|end| end + 1) else {
            return undecided(text.len(), ends, 1);
        };
        let after = &text[end + 1..];
        if !text[end..].starts_with(']') || end > MAX_SPAN_BYTES {
            return Form::Plain(1);
        }
        let Some(target) = after.strip_prefix('(') else {
            return if after.is_empty() && !ends { Form::Undecided } else { Form::Plain(1) };
        };
        let mut open = 1;
        for (at, c) in target.char_indices() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if c == '\n' || at > MAX_ADDRESS_BYTES {
                return Form::Plain(1);
            }
            if open == 0 {
                let kind = Kind::Link(&target[..at]);
                return Form::Span(Self { kind, text: &text[1..end], length: end + 2 + at + 1 });
            }
        }
        if ends { Form::Plain(1) } else { Form::Undecided }
    }
}

/// A span that has not closed after so many bytes, and would else be so many marks.
fn undecided<'a>(seen: usize, ends: bool, marks: usize) -> Form<'a> {
    if ends || seen > MAX_SPAN_BYTES { Form::Plain(marks) } else { Form::Undecided }
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
