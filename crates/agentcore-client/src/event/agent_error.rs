//! Errors within an answer, whose HTTP status is 200: by the event's name, by an `error` that says something, or by a type that
//! names one. A text that merely speaks of an error is none.
//!
//! Shapes: the official Python SDK's `{"error", "error_type", "message"}`; JSON-RPC 2.0 §5.1, which A2A and MCP use; the error
//! objects of Anthropic's and OpenAI's APIs; AWS's `{"__type", "message"}`; AWS Lambda's `{"errorMessage", "errorType"}`.

use bytestring::ByteString;

use super::{
    event_name,
    json::{Json, Object, Values},
    transcript::Transcript,
};

/// What an object says has failed.
pub(super) struct Failure {
    message: ByteString,
    code: Option<ByteString>,
}

impl Failure {
    /// The failure that an object reports, if it does.
    pub(super) fn of(object: Object<'_>) -> Option<Self> {
        let [error, errors, message, event, aws_type, kind] =
            object.get_all(["error", "errors", "errorMessage", "event", "__type", "type"]);
        if let Some(error) = [error, errors].into_iter().flatten().find(|error| !error.is_nothing()) {
            // `{"error": true, "message": "…"}`, and `{"error": "KeyError", "message": "…"}`, as LangGraph's server has it.
            let named = error.str().filter(|name| is_class(name) && !object.has("error_type"));
            let of_named = || object.get("message").and_then(Json::string).filter(|message| !message.is_empty());
            if let Some((name, message)) = named.and_then(|name| Some((name, of_named()?))) {
                return Some(Self { message, code: Some(name.into()) });
            }
            let message = if error.is_true() { words(object) } else { None };
            let code = ["error_type", "errorType", "code"].iter().find_map(|key| object.get(key)).and_then(Json::words);
            return Some(Self { message: message.unwrap_or_else(|| message_of(error)), code: code_of(error).or(code) });
        }
        if let Some(message) = message.and_then(Json::string).filter(|_| object.has("errorType")) {
            return Some(Self { message, code: object.string("errorType") });
        }
        let mut names = [event, aws_type, kind].into_iter().filter_map(|name| name?.str());
        let name = names.find(|name| event_name::is_error(name) && !is_of_a_tool(name))?;
        let message = words(object)?;
        let code = object.get("code").and_then(Json::words);
        Some(Self { message, code: code.or_else(|| (!name.eq_ignore_ascii_case("error")).then(|| name.into())) })
    }

    /// Tells the text beside the error, and then the error.
    pub(super) fn tell(self, object: Object<'_>, transcript: &mut Transcript) {
        for key in BESIDE {
            if let Some(text) = object.string(key) {
                transcript.text(None, "", text);
                break;
            }
        }
        transcript.error(self.message.to_string(), self.code);
    }
}

/// Whether this is the name of a class of errors, and no message.
fn is_class(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) && event_name::is_error(name)
}

/// Whether a type is of a tool that failed, which its agent is told and judges.
fn is_of_a_tool(name: &str) -> bool {
    ["tool-", "tool_", "tool."].iter().any(|start| name.starts_with(start))
}

/// Reads the data of an event that is named an error, whatever it is.
pub(super) fn named(data: &ByteString, values: &mut Values, transcript: &mut Transcript) {
    let Some(json) = values.read(data) else {
        return transcript.error(&**data, None);
    };
    match json.object().and_then(Failure::of) {
        Some(failure) => transcript.error(failure.message.to_string(), failure.code),
        None => transcript.error(message_of(json).to_string(), code_of(json)),
    }
}

/// The message of an error, which is a string, an object with one, or itself.
fn message_of(error: Json<'_>) -> ByteString {
    error.object().and_then(words).or_else(|| error.words()).unwrap_or_else(|| error.text())
}

fn code_of(error: Json<'_>) -> Option<ByteString> {
    let error = error.object()?;
    CODES.iter().find_map(|key| error.get(key)?.words())
}

/// What an object says in words, of which the deepest counts: `{"error": {"message": "…"}}`.
fn words(object: Object<'_>) -> Option<ByteString> {
    MESSAGES.iter().find_map(|key| {
        let value = object.get(key).filter(|value| !value.is_nothing())?;
        value.words().or_else(|| {
            let inner = value.object()?;
            MESSAGES.iter().find_map(|key| inner.get(key)?.words())
        })
    })
}

