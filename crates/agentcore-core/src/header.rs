//! The headers of the AgentCore Runtime data plane: names, limits, and custom headers. Sends none.

use std::{fmt, str::FromStr};

use http::{HeaderName, HeaderValue};

use crate::{Error, InputKind};

/// In requests and answers: the session id.
pub const SESSION_ID: HeaderName = HeaderName::from_static("x-amzn-bedrock-agentcore-runtime-session-id");
/// The user id; with SigV4 it needs the IAM permission `bedrock-agentcore:InvokeAgentRuntimeForUser`.
pub const USER_ID: HeaderName = HeaderName::from_static("x-amzn-bedrock-agentcore-runtime-user-id");
/// In answers: the URL at which the session can be reached directly.
pub const SESSION_ENDPOINT_URL: HeaderName =
    HeaderName::from_static("x-amzn-bedrock-agentcore-runtime-session-endpoint-url");
/// In the answer to the opening of a shell: the shell's id.
pub const SHELL_ID: HeaderName = HeaderName::from_static("x-amzn-bedrock-agentcore-shell-id");
/// The MCP session.
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The MCP protocol version.
pub const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The MCP method being invoked.
pub const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The name of the MCP tool, resource or prompt.
pub const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The version of Agent2Agent that a request is written in (A2A specification 1.0, "A2A-Version header"). The service passes it on as
/// a custom header.
pub const A2A_VERSION: HeaderName = HeaderName::from_static("a2a-version");
/// The X-Ray trace, at most 128 bytes.
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// The W3C trace parent, at most 128 bytes.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The W3C trace state, at most 512 bytes.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The W3C baggage, at most 8192 bytes.
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// In answers: the id to quote to AWS support.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// In answers of some services, the same.
pub const AMZ_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
/// In refusals: the error's name.
pub const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The most custom headers that the service passes to an agent.
pub const MAX_CUSTOM_HEADERS: usize = 20;
/// The most bytes of a custom header's value.
pub const MAX_CUSTOM_VALUE_BYTES: usize = 4096;

/// The prefix of the `X-Amzn-` headers that a caller may set.
pub const CUSTOM_PREFIX: &str = "x-amzn-bedrock-agentcore-runtime-custom-";

/// The caller's workload identity token, which agents pass on that call other agents.
pub const IDENTITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-bedrock-agentcore-identity-wat");

/// Makes a header's value of at most `max` bytes: printable ASCII and tabs, no white space at either end.
///
/// # Errors
/// If the text is longer, or holds another character: a line break would begin another header.
pub fn value(name: &HeaderName, text: &str, max: usize) -> Result<HeaderValue, Error> {
    let refuse = |rule: String| Error::invalid_unquoted(InputKind::Header, format!("{name}: {rule}"));
    if text.len() > max {
        return Err(refuse(format!("the value has {} bytes, at most {max} are allowed", text.len())));
    }
    if text.trim_ascii().len() != text.len() {
        return Err(refuse("the value begins or ends with white space".into()));
    }
    HeaderValue::from_str(text)
        .ok()
        .filter(|_| text.is_ascii())
        .ok_or_else(|| refuse("the value may hold only printable ASCII characters".into()))
}

