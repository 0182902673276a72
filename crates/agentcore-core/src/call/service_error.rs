//! Reads a refused answer: the error's name, its message, its request id. Any body is accepted; none of our secrets is repeated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_TYPE, DATE, RETRY_AFTER},
};
use serde_json::Value;

use super::{Error, ErrorKind, ServiceResponse, error::RETRYABLE_CONFLICT, retry::FailurePoint};
use crate::{header, percent_encode};

/// Reads a refusal's status, headers and body as an error.
///
/// The name comes from `x-amzn-ErrorType`, or from `__type` or `code` in the body, without namespace and suffix (AWS
/// `restJson1` protocol, "Operation error serialization"). The message comes from the body's JSON, or is the body's text.
///
/// Gateways answer with pages, and some services repeat the request: a page of HTML is replaced by the status in words, and each of
/// `secrets`, which are the request's own, by `[secret]`.
#[must_use]
pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], secrets: &[String], now: SystemTime) -> Error {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let rpc_error = json.as_ref().filter(|json| json.get("jsonrpc").is_some()).and_then(|json| json.get("error"));
    let named = text_header(headers, header::ERROR_TYPE);
    let code = named
        .or_else(|| ["__type", "code"].into_iter().find_map(|key| json.as_ref()?.get(key)?.as_str()))
        .map(bare_name)
        .filter(|name| !name.is_empty())
        .map(|name| blot_out(name, secrets))
        .or_else(|| Some(rpc_error?.get("code")?.as_i64()?.to_string()));
    let text = match json.as_ref().and_then(message_in) {
        Some(message) => [message].into_iter().map(str::to_owned).chain(json.as_ref().and_then(fields_in)).collect(),
        None if is_page(headers) => String::new(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let message = Some(one_line(&blot_out(&text, secrets)))
        .filter(|line| !line.is_empty() && !begins_like_a_page(line.as_bytes()));
    let response = ServiceResponse {
        status: status.as_u16(),
        code,
        request_id: request_id(headers).map(|id| blot_out(id, secrets)),
        trace_id: text_header(headers, header::TRACE_ID).map(|id| blot_out(id, secrets)),
        retry_after: retry_after(headers, now),
        issuers: Vec::new(),
        is_of_the_service: named.is_some_and(|name| !bare_name(name).is_empty()),
        // Written anew, because a secret can be escaped in the body.
        rpc_error: rpc_error.and(json.as_ref()).map(|json| blot_out(&json.to_string(), secrets)),
    };
    let may_have_run = matches!(status.as_u16(), 408 | 424 | 500 | 502 | 504);
    let message = message.unwrap_or_else(|| in_words(status));
    Error::new(kind_of(status), message).with_response(response).possibly_run(may_have_run)
}

/// Returns the text with `[secret]` in place of each secret, as it is or percent-encoded.
fn blot_out(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| {
        let encoded = percent_encode(secret).to_string();
        text.replace(secret, BLOT).replace(&encoded, BLOT)
    })
}

/// Returns whether an answer has a header of the service (`x-amzn-…`, of which the session and the request id are two). What has none
/// was written by something in between, or by a local container.
#[must_use]
pub fn is_of_the_service(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-amzn-")) || request_id(headers).is_some()
}

/// Returns whether an answer is a page of HTML, by its media type.
#[must_use]
pub fn is_page(headers: &HeaderMap) -> bool {
    let essence = text_header(headers, CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default();
    PAGES.iter().any(|page| page.eq_ignore_ascii_case(essence.trim()))
}

/// Returns whether a text begins as pages of HTML do.
#[must_use]
pub fn begins_like_a_page(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    let begins = |beginning: &&str| {
        text.get(..beginning.len()).is_some_and(|text| text.eq_ignore_ascii_case(beginning.as_bytes()))
    };
    PAGE_BEGINNINGS.iter().any(begins)
}

/// Returns the point at which a refused attempt failed.
#[must_use]
pub fn failure_point(error: &Error) -> FailurePoint {
    match error.status().unwrap_or_default() {
        429 => FailurePoint::Throttled,
        503 => FailurePoint::NotAccepted,
        409 if error.code() == Some(RETRYABLE_CONFLICT) => FailurePoint::NotAccepted,
        408 | 500 | 502 | 504 => FailurePoint::Uncertain,
        _ => FailurePoint::Final,
    }
}

/// Reads an exception in the middle of an answer, such as in an AWS event stream: its name, and a body as [`read`] takes it. The call
/// may have run.
#[must_use]
pub fn exception(name: &str, body: &[u8]) -> Error {
    let status =
        EXCEPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(500, |(_, status)| *status);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = read(status, &HeaderMap::new(), body, &[], UNIX_EPOCH);
    let code = Some(name).filter(|name| !name.is_empty()).map(capitalized);
    let response = ServiceResponse { code, ..ServiceResponse::default() };
    Error::new(error.kind(), error.message()).with_response(response).possibly_run(true)
}

/// Writes a name's first letter large: members of an event stream begin small, and errors do not.
fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Returns whether an error's name means that there are too many requests now, whatever its status: some services answer so with 400.
#[must_use]
pub fn is_throttling(name: &str) -> bool {
    THROTTLING.contains(&bare_name(name))
}

/// Returns the id of the request, by either of the header names that AWS uses.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    text_header(headers, header::REQUEST_ID).or_else(|| text_header(headers, header::AMZ_REQUEST_ID))
}

/// Returns the answer's `Date`.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text_header(headers, DATE)?).ok()
}