const MESSAGES: &[&str] =
    &["message", "Message", "error", "detail", "errorText", "errorMessage", "error_message", "msg", "reason"];

const CODES: &[&str] = &["type", "code", "__type", "status"];

/// Where a text stands beside an error; not `message`, which is the error's.
const BESIDE: &[&str] = &["data", "delta", "text", "content", "result", "output", "response", "answer"];

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_named};

    #[test]
    fn errors() {
        for (data, expected) in [
            (
                r#"{"error": "boom\nsecond é", "error_type": "ValueError", "message": "An error occurred during streaming"}"#,
                "error ValueError: boom\nsecond é",
            ),
            (r#"{"error": "boom"}"#, "error : boom"),
            (r#"{"error": 1}"#, "error : 1"),
            (r#"{"error": "KeyError", "message": "boom"}"#, "error KeyError: boom"),
            (r#"{"error": "boom", "message": "see above"}"#, "error : boom"),
            (r#"{"error": "KeyError", "error_type": "X", "message": "see above"}"#, "error X: KeyError"),
            (r#"{"error": true, "message": "boom"}"#, "error : boom"),
            (r#"{"error": {"message": "boom", "code": "X"}}"#, "error X: boom"),
            (
                r#"{"error": {"message": "quota exceeded", "type": "server_error", "code": 429}}"#,
                "error server_error: quota exceeded",
            ),
            (
                r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#,
                "error overloaded_error: Overloaded",
            ),
            (r#"{"errors": [{"message": "boom"}]}"#, r#"error : [{"message": "boom"}]"#),
            (r#"{"error": "", "errors": ["boom"]}"#, r#"error : ["boom"]"#),
            (r#"{"type": "error", "message": "boom"}"#, "error : boom"),
            (r#"{"type": "ValidationException", "message": "boom"}"#, "error ValidationException: boom"),
            (
                r#"{"__type": "com.amazonaws#ThrottlingException", "message": "slow"}"#,
                "error com.amazonaws#ThrottlingException: slow",
            ),
            (r#"{"type": "KeyError", "detail": "boom"}"#, "error KeyError: boom"),
            (r#"{"event": "error", "message": "the model is gone"}"#, "error : the model is gone"),
            (r#"{"errorMessage": "boom", "errorType": "Runtime.ExitError"}"#, "error Runtime.ExitError: boom"),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"mcp boom"}}"#, "error -32603: mcp boom"),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603}}"#, r#"error -32603: {"code":-32603}"#),
        ] {
            check(&[(&[data], &[expected])]);
        }
        check(&[(&[r#"{"result": "half", "error": "boom"}"#], &["say half", "error : boom"])]);
    }

    #[test]
    fn answers_that_speak_of_errors() {
        for (data, expected) in [
            (r#"{"error": null, "text": "fine"}"#, "say fine"),
            (r#"{"error": "", "text": "fine"}"#, "say fine"),
            (r#"{"error": [], "errors": {}, "text": "fine"}"#, "say fine"),
            (r#"{"errors": [{"message": ""}], "text": "fine"}"#, "say fine"),
            (r#"{"error": 0, "text": "fine"}"#, "say fine"),
            (r#"{"error": false, "text": "fine"}"#, "say fine"),
            (r#"{"type": "ai", "content": "error: none"}"#, "say error: none"),
            (r#""An error is a mistake.""#, "say An error is a mistake."),
            (r#"{"text": "{\"error\": \"boom\"}"}"#, r#"say {"error": "boom"}"#),
            (r#"{"message": "Error: see below"}"#, "say Error: see below"),
            (r#"{"error": "", "error_type": "KeyError"}"#, "other"),
            (r#"{"type": "tool_error", "message": "no"}"#, "other"),
        ] {
            check(&[(&[data], &[expected])]);
        }
    }

    #[test]
    fn by_the_name_of_the_event() {
        check_named(&[
            (&[("error", "upstream reset")], &["error : upstream reset"]),
            (&[("error", r#"{"message": "rate limited", "code": 429}"#)], &["error 429: rate limited"]),
            (&[("error", r#"{"detail": "boom"}"#)], &["error : boom"]),
            (&[("error", r#""boom""#)], &["error : boom"]),
            (&[("error", "null")], &["error : null"]),
            (&[("ThrottlingException", "{}")], &["error : {}"]),
        ]);
    }
}
