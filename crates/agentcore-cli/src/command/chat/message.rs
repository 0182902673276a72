//! What is sent to the agent: words, or the answers to what it asked. Plain data.

use serde_json::Value;

/// A message to the agent.
pub(super) enum Message<'a> {
    Prompt(&'a str),
    /// The payload with which the agent goes on.
    Answers(&'a Value),
}
