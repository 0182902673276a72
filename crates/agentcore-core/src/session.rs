//! Session ids, user ids and shell ids. Makes and checks them, keeps no state.

use std::{str::FromStr, sync::Arc};

use uuid::{Uuid, fmt::Hyphenated};

use crate::{Error, InputKind, text::text_traits};

/// The id of a conversation with an agent: 33 to 256 visible ASCII characters.
///
/// Requests with equal ids reach the same microVM, which ends after 8 hours, or after 15 idle minutes (AgentCore Runtime quotas).
/// Whoever knows an id can join the conversation, so an id should be hard to guess: start one with [`random`](Self::random).
///
/// ```
/// use agentcore_core::SessionId;
///
/// let new = SessionId::random();
/// let known: SessionId = "customer-4711-conversation-0000000001".parse()?;
/// assert!(new != known && "too-short".parse::<SessionId>().is_err());
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The fewest characters that the service accepts.
    pub const MIN_CHARS: usize = 33;
    /// The most characters that the service accepts.
    pub const MAX_CHARS: usize = 256;

    /// Returns a new id of 36 characters, with 122 random bits (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(random_uuid())
    }

    /// Returns a stable id for a short name such as `my_session_123`.
    ///
    /// Equal names give equal ids, on every machine and in every version of this crate: the letters, digits, `-` and `_` of the
    /// name, and its UUID version 5. The id is as easy to guess as the name, so it is not for the users of a public service.
    ///
    /// ```
    /// # use agentcore_core::SessionId;
    /// let id = SessionId::derive("my_session_123");
    /// assert_eq!(id.as_str(), "my_session_123-4eeee1f4-57db-5d6a-a692-a0948436f0aa");
    /// ```
    #[must_use]
    pub fn derive(name: &str) -> Self {
        let digest = Uuid::new_v5(&DERIVED, name.as_bytes());
        let readable: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .take(MAX_READABLE_CHARS)
            .collect();
        let separator = if readable.is_empty() { "" } else { "-" };
        Self(format!("{readable}{separator}{digest}").into())
    }

    /// Parses the id in an answer of the service or of a local container: 1 to 256 visible ASCII characters. Containers do not
    /// keep to the service's minimum.
    #[must_use]
    pub fn from_answer(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }
}

/// Returns a UUID of version 4, as text.
fn random_uuid() -> Arc<str> {
    let mut text = [0; Hyphenated::LENGTH];
    (*Uuid::new_v4().hyphenated().encode_lower(&mut text)).into()
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |rule: String| Err(Error::invalid(InputKind::SessionId, text, rule));
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return refuse("it may hold only visible ASCII characters".into());
        }
        match text.len() {
            0..Self::MIN_CHARS => refuse(format!("it has {} characters, at least 33 are needed", text.len())),
            Self::MIN_CHARS..=Self::MAX_CHARS => Ok(Self(text.into())),
            more => refuse(format!("it has {more} characters, at most 256 are allowed")),
        }
    }
}

/// The user on whose behalf an agent is invoked: 1 to 1024 printable ASCII characters, no space at either end.
///
/// The agent receives it in a header, and the service does not verify it. It must come from the caller's login, not from an
/// untrusted request (AWS developer guide, "Invoke a runtime with a user id").
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The most characters that the service accepts.
    pub const MAX_CHARS: usize = 1024;
}

impl FromStr for UserId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |rule| Err(Error::invalid(InputKind::UserId, text, rule));
        match text {
            "" => refuse("it is empty"),
            _ if text.len() > Self::MAX_CHARS => refuse("it is longer than 1024 characters"),
            _ if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) => {
                refuse("it may hold only printable ASCII characters")
            }
            _ if text.starts_with(' ') || text.ends_with(' ') => refuse("it begins or ends with a space"),
            _ => Ok(Self(text.into())),
        }
    }
}

/// The id of a shell within a session: `[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShellId(Arc<str>);

impl ShellId {
    /// The most characters that the service accepts.
    pub const MAX_CHARS: usize = 128;

    /// Returns a new id of 36 characters, with 122 random bits (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(random_uuid())
    }
}

