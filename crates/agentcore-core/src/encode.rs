//! Percent-encoding by the rules of AWS: all but RFC 3986's unreserved characters, and a space is `%20`, never `+`. Decodes nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A text that is printed percent-encoded; see [`percent_encode`].
pub type PercentEncoded<'a> = percent_encoding::PercentEncode<'a>;

/// Encodes a path segment or a query part, all but `A-Z a-z 0-9 - . _ ~` (RFC 3986 §2.3).
///
/// ```
/// assert_eq!(agentcore_core::percent_encode("a b/é").to_string(), "a%20b%2F%C3%A9");
/// ```
#[must_use]
pub fn percent_encode(text: &str) -> PercentEncoded<'_> {
    utf8_percent_encode(text, RESERVED)
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
