//! Reads a refused answer: the error's name, its message, its request id. Any body is accepted.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
};
use serde_json::Value;

use super::{Error, ErrorKind, ServiceResponse, error::RETRYABLE_CONFLICT, retry::FailurePoint};
use crate::header;

/// Reads a refusal's status, headers and body as an error.
///
/// The name comes from `x-amzn-ErrorType`, or from `__type` or `code` in the body, without namespace and suffix (AWS
/// `restJson1` protocol, "Operation error serialization"). The message comes from the body's JSON, or is the body's text.
#[must_use]
pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Error {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let code = text_header(headers, header::ERROR_TYPE.as_str())
        .or_else(|| ["__type", "code"].into_iter().find_map(|key| json.as_ref()?.get(key)?.as_str()))
        .map(bare_name)
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let message = json.as_ref().and_then(message_in).unwrap_or_else(|| text_of(status, body));
    let response = ServiceResponse {
        status: status.as_u16(),
        code,
        request_id: request_id(headers).map(str::to_owned),
        retry_after: retry_after(headers, now),
        issuers: Vec::new(),
    };
    let may_have_run = matches!(status.as_u16(), 408 | 424 | 500 | 502 | 504);
    Error::new(kind_of(status), message).with_response(response).possibly_run(may_have_run)
}

/// Returns the point at which a refused attempt failed.
#[must_use]
pub fn failure_point(error: &Error) -> FailurePoint {
    match error.status().unwrap_or_default() {
        429 | 503 => FailurePoint::NotAccepted,
        409 if error.code() == Some(RETRYABLE_CONFLICT) => FailurePoint::NotAccepted,
        408 | 500 | 502 | 504 => FailurePoint::Uncertain,
        _ => FailurePoint::Final,
    }
}

/// Returns the id of the request, by either of the header names that AWS uses.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    text_header(headers, header::REQUEST_ID.as_str()).or_else(|| text_header(headers, "x-amz-request-id"))
}

/// Returns the answer's `Date`.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text_header(headers, DATE.as_str())?).ok()
}

/// Reads `Retry-After`, in seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = text_header(headers, RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Authentication,
        402 => ErrorKind::Quota,
        403 => ErrorKind::Authorization,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        413 => ErrorKind::TooLarge,
        424 => ErrorKind::Agent,
        429 => ErrorKind::Throttled,
        503 => ErrorKind::Unavailable,
        300..=499 => ErrorKind::Refused,
        _ => ErrorKind::Service,
    }
}

fn text_header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Returns `ThrottlingException` of `com.amazonaws.x#ThrottlingException:http://…`.
fn bare_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

/// Returns the message in an error's JSON, by the usual keys.
fn message_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => Some(one_line(text)),
        Value::Object(fields) => MESSAGE_KEYS.iter().find_map(|key| match fields.get(*key)? {
            Value::String(text) if !text.is_empty() => Some(one_line(text)),
            // JSON-RPC and the like put the message one level down.
            Value::Object(inner) => inner.get("message")?.as_str().map(one_line),
            _ => None,
        }),
        _ => None,
    }
}

/// Returns the body as text, or the status in words if there is no body.
fn text_of(status: StatusCode, body: &[u8]) -> String {
    let text = one_line(&String::from_utf8_lossy(body));
    let reason = || status.canonical_reason().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
    if text.is_empty() { reason() } else { text }
}

/// Returns the text on one line, of at most 600 characters.
fn one_line(text: &str) -> String {
    let text = text.trim();
    let mut line: String = text.chars().take(MAX_MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        line.push('…');
    }
    line
}

const MESSAGE_KEYS: &[&str] = &["message", "Message", "errorMessage", "error_description", "error", "detail"];

