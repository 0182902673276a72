//! Agent2Agent 0.3 and 1.x over JSON-RPC: artifacts are the answer, and so is what the agent says with its status.
//!
//! An artifact comes in pieces or whole, and may come once more in a task; agents also speak by status and then send the whole
//! as an artifact. What a task that waits for input says with its status is what it asks, and no part of the answer. Shapes: A2A
//! specification 0.3.0 §6 and 1.0 §4, whose kinds are keys.

use bytestring::ByteString;

use super::{
    Dialect, Event, Interrupt, SseEvent,
    interrupt::Origin,
    json::{Json, Object},
    transcript::{Block, Transcript},
};

pub(super) fn read(event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    object.get("jsonrpc")?;
    let result = object.get("result")?.object()?;
    let (kind, body) = match result.str("kind") {
        Some(kind) => (KINDS.iter().find_map(|(old, new)| (*old == kind).then_some(*new))?, result),
        // The kind of 1.x is the key.
        None => KINDS.iter().find_map(|(_, new)| Some((*new, result.get(new)?.object()?)))?,
    };
    let is_version_1 = !result.has("kind");
    match kind {
        "artifactUpdate" => {
            let more = body.get("append").is_some_and(Json::is_true);
            artifact(body.get("artifact")?.object()?, more, transcript);
        }
        "statusUpdate" => status(event, body, is_version_1, transcript),
        "message" => {
            message(body, transcript);
            transcript.says_end();
        }
        _ => {
            for part in body.get("artifacts").and_then(Json::array).unwrap_or_default() {
                artifact(part.object()?, false, transcript);
            }
            status(event, body, is_version_1, transcript);
        }
    }
    transcript.within(false);
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

fn status(event: &SseEvent, body: Object<'_>, is_version_1: bool, transcript: &mut Transcript) {
    let Some(status) = body.get("status").and_then(Json::object) else { return };
    let state = status.string("state").unwrap_or_default();
    let state = state.trim_start_matches("TASK_STATE_").to_ascii_lowercase().replace('_', "-");
    let said = status.get("message").and_then(Json::object);
    if END_STATES.contains(&&*state) || body.get("final").is_some_and(Json::is_true) {
        transcript.says_end();
    }
    match (&*state, said) {
        ("failed" | "rejected" | "canceled", said) => {
            let words = said.map(|said| texts(said).join("")).filter(|words| !words.is_empty());
            transcript.error(words.unwrap_or_else(|| "the task did not complete".to_owned()), Some(state.into()));
        }
        // What an agent says while it works are pieces, in messages each of its own.
        ("submitted" | "working", Some(said)) => {
            texts(said).into_iter().for_each(|text| transcript.text(None, "", text));
        }
        (INPUT_REQUIRED | AUTH_REQUIRED, said) => {
            interrupt(&state, body, said, is_version_1, transcript);
            transcript.event(Event::State(event.clone()));
        }
        (_, Some(said)) => message(said, transcript),
        (_, None) => {}
    }
    if transcript.is_silent() {
        transcript.event(Event::State(event.clone()));
    }
}

/// Reads what a task waits for, which the task as a whole may say once more.
fn interrupt(state: &str, body: Object<'_>, said: Option<Object<'_>>, is_version_1: bool, transcript: &mut Transcript) {
    let task = body.string("taskId").or_else(|| body.string("id"));
    let reason = said.map(reason).unwrap_or_default();
    let key = task.as_ref().map(|task| format!("{task} {reason}"));
    let context = body.string("contextId").unwrap_or_default();
    let asked = Interrupt::of(Dialect::A2a, task.clone(), reason).named(Some(state.into())).from(Origin::Task {
        task: task.unwrap_or_default(),
        context,
        is_version_1,
    });
    transcript.interrupt(key.as_deref(), asked);
}

/// The text of a message, or the JSON of its data where it has no text.
fn reason(message: Object<'_>) -> ByteString {
    let texts = texts(message);
    if !texts.is_empty() {
        return texts.join("").into();
    }
    let mut parts = message.get("parts").into_iter().flat_map(Json::items);
    parts.find_map(|part| Some(part.get("data")?.text())).unwrap_or_default()
}

const INPUT_REQUIRED: &str = "input-required";
const AUTH_REQUIRED: &str = "auth-required";

/// The states after which an agent says no more of a task, because it is over or waits: terminal and interrupted ones.
const END_STATES: &[&str] = &["completed", "failed", "canceled", "rejected", INPUT_REQUIRED, AUTH_REQUIRED];

fn message(message: Object<'_>, transcript: &mut Transcript) {
    if message.string("role").is_some_and(|role| matches!(&*role, "agent" | "ROLE_AGENT")) {
        let blocks = texts(message).into_iter().map(Block::Text).collect();
        transcript.message(message.string("messageId").as_deref(), "message", blocks);
    }
}

/// The parts that are text; in 1.x nothing but the key tells.
fn texts(parent: Object<'_>) -> Vec<ByteString> {
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
    use crate::event::{
        EndMark,
        tests::{check, end_mark},
    };

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
            (vec![status("input-required", &says("Which?"))], vec!["ask  input-required Which?", "state"]),
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
        ] {
            stories(&[body], &[expected]);
        }
    }

    #[test]
    fn tasks_that_wait() {
        let update = |state: &str, message: &str| {
            format!(
                r#"{{"kind": "status-update", "taskId": "t1", "contextId": "c1", "final": true, "status": {{"state": "{state}", "message": {message}}}}}"#
            )
        };
        let says = |parts: &str| format!(r#"{{"messageId": "m1", "role": "agent", "parts": {parts}}}"#);
        let which = says(r#"[{"kind": "text", "text": "Which "}, {"kind": "text", "text": "one?"}]"#);
        let artifact = r#"{"kind": "artifact-update", "artifact": {"artifactId": "a1", "parts": [{"kind": "text", "text": "So far."}]}}"#;
        let task = format!(
            r#"{{"kind": "task", "id": "t1", "contextId": "c1", "status": {{"state": "input-required", "message": {which}}}}}"#
        );
        let version_1 = |kind: &str, id: &str| {
            format!(
                r#"{{"{kind}": {{"{id}": "t1", "contextId": "c1", "status": {{"state": "TASK_STATE_INPUT_REQUIRED", "message": {{"messageId": "m1", "role": "ROLE_AGENT", "parts": [{{"text": "Which one?"}}]}}}}}}}}"#
            )
        };
        for (bodies, expected) in [
            (
                vec![artifact.to_owned(), update("input-required", &which)],
                &["say So far.", "ask t1 input-required Which one?", "state"][..],
            ),
            (
                vec![update("input-required", &which), task.clone()],
                &["ask t1 input-required Which one?", "state", "state"],
            ),
            (vec![task], &["ask t1 input-required Which one?", "state"]),
            (
                vec![version_1("statusUpdate", "taskId"), version_1("task", "id")],
                &["ask t1 input-required Which one?", "state", "state"],
            ),
            (vec![update("auth-required", "null")], &["ask t1 auth-required ", "state"]),
            (
                vec![update("input-required", &says(r#"[{"kind": "data", "data": {"a": [1]}}]"#))],
                &[r#"ask t1 input-required {"a": [1]}"#, "state"],
            ),
            (
                vec![update("input-required", &says("[]")), update("input-required", "7")],
                &["ask t1 input-required ", "state", "state"],
            ),
            // Without an id nothing tells two questions from one that is repeated.
            (
                vec![update("input-required", &which).replace("\"taskId\": \"t1\",", ""); 2],
                &["ask  input-required Which one?", "state", "ask  input-required Which one?", "state"],
            ),
        ] {
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            stories(&bodies, expected);
        }
    }

    #[test]
    fn the_end() {
        let status = |state: &str, last: bool| {
            result(&format!(r#"{{"kind": "status-update", "final": {last}, "status": {{"state": "{state}"}}}}"#))
        };
        let version_1 = |state: &str| result(&format!(r#"{{"statusUpdate": {{"status": {{"state": "{state}"}}}}}}"#));
        let message = result(r#"{"message": {"messageId": "m1", "role": "ROLE_AGENT", "parts": [{"text": "Hi"}]}}"#);
        for (events, expected) in [
            (vec![status("working", false)], EndMark::Missing),
            (vec![status("working", false), status("completed", true)], EndMark::Seen),
            (vec![status("working", true)], EndMark::Seen),
            (vec![version_1("TASK_STATE_WORKING")], EndMark::Missing),
            (vec![version_1("TASK_STATE_WORKING"), version_1("TASK_STATE_COMPLETED")], EndMark::Seen),
            (vec![version_1("TASK_STATE_AUTH_REQUIRED")], EndMark::Seen),
            (vec![message], EndMark::Seen),
        ] {
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            assert_eq!(end_mark(&events), expected, "{events:?}");
        }
    }
}
