//! What a local container says of its health (`GET /ping` of the AgentCore Runtime HTTP protocol contract).

use serde::{Deserialize, Serialize};

/// A container's answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// `Healthy`, or `HealthyBusy` while the agent works in the background.
    pub status: String,
    /// When the status last changed, in seconds since 1970, if the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_of_last_update: Option<u64>,
}
