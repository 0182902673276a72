//! Text without the control sequences of a terminal, wherever it is cut. Prints nothing.
//!
//! Grammar: ECMA-48, sections 5.3 to 5.6 and 8.3.89: an escape and its final byte, control sequences, and the strings of commands.

/// What a text is in the middle of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequences {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After an escape.
    Escape,
    /// After an escape and an intermediate byte, of which the final one comes next.
    Intermediate,
    /// In a control sequence, up to its final byte.
    Control,
    /// In a command's string, up to its terminator.
    Command,
    /// After an escape in such a string.
    CommandEscape,
}

impl Sequences {
    /// Returns the text without them, and without other control characters but line feeds and tabs.
    pub(crate) fn strip(&mut self, text: &str) -> String {
        text.chars().filter(|character| self.is_text(*character)).collect()
    }

    fn is_text(&mut self, character: char) -> bool {
        let (next, shown) = match (self.state, character) {
            (State::Command, '\u{1b}') => (State::CommandEscape, false),
            // Many end it by a bell.
            (State::Command, '\u{7}' | '\u{9c}') | (State::CommandEscape, '\\') => (State::Text, false),
            // A command that has no end takes no more than its line.
            (State::Command | State::CommandEscape, '\n') => (State::Text, true),
            // Cancel and substitute end any sequence.
            (_, '\u{18}' | '\u{1a}') => (State::Text, false),
            (State::Command, _) => (State::Command, false),
            (_, '\u{1b}') => (State::Escape, false),
            (_, '\u{9b}') | (State::Escape | State::CommandEscape, '[') => (State::Control, false),
            (_, '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}')
            | (State::Escape | State::CommandEscape, ']' | 'P' | 'X' | '^' | '_') => (State::Command, false),
            (State::Escape | State::CommandEscape | State::Intermediate, ' '..='/') => (State::Intermediate, false),
            (State::Escape | State::CommandEscape | State::Intermediate, '0'..='~') => (State::Text, false),
            (State::Control, ' '..='?') => (State::Control, false),
            (State::Control, '@'..='~') => (State::Text, false),
            // Within a sequence they take effect, and do not end it.
            (state, character) if state != State::Text && character.is_control() => (state, is_text(character)),
            // What no sequence has is text.
            (_, character) => (State::Text, is_text(character)),
        };
        self.state = next;
        shown
    }
}

/// Whether a character is no command to a terminal; a carriage return is one.
pub(crate) fn is_text(character: char) -> bool {
    !character.is_control() || matches!(character, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_wherever_they_are_cut() {
        for (text, expected) in [
            ("plain é\n\tend", "plain é\n\tend"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("a\u{1b}[?25lb\u{1b}[2Jc\u{1b}[1 qd", "abcd"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]52;c;aGk=\u{1b}\\c", "abc"),
            ("a\u{1b}P1$r0m\u{1b}\\b\u{1b}_x\u{1b}\\c\u{1b}^x\u{1b}\\d\u{1b}Xx\u{1b}\\e", "abcde"),
            ("a\u{9b}31mb\u{9d}0;title\u{9c}c\u{90}x\u{9c}d", "abcd"),
            ("a\u{1b}cb\u{1b}(Bc\u{1b}7d\u{1b}#8e", "abcde"),
            ("a\u{7}\u{8}\u{7f}\rb", "ab"),
            ("a\u{1b}[3\u{18}b\u{1b}]x\u{1a}c", "abc"),
            ("a\u{1b}[3\nb", "a\n"),
            ("a\u{1b}\u{1b}[1mb", "ab"),
            ("a\u{1b}]x\u{1b}[1mb", "ab"),
            ("a\u{1b}éb", "aéb"),
            ("a\u{1b}]no end\nb", "a\nb"),
            ("a\u{1b}[", "a"),
        ] {
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let mut sequences = Sequences::default();
                let stripped = sequences.strip(&text[..cut]) + &sequences.strip(&text[cut..]);
                assert_eq!(stripped, expected, "{text:?} cut at {cut}");
            }
        }
    }
}
