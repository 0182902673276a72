//! The headers of the Model Context Protocol. Checks them, adds none by itself.

use agentcore_core::header::MAX_CUSTOM_VALUE_BYTES;

use crate::header_context::header_context;

header_context! {
    /// The headers of the Model Context Protocol (MCP) in an invocation, each of at most 4096 bytes.
    McpContext {
        /// Sets `Mcp-Session-Id`.
        session_id = MCP_SESSION_ID, MAX_CUSTOM_VALUE_BYTES;
        /// Sets `Mcp-Protocol-Version`, such as `2025-06-18`.
        protocol_version = MCP_PROTOCOL_VERSION, MAX_CUSTOM_VALUE_BYTES;
        /// Sets `Mcp-Method`, such as `tools/call`.
        method = MCP_METHOD, MAX_CUSTOM_VALUE_BYTES;
        /// Sets `Mcp-Name`: the tool, the resource or the prompt.
        name = MCP_NAME, MAX_CUSTOM_VALUE_BYTES;
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
