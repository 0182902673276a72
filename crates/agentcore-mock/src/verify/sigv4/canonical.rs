//! The canonical request, which signer and verifier hash alike ("Create a canonical request"). Is built from the request as
//! received; takes nothing from the signer but the headers' names.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str};

use crate::record::RecordedRequest;

/// Builds the canonical request over the given query and headers, the headers in the given order.
pub(super) fn request(request: &RecordedRequest, query: &str, signed_headers: &[&str], body_hash: &str) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut line = |parts: &[&[u8]]| {
        parts.iter().for_each(|part| canonical.extend_from_slice(part));
        canonical.push(b'\n');
    };
    line(&[request.method.as_str().as_bytes()]);
    line(&[path(&request.path).as_bytes()]);
    line(&[parameters(query).as_bytes()]);
    for name in signed_headers {
        let values: Vec<Vec<u8>> =
            request.headers.get_all(*name).iter().map(|value| trimmed(value.as_bytes())).collect();
        line(&[name.as_bytes(), b":", &values.join(&b","[..])]);
    }
    line(&[]);
    line(&[signed_headers.join(";").as_bytes()]);
    canonical.extend_from_slice(body_hash.as_bytes());
    canonical
}

/// Normalises the path by RFC 3986 section 5.2.4 and encodes each segment once more, as for every service but S3.
fn path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let encoded: String = segments.iter().map(|segment| format!("/{}", percent_encode(segment.as_bytes()))).collect();
    let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if is_folder || encoded.is_empty() { encoded + "/" } else { encoded }
}

/// Escapes every reserved character of the parameters, and sorts them by encoded name and value.
///
/// Only `%20` is a space; a plus sign stays one.
fn parameters(query: &str) -> String {
    let encode = |text: &str| percent_encode(&percent_decode_str(text).collect::<Vec<u8>>());
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Removes white space at the ends and makes sequential spaces one.
fn trimmed(value: &[u8]) -> Vec<u8> {
    let mut trimmed = value.trim_ascii().to_vec();
    let mut previous = 0;
    trimmed.retain(|byte| std::mem::replace(&mut previous, *byte) != b' ' || *byte != b' ');
    trimmed
}

/// Escapes everything but the unreserved characters of RFC 3986 section 2.3.
///
/// The client has an encoder of its own, so that the two check one another.
pub(crate) fn percent_encode(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, ESCAPED).to_string()
}

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (sent, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("/invocations", "/invocations"),
            ("/runtimes/a%3Ab%2Fc/invocations", "/runtimes/a%253Ab%252Fc/invocations"),
            ("/a/./b/../c", "/a/c"),
            ("/a//b", "/a/b"),
            ("/../x", "/x"),
            ("/a/", "/a/"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/..%2Fx", "/..%252Fx"),
            ("/a:b~c_d.e-f", "/a%3Ab~c_d.e-f"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn queries() {
        for (sent, canonical) in [
            ("", ""),
            ("qualifier=DEFAULT", "qualifier=DEFAULT"),
            ("qualifier=", "qualifier="),
            ("qualifier", "qualifier="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&A=3", "A=3&a=1&a=2"),
            ("a=x%20y", "a=x%20y"),
            ("a=x+y", "a=x%2By"),
            ("a=%7e%41", "a=~A"),
            ("a=1=2/:", "a=1%3D2%2F%3A"),
            ("a%20b=c", "a%20b=c"),
            ("&a=1&&", "a=1"),
        ] {
            assert_eq!(parameters(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn header_values() {
        for (sent, canonical) in [
            ("", ""),
            ("a", "a"),
            ("  a  ", "a"),
            ("\t a \t", "a"),
            ("a   b  c", "a b c"),
            ("a \t b", "a \t b"),
            ("a\tb", "a\tb"),
            ("\"a   b\"", "\"a b\""),
        ] {
            assert_eq!(trimmed(sent.as_bytes()), canonical.as_bytes(), "{sent:?}");
        }
    }
}
