//! Percent-encoding as AWS wants it, apart from the client's own so that the two check one another.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Escapes everything but the unreserved characters of RFC 3986 section 2.3.
pub(crate) fn percent_encode(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, ESCAPED).to_string()
}

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