/// Reads `Retry-After`, in seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = text_header(headers, RETRY_AFTER)?.trim();
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        // More seconds than a number holds are longer than anybody waits.
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
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

fn text_header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Returns `ThrottlingException` of `com.amazonaws.x#ThrottlingException:http://…`.
fn bare_name(name: &str) -> &str {
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('#').map_or(name, |(_, name)| name).trim()
}

/// Returns the message in an error's JSON, by the usual keys.
fn message_in(json: &Value) -> Option<&str> {
    match json {
        Value::String(text) => Some(text),
        Value::Object(fields) => MESSAGE_KEYS.iter().find_map(|key| match fields.get(*key)? {
            Value::String(text) if !text.is_empty() => Some(text.as_str()),
            // JSON-RPC and the like put the message one level down.
            Value::Object(inner) => inner.get("message")?.as_str(),
            _ => None,
        }),
        _ => None,
    }
}

/// Returns the members of the request that a `ValidationException` names (`fieldList`), each with what is wrong with it.
fn fields_in(json: &Value) -> Option<String> {
    let text = |field: &Value, key: &str| field.get(key).and_then(Value::as_str).map(str::to_owned);
    let fields = json.get("fieldList")?.as_array()?;
    let named =
        fields.iter().filter_map(|field| Some(format!("{}: {}", text(field, "name")?, text(field, "message")?)));
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!(" ({})", named.join("; ")))
}

