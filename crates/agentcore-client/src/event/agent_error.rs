//! Errors within an answer: the official Python SDK's, and JSON-RPC's, which A2A and MCP use.

use super::{json::Object, transcript::Transcript};

pub(super) fn read(object: &Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let error = object.get("error")?;
    if let Some(message) = error.string() {
        transcript.error(message, object.get("error_type").map(|name| name.plain()));
    } else if object.has("jsonrpc") {
        let error = error.object()?;
        transcript.error(error.get("message")?.plain(), error.get("code").map(|code| code.plain()));
    } else {
        return None;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn errors() {
        check(&[
            (
                &[
                    r#"{"error": "boom\nsecond é", "error_type": "ValueError", "message": "An error occurred during streaming"}"#,
                ],
                &["error ValueError: boom\nsecond é"],
            ),
            (&[r#"{"error": "boom"}"#], &["error : boom"]),
            (&[r#"{"error": "", "error_type": "KeyError"}"#], &["error KeyError: "]),
            (&[r#"{"error": null, "text": "fine"}"#], &["say fine"]),
            (
                &[r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"mcp boom"}}"#],
                &["error -32603: mcp boom"],
            ),
            (&[r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603}}"#], &["other"]),
        ]);
    }
}
