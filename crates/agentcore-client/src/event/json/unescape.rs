//! The text of a JSON string with escapes. A wrong escape costs nothing but itself: it stays as it came.
//!
//! Half a surrogate pair has no character of its own, and its other half may come with the next event. It is kept as a private
//! character until [`Halves`] joins the two or gives up.

/// Decodes the escapes of RFC 8259, section 7.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let Some(letter) = escape.chars().next() else { break };
        rest = &escape[letter.len_utf8()..];
        match letter {
            '"' | '\\' | '/' | '\'' => text.push(letter),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => match unit(rest) {
                Some(high @ 0xD800..0xDC00) => {
                    rest = &rest[4..];
                    match rest.strip_prefix("\\u").and_then(unit) {
                        Some(low @ 0xDC00..0xE000) => {
                            rest = &rest[6..];
                            text.push(joined(high, low));
                        }
                        _ => text.push(half(high)),
                    }
                }
                Some(low @ 0xDC00..0xE000) => {
                    rest = &rest[4..];
                    text.push(half(low));
                }
                Some(unit) => {
                    rest = &rest[4..];
                    text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                None => text.push_str("\\u"),
            },
            other => {
                text.push('\\');
                text.push(other);
            }
        }
    }
    text.push_str(rest);
    text
}

fn unit(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

fn joined(high: u32, low: u32) -> char {
    char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The private character that stands for half a pair.
fn half(unit: u32) -> char {
    char::from_u32(unit - 0xD800 + FIRST_HALF).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The half that a character stands for.
fn unit_of(character: char) -> Option<u32> {
    let unit = u32::from(character).checked_sub(FIRST_HALF)? + 0xD800;
    (unit < 0xE000).then_some(unit)
}

/// The first of 2,048 characters for private use in plane 16, which hardly any text has.
const FIRST_HALF: u32 = 0x10_F000;

/// Joins the halves of surrogate pairs that stand in two texts. What has no other half becomes U+FFFD.
#[derive(Clone, Default)]
pub(in super::super) struct Halves {
    high: Option<u32>,
}

impl Halves {
    /// Returns the text with what the one before it left, or `None` if nothing is to change. A half at its end is kept for the next.
    pub(in super::super) fn join(&mut self, text: &str) -> Option<String> {
        // A character of plane 16 begins with this byte.
        if self.high.is_none() && memchr::memchr(0xF4, text.as_bytes()).is_none() {
            return None;
        }
        let mut whole = String::with_capacity(text.len() + 4);
        for character in text.chars() {
            match (self.high.take(), unit_of(character)) {
                (Some(high), Some(low @ 0xDC00..)) => whole.push(joined(high, low)),
                (high, unit) => {
                    whole.extend(high.map(|_| char::REPLACEMENT_CHARACTER));
                    match unit {
                        Some(high @ ..0xDC00) => self.high = Some(high),
                        Some(_) => whole.push(char::REPLACEMENT_CHARACTER),
                        None => whole.push(character),
                    }
                }
            }
        }
        Some(whole)
    }

    /// Returns what stands for a half whose other half did not come.
    pub(in super::super) fn end(&mut self) -> Option<&'static str> {
        self.high.take().map(|_| "\u{FFFD}")
    }
}