/// Returns the status in words.
fn in_words(status: StatusCode) -> String {
    status.canonical_reason().map_or_else(|| format!("HTTP status {status}"), str::to_owned)
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

const BLOT: &str = "[secret]";

/// The names of throttling, as the AWS SDKs retry them.
const THROTTLING: [&str; 10] = [
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
];

/// The exceptions in the event streams of the service, and the statuses under which they come otherwise (service model in
/// `aws-sdk-bedrockagentcore` 1.83).
const EXCEPTIONS: [(&str, u16); 9] = [
    ("validationException", 400),
    ("serviceQuotaExceededException", 402),
    ("accessDeniedException", 403),
    ("resourceNotFoundException", 404),
    ("conflictException", 409),
    ("runtimeClientError", 424),
    ("throttlingException", 429),
    ("internalServerException", 500),
    ("serviceUnavailableException", 503),
];

/// The media types of pages.
const PAGES: &[&str] = &["text/html", "application/xhtml+xml"];

const PAGE_BEGINNINGS: &[&str] = &["<!doctype html", "<html", "<head", "<body", "<title", "<h1", "<center", "<!--"];

/// Enough for a message.
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
    fn exceptions_within_a_stream() {
        for (name, body, kind, message, code) in [
            (
                "throttlingException",
                r#"{"message":"slow down"}"#,
                ErrorKind::Throttled,
                "slow down",
                Some("ThrottlingException"),
            ),
            ("ValidationException", "", ErrorKind::Refused, "Bad Request", Some("ValidationException")),
            ("runtimeClientError", r#"{"message":"died"}"#, ErrorKind::Agent, "died", Some("RuntimeClientError")),
            ("aNewOne", "", ErrorKind::Service, "Internal Server Error", Some("ANewOne")),
            ("", "x", ErrorKind::Service, "x", None),
        ] {
            let error = exception(name, body.as_bytes());
            assert_eq!((error.kind(), error.message(), error.code()), (kind, message, code));
            assert!(error.may_have_run());
        }
    }

    #[test]
    fn names_of_throttling() {
        for (name, expected) in [
            ("TooManyRequestsException", true),
            ("com.amazonaws#ThrottlingException:http://internal/", true),
            ("NotAuthorizedException", false),
            ("", false),
        ] {
            assert_eq!(is_throttling(name), expected, "{name}");
        }
    }

    #[test]
    fn bodies_met_in_practice() {
        let long = "x".repeat(5000);
        for (status, body, kind, message) in [
            (401, &br#"{"message":"Unauthorized"}"#[..], ErrorKind::Authentication, "Unauthorized"),
            (403, br#"{"Message":"denied"}"#, ErrorKind::Authorization, "denied"),
            (502, b"<html>bad\r\n gateway</html>", ErrorKind::Service, "Bad Gateway"),
            (502, b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><p>x", ErrorKind::Service, "Bad Gateway"),
            (502, br#"{"message":"<HTML><h1>no</h1>"}"#, ErrorKind::Service, "Bad Gateway"),
            (
                500,
                b"<Error><Message>denied</Message></Error>",
                ErrorKind::Service,
                "<Error><Message>denied</Message></Error>",
            ),
            (500, "<\u{e9}".as_bytes(), ErrorKind::Service, "<\u{e9}"),
            (400, b"  bad\r\n request ", ErrorKind::Refused, "bad   request"),
            (
                400,
                br#"{"message":"not valid","reason":"FieldValidationFailed","fieldList":[{"name":"timeout","message":"too long"},{"name":"x"},
                {"name":"command","message":"too short"}]}"#,
                ErrorKind::Refused,
                "not valid (timeout: too long; command: too short)",
            ),
            (400, br#"{"message":"not valid","fieldList":"all"}"#, ErrorKind::Refused, "not valid"),
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
            let error = read(status, &HeaderMap::new(), body, &[], SystemTime::UNIX_EPOCH);
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
            let error = read(StatusCode::BAD_REQUEST, &headers, body, &[], SystemTime::UNIX_EPOCH);
            assert_eq!(error.code(), code);
            assert_eq!(error.is_of_the_service(), header.is_some_and(|name| !name.is_empty()), "{header:?}");
        }
    }

    #[test]
    fn errors_of_json_rpc() {
        for (header, body, code, is_error) in [
            // The Python and the TypeScript SDK of MCP, for a session that they do not know.
            (
                None,
                r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}"#,
                Some("-32600"),
                true,
            ),
            (
                None,
                r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}"#,
                Some("-32001"),
                true,
            ),
            (None, r#"{"jsonrpc":"2.0","error":{"message":"no"}}"#, None, true),
            (None, r#"{"jsonrpc":"2.0","id":7,"error":"no"}"#, None, true),
            (Some("XException"), r#"{"jsonrpc":"2.0","id":7,"error":{"code":-1}}"#, Some("XException"), true),
            (None, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, None, false),
            (None, r#"{"id":7,"error":{"code":-1,"message":"no"}}"#, None, false),
            (None, "Not Found", None, false),
        ] {
            let headers = header.map(|name| headers(&[("x-amzn-errortype", name)])).unwrap_or_default();
            let error = read(StatusCode::NOT_FOUND, &headers, body.as_bytes(), &[], SystemTime::UNIX_EPOCH);
            assert_eq!(error.code(), code, "{body}");
            let found: Option<Value> = error.rpc_error().and_then(|error| serde_json::from_str(error).ok());
            assert_eq!(found, is_error.then(|| serde_json::from_str(body).unwrap_or_default()));
            assert!(!error.may_have_run());
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
            ("+1", None),
            ("1.5", None),
            ("", None),
            ("18446744073709551615", Some(u64::MAX)),
        ] {
            let found = retry_after(&headers(&[("retry-after", text)]), now);
            assert_eq!(found, wait.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_retry_after_beyond_any_number_is_longer_than_any_wait() {
        for text in ["18446744073709551616", "99999999999999999999999999"] {
            let found = retry_after(&headers(&[("retry-after", text)]), SystemTime::UNIX_EPOCH);
            assert_eq!(found, Some(Duration::MAX), "{text}");
        }
    }

    #[test]
    fn whose_answer_it_is() {
        for (pairs, of_the_service, page) in [
            (&[("content-type", "text/html; charset=utf-8")][..], false, true),
            (&[("content-type", "Application/XHTML+xml")], false, true),
            (&[("content-type", "text/html"), ("x-amzn-requestid", "1-2-3")], true, true),
            (&[("content-type", "text/html"), ("x-amz-request-id", "1-2-3")], true, true),
            (&[("x-amzn-bedrock-agentcore-runtime-session-id", "s")], true, false),
            // A CDN's own.
            (&[("content-type", "text/html"), ("x-amz-cf-id", "x")], false, true),
            (&[("content-type", "text/htmlx")], false, false),
            (&[], false, false),
        ] {
            let headers = headers(pairs);
            assert_eq!((is_of_the_service(&headers), is_page(&headers)), (of_the_service, page), "{pairs:?}");
        }
        let named = headers(&[("content-type", "text/html")]);
        let error = read(StatusCode::BAD_GATEWAY, &named, b"Please pay", &[], SystemTime::UNIX_EPOCH);
        assert_eq!(error.message(), "Bad Gateway");
    }

    /// Neither where the text is cut nor in the error's name or id is a secret left.
    #[test]
    fn our_own_secrets_are_not_repeated() {
        let secrets = ["to/ken+==".to_owned(), "to/ken".to_owned()];
        let headers = headers(&[("x-amzn-errortype", "No-to/ken"), ("x-amzn-requestid", "id-to/ken+==")]);
        let far = format!(r#"{{"message":"{}to\/ken+=="}}"#, "x".repeat(590));
        for (body, message) in [
            (r#"{"message":"no to\/ken+==, to/ken"}"#, "no [secret], [secret]"),
            ("to%2Fken%2B%3D%3D", "[secret]"),
            (&*far, &*format!("{}[secret]", "x".repeat(590))),
        ] {
            let error = read(StatusCode::FORBIDDEN, &headers, body.as_bytes(), &secrets, SystemTime::UNIX_EPOCH);
            assert_eq!(error.message(), message);
            assert_eq!((error.code(), error.request_id()), (Some("No-[secret]"), Some("id-[secret]")));
        }
        let rpc = r#"{"jsonrpc":"2.0","id":"to\/ken","error":{"code":-1,"message":"to/ken+=="}}"#;
        let error = read(StatusCode::FORBIDDEN, &headers, rpc.as_bytes(), &secrets, SystemTime::UNIX_EPOCH);
        let blotted = r#"{"error":{"code":-1,"message":"[secret]"},"id":"[secret]","jsonrpc":"2.0"}"#;
        assert_eq!(error.rpc_error(), Some(blotted));
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
            (429, "ThrottlingException", ErrorKind::Throttled, FailurePoint::Throttled, false),
            (500, "InternalServerException", ErrorKind::Service, FailurePoint::Uncertain, true),
            (502, "", ErrorKind::Service, FailurePoint::Uncertain, true),
            (503, "", ErrorKind::Unavailable, FailurePoint::NotAccepted, false),
            (504, "", ErrorKind::Timeout, FailurePoint::Uncertain, true),
            (307, "", ErrorKind::Refused, FailurePoint::Final, false),
            (413, "", ErrorKind::TooLarge, FailurePoint::Final, false),
            (505, "", ErrorKind::Service, FailurePoint::Final, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let error = read(status, &headers(&[("x-amzn-errortype", code)]), b"", &[], SystemTime::UNIX_EPOCH);
            let found = (error.kind(), failure_point(&error), error.may_have_run());
            assert_eq!(found, (kind, expected, may_have_run), "{status} {code}");
        }
    }
}
