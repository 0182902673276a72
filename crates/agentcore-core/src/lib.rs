//! The nouns of Amazon Bedrock AgentCore Runtime: ARNs, regions, endpoints, sessions, the URLs they make, and the errors and
//! retries that calls to them have in common.
//!
//! Everything here is a value that was checked when it was made, by [`FromStr`](std::str::FromStr) or a constructor, so
//! that the crates above never meet a malformed one. This crate does no IO, reads no environment by itself, knows no
//! clock and signs nothing; it refuses to hold a secret.
//!
//! ```
//! use agentcore_core::{RuntimeArn, Target};
//!
//! let arn: RuntimeArn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?;
//! assert_eq!(
//!     Target::new(arn).invocations(),
//!     "https://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/\
//!      arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fmy-agent/invocations",
//! );
//! # Ok::<(), agentcore_core::ParseError>(())
//! ```
//!
//! Limits come from the AgentCore data-plane service model and the AWS developer guide; each is a named constant next to
//! the type it bounds.

pub mod arn;
mod backoff;
mod encode;
pub mod endpoint;
mod error;
pub mod header;
mod parse;
pub mod qualifier;
pub mod refusal;
pub mod region;
pub mod retry;
pub mod session;
pub mod target;

pub use arn::RuntimeArn;
pub use encode::{PercentEncoded, percent_encode};
pub use endpoint::{Endpoint, EndpointVariant, Endpoints};
pub use error::{BoxError, Error, ErrorKind, ServiceResponse};
pub use header::CustomHeader;
pub use parse::{InputKind, ParseError};
pub use qualifier::Qualifier;
pub use region::{Partition, Region};
pub use retry::RetryPolicy;
pub use session::{SessionId, ShellId, UserId};
pub use target::{NotOffered, Operation, Target};