impl FromStr for ShellId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if first && rest && text.len() <= Self::MAX_CHARS {
            Ok(Self(text.into()))
        } else {
            let rule = "it must be 1 to 128 letters, digits, _ or -, and begin with a letter or digit";
            Err(Error::invalid(InputKind::ShellId, text, rule))
        }
    }
}

text_traits!(SessionId, UserId, ShellId);

/// The name space of derived session ids. Another one would change all of them.
const DERIVED: Uuid = Uuid::from_u128(0x3f0c_51d6_6a35_4d0c_9b64_4f6f_2f5e_8a11);

/// Leaves room for a dash and a UUID within the 100 characters of the ids that the service makes.
const MAX_READABLE_CHARS: usize = 63;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn session_id_grammar() {
        for good in ["session-0123456789-0123456789-0123456789", &"x".repeat(33), &"~".repeat(256)] {
            assert_eq!(good.parse::<SessionId>().unwrap().as_str(), good);
        }
        for (bad, rule) in [
            (String::new(), "it has 0 characters, at least 33 are needed"),
            ("my_session_123".into(), "it has 14 characters, at least 33 are needed"),
            ("x".repeat(32), "it has 32 characters, at least 33 are needed"),
            ("x".repeat(257), "it has 257 characters, at most 256 are allowed"),
            (format!("{}\r\nHost: evil", "x".repeat(40)), "it may hold only visible ASCII characters"),
            (format!("{} x", "x".repeat(40)), "it may hold only visible ASCII characters"),
            ("é".repeat(40), "it may hold only visible ASCII characters"),
        ] {
            assert_eq!(bad.parse::<SessionId>().unwrap_err().rule(), rule);
        }
    }

    #[test]
    fn ids_in_answers_may_be_short() {
        for text in ["s", "my_session_123", &"x".repeat(256)] {
            assert_eq!(SessionId::from_answer(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a\n", "é", &"x".repeat(257)] {
            assert_eq!(SessionId::from_answer(text), None, "{text:?}");
        }
    }

    #[test]
    fn random_ids_are_valid_and_differ() {
        let (a, b) = (SessionId::random(), SessionId::random());
        assert_ne!(a, b);
        assert_eq!(a.as_str().parse::<SessionId>().unwrap(), a);
    }

    /// Python: `uuid.uuid5(uuid.UUID("3f0c51d6-6a35-4d0c-9b64-4f6f2f5e8a11"), name)`.
    #[test]
    fn derived_ids_are_stable() {
        for (name, id) in [
            ("my_session_123", "my_session_123-4eeee1f4-57db-5d6a-a692-a0948436f0aa"),
            ("", "3456ec31-c969-59f9-97a3-04b175459547"),
            ("é --a b", "ab-f3d1bcd7-926b-58d8-994b-9d4583589bfa"),
        ] {
            let derived = SessionId::derive(name);
            assert_eq!(derived.as_str(), id);
            assert_eq!(id.parse::<SessionId>().unwrap(), derived);
        }
        assert_eq!(SessionId::derive(&"n".repeat(500)).as_str().len(), 100);
        assert_ne!(SessionId::derive("a b"), SessionId::derive("ab"));
    }

    #[test]
    fn user_id_grammar() {
        for good in ["a", "jane@example.com", "Jane Doe", &"u".repeat(1024)] {
            assert_eq!(good.parse::<UserId>().unwrap().as_str(), good);
        }
        for (bad, rule) in [
            ("", "it is empty"),
            (" a", "it begins or ends with a space"),
            ("a ", "it begins or ends with a space"),
            ("a\nb", "it may hold only printable ASCII characters"),
            ("zoë", "it may hold only printable ASCII characters"),
            (&"u".repeat(1025), "it is longer than 1024 characters"),
        ] {
            assert_eq!(bad.parse::<UserId>().unwrap_err().rule(), rule);
        }
    }

    #[test]
    fn shell_id_grammar() {
        assert!(ShellId::random().as_str().parse::<ShellId>().is_ok_and(|id| id != ShellId::random()));
        for good in ["A", "my-debug-shell", "sh_1", "0", &"a".repeat(128)] {
            assert_eq!(good.parse::<ShellId>().unwrap().as_str(), good);
        }
        for bad in ["", "-bad", "_x", "ok\n", "a b", "é", &"a".repeat(129)] {
            assert!(bad.parse::<ShellId>().is_err(), "{bad:?}");
        }
    }
}
