//! The point at which an attempt failed, which decides whether it may be repeated.

/// Where an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the decision is a table over all of them")]
pub enum FailurePoint {
    /// The request did not leave this machine.
    NotSent {
        /// Whether it would fail again the same way.
        lasting: bool,
    },
    /// The service turned the request away before the agent saw it.
    NotAccepted,
    /// The credential was refused, and another one can be had.
    Unauthorized,
    /// The request left, and what became of it is not known.
    Uncertain,
    /// The answer would be the same again.
    Final,
}
