//! Google's Agent Development Kit: its events as `Event.model_dump` writes them, in Python's names or by their aliases. A message
//! comes in pieces that are `partial`, and then whole.
//!
//! Shapes: `google-adk` 2.13, `events/event.py`, `events/event_actions.py` and `models/llm_response.py`; `google-genai` 2.34,
//! `types.py`. Its own server, `/run_sse`, and an answer that is a list of events have the same.

use super::{
    Dialect, Event, Interrupt, SseEvent, ToolResult,
    json::{Json, Object},
    tally::{Names, Report},
    transcript::{Block, Transcript},
    usage::Usage,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    either(object, ["invocationId", "invocation_id"])?.str()?;
    let author = object.string("author")?;
    if author == "user" {
        // What was asked, which a session repeats.
        transcript.event(Event::Other(event.clone()));
        return Some(());
    }
    transcript.speaker(object.string("branch").or(Some(author)));
    let is_partial = object.get("partial").is_some_and(Json::is_true);
    let content = object.get("content").and_then(Json::object);
    let asked = Asked::of(object);
    for part in content.and_then(|content| content.get("parts")).into_iter().flat_map(Json::items) {
        if let Some(result) = part.get("functionResponse").or_else(|| part.get("function_response")) {
            response(result.object()?, &asked, transcript);
        }
    }
    let parts = content.and_then(|content| content.get("parts")).into_iter().flat_map(Json::items);
    if is_partial {
        for part in parts.filter_map(Json::object) {
            match block(part, &asked) {
                Some(Block::Text(text)) => transcript.text(None, WHOLE, text),
                Some(Block::Reasoning(text)) => transcript.reasoning(None, WHOLE, text),
                // The whole message has the call.
                _ => {}
            }
        }
    } else {
        let blocks: Vec<_> = parts.clone().filter_map(|part| block(part.object()?, &asked)).collect();
        if !blocks.is_empty() {
            transcript.message(None, WHOLE, blocks);
        }
        parts.filter_map(|part| call_of(part.object()?)).for_each(|call| asked.ask(call, transcript));
    }
    let silent = transcript.is_silent();
    if let Some(numbers) = either(object, ["usageMetadata", "usage_metadata"]).and_then(Json::object) {
        let report = if is_partial { Report::SoFar } else { Report::Whole(1) };
        transcript.usage(None, report, &usage(numbers));
    }
    if let Some(code) = either(object, ["errorCode", "error_code"]) {
        let message = either(object, ["errorMessage", "error_message"]).map(Json::plain);
        transcript.error(message.unwrap_or_else(|| code.plain()).to_string(), Some(code.plain()));
    } else if silent && has_changed_state(object) {
        transcript.event(Event::State(event.clone()));
    } else if silent && content.is_none() {
        transcript.event(Event::Trace(event.clone()));
    }
    Some(())
}

/// Reads a list of events, as the server's `/run` and agents that collect them answer.
pub(super) fn list(event: &SseEvent, items: Json<'_>, transcript: &mut Transcript) -> Option<()> {
    let mut known = None;
    for item in items.items() {
        known = read(event, item.object()?, transcript).or(known);
    }
    known
}

/// What is whole, and repeats the pieces before.
const WHOLE: &str = "adk";

/// A member by one of its names: by its alias, or in Python's.
fn either<'a>(object: Object<'a>, names: [&str; 2]) -> Option<Json<'a>> {
    let [alias, plain] = object.get_all(names);
    alias.or(plain)
}

fn block(part: Object<'_>, asked: &Asked<'_>) -> Option<Block> {
    if let Some(text) = part.string("text") {
        let is_thought = part.get("thought").is_some_and(Json::is_true);
        return Some(if is_thought { Block::Reasoning(text) } else { Block::Text(text) });
    }
    let call = call_of(part)?;
    let [id, name, args] = call.get_all(["id", "name", "args"]);
    let name = name?.string()?;
    if asked.is_question(&name) {
        return None;
    }
    let input = args.map_or_else(|| "{}".into(), Json::text);
    Some(Block::Call { id: id.and_then(Json::string).unwrap_or_default(), name, input })
}

