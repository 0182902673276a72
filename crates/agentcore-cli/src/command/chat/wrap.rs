//! Lines broken between words, as they come: a word that outgrows its line is taken back and begun anew on the next. Knows no Markdown.
//!
//! A line is broken one column before the edge, where all terminals agree on where the cursor is. What is wider than a line (an
//! address) is left to the terminal, which copies it as a whole; in the cell of a table it is cut.
//!
//! A word is taken back from where the cursor is, by the word's own width: terminals disagree on how wide some pictures before it are.

use unicode_width::UnicodeWidthChar as _;

/// The state between two pieces of one text.
#[derive(Debug, Default)]
pub(super) struct Wrap {
    /// How wide the terminal is; 0 breaks nothing.
    columns: usize,
    /// Whether a word that is wider than a line is cut.
    cuts: bool,
    /// Where the cursor is.
    column: usize,
    /// Where the lines begin in which a long one goes on.
    indent: usize,
    place: Place,
    word: Word,
    /// The styles in force.
    style: String,
}

/// Where in its line the next character stands.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Start,
    /// In the first word, which may be the mark of an item.
    First(String),
    Within,
}

/// The word that is open.
#[derive(Debug, Default)]
enum Word {
    #[default]
    None,
    /// It began in this column, and what was written of it, styles included; where in what is written now, if it began there.
    Open(usize, String, Option<usize>),
    /// It is wider than a line.
    Overlong,
}

impl Wrap {
    /// Sets how wide the terminal is now.
    pub(super) fn resize(&mut self, columns: usize) {
        self.columns = columns;
        // Where a line that has become too wide is now, each terminal decides: what is written of its last word stays, and the next one
        // begins a line.
        if self.column > self.limit() && matches!(self.word, Word::Open(..)) {
            self.word = Word::Overlong;
        }
    }

    /// Begins a new line.
    pub(super) fn reset(&mut self) {
        *self =
            Self { columns: self.columns, cuts: self.cuts, style: std::mem::take(&mut self.style), ..Self::default() };
    }

    /// Takes the next piece, in which styles are the only control sequences, and adds to `shown` what is to be written for it. A
    /// `verbatim` piece is not broken.
    pub(super) fn push(&mut self, piece: &str, verbatim: bool, shown: &mut String) {
        if self.columns == 0 {
            return shown.push_str(piece);
        }
        let mut rest = piece;
        while let Some(c) = rest.chars().next() {
            let length = if c == ESCAPE { rest.find('m').map_or(1, |end| end + 1) } else { c.len_utf8() };
            let (taken, after) = rest.split_at(length);
            rest = after;
            match c {
                ESCAPE => self.restyle(taken, shown),
                '\n' => {
                    shown.push('\n');
                    self.reset();
                }
                _ if verbatim => self.put(c, shown),
                ' ' | '\t' => self.blank(c, shown),
                _ => self.letter(c, shown),
            }
        }
        if let Word::Open(_, _, at) = &mut self.word {
            *at = None;
        }
    }

    fn restyle(&mut self, sequence: &str, shown: &mut String) {
        shown.push_str(sequence);
        if sequence == RESET {
            self.style.clear();
        } else {
            self.style.push_str(sequence);
        }
        if let Word::Open(_, word, _) = &mut self.word {
            word.push_str(sequence);
        }
    }

    fn put(&mut self, c: char, shown: &mut String) {
        shown.push(c);
        self.column += if c == '\t' { TAB - self.column % TAB } else { c.width().unwrap_or(0) };
    }

    fn blank(&mut self, c: char, shown: &mut String) {
        self.word = Word::None;
        // At the edge, the line break that comes separates enough.
        if self.column < self.limit() {
            self.put(c, shown);
        }
        match &self.place {
            Place::Start => self.indent_here(),
            Place::First(word) => {
                if is_mark(word) {
                    self.indent_here();
                }
                self.place = Place::Within;
            }
            Place::Within => {}
        }
    }

    /// A deep indentation leaves no room to go on in.
    fn indent_here(&mut self) {
        self.indent = if self.column <= self.columns / 2 { self.column } else { 0 };
    }

    fn letter(&mut self, c: char, shown: &mut String) {
        match &mut self.place {
            Place::Start => self.place = Place::First(c.into()),
            Place::First(word) if word.len() < MAX_MARK_BYTES => word.push(c),
            Place::First(_) => self.place = Place::Within,
            Place::Within => {}
        }
        let width = c.width().unwrap_or(0);
        // Between ideographs, a line may be broken almost anywhere.
        if matches!(self.word, Word::None) || width > 1 && !self.is_bound(c) {
            self.word = Word::Open(self.column, self.style.clone(), Some(shown.len()));
        }
        if self.column + width > self.limit() {
            self.break_line(width, shown);
        }
        if let Word::Open(_, word, _) = &mut self.word {
            word.push(c);
        }
        self.put(c, shown);
    }

