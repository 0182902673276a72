//! Bedrock's Converse and ConverseStream: a message in blocks, or the events in which a message comes.
//!
//! Shapes: the Amazon Bedrock API reference, `ConverseStream`, "Response Syntax".

use super::{
    Event, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report, millis},
    transcript::{Block, Transcript},
};

/// Reads an event of a ConverseStream.
pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    read_of(event, object, false, transcript)
}

/// Reads an event of a ConverseStream; `echoed` if an agent says what is in it once more, in a shape of its own.
pub(super) fn read_of(event: &SseEvent, object: Object<'_>, echoed: bool, transcript: &mut Transcript) -> Option<()> {
    if let Some(block) = object.get("contentBlockDelta") {
        let block = block.object()?;
        delta(block, block.get("delta")?.object()?, echoed, transcript);
    } else if object.has("messageStart") {
        transcript.end_calls(|_| true);
        transcript.begin();
    } else if let Some(block) = object.get("contentBlockStart") {
        let block = block.object()?;
        let call = block.get("start").and_then(|start| start.get("toolUse")?.object());
        if let Some(call) = call {
            transcript.call(slot(block), call.string("toolUseId")?, call.string("name")?);
        }
    } else if let Some(block) = object.get("contentBlockStop") {
        let stopped = slot(block.object()?);
        transcript.end_calls(|slot| slot == &*stopped);
    } else if object.has("messageStop") {
        transcript.end_calls(|_| true);
    } else if let Some(metadata) = object.get("metadata").filter(|_| object.len() == 1) {
        metadata.get("usage")?;
        usage(metadata.object()?, 1, transcript);
        transcript.event(Event::Trace(event.clone()));
    } else if let Some(output) = object.get("output").filter(|_| object.has("stopReason")) {
        transcript.message(None, "output", message(output.get("message")?.object()?)?);
        usage(object, 1, transcript);
    } else {
        let (name, error) = EXCEPTIONS.iter().find_map(|name| Some((*name, object.get(name)?)))?;
        let message = error.get("message").map(Json::plain).unwrap_or_default();
        transcript.error(message, Some(name.into()));
    }
    Some(())
}

/// Reads the numbers of a model call, of which each shape of event tells once.
pub(super) fn usage(metadata: Object<'_>, shape: u8, transcript: &mut Transcript) {
    if let Some(numbers) = metadata.get("usage").and_then(Json::object) {
        let mut usage = USAGE.read(numbers);
        usage.latency = metadata.get("metrics").and_then(|metrics| metrics.get("latencyMs")).and_then(millis);
        transcript.usage(None, Report::Whole(shape), &usage);
    }
}

/// The API reference's `TokenUsage`. Tokens of the cache are beside the input; where Strands runs other models they are within it,
/// and the total tells (`_total_prompt_tokens` in `strands/telemetry/metrics.py`).
pub(super) const USAGE: Names = Names {
    input: "inputTokens",
    output: "outputTokens",
    cached: (None, "cacheReadInputTokens"),
    beside: Some("cacheWriteInputTokens"),
    total: Some("totalTokens"),
};

fn delta(block: Object<'_>, delta: Object<'_>, echoed: bool, transcript: &mut Transcript) {
    if let Some(text) = delta.words("text") {
        if echoed {
            transcript.expect_echo(&text);
        }
        transcript.text(None, "", text);
    } else if let Some(text) = delta.get("reasoningContent").and_then(|reasoning| reasoning.get("text")?.string()) {
        if echoed {
            transcript.expect_echo(&text);
        }
        transcript.reasoning(None, "", text);
    } else if let Some(input) = delta.get("toolUse").and_then(|call| call.get("input")?.string()) {
        transcript.input(Some(&slot(block)), input);
    }
}

/// Blocks are told apart by their index; those who send one at a time leave it out.
pub(super) fn slot(block: Object<'_>) -> bytestring::ByteString {
    block.get("contentBlockIndex").map(Json::text).unwrap_or_default()
}

/// The blocks of a whole message, if it is one. What the user said is none of the agent's words, but the results of the tools
/// that it called are sent in the user's name.
pub(super) fn message(message: Object<'_>) -> Option<Vec<Block>> {
    let is_agents = match &*message.string("role")? {
        "assistant" => true,
        "user" => false,
        _ => return None,
    };
    let blocks = message.get("content")?.array()?.into_iter().filter_map(block);
    Some(blocks.filter(|block| is_agents || matches!(block, Block::Result(_))).collect())
}

fn block(block: Json<'_>) -> Option<Block> {
    let block = block.object()?;
    if let Some(text) = block.string("text") {
        return Some(Block::Text(text));
    }
    if let Some(reasoning) = block.get("reasoningContent") {
        return reasoning.get("reasoningText")?.get("text")?.string().map(Block::Reasoning);
    }
    if let Some(call) = block.get("toolUse") {
        let call = call.object()?;
        let (id, name) = (call.string("toolUseId")?, call.string("name")?);
        return Some(Block::Call { id, name, input: call.get("input")?.text() });
    }
    let result = block.get("toolResult")?.object()?;
    let content = result.get("content")?;
    let blocks = content.array()?;
    let only_text = if let [only] = blocks[..] { only.get("text").and_then(Json::string) } else { None };
    Some(Block::Result(ToolResult {
        id: result.string("toolUseId")?,
        content: only_text.unwrap_or_else(|| content.text()),
        failed: result.string("status").is_some_and(|status| status == "error"),
    }))
}