/// Enough for a message, too little for a page of HTML.
const MAX_MESSAGE_CHARS: usize = 600;

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static("?"));
        pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    #[test]
    fn bodies_met_in_practice() {
        let long = format!("<html>{}</html>", "x".repeat(5000));
        for (status, body, kind, message) in [
            (401, &br#"{"message":"Unauthorized"}"#[..], ErrorKind::Authentication, "Unauthorized"),
            (403, br#"{"Message":"denied"}"#, ErrorKind::Authorization, "denied"),
            (502, b"<html>bad\r\n gateway</html>", ErrorKind::Service, "<html>bad   gateway</html>"),
            (503, b"", ErrorKind::Unavailable, "Service Unavailable"),
            (504, b"[]", ErrorKind::Timeout, "[]"),
            (408, b"null", ErrorKind::Timeout, "null"),
            (500, b"{nope", ErrorKind::Service, "{nope"),
            (500, b"\"just text\"", ErrorKind::Service, "just text"),
            (500, b"\xff\xfe", ErrorKind::Service, "\u{fffd}\u{fffd}"),
            (500, br#"{"error":{"code":-32603,"message":"deep"}}"#, ErrorKind::Service, "deep"),
            (500, br#"{"message":"","error":"other"}"#, ErrorKind::Service, "other"),
            (500, br#"{"message":7}"#, ErrorKind::Service, r#"{"message":7}"#),
            (429, br#"{"message":"slow\ndown"}"#, ErrorKind::Throttled, "slow down"),
            (599, b"", ErrorKind::Service, "HTTP status 599 <unknown status code>"),
            (502, long.as_bytes(), ErrorKind::Service, &format!("{}…", &long[..600])),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let error = read(status, &HeaderMap::new(), body, SystemTime::UNIX_EPOCH);
            assert_eq!((error.kind(), error.message()), (kind, message), "{status}");
        }
    }

    #[test]
    fn names() {
        let coral = "ResourceNotFoundException:http://internal.amazon.com/coral/x/";
        let namespaced = br#"{"__type":"com.amazonaws.bedrockagentcore#AccessDeniedException"}"#;
        for (header, body, code) in [
            (Some("ValidationException"), &b"{}"[..], Some("ValidationException")),
            (Some(coral), b"{}", Some("ResourceNotFoundException")),
            (Some("aws.x#ThrottlingException"), br#"{"code":"Other"}"#, Some("ThrottlingException")),
            (None, namespaced, Some("AccessDeniedException")),
            (None, br#"{"code":"ThrottlingException"}"#, Some("ThrottlingException")),
            (None, br#"{"code":429}"#, None),
            (None, b"<html>", None),
            (Some(""), b"{}", None),
        ] {
            let headers = header.map(|name| headers(&[("x-amzn-errortype", name)])).unwrap_or_default();
            let error = read(StatusCode::BAD_REQUEST, &headers, body, SystemTime::UNIX_EPOCH);
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn retry_after_in_both_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        for (text, wait) in [
            ("3", Some(3)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ] {
            let found = retry_after(&headers(&[("retry-after", text)]), now);
            assert_eq!(found, wait.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_may_be_sent_again() {
        for (status, code, kind, expected, may_have_run) in [
            (400, "ValidationException", ErrorKind::Refused, FailurePoint::Final, false),
            (401, "UnauthorizedException", ErrorKind::Authentication, FailurePoint::Final, false),
            (402, "ServiceQuotaExceededException", ErrorKind::Quota, FailurePoint::Final, false),
            (403, "AccessDeniedException", ErrorKind::Authorization, FailurePoint::Final, false),
            (404, "ResourceNotFoundException", ErrorKind::NotFound, FailurePoint::Final, false),
            (408, "", ErrorKind::Timeout, FailurePoint::Uncertain, true),
            (409, "ConflictException", ErrorKind::Conflict, FailurePoint::Final, false),
            (409, "RetryableConflictException", ErrorKind::Conflict, FailurePoint::NotAccepted, false),
            (424, "RuntimeClientError", ErrorKind::Agent, FailurePoint::Final, true),
            (429, "ThrottlingException", ErrorKind::Throttled, FailurePoint::NotAccepted, false),
            (500, "InternalServerException", ErrorKind::Service, FailurePoint::Uncertain, true),
            (502, "", ErrorKind::Service, FailurePoint::Uncertain, true),
            (503, "", ErrorKind::Unavailable, FailurePoint::NotAccepted, false),
            (504, "", ErrorKind::Timeout, FailurePoint::Uncertain, true),
            (307, "", ErrorKind::Refused, FailurePoint::Final, false),
            (413, "", ErrorKind::TooLarge, FailurePoint::Final, false),
            (505, "", ErrorKind::Service, FailurePoint::Final, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let error = read(status, &headers(&[("x-amzn-errortype", code)]), b"", SystemTime::UNIX_EPOCH);
            let found = (error.kind(), failure_point(&error), error.may_have_run());
            assert_eq!(found, (kind, expected, may_have_run), "{status} {code}");
        }
    }
}
