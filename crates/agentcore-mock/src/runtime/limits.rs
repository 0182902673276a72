//! The limits of headers: lengths and counts. Checks no credential.

use agentcore_core::header::{self, CUSTOM_PREFIX};
use http::{HeaderMap, HeaderName};

use crate::{record::RecordedRequest, service_error::ServiceError};

/// Checks the names and lengths of the headers, and the number of custom ones.
pub(super) fn check_headers(headers: &HeaderMap) -> Result<(), ServiceError> {
    if let Some(name) = headers.keys().find(|name| is_restricted(name.as_str())) {
        return Err(ServiceError::validation(format!("The header '{name}' is restricted.")));
    }
    BOUNDS.iter().try_for_each(|bound| bound.check(headers))?;
    check_custom(headers)
}

/// Checks a session id that was not sent as a header.
pub(super) fn check_session_id(id: &str) -> Result<(), ServiceError> {
    let is_visible = id.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    SESSION.check_value(Some(id).filter(|_| is_visible))
}

/// Returns the session id, where one is required.
pub(super) fn require_session_id(request: &RecordedRequest) -> Result<String, ServiceError> {
    let id = request.header(header::SESSION_ID.as_str()).map(str::to_owned);
    id.ok_or_else(|| {
        ServiceError::validation("Value at 'runtimeSessionId' failed to satisfy constraint: Member must not be null")
    })
}

/// The length that a header's value may have, in bytes.
struct Bound {
    header: HeaderName,
    /// The name of the field in the service's model.
    field: &'static str,
    min: usize,
    max: usize,
}

impl Bound {
    fn check(&self, headers: &HeaderMap) -> Result<(), ServiceError> {
        headers.get_all(&self.header).iter().try_for_each(|value| self.check_value(value.to_str().ok()))
    }

    /// Checks a value, which is `None` if it is not visible ASCII.
    fn check_value(&self, value: Option<&str>) -> Result<(), ServiceError> {
        let rule = match value {
            None => "Member must hold visible ASCII characters only".to_owned(),
            Some(text) if text.len() < self.min => {
                format!("Member must have length greater than or equal to {}", self.min)
            }
            Some(text) if text.len() > self.max => {
                format!("Member must have length less than or equal to {}", self.max)
            }
            Some(_) => return Ok(()),
        };
        Err(ServiceError::validation(format!(
            "1 validation error detected: Value at '{}' failed to satisfy constraint: {rule}",
            self.field
        )))
    }
}

fn check_custom(headers: &HeaderMap) -> Result<(), ServiceError> {
    let custom = || headers.iter().filter(|(name, _)| is_custom(name.as_str()));
    if custom().count() > MAX_CUSTOM_HEADERS {
        return Err(ServiceError::validation(format!("There are more than {MAX_CUSTOM_HEADERS} custom headers.")));
    }
    if custom().any(|(_, value)| value.len() > MAX_CUSTOM_BYTES) {
        return Err(ServiceError::validation(format!("A custom header is larger than {MAX_CUSTOM_BYTES} bytes.")));
    }
    Ok(())
}

/// Returns whether a header is custom: neither of HTTP, nor of the service, nor of an AWS SDK.
fn is_custom(name: &str) -> bool {
    let is_standard = STANDARD.split(' ').any(|standard| standard == name)
        || STANDARD_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    !is_standard || name.starts_with(CUSTOM_PREFIX)
}

/// Returns whether a header is of AWS, but neither of the service's model nor of a signature.
fn is_restricted(name: &str) -> bool {
    (name.starts_with("x-amz-") || name.starts_with("x-amzn-"))
        && !name.starts_with(CUSTOM_PREFIX)
        && !AWS.split(' ').any(|known| known == name)
}

const SESSION: Bound = Bound { header: header::SESSION_ID, field: "runtimeSessionId", min: 33, max: 256 };

/// The lengths of the service's model; where it has no minimum, an empty value passes.
static BOUNDS: [Bound; 6] = [
    SESSION,
    Bound { header: header::USER_ID, field: "runtimeUserId", min: 1, max: 1024 },
    Bound { header: header::TRACE_ID, field: "traceId", min: 0, max: 128 },
    Bound { header: header::TRACEPARENT, field: "traceParent", min: 0, max: 128 },
    Bound { header: header::TRACESTATE, field: "traceState", min: 0, max: 512 },
    Bound { header: header::BAGGAGE, field: "baggage", min: 0, max: 8192 },
];

