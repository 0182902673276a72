//! The Model Context Protocol: what a called tool gives back is the answer to the call, and so its text.
//!
//! Shapes: MCP specification 2025-06-18, "Tools", "Progress" and "Elicitation", 2025-11-25, "URL mode", and 2026-07-28,
//! `InputRequiredResult`.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent,
    interrupt::Origin,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    object.get("jsonrpc")?;
    if object.string("method").is_some_and(|method| method.starts_with("notifications/")) {
        transcript.event(Event::Trace(event.clone()));
        return Some(());
    }
    if object.is("method", ELICITATION) {
        let id = object.get("id")?;
        let asked = elicitation(id.plain(), object)?.from(Origin::Request(id.text()));
        transcript.interrupt(Some(&id.text()), asked);
        return Some(());
    }
    let result = object.get("result")?.object()?;
    if result.is("resultType", "input_required") {
        let requests = result.get("inputRequests")?.object()?;
        for (id, request) in requests.entries().filter_map(|(id, request)| Some((id.string()?, request.object()?))) {
            if let Some(asked) = elicitation(id.clone(), request).filter(|_| request.is("method", ELICITATION)) {
                transcript.interrupt(Some(&id), asked);
            }
        }
        return Some(());
    }
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

/// Reads a request for something that only the user knows, or does at a URL.
fn elicitation(id: ByteString, request: Object<'_>) -> Option<Interrupt> {
    let [message, url, schema] = request.get("params")?.object()?.get_all(["message", "url", "requestedSchema"]);
    let message = message.map(Json::plain).unwrap_or_default();
    let reason = match url.and_then(Json::string) {
        Some(url) => format!("{message} {url}").into(),
        None => message,
    };
    Some(Interrupt::of(Dialect::Mcp, Some(id), reason).with_schema(schema.map(Json::text)))
}

const ELICITATION: &str = "elicitation/create";

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

    #[test]
    fn elicitations() {
        let form = r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type":"object"}}}"#;
        let url = r#"{"jsonrpc":"2.0","id":"e1","method":"elicitation/create","params":{"mode":"url","message":"Log in","url":"https://example.com/x"}}"#;
        let required = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s","inputRequests":{
            "k1":{"method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type":"object"}}},
            "k2":{"method":"sampling/createMessage","params":{"message":"no"}},"k3":7}}}"#;
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#;
        check(&[
            (&[progress, form, form], &["trace", r#"ask 7  Which? {"type":"object"}"#, "other"]),
            (&[url], &["ask e1  Log in https://example.com/x"]),
            (&[required], &[r#"ask k1  Which? {"type":"object"}"#]),
            (&[&form.replace("\"message\":\"Which?\",", "")], &[r#"ask 7   {"type":"object"}"#]),
            (&[&form.replace("\"id\":7,", ""), &form.replace("params", "param")], &["other", "other"]),
            (&[&required.replace("elicitation/create", "roots/list")], &["other"]),
        ]);
    }
}
