//! Agent2Agent 0.3 and 1.x over JSON-RPC: artifacts are the answer, and so is what the agent says with its status.
//!
//! An artifact comes in pieces or whole, and may come once more in a task; agents also speak by status and then send the whole
//! as an artifact. Shapes: A2A specification 0.3.0 §6 and 1.0 §4, whose kinds are keys.

use super::{
    Event, SseEvent,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    object.get("jsonrpc")?;
    let result = object.get("result")?.object()?;
    let (kind, body) = match result.str("kind") {
        Some(kind) => (KINDS.iter().find_map(|(old, new)| (*old == kind).then_some(*new))?, result),
        None => KINDS.iter().find_map(|(_, new)| Some((*new, result.get(new)?.object()?)))?,
    };
    match kind {
        "artifactUpdate" => {
            let more = body.get("append").is_some_and(Json::is_true);
            artifact(body.get("artifact")?.object()?, more, transcript);
        }
        "statusUpdate" => status(event, body, transcript),
        "message" => message(body, transcript),
        _ => {
            for part in body.get("artifacts").and_then(Json::array).unwrap_or_default() {
                artifact(part.object()?, false, transcript);
            }
            status(event, body, transcript);
        }
    }
    Some(())
}

fn artifact(artifact: Object<'_>, more: bool, transcript: &mut Transcript) {
    let id = artifact.string("artifactId");
    let texts = texts(artifact);
    if more {
        texts.into_iter().for_each(|text| transcript.text(id.as_deref(), ARTIFACT, text));
    } else {
        transcript.message(id.as_deref(), ARTIFACT, texts.into_iter().map(Block::Text).collect());
    }
}

fn status(event: &SseEvent, body: Object<'_>, transcript: &mut Transcript) {
    let Some(status) = body.get("status").and_then(Json::object) else { return };
    let state = status.string("state").unwrap_or_default();
    let state = state.trim_start_matches("TASK_STATE_").to_ascii_lowercase().replace('_', "-");
    let said = status.get("message").and_then(Json::object);
    match (&*state, said) {
        ("failed" | "rejected" | "canceled", said) => {
            let words = said.map(|said| texts(said).join("")).filter(|words| !words.is_empty());
            transcript.error(words.unwrap_or_else(|| "the task did not complete".to_owned()), Some(state.into()));
        }
        // What an agent says while it works are pieces, in messages each of its own.
        ("submitted" | "working", Some(said)) => {
            texts(said).into_iter().for_each(|text| transcript.text(None, "", text));
        }
        (_, Some(said)) => message(said, transcript),
        (_, None) => {}
    }
    if transcript.is_silent() {
        transcript.event(Event::State(event.clone()));
    }
}

fn message(message: Object<'_>, transcript: &mut Transcript) {
    if message.string("role").is_some_and(|role| matches!(&*role, "agent" | "ROLE_AGENT")) {
        let blocks = texts(message).into_iter().map(Block::Text).collect();
        transcript.message(message.string("messageId").as_deref(), "message", blocks);
    }
}

/// The parts that are text; in 1.x nothing but the key tells.
fn texts(parent: Object<'_>) -> Vec<bytestring::ByteString> {
    let parts = parent.get("parts").and_then(Json::array).unwrap_or_default();
    parts.into_iter().filter_map(|part| part.get("text")?.string()).collect()
}

const ARTIFACT: &str = "artifact";

/// The kinds of 0.3 and the keys of 1.x.
const KINDS: &[(&str, &str)] = &[
    ("artifact-update", "artifactUpdate"),
    ("status-update", "statusUpdate"),
    ("message", "message"),
    ("task", "task"),
];

#[cfg(test)]
mod tests {
    use crate::event::tests::check;

    fn result(body: &str) -> String {
        format!(r#"{{"jsonrpc": "2.0", "id": "1", "result": {body}}}"#)
    }

    fn stories(bodies: &[&str], expected: &[&str]) {
        let events: Vec<String> = bodies.iter().map(|body| result(body)).collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        check(&[(&events, expected)]);
    }

    #[test]
    fn version_0_3() {
        let artifact = |text: &str, append: bool| {
            format!(
                r#"{{"kind": "artifact-update", "append": {append}, "artifact": {{"artifactId": "a1", "parts": [{{"kind": "text", "text": "{text}"}}]}}}}"#
            )
        };
        let status = |state: &str, message: &str| {
            format!(r#"{{"kind": "status-update", "status": {{"state": "{state}", "message": {message}}}}}"#)
        };
        let says = |text: &str| {
            format!(
                r#"{{"kind": "message", "messageId": "m-{text}", "role": "agent", "parts": [{{"kind": "text", "text": "{text}"}}]}}"#
            )
        };
        let task = r#"{"kind": "task", "status": {"state": "completed"},
            "artifacts": [{"artifactId": "a1", "parts": [{"kind": "text", "text": "Hel"}, {"kind": "text", "text": "lo"}]}],
            "history": [{"role": "agent", "parts": [{"kind": "text", "text": "old"}]}]}"#;
        for (bodies, expected) in [
            (vec![artifact("Hel", false), artifact("lo", true), task.into()], vec!["say Hel", "say lo", "state"]),
            (vec![task.into()], vec!["say Hel", "say lo"]),
            (vec![artifact("Hel", false), task.into()], vec!["say Hel", "say lo"]),
            (vec![artifact("lo", false), artifact("lo", true)], vec!["say lo", "say lo"]),
            // An agent that says its pieces by status and then gives the whole as an artifact.
            (
                vec![status("working", &says("Hel")), status("working", &says("lo")), artifact("Hello\\n", false)],
                vec!["say Hel", "say lo", "other"],
            ),
            (
                vec![
                    artifact("Hello", false),
                    status("completed", &says("Hello")),
                    status("completed", &says("Hello")),
                ],
                vec!["say Hello", "state", "state"],
            ),
            (vec![status("submitted", "null"), status("working", "null")], vec!["state", "state"]),
            (vec![status("input-required", &says("Which?"))], vec!["say Which?"]),
            (vec![status("failed", &says("no"))], vec!["error failed: no"]),
            (vec![status("canceled", "null")], vec!["error canceled: the task did not complete"]),
            (vec![says("Hi")], vec!["say Hi"]),
            (vec![says("Hi").replace("agent", "user")], vec!["other"]),
            (vec![artifact("x", false).replace("text", "data")], vec!["other"]),
        ] {
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            stories(&bodies, &expected);
        }
    }

    #[test]
    fn version_1() {
        for (body, expected) in [
            (r#"{"artifactUpdate": {"artifact": {"artifactId": "a1", "parts": [{"text": "Hi"}]}}}"#, "say Hi"),
            (r#"{"message": {"messageId": "m1", "role": "ROLE_AGENT", "parts": [{"text": "Hi"}]}}"#, "say Hi"),
            (r#"{"task": {"status": {"state": "TASK_STATE_SUBMITTED"}}}"#, "state"),
            (r#"{"task": {"status": {"state": "TASK_STATE_REJECTED"}}}"#, "error rejected: the task did not complete"),
            (
                r#"{"statusUpdate": {"status": {"state": "TASK_STATE_INPUT_REQUIRED", "message": {"messageId": "m1", "role": "ROLE_AGENT", "parts": [{"text": "Which?"}]}}}}"#,
                "say Which?",
            ),
        ] {
            stories(&[body], &[expected]);
        }
    }
}
