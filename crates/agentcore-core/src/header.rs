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
/// In refusals: the error's name.
pub const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The most custom headers that the service passes to an agent.
pub const MAX_CUSTOM_HEADERS: usize = 20;
/// The most bytes of a custom header's value.
pub const MAX_CUSTOM_VALUE_BYTES: usize = 4096;

/// The prefix of the `X-Amzn-` headers that a caller may set.
pub const CUSTOM_PREFIX: &str = "x-amzn-bedrock-agentcore-runtime-custom-";

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

/// A custom header, which the service passes to the agent.
///
/// The service passes at most 20 of at most 4096 bytes each, and only those on the runtime's header allow-list. It forbids
/// `x-amz-*` and `x-amzn-*` but for [`CUSTOM_PREFIX`] (AWS developer guide, "Pass custom headers"). Headers that this client, HTTP
/// or authentication sets are refused too, so that none is overridden by accident.
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
        let lower = name.as_str();
        if (lower.starts_with("x-amz-") || lower.starts_with("x-amzn-")) && !lower.starts_with(CUSTOM_PREFIX) {
            return Err(refuse("the service sets x-amz- and x-amzn- aside for itself"));
        }
        if RESERVED.split(' ').any(|reserved| reserved == lower)
            || lower.starts_with("proxy-")
            || lower.starts_with("sec-")
        {
            return Err(refuse("it is set by this client, not by hand"));
        }
        let value = self::value(&name, value, MAX_CUSTOM_VALUE_BYTES)?;
        Ok(Self { name, value })
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

/// The headers that authentication, HTTP or another method of this client sets.
const RESERVED: &str = "accept accept-encoding authorization baggage connection content-encoding content-length content-type \
    expect host keep-alive mcp-method mcp-name mcp-protocol-version mcp-session-id te traceparent tracestate \
    trailer transfer-encoding upgrade user-agent";

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
        let (reserved, ours) =
            ("the service sets x-amz- and x-amzn- aside for itself", "it is set by this client, not by hand");
        let long = "v".repeat(4097);
        for (name, value, rule) in [
            ("x-amz-date", "v", reserved),
            ("X-Amzn-Trace-Id", "v", reserved),
            ("X-Amzn-Bedrock-AgentCore-Runtime-User-Id", "v", reserved),
            ("Authorization", "v", ours),
            ("HOST", "v", ours),
            ("content-type", "v", ours),
            ("Proxy-Authorization", "v", ours),
            ("Sec-WebSocket-Key", "v", ours),
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
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", CustomHeader::new("x-key", "hush").unwrap()), "CustomHeader(x-key: …)");
    }
}
