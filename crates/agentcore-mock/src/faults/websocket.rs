//! The faults of an open WebSocket, by name. Injects none: the WebSocket does.

use super::error_response::decimal;

/// A fault of an open WebSocket, parsed from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebSocketFault {
    /// Closes with this code after one message.
    Close(u16),
    /// Closes with this code at once.
    CloseNow(u16),
    /// Ends the TCP connection after one message, on the first so many connections of a session.
    Drop(u32),
    /// Reads nothing.
    Deaf,
    /// Reads everything and answers nothing.
    Silent,
    /// Leaves a close unanswered.
    NoClose,
}

impl WebSocketFault {
    pub(crate) fn parse(agent: &str) -> Option<Self> {
        Some(match agent {
            "drop" => Self::Drop(u32::MAX),
            "deaf" => Self::Deaf,
            "silent" => Self::Silent,
            "no-close" => Self::NoClose,
            _ => {
                let (kind, number) = agent.split_once('-')?;
                match (kind, number.strip_suffix("-now")) {
                    ("drop", None) => Self::Drop(decimal(number)?),
                    ("close", None) => Self::Close(close_code(number)?),
                    ("close", Some(code)) => Self::CloseNow(close_code(code)?),
                    _ => return None,
                }
            }
        })
    }
}

/// Parses a code that a close frame may carry (RFC 6455 section 7.4).
fn close_code(text: &str) -> Option<u16> {
    let code = decimal(text).and_then(|code| u16::try_from(code).ok())?;
    let is_sendable = (1000..5000).contains(&code) && ![1004, 1005, 1006, 1015].contains(&code);
    is_sendable.then_some(code)
}