    /// Moves the open word to a new line, where it and so many more columns fit into one.
    fn break_line(&mut self, more: usize, shown: &mut String) {
        let limit = self.limit();
        let Word::Open(start, word, at) = &mut self.word else { return };
        let (begun, indent) = (self.column - *start, self.indent);
        if *start <= indent || indent + begun + more > limit {
            if self.cuts && self.column > indent {
                let style = &self.style;
                let reset = if style.is_empty() { "" } else { RESET };
                shown.push_str(&format!("{reset}\n{:indent$}{style}", ""));
                self.column = indent;
                self.word = Word::Open(indent, self.style.clone(), None);
            } else {
                self.word = Word::Overlong;
            }
            return;
        }
        if let Some(at) = at.take() {
            shown.truncate(at);
        } else if begun > 0 {
            shown.push_str(&format!("\u{1b}[{begun}D\u{1b}[K"));
        }
        if !self.style.is_empty() {
            shown.push_str(RESET);
        }
        shown.push('\n');
        shown.extend(std::iter::repeat_n(' ', indent));
        shown.push_str(word);
        (*start, self.column) = (indent, indent + begun);
    }

    fn limit(&self) -> usize {
        self.columns.saturating_sub(1)
    }

    /// Whether a wide character belongs to the one before it: as a part of one picture, or because no line begins with it or ends
    /// with what is before it (JIS X 4051).
    fn is_bound(&self, c: char) -> bool {
        let Word::Open(_, word, _) = &self.word else { return false };
        let before = word.chars().next_back();
        MODIFIERS.contains(&c)
            || NEVER_FIRST.contains(c)
            || before.is_some_and(|it| it == JOINER || NEVER_LAST.contains(it))
    }
}

/// Whether a line's first word makes it an item or a quote.
fn is_mark(word: &str) -> bool {
    let number = word.trim_end_matches(['.', ')']);
    matches!(word, "•" | "-" | "*" | "+" | ">")
        || number.len() < word.len() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Skin tones of Unicode's emoji, which follow their picture.
const MODIFIERS: std::ops::RangeInclusive<char> = '\u{1f3fb}'..='\u{1f3ff}';
/// Zero width joiner, between two pictures that are one.
const JOINER: char = '\u{200d}';
const NEVER_FIRST: &str =
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）〕］｝〉》」』】〗〙ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～…‥”’％";
const NEVER_LAST: &str = "（〔［｛〈《「『【〖〘“‘￥＄";
const ESCAPE: char = '\u{1b}';
const RESET: &str = "\u{1b}[0m";
const TAB: usize = 8;
/// No number of an item is longer.
const MAX_MARK_BYTES: usize = 8;

/// Breaks the lines of a whole text.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let (mut wrap, mut shown) = (Wrap::default(), String::new());
    wrap.resize(columns);
    wrap.push(text, false, &mut shown);
    shown
}

/// Breaks the lines of a cell, into lines of no more than so many columns.
pub(super) fn wrapped_cell(text: &str, columns: usize) -> String {
    let (mut wrap, mut shown) = (Wrap { columns: columns + 1, cuts: true, ..Wrap::default() }, String::new());
    wrap.push(text, false, &mut shown);
    shown
}

