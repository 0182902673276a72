//! Markdown on a terminal, as it comes: a piece goes in, and what is already certain comes out. Never draws twice.
//!
//! A span (`**bold**`, `` `code` ``, a link) is held back until it closes, because its markers are hidden only where they
//! are markers; one that does not close on its line, or within `MAX_SPAN_BYTES`, comes out as it was written. A table is held back
//! until it ends, if it is not too long. Everything else comes out at once, but for the first few characters of a line, which decide
//! what kind of line it is. Not a letter is lost: what is hidden is the markers of spans and headings and the backslash before a
//! marker, what is replaced the bullets and the bars of tables, and what is kept the fences of code. Quotes and HTML stay as written.
//!
//! Every piece that comes out leaves the terminal in its plain state.

mod span;
mod table;

use clap::builder::styling::{Ansi256Color, Color, Style};

use super::wrap::Wrap;
use span::{Kind, Span};
use table::{Found, Part, Tables};

/// The state between two pieces of one answer.
#[derive(Debug, Default)]
pub(super) struct Markdown {
    /// Whether it comes out as it was written, without styles.
    raw: bool,
    /// How wide the terminal is; 0 lays out nothing.
    columns: usize,
    wrap: Wrap,
    tables: Tables,
    held: String,
    fence: Option<Fence>,
    place: Place,
}

/// Where in its line the next character stands.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    /// Past what makes the line a heading or an item, in a line of this style and after this character.
    Within(Style, char),
}

/// The fence that a block of code began with, whose like ends it (CommonMark 4.5).
#[derive(Clone, Copy, Debug)]
struct Fence {
    mark: char,
    length: usize,
}

impl Markdown {
    /// Begins an answer; `raw` shows it as it was written.
    pub(super) fn new(raw: bool) -> Self {
        Self { raw, ..Self::default() }
    }

    /// Forgets what was, because another answer begins.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.raw);
    }

    /// Breaks lines between words, but for those of code, and lays out tables, on a terminal so wide.
    pub(super) fn resize(&mut self, columns: usize) {
        self.columns = columns;
        self.wrap.resize(columns);
    }

    /// Takes the next piece, which holds no control characters but line breaks and tabs, and gives what can be shown.
    pub(super) fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.show(false)
    }

    /// Gives what is held back, because nothing more comes, or something else is shown now. Begins a new line.
    pub(super) fn finish(&mut self) -> String {
        let shown = self.show(true);
        self.place = Place::Start;
        self.wrap.reset();
        shown
    }

    /// Whether a table is held back, at the beginning of a line.
    pub(super) fn holds_table(&self) -> bool {
        // Nothing else is held back for longer than a line.
        self.held.contains('\n')
    }

    fn show(&mut self, ends: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let (mut rest, mut shown) = (held.as_str(), String::new());
        while !rest.is_empty() {
            match self.table(rest, ends) {
                Found::NoTable => {}
                Found::Undecided => break,
                Found::Table(taken, lines) => {
                    rest = &rest[taken..];
                    self.wrap.push(&lines, true, &mut shown);
                    continue;
                }
            }
            let (mut piece, code) = (String::new(), self.fence.is_some());
            let Some(taken) = self.step(rest, ends, &mut piece) else { break };
            let (written, after) = rest.split_at(taken);
            rest = after;
            let verbatim = code || self.fence.is_some();
            self.wrap.push(if self.raw { written } else { &piece }, verbatim, &mut shown);
        }
        rest.clone_into(&mut self.held);
        shown
    }

    /// Looks for a table.
    fn table(&mut self, text: &str, ends: bool) -> Found {
        if self.columns == 0 || self.fence.is_some() || !matches!(self.place, Place::Start) {
            return Found::NoTable;
        }
        let raw = self.raw;
        let paint = |text: &str, part: Part| {
            let style = match part {
                _ if raw => return text.to_owned(),
                Part::Heading => BOLD,
                Part::Cell => Style::new(),
                Part::Rule => DIM,
            };
            let mut shown = String::new();
            inline(text, style, ' ', true, &mut shown);
            shown
        };
        self.tables.find(text, ends, self.columns, &paint)
    }

    /// Shows the beginning of the text and returns how many bytes that was; nothing, if more must be seen first.
    fn step(&mut self, text: &str, ends: bool, shown: &mut String) -> Option<usize> {
        match (self.place, self.fence) {
            (Place::Start, Some(fence)) => self.line_of_code(text, fence, ends, shown),
            (Place::Start, None) => self.line(text, ends, shown),
            (Place::Within(style, _), Some(_)) => {
                let line = text.find('\n').unwrap_or(text.len());
                put(shown, style, &text[..line]);
                Some(line + self.line_break(&text[line..], shown))
            }
            (Place::Within(style, before), None) => {
                let (taken, last) = inline(text, style, before, ends, shown)?;
                self.place = Place::Within(style, last);
                Some(taken + self.line_break(&text[taken..], shown))
            }
        }
    }

    fn line_break(&mut self, text: &str, shown: &mut String) -> usize {
        if !text.starts_with('\n') {
            return 0;
        }
        shown.push('\n');
        self.place = Place::Start;
        1
    }

    fn line_of_code(&mut self, text: &str, fence: Fence, ends: bool, shown: &mut String) -> Option<usize> {
        let end = text.find('\n');
        let line = &text[..end.unwrap_or(text.len())];
        let marks = line.trim_matches(' ');
        let like = marks.chars().all(|c| c == fence.mark) && line.len() <= MAX_FENCE_BYTES;
        if like && end.is_none() && !ends {
            return None;
        }
        let closes = like && marks.chars().count() >= fence.length;
        put(shown, if closes { DIM } else { CODE }, line);
        if closes {
            self.fence = None;
        }
        self.place = Place::Within(CODE, ' ');
        Some(line.len() + self.line_break(&text[line.len()..], shown))
    }

    /// Finds out what kind of line it is, and shows what makes it so.
    fn line(&mut self, text: &str, ends: bool, shown: &mut String) -> Option<usize> {
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        let (white, line) = text.split_at(indent);
        let mark = line.chars().next();
        if mark.is_none() && !ends && indent <= MAX_FENCE_BYTES {
            return None;
        }
        let run = mark.map_or(0, |mark| line.len() - line.trim_start_matches(mark).len());
        let after = line[run..].chars().next();
        let undecided = after.is_none() && !ends && run <= MAX_FENCE_BYTES;
        let blank = matches!(after, Some(' ' | '\t'));
        let whole = line.split('\n').next().unwrap_or_default();
        let is_fence = run >= 3 && whole.len() <= MAX_FENCE_BYTES && !(mark == Some('`') && whole[run..].contains('`'));
        let mut style = Style::new();
        let taken = match mark {
            Some('#' | '-' | '*' | '+' | '`' | '~') if undecided => return None,
            Some('#') if blank && run <= 6 => {
                style = if run == 1 { BOLD.underline() } else { BOLD };
                indent + run + 1
            }
            Some('-' | '*' | '+') if blank && run == 1 => {
                shown.push_str(white);
                shown.push('•');
                indent + 1
            }
            Some('`' | '~') if is_fence && !ends && !text.contains('\n') => return None,
            Some(mark @ ('`' | '~')) if is_fence => {
                self.fence = Some(Fence { mark, length: run });
                let end = indent + whole.len();
                put(shown, DIM, &text[..end]);
                self.place = Place::Within(CODE, ' ');
                return Some(end + self.line_break(&text[end..], shown));
            }
            _ => {
                shown.push_str(white);
                indent
            }
        };
        self.place = Place::Within(style, ' ');
        Some(taken)
    }
}

