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
//! A shell lives on without a socket, and is attached to again in more cases (AWS developer guide, "Interactive shells"):
//!
//! | how the socket of a shell ended | attaches again |
//! |---|---|
//! | as above | as above, and |
//! | 1011 internal error | yes |
//! | 1009 message too big | yes, and sends smaller frames |
//! | 4000: another client has taken the shell over | no |
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

/// Decides for the socket of a shell, by the second table of the [module](self).
#[must_use]
pub fn should_reattach(close: Option<&Close>) -> bool {
    close.is_some_and(|close| matches!(close.code, TOO_BIG | INTERNAL_ERROR)) || should_reconnect(close)
}

/// The close code for a message that is too big.
pub(crate) const TOO_BIG: u16 = 1009;
const INTERNAL_ERROR: u16 = 1011;

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
        let decide = |code, reason: &str| should_reconnect(Some(&Close { code, reason: reason.into() }));
        for code in [1001, 1008, 1012, 1013, 1014] {
            assert!(decide(code, ""), "{code}");
        }
        for code in [1000, 1002, 1003, 1005, 1007, 1009, 1010, 1011, 3000, 4000, 4999] {
            assert!(!decide(code, ""), "{code}");
        }
        assert!(should_reattach(None));
        for (code, expected) in [
            (1000, false),
            (1001, true),
            (1003, false),
            (1005, false),
            (1008, true),
            (1009, true),
            (1011, true),
            (1012, true),
            (4000, false),
        ] {
            assert_eq!(should_reattach(Some(&Close { code, reason: String::new() })), expected, "{code}");
        }
        for (reason, expected) in [
            ("Maximum connection duration exceeded", true),
            ("frame rate limit", true),
            ("Unauthorized", false),
            ("The security TOKEN has expired", false),
            ("Access denied", false),
        ] {
            assert_eq!(decide(1008, reason), expected, "{reason}");
        }
    }
}
