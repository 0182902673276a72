//! AutoGen: the messages and events of `run_stream`, each with its source and its type, and the result of the task, which repeats
//! the messages.
//!
//! Shapes: `autogen-agentchat` 0.7, `messages.py` and `base/_task.py`; `autogen-core` 0.7, `models/_types.py`.

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if is_message(object) {
        return message(event, object, transcript);
    }
    // The result of a task; `stop_reason` may be null.
    let messages = object.get("messages").filter(|_| object.entries().any(|(name, _)| name.is("stop_reason")))?;
    let messages: Option<Vec<_>> = messages.items().map(Json::object).collect();
    let messages = messages.filter(|messages| messages.iter().all(|message| is_message(*message)))?;
    for message in messages {
        self::message(event, message, transcript);
    }
    Some(())
}

/// Whether an object has what all messages have.
fn is_message(object: Object<'_>) -> bool {
    object.str("source").is_some()
        && object.str("type").is_some()
        && object.entries().any(|(name, _)| name.is("models_usage"))
}

fn message(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    let (source, id) = (object.string("source")?, object.string("id"));
    let id = id.as_deref();
    let content = object.get("content");
    transcript.speaker(Some(source.clone()));
    match object.str("type")? {
        "ModelClientStreamingChunkEvent" => {
            transcript.text(object.string("full_message_id").as_deref(), WHOLE, content?.words()?);
        }
        "ThoughtEvent" => transcript.message(id, WHOLE, vec![Block::Reasoning(content?.string()?)]),
        "ToolCallRequestEvent" => transcript.message(id, "calls", content?.items().filter_map(call).collect()),
        "ToolCallExecutionEvent" => content?.items().filter_map(result).for_each(|result| transcript.result(result)),
        "UserInputRequestedEvent" => {
            // Who is asked answers within the stream, and is no agent.
            transcript.role(Some(&*source), Some("user"));
            let asked = object.string("request_id")?;
            let interrupt = Interrupt::of(Dialect::AutoGen, Some(asked.clone()), content?.plain());
            transcript.interrupt(Some(&asked), interrupt.named(Some(source)));
        }
        "HandoffMessage" if object.is("target", "user") => {
            let interrupt = Interrupt::of(Dialect::AutoGen, object.string("id"), content?.plain());
            transcript.interrupt(id, interrupt.named(Some(source)));
        }
        "HandoffMessage" => transcript.event(Event::Trace(event.clone())),
        kind if kind.ends_with("Message") || kind.starts_with("StructuredMessage") => {
            if source == "user" || !transcript.is_answer(Some(&*source)) {
                return Some(());
            }
            transcript.message(id, WHOLE, texts(content?));
        }
        _ => transcript.event(Event::Trace(event.clone())),
    }
    if let Some(numbers) = object.get("models_usage").and_then(Json::object) {
        transcript.usage(id, Report::Whole(1), &USAGE.read(numbers));
    }
    Some(())
}

const WHOLE: &str = "autogen";

/// The texts of a message: its content, the strings among its parts, or the JSON of what it is structured as.
fn texts(content: Json<'_>) -> Vec<Block> {
    match content.array() {
        Some(parts) => parts.into_iter().filter_map(Json::string).map(Block::Text).collect(),
        None => vec![Block::Text(content.plain())],
    }
}

fn call(call: Json<'_>) -> Option<Block> {
    let call = call.object()?;
    Some(Block::Call { id: call.string("id")?, name: call.string("name")?, input: call.get("arguments")?.plain() })
}

fn result(result: Json<'_>) -> Option<ToolResult> {
    let result = result.object()?;
    Some(ToolResult {
        id: result.string("call_id")?,
        content: result.get("content").map(Json::plain).unwrap_or_default(),
        failed: result.get("is_error").is_some_and(Json::is_true),
    })
}

/// `RequestUsage`.
const USAGE: Names =
    Names { input: "prompt_tokens", output: "completion_tokens", cached: (None, ""), beside: None, total: None };

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    fn message(kind: &str, source: &str, id: &str, rest: &str) -> String {
        format!(r#"{{"id": "{id}", "source": "{source}", "models_usage": null, "type": "{kind}", {rest}}}"#)
    }

    #[test]
    fn pieces_messages_and_the_result() {
        let asked = message("TextMessage", "user", "m0", r#""content": "1+2?""#);
        let piece = |text: &str| {
            let rest = format!(r#""content": "{text}", "full_message_id": "m1""#);
            message("ModelClientStreamingChunkEvent", "a", text, &rest)
        };
        let whole = message("TextMessage", "a", "m1", r#""content": "Hello""#)
            .replace(r#""models_usage": null"#, r#""models_usage": {"prompt_tokens": 5, "completion_tokens": 2}"#);
        let other = message("TextMessage", "b", "m2", r#""content": "Hello""#);
        let result = format!(r#"{{"stop_reason": null, "messages": [{asked}, {whole}, {other}]}}"#);
        let (hel, lo) = (piece("Hel"), piece("lo"));
        check(&[
            (
                &[&asked, &hel, &lo, &whole, &other, &result],
                &["other", "say Hel", "say lo", "used 5 2 - -", "say Hello", "other"],
            ),
            (&[&result], &["say Hello", "used 5 2 - -", "say Hello"]),
            (&[&piece("Hel").replace(r#""m1""#, "null"), &whole.replace("Hello", "Hel")], &["say Hel", "used 5 2 - -"]),
        ]);
    }

    #[test]
    fn tools_and_thoughts() {
        let calls =
            message("ToolCallRequestEvent", "a", "c", r#""content": [{"id": "t1", "name": "add", "arguments": "{}"}]"#);
        let results = message(
            "ToolCallExecutionEvent",
            "a",
            "r",
            r#""content": [{"call_id": "t1", "content": "no", "is_error": true}]"#,
        );
        let summary = message("ToolCallSummaryMessage", "a", "s", r#""content": "3""#);
        let thought = message("ThoughtEvent", "a", "h", r#""content": "hm""#);
        let parts = message("MultiModalMessage", "a", "p", r#""content": ["Look: ", {"data": "x"}]"#);
        let memory = message("MemoryQueryEvent", "a", "q", r#""content": []"#);
        check(&[(
            &[&thought, &calls, &results, &summary, &parts, &memory],
            &["think hm", "use t1 add {}.", "failed t1 no", "say 3", "say Look: ", "trace"],
        )]);
    }

    #[test]
    fn questions() {
        let handoff = message("HandoffMessage", "a", "h", r#""target": "user", "content": "May I?""#);
        let asked = message("UserInputRequestedEvent", "human", "q", r#""request_id": "r1", "content": """#);
        let answer = message("TextMessage", "human", "n", r#""content": "yes""#);
        check(&[
            (&[&handoff, &handoff], &["ask h a May I?", "other"]),
            (&[&handoff.replace(r#""user""#, r#""b""#)], &["trace"]),
            (&[&asked, &answer], &["ask r1 human ", "other"]),
            (&[r#"{"messages": [{"type": "x"}], "stop_reason": null}"#], &["other"]),
        ]);
    }
}
