//! The escapes in what is typed at a terminal, as ssh has them: a tilde at the beginning of a line. Sends nothing.

/// What the user wants besides typing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    Detach,
    Kill,
    Help,
}

/// What was typed: bytes for the shell, or a wish.
#[derive(Debug)]
pub(super) enum Typed {
    Bytes(Vec<u8>),
    Wish(Wish),
}

/// Reads what is typed, which may be cut anywhere.
#[derive(Debug)]
pub(super) struct Escapes {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineBegins,
    Within,
    /// After a tilde that began the line, which is held back.
    Tilde,
}

impl Default for Escapes {
    fn default() -> Self {
        Self { state: State::LineBegins }
    }
}

impl Escapes {
    /// Returns what these bytes are.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let (mut typed, mut plain) = (Vec::new(), Vec::new());
        for &byte in bytes {
            let wish = match (self.state, byte) {
                (State::Tilde, b'.') => Some(Wish::Detach),
                (State::Tilde, b'k') => Some(Wish::Kill),
                (State::Tilde, b'?') => Some(Wish::Help),
                _ => None,
            };
            if let Some(wish) = wish {
                if !plain.is_empty() {
                    typed.push(Typed::Bytes(std::mem::take(&mut plain)));
                }
                typed.push(Typed::Wish(wish));
                self.state = State::LineBegins;
                continue;
            }
            if (self.state, byte) == (State::LineBegins, b'~') {
                self.state = State::Tilde;
                continue;
            }
            // A second tilde stands for the first.
            if self.state == State::Tilde && byte != b'~' {
                plain.push(b'~');
            }
            plain.push(byte);
            self.state = if matches!(byte, b'\r' | b'\n') { State::LineBegins } else { State::Within };
        }
        if !plain.is_empty() {
            typed.push(Typed::Bytes(plain));
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bytes, with each wish in brackets.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut escapes = Escapes::default();
        let typed = pieces.into_iter().flat_map(|piece| escapes.read(piece.as_bytes()));
        typed
            .map(|typed| match typed {
                Typed::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Typed::Wish(wish) => format!("[{wish:?}]"),
            })
            .collect()
    }

    #[test]
    fn a_tilde_at_the_beginning_of_a_line() {
        for (keys, expected) in [
            ("ls\r~.", "ls\r[Detach]"),
            ("~.", "[Detach]"),
            ("~k", "[Kill]"),
            ("a\n~?b", "a\n[Help]b"),
            ("~~.", "~."),
            ("~~", "~"),
            ("~x", "~x"),
            ("~\r~.", "~\r[Detach]"),
            ("cd ~.", "cd ~."),
            ("cd ~\r", "cd ~\r"),
            ("~?~.", "[Help][Detach]"),
            ("", ""),
        ] {
            assert_eq!(read([keys]), expected, "{keys:?}");
            let cut: Vec<String> = keys.chars().map(String::from).collect();
            assert_eq!(read(cut.iter().map(String::as_str)), expected, "{keys:?}, key by key");
        }
    }
}
