//! The headers of the Model Context Protocol. Checks them, adds none by itself.

use agentcore_core::{Error, header};
use http::{HeaderMap, HeaderName};

/// The headers of the Model Context Protocol (MCP) in an invocation, each of at most 4096 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct McpContext(HeaderMap);

impl McpContext {
    /// Sets `Mcp-Session-Id`.
    ///
    /// # Errors
    /// If the value is too long, or no header value.
    pub fn session_id(self, value: &str) -> Result<Self, Error> {
        self.with(header::MCP_SESSION_ID, value)
    }

    /// Sets `Mcp-Protocol-Version`, such as `2025-06-18`.
    ///
    /// # Errors
    /// As [`session_id`](Self::session_id).
    pub fn protocol_version(self, value: &str) -> Result<Self, Error> {
        self.with(header::MCP_PROTOCOL_VERSION, value)
    }

    /// Sets `Mcp-Method`, such as `tools/call`.
    ///
    /// # Errors
    /// As [`session_id`](Self::session_id).
    pub fn method(self, value: &str) -> Result<Self, Error> {
        self.with(header::MCP_METHOD, value)
    }

    /// Sets `Mcp-Name`: the tool, the resource or the prompt.
    ///
    /// # Errors
    /// As [`session_id`](Self::session_id).
    pub fn name(self, value: &str) -> Result<Self, Error> {
        self.with(header::MCP_NAME, value)
    }

    fn with(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let value = header::value(&name, value, header::MAX_CUSTOM_VALUE_BYTES)?;
        self.0.insert(name, value);
        Ok(self)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert!(McpContext::default().method("tools/call\n").is_err());
        assert!(McpContext::default().name(&"v".repeat(4097)).is_err());
    }
}
