//! Agents that yield small objects: the text stands under one of a few usual keys.

use serde_json::Value;

use super::Event;

pub(super) fn read(json: &Value) -> Option<Event> {
    // Objects that say what they are belong to a protocol, whose texts are not all the agent's.
    if json.get("type").is_some() || json.get("jsonrpc").is_some() {
        return None;
    }
    KEYS.iter().find_map(|key| json.get(key)?.as_str()).map(|text| Event::Text(text.into()))
}

const KEYS: &[&str] = &["data", "delta", "text", "result", "output", "response", "message"];
