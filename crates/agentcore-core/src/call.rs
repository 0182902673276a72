//! What all calls have in common, whatever they ask for and whichever way they go: how they fail, and whether to try again.

mod backoff;
mod error;
mod failure_point;
pub mod retry;
pub mod service_error;

pub use self::{
    backoff::Backoff,
    error::{BoxError, Error, ErrorKind, ServiceResponse},
    failure_point::FailurePoint,
    retry::RetryPolicy,
};
