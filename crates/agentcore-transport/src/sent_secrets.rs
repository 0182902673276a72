//! The secrets of one request, so that an answer which repeats them is not shown with them. Reads requests, sends nothing.

use std::cmp::Reverse;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// What must not be read in an error: the sensitive headers of a request, and the secret members of its URL.
///
/// Making one copies no text: the secrets are taken apart once an answer is read as an error.
pub(crate) struct SentSecrets {
    headers: Vec<HeaderValue>,
    url: Option<Uri>,
}

impl SentSecrets {
    /// Collects the [sensitive](HeaderValue::is_sensitive) headers of a request, and its URL if it is presigned.
    pub(crate) fn of(headers: &HeaderMap, url: &Uri) -> Self {
        let headers = headers.values().filter(|value| value.is_sensitive()).cloned().collect();
        let url = url.query().is_some_and(|query| query.contains("X-Amz-")).then(|| url.clone());
        Self { headers, url }
    }

    /// Returns the secrets, the longest first: one may be a part of another.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        for word in
            self.headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split([' ', ',']))
        {
            if let Some((_, token)) = word.split_once(SUBPROTOCOL) {
                secrets.push(token.to_owned());
                secrets.extend(URL_SAFE_NO_PAD.decode(token).ok().and_then(|token| String::from_utf8(token).ok()));
            } else if !PUBLIC.iter().any(|public| word.starts_with(public)) {
                secrets.push(word.strip_prefix("Signature=").unwrap_or(word).to_owned());
            }
        }
        for member in self.url.iter().filter_map(Uri::query).flat_map(|query| query.split('&')) {
            if let Some(("X-Amz-Signature" | "X-Amz-Security-Token", value)) = member.split_once('=') {
                secrets.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
            }
        }
        secrets.retain(|secret| secret.len() >= MIN_BYTES);
        secrets.sort_unstable_by_key(|secret| Reverse(secret.len()));
        secrets
    }
}

/// The beginnings of words that are no secret: schemes, and what a signature says of itself.
const PUBLIC: &[&str] = &["Bearer", "Basic", "AWS4-", "Credential=", "SignedHeaders=", "base64UrlBearerAuthorization"];

/// The prefix of a token in a subprotocol's name.
const SUBPROTOCOL: &str = "base64UrlBearerAuthorization.";

/// Shorter texts stand in messages by chance.
const MIN_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use http::{HeaderName, header::AUTHORIZATION};

    use super::*;

    fn request(name: HeaderName, value: &'static str, url: &'static str) -> SentSecrets {
        let mut value = HeaderValue::from_static(value);
        value.set_sensitive(true);
        SentSecrets::of(&HeaderMap::from_iter([(name, value)]), &Uri::from_static(url))
    }

    #[test]
    fn what_is_secret() {
        const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
        const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");
        const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0123abcd";
        const PRESIGNED: &str =
            "wss://h/ws?X-Amz-Security-Token=to%2Fken%3D%3D&X-Amz-Date=20260101T000000Z&X-Amz-Signature=0123abcd";
        // base64url("e30.abc.sig")
        const PROTOCOLS: &str = "base64UrlBearerAuthorization.ZTMwLmFiYy5zaWc, base64UrlBearerAuthorization";
        for (sent, secrets) in [
            (request(AUTHORIZATION, "Bearer e30.abc.sig", "http://h"), &["e30.abc.sig"][..]),
            (request(AUTHORIZATION, SIGNED, "http://h"), &["0123abcd"]),
            (request(TOKEN, "to/ken==", "http://h"), &["to/ken=="]),
            (request(PROTOCOL, PROTOCOLS, "http://h"), &["ZTMwLmFiYy5zaWc", "e30.abc.sig"]),
            (request(AUTHORIZATION, "x", PRESIGNED), &["to/ken==", "0123abcd"]),
            (request(AUTHORIZATION, "Bearer t", "http://h"), &[]),
            (SentSecrets::of(&HeaderMap::new(), &Uri::from_static("http://h?x=123456")), &[]),
        ] {
            assert_eq!(sent.texts(), secrets);
        }
    }
}
