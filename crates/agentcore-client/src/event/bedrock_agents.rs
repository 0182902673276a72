//! Agents that answer in the manner of Bedrock Agents: chunks of a completion, and traces.
//!
//! Shapes: the Amazon Bedrock API reference, `InvokeAgent`, `Trace` and `Metadata`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytestring::ByteString;

use super::{
    Event, SseEvent,
    json::{Json, Object},
    tally::{Names, Report, millis},
    transcript::Transcript,
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    if let Some(completion) = object.get("completion").or_else(|| object.get("chunk")) {
        transcript.text(None, "", text(completion)?);
    } else if let Some(trace) = object.get("trace")?.object() {
        usage(trace, transcript);
        transcript.event(Event::Trace(event.clone()));
    } else {
        return None;
    }
    Some(())
}

/// Reads the numbers of a model call, which its trace tells once: `modelInvocationOutput` in a part of the trace.
fn usage(trace: Object<'_>, transcript: &mut Transcript) {
    // A trace of Bedrock's stands in a part with the names of the agent and the session.
    let trace = trace.get("trace").and_then(Json::object).unwrap_or(trace);
    let metadata = trace.values().find_map(|part| part.get("modelInvocationOutput")?.get("metadata")?.object());
    if let Some(metadata) = metadata {
        let numbers = metadata.get("usage").and_then(Json::object);
        let mut usage = numbers.map(|numbers| USAGE.read(numbers)).unwrap_or_default();
        usage.latency = metadata.get("totalTimeMs").and_then(millis);
        transcript.usage(None, Report::More, &usage);
    }
}

/// The API reference's `Usage`, which knows no cache.
const USAGE: Names = Names {
    input: "inputTokens",
    output: "outputTokens",
    cached: (None, "cacheReadInputTokens"),
    beside: None,
    total: None,
};

fn text(completion: Json<'_>) -> Option<ByteString> {
    let Some(object) = completion.object() else { return completion.string() };
    object.string("text").or_else(|| object.string("bytes").map(decoded))
}

/// Bytes are base64 in AWS's JSON. Agents of other makers put their text there as it is.
fn decoded(bytes: ByteString) -> ByteString {
    let text = STANDARD.decode(&*bytes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.filter(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace())).map_or(bytes, ByteString::from)
}

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    #[test]
    fn chunks() {
        check(&[
            (&[r#"{"completion": {"text": "Hel"}}"#, r#"{"completion": {"text": "lo"}}"#], &["say Hel", "say lo"]),
            (&[r#"{"completion": {"bytes": "SGVsbG8sIHfDtnJsZA=="}}"#], &["say Hello, wörld"]),
            (&[r#"{"completion": {"bytes": "SGkKeW91"}}"#], &["say Hi\nyou"]),
            (&[r#"{"completion": {"bytes": "Hello, world"}}"#], &["say Hello, world"]),
            // Base64 by its letters, and yet words: what it would stand for is no text.
            (
                &[r#"{"completion": {"bytes": "Text"}}"#, r#"{"completion": {"bytes": "AAAA"}}"#],
                &["say Text", "say AAAA"],
            ),
            (&[r#"{"completion": "Hello"}"#, r#"{"chunk": {"bytes": "SGk="}}"#], &["say Hello", "say Hi"]),
            (&[r#"{"trace": {"orchestrationTrace": {}}}"#], &["trace"]),
            (&[r#"{"completion": {"citations": []}}"#, r#"{"completion": {"text": ""}}"#], &["other", "other"]),
        ]);
    }

    #[test]
    fn numbers() {
        let output = r#"{"modelInvocationOutput": {"traceId": "t", "metadata": {"totalTimeMs": 900, "usage": {"inputTokens": 7, "outputTokens": 3}}}}"#;
        let trace = format!(r#"{{"trace": {{"orchestrationTrace": {output}}}}}"#);
        let part = format!(
            r#"{{"trace": {{"agentId": "a", "sessionId": "s", "trace": {{"preProcessingTrace": {output}}}}}}}"#
        );
        check(&[
            (&[&trace, &part], &["used 7 3 - 900", "trace", "used 7 3 - 900", "trace"]),
            (&[&trace.replace(r#""inputTokens": 7"#, r#""inputTokens": -7"#)], &["used - 3 - 900", "trace"]),
            (
                &[&trace.replace("metadata", "meta"), &trace.replace("totalTimeMs", "x").replace("usage", "y")],
                &["trace", "trace"],
            ),
        ]);
    }
}
