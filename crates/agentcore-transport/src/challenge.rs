//! The issuers that a runtime trusts, by its 401 (RFC 9728 §5.1). Reads headers and metadata, sends nothing.

use http::{HeaderMap, Uri, header::WWW_AUTHENTICATE};
use serde_json::Value;

/// Returns the metadata's URL in `WWW-Authenticate: Bearer resource_metadata="…"`, if its scheme and authority are those of the
/// request.
///
/// Any other URL is ignored: a refusal must not choose the hosts that this client connects to.
pub(crate) fn metadata_url(headers: &HeaderMap, requested: &Uri) -> Option<Uri> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
    let urls = challenges.filter_map(|challenge| {
        let (_, rest) = challenge.split_once("resource_metadata=")?;
        let rest = rest.trim_start();
        let url = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split([',', ' ']).next(),
        };
        url?.parse::<Uri>().ok()
    });
    let mut same_origin =
        urls.filter(|url| is_encrypted(url) == is_encrypted(requested) && url.authority() == requested.authority());
    same_origin.next()
}

/// Returns whether the URL is one of TLS. A WebSocket's metadata are at its `https` URL.
fn is_encrypted(url: &Uri) -> bool {
    matches!(url.scheme_str(), Some("https" | "wss"))
}

/// Returns the issuers in a protected resource's metadata (RFC 9728 §2, `authorization_servers`), without control characters: those whose
/// tokens a runtime trusts. None where the metadata are not JSON; at most five, of 300 characters each.
#[must_use]
pub fn trusted_issuers(metadata: &[u8]) -> Vec<String> {
    let json: Value = serde_json::from_slice(metadata).unwrap_or_default();
    let named = json["authorization_servers"].as_array().map_or(&[][..], Vec::as_slice);
    let shown = |issuer: &str| issuer.chars().filter(|c| !c.is_control()).take(MAX_ISSUER_CHARS).collect();
    named.iter().filter_map(|issuer| issuer.as_str().map(shown)).take(MAX_ISSUERS).collect()
}

const MAX_ISSUERS: usize = 5;
const MAX_ISSUER_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn where_the_metadata_is() {
        let asked: Uri = "https://host.example/runtimes/x/invocations".parse().unwrap();
        let named = Some("https://host.example/m");
        for (header, url) in [
            (r#"Bearer resource_metadata="https://host.example/m?q=a%2Fb""#, Some("https://host.example/m?q=a%2Fb")),
            (r#"Bearer realm="x", resource_metadata="https://host.example/m", error="e""#, named),
            ("Bearer resource_metadata=https://host.example/m, x=y", named),
            (r#"Bearer resource_metadata="https://evil.example/m""#, None),
            (r#"Bearer resource_metadata="http://host.example/m""#, None),
            (r#"Bearer resource_metadata="https://host.example:444/m""#, None),
            (r#"Bearer resource_metadata="/m""#, None),
            ("Bearer", None),
            ("Basic realm=x", None),
        ] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, header.parse().unwrap())]);
            assert_eq!(metadata_url(&headers, &asked).map(|url| url.to_string()).as_deref(), url, "{header}");
        }
        assert_eq!(metadata_url(&HeaderMap::new(), &asked), None);
    }

    #[test]
    fn what_the_metadata_says() {
        let pool = r#"{"resource":"r","authorization_servers":["https://idp.example/pool"]}"#;
        for (metadata, expected) in [
            (pool, vec!["https://idp.example/pool"]),
            (r#"{"authorization_servers":["a\u001b[31m", 7, "b"]}"#, vec!["a[31m", "b"]),
            (r#"{"authorization_servers":"a"}"#, vec![]),
            ("{}", vec![]),
            ("<html>", vec![]),
        ] {
            assert_eq!(trusted_issuers(metadata.as_bytes()), expected);
        }
    }
}
