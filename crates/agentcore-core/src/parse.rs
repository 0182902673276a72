//! A text that breaks a rule of its type. The error never holds more of the text than the rule needs.

use std::fmt;

/// Says which type refused a text, and by which rule.
///
/// It prints as one line, fit to be shown to whoever typed the text:
///
/// ```
/// let error = "us-east-1x".parse::<agentcore_core::Region>().unwrap_err();
/// assert_eq!(error.to_string(), "invalid region \"us-east-1x\": it must look like us-east-1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind}{input}: {rule}", kind = .0.kind, input = .0.input, rule = .0.rule)]
pub struct ParseError(Box<Broken>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Broken {
    kind: InputKind,
    input: Input,
    rule: String,
}

impl ParseError {
    /// An error that quotes the text, for nouns that are never secret.
    pub(crate) fn new(kind: InputKind, input: &str, rule: impl Into<String>) -> Self {
        Self(Box::new(Broken { kind, input: Input::quoted(input), rule: rule.into() }))
    }

    /// An error that does not quote the text, because it may be long or private.
    pub(crate) fn unquoted(kind: InputKind, rule: impl Into<String>) -> Self {
        Self(Box::new(Broken { kind, input: Input(None), rule: rule.into() }))
    }

    /// The kind of thing the text was meant to be.
    #[must_use]
    pub fn kind(&self) -> InputKind {
        self.0.kind
    }

    /// The rule that was broken, in words.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.0.rule
    }
}

/// The kinds of text this crate parses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputKind {
    /// A [`RuntimeArn`](crate::RuntimeArn).
    Arn,
    /// A [`Region`](crate::Region).
    Region,
    /// An [`Endpoint`](crate::Endpoint).
    Endpoint,
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
            Self::Qualifier => "qualifier",
            Self::SessionId => "session id",
            Self::UserId => "user id",
            Self::ShellId => "shell id",
            Self::Header => "header",
        })
    }
}

/// The refused text, escaped and cut, so that an error is one line whatever was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input(Option<String>);

impl Input {
    fn quoted(text: &str) -> Self {
        let mut shown: String = text.chars().take(MAX_QUOTED_CHARS).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self(Some(shown))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, " {text:?}"),
            None => Ok(()),
        }
    }
}

/// Characters of a refused text that an error quotes at most.
const MAX_QUOTED_CHARS: usize = 120;
