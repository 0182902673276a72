//! What was typed: the flags that several commands share, each value with its source. Resolves nothing.

mod call;
mod identity;
mod settings;
mod source;
mod target;

#[cfg(feature = "cognito")]
pub(crate) use identity::{CognitoFlags, Flow, TokenUse};
pub(crate) use {
    call::{CallFlags, ParamFlags, RequestFlags, SessionFlags, seconds},
    identity::{IDENTITY_HEADING, IdentityFlags, OAuthFlags},
    settings::{MACHINE, Settings, Subject, USER},
    source::{Source, Sourced, exclusive, typed, with_environment},
    target::TargetFlags,
};

#[cfg(test)]
pub(crate) use source::OTHER_VARIABLES;
