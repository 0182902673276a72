//! Reads the bearer token in the subprotocols of a WebSocket, the one header that a browser lets a page set. Verifies
//! nothing of the token itself.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header::SEC_WEBSOCKET_PROTOCOL;

use crate::{record::RecordedRequest, service_error::ServiceError};

/// Returns whether a request has a token in its subprotocols.
pub(super) fn is_bearer(request: &RecordedRequest) -> bool {
    request.header(SEC_WEBSOCKET_PROTOCOL.as_str()).is_some_and(|value| value.contains(BEARER))
}

/// Reads `base64UrlBearerAuthorization.TOKEN, base64UrlBearerAuthorization`, and accepts nothing else.
pub(super) fn token(request: &RecordedRequest) -> Result<String, ServiceError> {
    let value = request.header(SEC_WEBSOCKET_PROTOCOL.as_str()).unwrap_or_default();
    let subprotocols: Vec<&str> = value.split(',').map(str::trim).collect();
    let encoded = match subprotocols[..] {
        [first, BEARER] => first.strip_prefix(BEARER).and_then(|rest| rest.strip_prefix('.')),
        _ => None,
    };
    let encoded = encoded.ok_or_else(|| {
        ServiceError::unauthorized(format!("The subprotocols are not '{BEARER}.' with a token, then '{BEARER}'."))
    })?;
    if encoded.len() > MAX_ENCODED_CHARS {
        return Err(ServiceError::unauthorized(format!(
            "The encoded token is longer than {MAX_ENCODED_CHARS} characters."
        )));
    }
    let token = URL_SAFE_NO_PAD.decode(encoded).ok().and_then(|token| String::from_utf8(token).ok());
    token.ok_or_else(|| ServiceError::unauthorized("The token is not text in base64url without padding."))
}

/// The subprotocol that the server selects where the token is in the subprotocols.
pub(crate) const BEARER: &str = "base64UrlBearerAuthorization";

/// The longest token, as encoded: the limit of the official SDK for Python.
const MAX_ENCODED_CHARS: usize = 4096;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, Version};

    use super::*;

    fn request(subprotocols: &str) -> RecordedRequest {
        let mut headers = HeaderMap::new();
        headers.extend(HeaderValue::from_str(subprotocols).ok().map(|value| (SEC_WEBSOCKET_PROTOCOL, value)));
        RecordedRequest { headers, ..RecordedRequest::new(Method::GET, Version::HTTP_11, "/ws", None) }
    }

    /// `aGVsbG8td29ybGQ_` is Python's `urlsafe_b64encode(b"hello-world?")`.
    #[test]
    fn tokens() {
        let long = |chars: usize| format!("{BEARER}.{}, {BEARER}", "YWFh".repeat(chars / 4));
        for (subprotocols, expected) in [
            (format!("{BEARER}.aGVsbG8td29ybGQ_, {BEARER}"), Some("hello-world?".to_owned())),
            (format!("{BEARER}.aGVsbG8td29ybGQ_,{BEARER}"), Some("hello-world?".to_owned())),
            (format!("{BEARER}.aGVsbG8, {BEARER}"), Some("hello".to_owned())),
            (format!("{BEARER}.aGVsbG8=, {BEARER}"), None),
            (format!("{BEARER}.aGVsbG8td29ybGQ/, {BEARER}"), None),
            (format!("{BEARER}.aGVsbG9, {BEARER}"), None),
            (format!("{BEARER}.gA, {BEARER}"), None),
            (format!("{BEARER}., {BEARER}"), Some(String::new())),
            (format!("{BEARER}, {BEARER}"), None),
            (format!("{BEARER}, {BEARER}.aGVsbG8"), None),
            (format!("{BEARER}.aGVsbG8"), None),
            (BEARER.to_owned(), None),
            (format!("{BEARER}.aGVsbG8, {BEARER}, chat"), None),
            (format!("chat, {BEARER}.aGVsbG8, {BEARER}"), None),
            (format!("{BEARER}.aGVsbG8, {BEARER}.aGVsbG8"), None),
            (long(4096), Some("a".repeat(3072))),
            (long(4100), None),
        ] {
            let request = request(&subprotocols);
            assert!(is_bearer(&request), "{subprotocols}");
            let token = token(&request);
            if let Err(error) = &token {
                assert_eq!((error.status.as_u16(), error.name), (401, "UnauthorizedException"));
            }
            assert_eq!(token.ok(), expected, "{subprotocols}");
        }
        assert!(!is_bearer(&request("chat")));
    }
}
