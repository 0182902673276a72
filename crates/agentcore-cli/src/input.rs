//! What comes in: bytes, lines, and answers to questions. Knows nothing of what they mean.

#[cfg(feature = "cognito")]
mod ask;
mod lines;
mod read;
mod waiting;

#[cfg(feature = "cognito")]
pub(crate) use ask::{ask, ask_secretly};
pub(crate) use {
    lines::lines,
    read::{all, blocking, file, secret, token, without_line_break},
    waiting::is_waiting,
};
