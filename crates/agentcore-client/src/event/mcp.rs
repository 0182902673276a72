//! The Model Context Protocol: what a called tool gives back is the answer to the call, and so its text.
//!
//! Shapes: MCP specification 2025-06-18, "Tools" and "Progress".

use super::{
    Event, SseEvent,
    json::Object,
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    object.get("jsonrpc")?;
    if object.string("method").is_some_and(|method| method.starts_with("notifications/")) {
        transcript.event(Event::Trace(event.clone()));
        return Some(());
    }
    let result = object.get("result")?.object()?;
    let blocks = result.get("content")?.array()?.into_iter().filter_map(|block| {
        let block = block.object()?;
        block.string("type").filter(|kind| kind == "text")?;
        block.string("text")
    });
    let texts: Vec<_> = blocks.collect();
    if result.get("isError").is_some_and(|failed| failed.is_true()) {
        transcript.error(texts.join("\n"), None);
    } else {
        transcript.message(None, "tool", texts.into_iter().map(Block::Text).collect());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn results() {
        check(&[
            (
                &[
                    r#"{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"3"},{"type":"image","data":"x"},{"type":"text","text":"4"}],"isError":false}}"#,
                ],
                &["say 3", "say 4"],
            ),
            (
                &[
                    r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a"}]}}"#,
                    r#"{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"a"}]}}"#,
                ],
                &["say a", "say a"],
            ),
            (
                &[
                    r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"no such tool","type":"text"}],"isError":true}}"#,
                ],
                &["error : no such tool"],
            ),
            (
                &[
                    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#,
                    r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}"#,
                    r#"{"jsonrpc":"2.0","id":4,"result":{"tools":[{"name":"add"}]}}"#,
                ],
                &["trace", "other", "other"],
            ),
        ]);
    }
}
