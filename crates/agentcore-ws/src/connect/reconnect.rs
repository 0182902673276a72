//! Decides whether to replace a lost connection, by how it ended. Connects nowhere.
//!
//! | how it ended | reconnects |
//! |---|---|
//! | lost without a close frame (1006), silent beyond the pong deadline | yes |
//! | 1001 going away, 1012 restart, 1013 try again later, 1014 bad gateway | yes |
//! | 1008 policy: a limit, the connection's age | yes |
//! | 1008 whose reason is about authentication or authorization | no |
//! | 1000 normal, and a close frame without a code | no |
//! | 1011 internal error: the agent failed, and would again | no |
//! | 1002, 1003, 1007, 1009, 1010: what was sent is not accepted | no |
//! | every other code, such as 3000 to 4999, which the agent defines | no |
//!
//! The codes are those of RFC 6455 §7.4.1 and the IANA registry; the AWS developer guide ("WebSocket", "close codes") lists those
//! that AgentCore uses.

use super::Close;

/// Decides by the table of the [module](self). `None` is a connection lost without a close frame.
#[must_use]
pub fn should_reconnect(close: Option<&Close>) -> bool {
    let Some(close) = close else { return true };
    match close.code {
        1001 | 1012..=1014 => true,
        1008 => !is_about_credentials(&close.reason),
        _ => false,
    }
}

/// Checks whether a close frame's reason is about authentication or authorization.
pub(crate) fn is_about_credentials(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().any(|word| reason.contains(word))
}

/// Words of such reasons in the service's HTTP errors; its close reasons are not documented.
const CREDENTIAL_WORDS: &[&str] =
    &["auth", "token", "credential", "signature", "denied", "forbidden", "permission", "jwt"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        assert!(should_reconnect(None));
        for (code, reason, expected) in [
            (1000, "", false),
            (1001, "", true),
            (1002, "", false),
            (1003, "", false),
            (1005, "", false),
            (1007, "", false),
            (1008, "", true),
            (1008, "Maximum connection duration exceeded", true),
            (1008, "frame rate limit", true),
            (1008, "Unauthorized", false),
            (1008, "The security TOKEN has expired", false),
            (1008, "Access denied", false),
            (1009, "", false),
            (1010, "", false),
            (1011, "", false),
            (1012, "", true),
            (1013, "", true),
            (1014, "", true),
            (3000, "", false),
            (4000, "", false),
            (4999, "", false),
        ] {
            assert_eq!(should_reconnect(Some(&Close { code, reason: reason.into() })), expected, "{code} {reason}");
        }
    }
}