/// Shows a text within a line up to its end, or to what must be held back; returns how many bytes and the last character.
///
/// Nothing, if all of it must be held back.
fn inline(text: &str, style: Style, before: char, ends: bool, shown: &mut String) -> Option<(usize, char)> {
    let (mut taken, mut last) = (0, before);
    while let Some(c) = text[taken..].chars().next().filter(|c| *c != '\n') {
        let rest = &text[taken..];
        let Some(span) = Span::at(rest, last, ends) else { return (taken > 0).then_some((taken, last)) };
        span.show(style, shown);
        last = rest[..span.length].chars().next_back().unwrap_or(c);
        taken += span.length;
    }
    Some((taken, last))
}

impl Span<'_> {
    fn show(&self, style: Style, shown: &mut String) {
        let mut within = |text, style| _ = inline(text, style, ' ', true, shown);
        match self.kind {
            Kind::Plain => put(shown, style, self.text),
            Kind::Code => put(shown, style.fg_color(CODE.get_fg_color()), self.text),
            Kind::Emphasis(1) => within(self.text, style.italic()),
            Kind::Emphasis(2) => within(self.text, style.bold()),
            Kind::Emphasis(_) => within(self.text, style.bold().italic()),
            Kind::Link(address) => {
                within(self.text, style.underline());
                if address != self.text {
                    put(shown, style, " ");
                    put(shown, DIM, &format!("({address})"));
                }
            }
        }
    }
}

fn put(shown: &mut String, style: Style, text: &str) {
    if style.is_plain() || text.is_empty() {
        shown.push_str(text);
    } else {
        shown.push_str(&format!("{style}{text}{style:#}"));
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// A dark cyan of the palette of 256, which themes leave alone: on white its contrast is 4.4 to 1, on black 4.8. That of the eight
/// colours is hardly seen on white.
const CODE: Style = Style::new().fg_color(Some(Color::Ansi256(Ansi256Color(30))));
/// As long as a line may be that is still taken for a fence, its language included.
const MAX_FENCE_BYTES: usize = 100;

#[cfg(test)]
mod tests;