/// The errors that a stream may end in.
const EXCEPTIONS: &[&str] = &[
    "internalServerException",
    "modelStreamErrorException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
];

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn a_stream_of_two_messages() {
        check(&[(
            &[
                r#"{"messageStart": {"role": "assistant"}}"#,
                r#"{"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}, "contentBlockIndex": 0}}"#,
                r#"{"contentBlockDelta": {"delta": {"reasoningContent": {"signature": "c2ln"}}, "contentBlockIndex": 0}}"#,
                r#"{"contentBlockStop": {"contentBlockIndex": 0}}"#,
                r#"{"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 1}}"#,
                r#"{"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 1}}"#,
                r#"{"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t1", "name": "add"}}, "contentBlockIndex": 2}}"#,
                r#"{"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t2", "name": "sub"}}, "contentBlockIndex": 3}}"#,
                r#"{"contentBlockDelta": {"delta": {"toolUse": {"input": "{\"a\":"}}, "contentBlockIndex": 2}}"#,
                r#"{"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}, "contentBlockIndex": 3}}"#,
                r#"{"contentBlockDelta": {"delta": {"toolUse": {"input": " 1}"}}, "contentBlockIndex": 2}}"#,
                r#"{"contentBlockStop": {"contentBlockIndex": 3}}"#,
                r#"{"contentBlockStop": {"contentBlockIndex": 2}}"#,
                r#"{"messageStop": {"stopReason": "tool_use"}}"#,
                r#"{"metadata": {"usage": {"inputTokens": 1}, "metrics": {"latencyMs": 4}}}"#,
                r#"{"messageStart": {"role": "assistant"}}"#,
                r#"{"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 0}}"#,
                r#"{"messageStop": {"stopReason": "end_turn"}}"#,
            ],
            &[
                "other",
                "think hm",
                "other",
                "other",
                "say a",
                "say a",
                "use t1 add ",
                "use t2 sub ",
                "use t1 add {\"a\":",
                "use t2 sub {}",
                "use t1 add  1}",
                "use t2 sub .",
                "use t1 add .",
                "other",
                "used 1 - - 4",
                "trace",
                "other",
                "say a",
                "other",
            ],
        )]);
    }

    /// Without indices, and without the ends of blocks.
    #[test]
    fn calls_one_at_a_time() {
        check(&[(
            &[
                r#"{"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t1", "name": "add"}}}}"#,
                r#"{"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t2", "name": "sub"}}}}"#,
                r#"{"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}}"#,
                r#"{"messageStop": {"stopReason": "tool_use"}}"#,
            ],
            &["use t1 add ", "use t1 add .", "use t2 sub ", "use t2 sub {}", "use t2 sub ."],
        )]);
    }

    #[test]
    fn a_whole_message() {
        let answer = r#"{"output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}, {"text": "Let me "}, {"text": "add"},
            {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"a": 1}}}, {"text": "!"}
        ]}}, "stopReason": "tool_use", "usage": {"inputTokens": 1}}"#;
        let piece = r#"{"contentBlockDelta": {"delta": {"text": "Let me a"}}}"#;
        check(&[
            (&[answer], &["think hm", "say Let me ", "say add", r#"use t1 add {"a": 1}."#, "say !", "used 1 - - -"]),
            (
                &[piece, answer],
                &["say Let me a", "think hm", "say dd", r#"use t1 add {"a": 1}."#, "say !", "used 1 - - -"],
            ),
        ]);
    }

    #[test]
    fn results_and_errors() {
        check(&[
            (
                &[
                    r#"{"message": {"role": "user", "content": [
                        {"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "3"}]}},
                        {"toolResult": {"toolUseId": "t2", "status": "error", "content": [{"json": {"x": 1}}]}}
                    ]}}"#,
                    r#"{"message": {"role": "user", "content": [{"text": "hello?"}]}}"#,
                ],
                &["result t1 3", r#"failed t2 [{"json": {"x": 1}}]"#, "other"],
            ),
            (
                &[r#"{"throttlingException": {"message": "Too many tokens"}}"#, r#"{"internalServerException": {}}"#],
                &["error throttlingException: Too many tokens", "error internalServerException: "],
            ),
        ]);
    }

    #[test]
    fn numbers() {
        let start = r#"{"messageStart": {"role": "assistant"}}"#;
        let metadata =
            |usage: &str| format!(r#"{{"metadata": {{"usage": {usage}, "metrics": {{"latencyMs": 4.5}}}}}}"#);
        let (beside, within) = (
            metadata(
                r#"{"inputTokens": 1, "outputTokens": 2, "totalTokens": 10, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 2}"#,
            ),
            metadata(r#"{"inputTokens": 8, "outputTokens": 2, "totalTokens": 10, "cacheReadInputTokens": 5}"#),
        );
        check(&[
            (&[&beside], &["used 8 2 5 4", "trace"]),
            (&[&within], &["used 8 2 5 4", "trace"]),
            // Each model call by itself, with the message's beginning and without.
            (&[start, &within, start, &within], &["other", "used 8 2 5 4", "trace", "other", "used 8 2 5 4", "trace"]),
            (&[&within, &within], &["used 8 2 5 4", "trace", "used 8 2 5 4", "trace"]),
            (
                &[&metadata(
                    r#"{"inputTokens": -1, "outputTokens": 1e300, "totalTokens": null, "cacheReadInputTokens": 0.5}"#,
                )],
                &["used - - - 4", "trace"],
            ),
            (&[r#"{"metadata": {"usage": {}, "metrics": {"latencyMs": -1}}}"#], &["trace"]),
            (&[r#"{"metadata": {"usage": null}}"#], &["other"]),
            (&[r#"{"metadata": {"usage": 7}}"#], &["trace"]),
        ]);
    }
}