fn call_of(part: Object<'_>) -> Option<Object<'_>> {
    either(part, ["functionCall", "function_call"])?.object()
}

/// Tells a function's response, unless it says no more than that the function waits.
fn response(result: Object<'_>, asked: &Asked<'_>, transcript: &mut Transcript) -> Option<()> {
    let id = result.string("id").unwrap_or_default();
    if asked.waits(&id) {
        return None;
    }
    let response = result.get("response")?;
    // A function that gives back a value that is no object gives `{"result": value}`, and one that fails `{"error": text}`.
    let (content, failed) = match response.object().filter(|response| response.len() == 1) {
        Some(only) if only.has("result") => (only.get("result")?.plain(), false),
        Some(only) if only.has("error") => (only.get("error")?.plain(), true),
        _ => (response.plain(), false),
    };
    transcript.result(ToolResult { id, content, failed });
    Some(())
}

/// What an event asks of the user.
struct Asked<'a> {
    /// The functions whose results come from outside.
    long_running: Option<Json<'a>>,
    /// The calls that wait to be confirmed, or for a credential.
    waiting: [Option<Object<'a>>; 2],
}

impl<'a> Asked<'a> {
    fn of(object: Object<'a>) -> Self {
        let actions = object.get("actions").and_then(Json::object);
        let waiting = [
            ["requestedToolConfirmations", "requested_tool_confirmations"],
            ["requestedAuthConfigs", "requested_auth_configs"],
        ]
        .map(|names| either(actions?, names)?.object());
        Self { long_running: either(object, ["longRunningToolIds", "long_running_tool_ids"]), waiting }
    }

    fn waits(&self, id: &str) -> bool {
        self.waiting.iter().flatten().any(|calls| calls.has(id))
    }

    /// Whether a function is one of the kit's own, which asks and computes nothing.
    fn is_question(&self, name: &str) -> bool {
        self.long_running.is_some() && name.starts_with("adk_request_")
    }

    /// Tells a call whose result has to come from outside.
    fn ask(&self, call: Object<'_>, transcript: &mut Transcript) {
        let Some(id) = call.string("id") else { return };
        if !self.long_running.into_iter().flat_map(Json::items).any(|other| other.is(&id)) {
            return;
        }
        let [name, args] = call.get_all(["name", "args"]);
        let mut name = name.and_then(Json::string);
        let mut reason = args.map(Json::text).unwrap_or_default();
        if let Some(args) = args.and_then(Json::object)
            && let Some(hint) = args.get("toolConfirmation").and_then(|asked| asked.get("hint")?.string())
        {
            reason = hint;
            name = args.get("originalFunctionCall").and_then(|call| call.get("name")?.string()).or(name);
        }
        transcript.interrupt(Some(&id), Interrupt::of(Dialect::GoogleAdk, Some(id.clone()), reason).named(name));
    }
}

fn has_changed_state(object: Object<'_>) -> bool {
    let actions = object.get("actions").and_then(Json::object);
    let [camel, snake] = ["stateDelta", "state_delta"].map(|name| actions.and_then(|actions| actions.get(name)));
    [camel, snake].into_iter().flatten().filter_map(Json::object).any(|delta| !delta.is_empty())
}

/// Reads the numbers, of which thoughts are beside the candidates'.
fn usage(numbers: Object<'_>) -> Usage {
    let thoughts = [&THOUGHTS, &THOUGHTS_IN_PYTHON].map(|names| names.read(numbers).output_tokens);
    let mut usage = USAGE.read(numbers);
    usage.add(&USAGE_IN_PYTHON.read(numbers));
    for thoughts in thoughts {
        usage.add(&Usage { output_tokens: thoughts, ..Usage::default() });
    }
    usage
}

const fn names(input: &'static str, output: &'static str, cached: &'static str) -> Names {
    Names { input, output, cached: (None, cached), beside: None, total: None }
}

/// The API's `GenerateContentResponseUsageMetadata`: what came from the cache is within the prompt.
const USAGE: Names = names("promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount");
const USAGE_IN_PYTHON: Names = names("prompt_token_count", "candidates_token_count", "cached_content_token_count");
const THOUGHTS: Names = names("", "thoughtsTokenCount", "");
const THOUGHTS_IN_PYTHON: Names = names("", "thoughts_token_count", "");

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    const HEAD: &str = r#""invocationId": "e-1", "author": "adder""#;

    #[test]
    fn pieces_and_the_whole() {
        let partial =
            |text: &str| format!(r#"{{{HEAD}, "partial": true, "content": {{"parts": [{{"text": "{text}"}}]}}}}"#);
        let whole = format!(
            r#"{{{HEAD}, "content": {{"role": "model", "parts": [{{"text": "hm", "thought": true}}, {{"text": "Hello"}},
            {{"functionCall": {{"id": "t1", "name": "add", "args": {{"a": 1}}}}}}]}},
            "usageMetadata": {{"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 2}}}}"#
        );
        let result = |response: &str| {
            format!(
                r#"{{{HEAD}, "content": {{"parts": [{{"functionResponse": {{"id": "t1", "response": {response}}}}}]}}}}"#
            )
        };
        let (hel, lo) = (partial("Hel"), partial("lo"));
        check(&[
            (
                &[&hel, &lo, &whole, &result(r#"{"result": 3}"#)],
                &["say Hel", "say lo", "think hm", r#"use t1 add {"a": 1}."#, "used 10 6 - -", "result t1 3"],
            ),
            (&[&whole], &["think hm", "say Hello", r#"use t1 add {"a": 1}."#, "used 10 6 - -"]),
            (&[&result(r#"{"error": "no"}"#)], &["failed t1 no"]),
            (&[&result(r#"{"a": 1, "b": 2}"#)], &[r#"result t1 {"a": 1, "b": 2}"#]),
        ]);
    }

    /// Python's names, with all that is null.
    #[test]
    fn as_python_names_them() {
        let event = r#"{"invocation_id": "e-1", "author": "adder", "partial": null, "error_code": null, "content": {"parts": [
            {"text": "Hello", "thought": null, "function_call": null},
            {"text": null, "function_call": {"id": "t1", "name": "add", "args": {}}}]},
            "usage_metadata": {"prompt_token_count": 1, "candidates_token_count": 2, "thoughts_token_count": null}}"#;
        check(&[(&[event], &["say Hello", "use t1 add {}.", "used 1 2 - -"])]);
    }

    /// Two agents at a time, of which each repeats its own words.
    #[test]
    fn parallel_agents() {
        let says = |author: &str, text: &str, partial: bool| {
            format!(
                r#"{{"invocationId": "e", "author": "{author}", "partial": {partial}, "content": {{"parts": [{{"text": "{text}"}}]}}}}"#
            )
        };
        let events = [
            says("a", "Hel", true),
            says("b", "Hel", true),
            says("a", "lo", true),
            says("b", "p", true),
            says("a", "Hello", false),
            says("b", "Help", false),
        ];
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        check(&[(&events, &["say Hel", "say Hel", "say lo", "say p", "other", "other"])]);
    }

    #[test]
    fn questions_errors_and_states() {
        let confirm = format!(
            r#"{{{HEAD}, "longRunningToolIds": ["q1"], "content": {{"parts": [{{"functionCall": {{"id": "q1",
            "name": "adk_request_confirmation", "args": {{"originalFunctionCall": {{"name": "add"}},
            "toolConfirmation": {{"hint": "May I?"}}}}}}}}]}}}}"#
        );
        let waits = format!(
            r#"{{{HEAD}, "actions": {{"requestedToolConfirmations": {{"t1": {{}}}}}}, "content": {{"parts": [
            {{"functionResponse": {{"id": "t1", "response": {{"error": "it waits"}}}}}}]}}}}"#
        );
        let slow = format!(
            r#"{{{HEAD}, "longRunningToolIds": ["t2"], "content": {{"parts": [{{"functionCall": {{"id": "t2", "name": "buy",
            "args": {{"a": 1}}}}}}]}}}}"#
        );
        let state = format!(r#"{{{HEAD}, "actions": {{"stateDelta": {{"a": 1}}}}}}"#);
        let failed = format!(r#"{{{HEAD}, "errorCode": "SAFETY", "errorMessage": "blocked"}}"#);
        check(&[
            (&[&confirm, &waits, &confirm], &["ask q1 add May I?", "other", "other"]),
            (&[&slow], &[r#"use t2 buy {"a": 1}."#, r#"ask t2 buy {"a": 1}"#]),
            (&[&state], &["state"]),
            (&[&format!("{{{HEAD}}}")], &["trace"]),
            (&[&failed], &["error SAFETY: blocked"]),
            (&[&failed.replace(r#", "errorMessage": "blocked""#, "")], &["error SAFETY: SAFETY"]),
            (&[r#"{"invocationId": "e", "author": "user", "content": {"parts": [{"text": "1+2?"}]}}"#], &["other"]),
            (&[r#"{"author": "adder", "content": {"parts": []}}"#], &["other"]),
        ]);
    }
}
