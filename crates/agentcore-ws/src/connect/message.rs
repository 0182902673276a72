//! What passes over a socket: text, bytes and close frames. Parses no JSON.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::Error;

/// A message to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Text, as which agents usually take JSON.
    Text(ByteString),
    /// Bytes.
    Binary(Bytes),
}

/// Makes messages of the types that texts and bytes commonly have.
macro_rules! message_from {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for Message {
            fn from(content: $type) -> Self {
                Self::$variant(content.into())
            }
        }
    )*};
}

message_from!(&str => Text, String => Text, ByteString => Text, Bytes => Binary, Vec<u8> => Binary);

/// What comes over a socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// Text from the agent, a whole message.
    Text(ByteString),
    /// Bytes from the agent, a whole message.
    Binary(Bytes),
    /// The connection was lost and there is a new one; only with [`Settings::reconnect`](crate::Settings::reconnect).
    Reconnected(Reconnected),
}

impl Incoming {
    /// Returns the text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A connection that was lost and replaced, in the same session.
///
/// What the agent sent in between is lost. What it was sent may be lost too. Where the new connection is lost as well before the
/// program could take this, it stands for both: the cause is the last, and the numbers are added.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reconnected {
    /// Why the connection was lost.
    pub cause: Error,
    /// The close frame with which the agent's side ended the connection, if it did.
    pub close: Option<Close>,
    /// How many messages were sent since the agent last sent one or read a ping; it may have received any number of them. The
    /// one that was being sent when the connection was lost, whose [`send`](crate::Sender::send) failed, is counted too.
    ///
    /// A message of the agent's counts as the answer to all that was sent before it arrived. Where an agent speaks unasked, it may
    /// have lost more.
    pub unconfirmed: u64,
    /// How many attempts the new connection took.
    pub attempts: u32,
    /// How long there was no connection.
    pub downtime: std::time::Duration,
}

impl Reconnected {
    /// Returns what stands for this loss and an earlier one that was not reported yet.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        Self {
            cause: self.cause,
            close: self.close.or(earlier.close),
            unconfirmed: self.unconfirmed.saturating_add(earlier.unconfirmed),
            attempts: self.attempts.saturating_add(earlier.attempts),
            downtime: self.downtime.saturating_add(earlier.downtime),
        }
    }
}

/// The code and the reason of a close frame (RFC 6455 §7.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Close {
    /// The code; 1005 stands for a close frame without one.
    pub code: u16,
    /// The reason, at most 123 bytes; often empty.
    pub reason: String,
}

impl Close {
    /// Returns the normal close, 1000.
    #[must_use]
    pub fn normal() -> Self {
        Self { code: 1000, reason: String::new() }
    }

    /// Returns a close with this code and reason, to be sent to the agent.
    ///
    /// # Errors
    /// If the code may not be sent (RFC 6455 §7.4: 1000 to 1003, 1007 to 1014 and 3000 to 4999 may), or the reason is longer than
    /// 123 bytes.
    pub fn new(code: u16, reason: impl Into<String>) -> Result<Self, Error> {
        let reason = reason.into();
        if !Self::may_have(code) {
            return Err(Error::input(format!("a connection cannot be closed with the code {code}")));
        }
        if reason.len() > MAX_REASON_BYTES {
            let message = format!("the reason of a close has {} bytes, at most {MAX_REASON_BYTES} fit", reason.len());
            return Err(Error::input(message));
        }
        Ok(Self { code, reason })
    }

    /// Checks that a close frame may have this code (RFC 6455 §7.4, and the IANA registry of close codes).
    pub(super) fn may_have(code: u16) -> bool {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.code {
            1000 => "normal",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no code",
            1007 => "invalid data",
            1008 => "policy or limit",
            1009 => "message too big",
            1011 => "internal error",
            1012 => "restart",
            1013 => "try again later",
            1014 => "bad gateway",
            _ => "code of its own",
        };
        write!(f, "{} {name}", self.code)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

/// A control frame holds 125 bytes, two of them the code (RFC 6455 §5.5).
const MAX_REASON_BYTES: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_at_the_end() {
        let (may, may_not) = ([1000, 1003, 1007, 1014, 3000, 4999], [999, 1004, 1005, 1006, 1015, 2999, 5000]);
        for (codes, fine) in [(&may[..], true), (&may_not, false)] {
            for &code in codes {
                assert_eq!(Close::new(code, "").is_ok(), fine, "{code}");
            }
        }
        assert!(Close::new(1000, "x".repeat(123)).is_ok());
        let error = Close::new(1000, "é".repeat(62)).map_err(|error| error.to_string());
        assert_eq!(error.err().as_deref(), Some("the reason of a close has 124 bytes, at most 123 fit"));
    }

    #[test]
    fn in_words() {
        for (close, words) in [
            (Close::normal(), "1000 normal"),
            (Close { code: 1011, reason: "boom".into() }, "1011 internal error: boom"),
            (Close { code: 4000, reason: String::new() }, "4000 code of its own"),
        ] {
            assert_eq!(close.to_string(), words);
        }
    }
}