/// A custom header, for the agent.
///
/// The service passes at most 20 of at most 4096 bytes each, and only those on the runtime's header allow-list (AWS developer guide,
/// "Pass custom headers"). Headers that this client, HTTP or authentication sets are refused, so that none is overridden by
/// accident, and so are `x-amz-*` and `x-amzn-*` but for [`CUSTOM_PREFIX`] and [`IDENTITY_TOKEN`]. The standard headers that the
/// official Python SDK 1.25.0 lists as restricted, such as `Cookie`, are refused before a request to the service, which drops
/// them; a local container, and an endpoint outside the domains of AWS, may get them.
///
/// ```
/// # use agentcore_core::CustomHeader;
/// let header: CustomHeader = "X-Amzn-Bedrock-AgentCore-Runtime-Custom-Tenant=blue".parse()?;
/// assert_eq!(header, CustomHeader::new("x-amzn-bedrock-agentcore-runtime-custom-tenant", "blue")?);
/// assert!(CustomHeader::new("Authorization", "Basic eA==").is_err());
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CustomHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl CustomHeader {
    /// Makes a header of a name and a value.
    ///
    /// # Errors
    /// If the name is not a header name or is reserved, or if the value is longer than 4096 bytes, holds anything but printable
    /// ASCII and tabs, or begins or ends with white space.
    pub fn new(name: &str, value: &str) -> Result<Self, Error> {
        let refuse = |rule: &str| Error::invalid(InputKind::Header, name, rule);
        let name: HeaderName = name.parse().map_err(|_| refuse("it is not a header name (RFC 9110 section 5.6.2)"))?;
        if let Some(setting) = setting(name.as_str()) {
            return Err(refuse(setting));
        }
        let aws = name.as_str().starts_with("x-amz-") || name.as_str().starts_with("x-amzn-");
        if aws && !name.as_str().starts_with(CUSTOM_PREFIX) && name != IDENTITY_TOKEN {
            return Err(refuse("the service sets x-amz- and x-amzn- aside for itself"));
        }
        let value = self::value(&name, value, MAX_CUSTOM_VALUE_BYTES)?;
        Ok(Self { name, value })
    }

    /// Checks that the service can pass this header on to an agent.
    ///
    /// # Errors
    /// If it never does.
    pub fn check_forwarded(&self) -> Result<(), Error> {
        let name = self.name.as_str();
        let listed = NEVER_FORWARDED.split_ascii_whitespace().any(|listed| match listed.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == listed,
        });
        if listed {
            return Err(Error::invalid(InputKind::Header, name, "the service does not pass it on to agents"));
        }
        Ok(())
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &HeaderValue {
        &self.value
    }
}

/// Parses `NAME=VALUE`.
impl FromStr for CustomHeader {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Error::invalid_unquoted(InputKind::Header, "it must look like NAME=VALUE"))?;
        Self::new(name, value)
    }
}

/// Prints the name alone, because the value may be private.
impl fmt::Debug for CustomHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomHeader({}: …)", self.name)
    }
}

/// Returns what sets a header, for the headers that the caller cannot set by name.
fn setting(name: &str) -> Option<&'static str> {
    Some(match name {
        "accept" => "it is set by this client, which reads the answer",
        "accept-encoding" | "content-encoding" => "it is set by this client, and bodies are not compressed",
        "authorization" | "x-amz-date" | "x-amz-security-token" | "x-amz-content-sha256" => {
            "it is set by the client's credentials"
        }
        "content-type" => "it is set by the payload's content type",
        "host" => "it is set by the endpoint",
        "user-agent" => "it is set by the transport's user agent",
        "baggage" | "traceparent" | "tracestate" | "x-amzn-trace-id" => "it is set by the trace context",
        "mcp-method" | "mcp-name" | "mcp-protocol-version" | "mcp-session-id" => "it is set by the MCP context",
        "x-amzn-bedrock-agentcore-runtime-session-id" => "it is set by the session id",
        "x-amzn-bedrock-agentcore-runtime-user-id" => "it is set by the user id",
        "connection" | "content-length" | "expect" | "keep-alive" | "te" | "trailer" | "transfer-encoding"
        | "upgrade" => "it is set by HTTP itself",
        name if name.starts_with("proxy-") || name.starts_with("sec-websocket-") => "it is set by HTTP itself",
        _ => return None,
    })
}

