//! The kinds of text that this workspace parses, and the quoting of refused texts. Parses nothing.

use std::fmt;

/// The kind of a refused text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputKind {
    /// An [`Arn`](crate::Arn).
    Arn,
    /// A [`Region`](crate::Region).
    Region,
    /// An [`Endpoint`](crate::Endpoint).
    Endpoint,
    /// The name of a target behind a gateway; see [`Target::gateway`](crate::Target::gateway).
    GatewayTarget,
    /// A [`Qualifier`](crate::Qualifier).
    Qualifier,
    /// A [`SessionId`](crate::SessionId).
    SessionId,
    /// A [`UserId`](crate::UserId).
    UserId,
    /// A [`ShellId`](crate::ShellId).
    ShellId,
    /// A [`CustomHeader`](crate::CustomHeader), or another header's value.
    Header,
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arn => "runtime ARN",
            Self::Region => "region",
            Self::Endpoint => "endpoint URL",
            Self::GatewayTarget => "gateway target",
            Self::Qualifier => "qualifier",
            Self::SessionId => "session id",
            Self::UserId => "user id",
            Self::ShellId => "shell id",
            Self::Header => "header",
        })
    }
}

/// Prints a text in quotes on one line, of at most 120 characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: String = self.0.chars().take(MAX_QUOTED_CHARS).collect();
        if shown.len() < self.0.len() {
            shown.push('…');
        }
        write!(f, "{shown:?}")
    }
}

/// The most characters of a refused text that an error quotes.
const MAX_QUOTED_CHARS: usize = 120;
