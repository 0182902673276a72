//! Percent-encoding as AWS wants it, apart from the client's own so that the two check one another.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str};

/// Escapes everything but the unreserved characters of RFC 3986 section 2.3.
pub(crate) fn percent_encode(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, ESCAPED).to_string()
}

/// The parameters of a query, names and values decoded.
///
/// A plus sign is a plus sign: only `%20` is a space.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