/// The other headers that the service does not pass on; `*` stands for any ending.
const NEVER_FORWARDED: &str = "accept-* access-control-* cache-control cf-* clear-site-data content-* cookie cross-origin-* date \
    downlink dpr ect etag expect-ct expires feature-policy forwarded from if-* last-modified link location origin \
    permissions-policy pragma public-key-pins public-key-pins-report-only range referer referrer-policy retry-after rtt save-data \
    sec-* server set-cookie strict-transport-security true-client-ip vary via viewport-width width www-authenticate x-cache x-client-ip x-cluster-client-ip x-content-type-options x-csrf-token x-forwarded-* x-frame-options \
    x-original-host x-original-url x-originating-ip x-real-ip x-requested-with x-rewrite-url x-served-by x-source-ip \
    x-xss-protection";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_callers_own_headers_pass() {
        for (text, name, value) in [
            ("X-Tenant=blue", "x-tenant", "blue"),
            ("x-empty=", "x-empty", ""),
            ("x-eq=a=b", "x-eq", "a=b"),
            ("x-tab=a\tb", "x-tab", "a\tb"),
            ("X-Amzn-Bedrock-AgentCore-Runtime-Custom-A=1", "x-amzn-bedrock-agentcore-runtime-custom-a", "1"),
        ] {
            let header: CustomHeader = text.parse().unwrap();
            assert_eq!((header.name().as_str(), header.value().to_str().unwrap()), (name, value));
        }
        assert!(CustomHeader::new("x-max", &"v".repeat(4096)).is_ok());
    }

    #[test]
    fn all_others_are_refused() {
        let (http, credentials) = ("it is set by HTTP itself", "it is set by the client's credentials");
        let long = "v".repeat(4097);
        for (name, value, rule) in [
            ("x-amz-date", "v", credentials),
            ("Authorization", "v", credentials),
            ("X-Amzn-Trace-Id", "v", "it is set by the trace context"),
            ("X-Amzn-Bedrock-AgentCore-Runtime-User-Id", "v", "it is set by the user id"),
            ("X-Amzn-Bedrock-AgentCore-Runtime-Session-Id", "v", "it is set by the session id"),
            ("Mcp-Session-Id", "v", "it is set by the MCP context"),
            ("HOST", "v", "it is set by the endpoint"),
            ("content-type", "v", "it is set by the payload's content type"),
            ("X-Amz-Cf-Id", "v", "the service sets x-amz- and x-amzn- aside for itself"),
            ("x-amzn-anything", "v", "the service sets x-amz- and x-amzn- aside for itself"),
            ("Transfer-Encoding", "v", http),
            ("Proxy-Authorization", "v", http),
            ("Sec-WebSocket-Key", "v", http),
            ("", "v", "it is not a header name (RFC 9110 section 5.6.2)"),
            ("a b", "v", "it is not a header name (RFC 9110 section 5.6.2)"),
            ("x\r\nhost", "v", "it is not a header name (RFC 9110 section 5.6.2)"),
            ("x", "a\r\nhost: evil", "x: the value may hold only printable ASCII characters"),
            ("x", "a\0", "x: the value may hold only printable ASCII characters"),
            ("x", "é", "x: the value may hold only printable ASCII characters"),
            ("x", " a", "x: the value begins or ends with white space"),
            ("x", "a\n", "x: the value begins or ends with white space"),
            ("x", &long, "x: the value has 4097 bytes, at most 4096 are allowed"),
        ] {
            let error = CustomHeader::new(name, value).unwrap_err();
            assert_eq!((error.input_kind(), error.rule()), (Some(InputKind::Header), rule), "{name:?}");
        }
        assert_eq!("x-tenant".parse::<CustomHeader>().unwrap_err().rule(), "it must look like NAME=VALUE");
    }

    #[test]
    fn headers_that_the_service_drops() {
        for (name, forwarded) in [
            ("X-Tenant", true),
            ("X-Amzn-Bedrock-AgentCore-Runtime-Custom-A", true),
            ("X-Amz-Bedrock-AgentCore-Identity-WAT", true),
            ("Cookie", false),
            ("Cookies", true),
            ("origin", false),
            ("X-Forwarded-For", false),
            ("Access-Control-Request-Headers", false),
            ("If-None-Match", false),
            ("Link", false),
            ("X-Requested-With", false),
            ("x-api-key", true),
        ] {
            assert_eq!(CustomHeader::new(name, "v").unwrap().check_forwarded().is_ok(), forwarded, "{name}");
        }
        let error = CustomHeader::new("Cookie", "hush").unwrap().check_forwarded().unwrap_err();
        assert_eq!(error.to_string(), "invalid header \"cookie\": the service does not pass it on to agents");
    }

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", CustomHeader::new("x-key", "hush").unwrap()), "CustomHeader(x-key: …)");
    }
}