/// Returns how many columns a line takes, in which styles are the only control sequences.
pub(super) fn width(line: &str) -> usize {
    let mut rest = line;
    let mut columns = 0;
    while let Some(c) = rest.chars().next() {
        let length = if c == ESCAPE { rest.find('m').map_or(1, |end| end + 1) } else { c.len_utf8() };
        if c != ESCAPE {
            columns += c.width().unwrap_or(0);
        }
        rest = &rest[length..];
    }
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a terminal without an edge shows of it.
    fn glass(written: &str) -> Vec<String> {
        let (mut lines, mut line, mut rest): (_, Vec<char>, _) = (Vec::new(), Vec::new(), written);
        let mut column = 0;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\n' => {
                    lines.push(line.drain(..).collect::<String>().trim_end().to_owned());
                    column = 0;
                }
                ESCAPE => {
                    let Some(end) = rest.find(['D', 'K', 'm']) else { panic!("it has no end: {written:?}") };
                    let number = rest[1..end].parse::<usize>().unwrap_or(0);
                    match &rest[end..=end] {
                        "D" => column -= number,
                        "K" => line.truncate(column),
                        _ => {}
                    }
                    rest = &rest[end + 1..];
                }
                _ => {
                    assert_eq!(column, line.len(), "it is written over something: {written:?}");
                    line.push(c);
                    column += 1;
                    // The second half of a wide one.
                    if c.width() == Some(2) {
                        line.push('\0');
                        column += 1;
                    }
                }
            }
        }
        lines.push(line.into_iter().collect::<String>().trim_end().to_owned());
        lines.into_iter().map(|line| line.replace('\0', "")).collect()
    }

    fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a str>, columns: usize) -> String {
        let (mut wrap, mut shown) = (Wrap::default(), String::new());
        wrap.resize(columns);
        for piece in pieces {
            wrap.push(piece, false, &mut shown);
        }
        shown
    }

    #[test]
    fn lines() {
        for (text, lines) in [
            ("", &[""][..]),
            ("one two", &["one two"]),
            ("one two three four", &["one two", "three", "four"]),
            ("123456789", &["123456789"]),
            ("123456789 1", &["123456789", "1"]),
            ("one two\nthree", &["one two", "three"]),
            // What is wider than a line is the terminal's affair.
            ("a https://example.org b", &["a", "https://example.org", "b"]),
            ("世界世界世界", &["世界世界", "世界"]),
            ("• one two three", &["• one two", "  three"]),
            ("10. one two", &["10. one", "    two"]),
            ("  one two three", &["  one two", "  three"]),
            ("| one two three four |", &["| one two", "three", "four |"]),
            // No line begins with a mark that ends something, or ends with one that begins something.
            ("世界世界、世", &["世界世", "界、世"]),
            ("世界世「世界」", &["世界世", "「世界」"]),
            // A picture of several characters is not cut.
            ("abcdef👩\u{200d}🚀", &["abcdef", "👩\u{200d}🚀"]),
            ("abcdef 👍\u{1f3fd}", &["abcdef", "👍\u{1f3fd}"]),
            ("\u{1b}[1mone two\u{1b}[0m thr\u{1b}[4mee\u{1b}[0m.", &["one two", "three."]),
        ] {
            assert_eq!(glass(&wrapped(text, 10)), lines, "{text:?}");
        }
    }

    #[test]
    fn cells() {
        for (text, lines) in [
            ("", &[""][..]),
            ("12345678", &["12345678"]),
            ("123456789", &["12345678", "9"]),
            ("a 123456789012 b", &["a", "12345678", "9012 b"]),
            ("\u{1b}[1m123456789\u{1b}[0m", &["\u{1b}[1m12345678\u{1b}[0m", "\u{1b}[1m9\u{1b}[0m"]),
            ("one\ntwo three", &["one", "two", "three"]),
            ("世界世界世", &["世界世界", "世"]),
        ] {
            let cell = wrapped_cell(text, 8);
            assert_eq!(cell.split('\n').map(str::trim_end).collect::<Vec<_>>(), lines, "{text:?}");
            assert!(cell.lines().all(|line| width(line) <= 8), "{text:?}");
        }
    }

    #[test]
    fn what_is_written() {
        let mut wrap = Wrap::default();
        wrap.resize(10);
        for (piece, written) in [
            ("one two t", "one two t"),
            ("hre", "\u{1b}[1D\u{1b}[K\nthre"),
            ("e\u{1b}[1m a", "e\u{1b}[1m a"),
            ("bcd\u{1b}[0m", "bc\u{1b}[3D\u{1b}[K\u{1b}[0m\n\u{1b}[1mabcd\u{1b}[0m"),
            ("\n", "\n"),
        ] {
            let mut shown = String::new();
            wrap.push(piece, false, &mut shown);
            assert_eq!(shown, written, "{piece:?}");
        }
        for (columns, piece, written) in [
            (20, "one two thr", "one two thr"),
            // Narrower than what is written.
            (10, "ee four", "ee\nfour"),
            (6, " five", " \nfive"),
            (20, " six", " six"),
        ] {
            let mut shown = String::new();
            wrap.resize(columns);
            wrap.push(piece, false, &mut shown);
            assert_eq!(shown, written, "{piece:?} {columns}");
        }
        wrap.push("\n", false, &mut String::new());
        let mut shown = String::new();
        wrap.push("let one = two;", true, &mut shown);
        assert_eq!(shown, "let one = two;");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_word_is_cut_however_it_comes(pieces in prop::collection::vec("[a-z]{1,7}|[ •\n]|世", 0..60), columns in 12_usize..40) {
            let text = pieces.concat();
            let lines = glass(&wrapped(&text, columns));
            prop_assert_eq!(&glass(&in_pieces(pieces.iter().map(String::as_str), columns)), &lines);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            // Only ideographs, and what is wider than a line, may be cut.
            if text.split_whitespace().all(|word| word.len() < columns / 2 && !word.contains('世')) {
                prop_assert_eq!(words(&lines.join("\n")), words(&text));
                prop_assert!(lines.iter().all(|line| line.chars().count() < columns), "{:?}", lines);
            }
        }
    }
}
