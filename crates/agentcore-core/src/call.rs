//! What all calls share: errors, retries and backoff. Sends nothing.

mod backoff;
mod error;
pub mod retry;
pub mod service_error;

pub use self::{
    backoff::Backoff,
    error::{BoxError, Error, ErrorKind, ServiceResponse},
    retry::{FailurePoint, RetryPolicy},
};