/// The most custom headers, and the most bytes of one's value (AWS developer guide, "Pass custom headers").
const MAX_CUSTOM_HEADERS: usize = 20;
const MAX_CUSTOM_BYTES: usize = 4096;

/// The headers that are not custom, by name and by prefix.
const STANDARD: &str = "\
    accept accept-charset accept-encoding accept-language authorization baggage cache-control connection \
    content-encoding content-length content-type cookie date expect forwarded host keep-alive origin pragma \
    referer te traceparent tracestate trailer transfer-encoding upgrade user-agent via";

/// The headers of AWS that a request may have.
const AWS: &str = "\
    x-amz-bedrock-agentcore-identity-wat x-amz-content-sha256 x-amz-date x-amz-security-token x-amz-user-agent \
    x-amzn-bedrock-agentcore-runtime-session-id x-amzn-bedrock-agentcore-runtime-user-id x-amzn-trace-id";

const STANDARD_PREFIXES: &[&str] = &["amz-sdk-", "mcp-", "proxy-", "sec-", "x-amz-", "x-amzn-", "x-forwarded-"];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use http::HeaderValue;

    use super::*;

    fn error(headers: &[(&str, &str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        check_headers(&map).err().map(|error| {
            assert_eq!((error.status.as_u16(), error.name), (400, "ValidationException"));
            error.message
        })
    }

    #[test]
    fn lengths() {
        for (name, min, max) in [
            ("x-amzn-bedrock-agentcore-runtime-session-id", 33, 256),
            ("x-amzn-bedrock-agentcore-runtime-user-id", 1, 1024),
            ("x-amzn-trace-id", 0, 128),
            ("traceparent", 0, 128),
            ("tracestate", 0, 512),
            ("baggage", 0, 8192),
            ("x-amzn-bedrock-agentcore-runtime-custom-a", 0, 4096),
            ("x-tenant", 0, 4096),
        ] {
            let with = |length: usize| error(&[(name, &"x".repeat(length))]);
            assert_eq!(with(min), None, "{name} of {min}");
            assert_eq!(with(max), None, "{name} of {max}");
            assert!(with(max + 1).is_some(), "{name} of {}", max + 1);
            assert!(min == 0 || with(min - 1).is_some(), "{name} below {min}");
        }
        assert!(error(&[("x-amzn-bedrock-agentcore-runtime-session-id", &"é".repeat(40))]).is_some());
        assert_eq!(
            error(&[("x-amzn-bedrock-agentcore-runtime-session-id", "short")]).unwrap(),
            "1 validation error detected: Value at 'runtimeSessionId' failed to satisfy constraint: Member must have \
             length greater than or equal to 33"
        );
    }

    #[test]
    fn names() {
        for (name, fine) in [
            ("x-amzn-bedrock-agentcore-runtime-custom-a", true),
            ("x-amz-bedrock-agentcore-identity-wat", true),
            ("x-amzn-trace-id", true),
            ("x-amz-date", true),
            ("x-amz-user-agent", true),
            ("x-tenant", true),
            ("cookie", true),
            ("x-amz-meta", false),
            ("x-amzn-requestid", false),
            ("x-amzn-bedrock-agentcore-runtime-colour", false),
        ] {
            let expected = (!fine).then(|| format!("The header '{name}' is restricted."));
            assert_eq!(error(&[(name, "x")]), expected);
        }
    }

    #[test]
    fn counts() {
        let names: Vec<String> = (0..21).map(|index| format!("x-custom-{index}")).collect();
        let mut headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert!(error(&headers).is_some());
        headers.pop();
        headers.extend([("accept", "*/*"), ("mcp-session-id", "x"), ("x-amz-date", "x"), ("amz-sdk-request", "x")]);
        assert_eq!(error(&headers), None);
        headers.push(("x-amzn-bedrock-agentcore-runtime-custom-a", "x"));
        assert!(error(&headers).is_some());
    }
}
