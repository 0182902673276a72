//! An agent's words made fit for a terminal: shown, not obeyed. Knows no Markdown.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

use crate::sequences::is_text;

/// The text with pictures in the place of control characters (Unicode's block "Control Pictures"), but for line breaks and
/// tabs; carriage returns are dropped, which before a line break are part of it and elsewhere would hide what was said.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_text) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().filter(|c| *c != '\r').map(|c| if is_text(c) { c } else { picture(c) });
    Cow::Owned(shown.collect())
}

/// The text as one line of at most so many columns, of which the last is `…` where it is longer.
pub(super) fn clip(text: &str, columns: usize) -> String {
    let (mut line, mut used, mut fitting) = (String::new(), 0, 0);
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    for c in first.chars().chain(words.flat_map(|word| [' '].into_iter().chain(word.chars()))) {
        used += c.width().unwrap_or(0);
        if used > columns {
            line.truncate(fitting);
            line.push('…');
            return line;
        }
        line.push(c);
        if used < columns {
            fitting = line.len();
        }
    }
    line
}

fn picture(c: char) -> char {
    match u32::from(c) {
        code @ ..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7F => '␡',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown() {
        for (text, shown) in [
            ("a\tb\nc", "a\tb\nc"),
            ("a\r\nb\rc", "a\nbc"),
            ("\u{1b}[2J\u{7}\u{0}", "␛[2J␇␀"),
            ("\u{7f}\u{9b}31m\u{85}", "␡\u{fffd}31m\u{fffd}"),
            ("ü 世界 👩\u{200d}🚀", "ü 世界 👩\u{200d}🚀"),
            ("", ""),
        ] {
            assert_eq!(clean(text), shown, "{text:?}");
        }
    }

    #[test]
    fn lines_are_clipped_to_columns() {
        for (text, columns, line) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ab", 1, "…"),
            (" a \n\t b\u{1b}c ", 10, "a b c"),
            ("世界", 4, "世界"),
            ("世界", 3, "世…"),
            ("世界世", 4, "世…"),
            ("", 5, ""),
        ] {
            assert_eq!(clip(text, columns), line, "{text:?} {columns}");
        }
    }
}
