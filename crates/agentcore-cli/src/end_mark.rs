//! The messages by which agents over WebSockets end an answer. Reads one member of them.

use serde::Deserialize;

/// Whether a message says that the answer is over.
pub(crate) fn is_last(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    text.starts_with('{') && serde_json::from_str(text).is_ok_and(|Typed { kind }| LAST.contains(&&*kind))
}

/// A habit of agents over WebSockets, and AG-UI's.
const LAST: &[&str] = &["done", "RUN_FINISHED", "RUN_ERROR"];
