//! The point at which an attempt failed, by which it is repeated or not. Decides nothing itself.

/// The point at which an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the decision is a table over all of them")]
pub enum FailurePoint {
    /// The request did not leave this machine.
    NotSent {
        /// Whether the next attempt would fail the same way.
        lasting: bool,
    },
    /// The service refused the request before the agent received it.
    NotAccepted,
    /// The credential was refused, and can be replaced.
    Unauthorized,
    /// The request was sent, and the agent may have received it.
    Uncertain,
    /// The answer would be the same again.
    Final,
}
