//! What the service says of a shell: that it is there, or how it ended. Reads no frame.

use serde::Deserialize;
use serde_json::Value;

/// The state of a shell, in a [`Status`](super::ShellFrame::Status) frame: a Kubernetes `metav1.Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellStatus {
    /// The socket is attached to a shell. Such a frame need not come: a shell can be used from its opening on.
    #[non_exhaustive]
    Attached {
        /// The shell's id.
        shell_id: String,
        /// Whether the shell was there before; false for a new one.
        reconnected: bool,
        /// How many bytes of output were lost since the last connection, because more came than the service keeps (256 KB).
        bytes_dropped: u64,
    },
    /// The shell ended.
    Exited(ShellExit),
}

/// How a shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShellExit {
    /// The exit code, 128 and more after a signal; none where the platform failed.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What the platform says of it; empty for a shell that ended by itself with the code 0.
    pub message: String,
}

impl ShellExit {
    /// Returns whether the platform failed, and not the shell.
    #[must_use]
    pub fn is_platform_failure(&self) -> bool {
        self.code.is_none()
    }
}

impl ShellStatus {
    /// Parses a status; none for what is none, and for one that says neither.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let status: Status = serde_json::from_slice(payload).ok()?;
        if let Some(shell_id) = status.metadata.shell_id {
            let Metadata { reconnected, bytes_dropped, .. } = status.metadata;
            return Some(Self::Attached {
                shell_id,
                reconnected: reconnected.unwrap_or_default(),
                bytes_dropped: bytes_dropped.unwrap_or_default(),
            });
        }
        let message = status.message.unwrap_or_default();
        match status.status.as_deref()? {
            "Success" => Some(Self::Exited(ShellExit { code: Some(0), signal: None, message })),
            "Failure" => {
                let cause = |reason: &str| {
                    let cause = status.details.causes.iter().find(|cause| cause.reason == reason)?;
                    match &cause.message {
                        Value::String(number) => number.parse().ok(),
                        number => number.as_i64()?.try_into().ok(),
                    }
                };
                let (code, signal) = (cause("ExitCode"), cause("Signal"));
                let code = code.or_else(|| Some(128_i32.saturating_add(signal?)));
                Some(Self::Exited(ShellExit { code, signal, message }))
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    metadata: Metadata,
    status: Option<String>,
    message: Option<String>,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    shell_id: Option<String>,
    reconnected: Option<bool>,
    bytes_dropped: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    causes: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(code: Option<i32>, signal: Option<i32>, message: &str) -> Option<ShellStatus> {
        Some(ShellStatus::Exited(ShellExit { code, signal, message: message.to_owned() }))
    }

    #[test]
    fn what_the_service_says() {
        let attached = |reconnected, bytes_dropped| {
            Some(ShellStatus::Attached { shell_id: "s1".to_owned(), reconnected, bytes_dropped })
        };
        for (json, expected) in [
            (r#"{"metadata":{"shellId":"s1","reconnected":false},"status":"Success"}"#, attached(false, 0)),
            (r#"{"metadata":{"shellId":"s1","reconnected":true,"bytesDropped":70}}"#, attached(true, 70)),
            (r#"{"metadata":{"shellId":"s1"}}"#, attached(false, 0)),
            (r#"{"metadata":{},"status":"Success"}"#, exited(Some(0), None, "")),
            (r#"{"status":"Success"}"#, exited(Some(0), None, "")),
            (
                r#"{"metadata":{},"status":"Failure","message":"m","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#,
                exited(Some(7), None, "m"),
            ),
            (
                r#"{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"137"},{"reason":"Signal","message":"9"}]}}"#,
                exited(Some(137), Some(9), ""),
            ),
            (
                r#"{"status":"Failure","details":{"causes":[{"reason":"Signal","message":9}]}}"#,
                exited(Some(137), Some(9), ""),
            ),
            (
                r#"{"status":"Failure","reason":"InternalError","message":"gone","code":500}"#,
                exited(None, None, "gone"),
            ),
            (
                r#"{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"x"},{}]}}"#,
                exited(None, None, ""),
            ),
            (r#"{"status":"Pending"}"#, None),
            ("{nope", None),
            ("{}", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(ShellStatus::parse(json.as_bytes()), expected, "{json}");
        }
    }
}
