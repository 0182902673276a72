//! Text as files, pipes and programs hold it. Knows nothing of what it means.

use std::fmt;

/// Returns the text that these bytes are, without the byte order mark that some editors and shells put before it.
///
/// # Errors
/// If they are not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, NotUtf8> {
    // UTF-16 of Latin letters is valid UTF-8 with a zero byte for every letter.
    let utf16 =
        bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.iter().take(2).any(|b| *b == 0);
    if utf16 && bytes.len() > 1 {
        return Err(NotUtf8::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| NotUtf8::At(error.valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotUtf8 {
    /// They are UTF-16, as Windows PowerShell writes files.
    Utf16,
    /// They are not UTF-8 from this byte on.
    At(usize),
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf16 => f.write_str("it is UTF-16, and must be UTF-8"),
            Self::At(place) => write!(f, "it is not UTF-8 at byte {place}"),
        }
    }
}

impl std::error::Error for NotUtf8 {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_encodings() {
        for (bytes, expected) in [
            (&b"x"[..], Ok("x")),
            (b"", Ok("")),
            (b"\0", Ok("\0")),
            (b"\xef\xbb\xbfx", Ok("x")),
            (b"\xef\xbb\xbf\xef\xbb\xbfx", Ok("\u{feff}x")),
            (b"\xff\xfex\0", Err(NotUtf8::Utf16)),
            (b"\xfe\xff\0x", Err(NotUtf8::Utf16)),
            (b"x\0y\0", Err(NotUtf8::Utf16)),
            (b"\0x\0y", Err(NotUtf8::Utf16)),
            (b"caf\xe9", Err(NotUtf8::At(3))),
        ] {
            assert_eq!(text(bytes), expected, "{bytes:?}");
        }
    }
}
