//! The base types of Amazon Bedrock AgentCore Runtime: ARNs, regions, endpoints, sessions, operations and their URLs, with the
//! errors and retries of all calls.
//!
//! Every value is checked when it is made, by [`FromStr`](std::str::FromStr) or a constructor. This crate does no IO, reads no
//! environment and no clock, signs nothing and holds no secret.
//!
//! [`Target`] shows how they fit together. Limits come from the AgentCore data-plane service model and the AWS developer guide. Each is a named constant next to the type
//! that it bounds.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod arn;
pub mod call;
mod encode;
pub mod endpoint;
pub mod header;
mod input;
pub mod operation;
pub mod qualifier;
pub mod region;
pub mod session;
mod setters;
pub mod target;
mod text;
pub mod unicode;
mod words;

pub use arn::{Arn, ResourceType};
pub use call::{BoxError, Error, ErrorKind, RetryPolicy, ServiceResponse, retry, service_error};
pub use encode::{PercentEncoded, percent_encode};
pub use endpoint::{Endpoint, EndpointVariant, Endpoints};
pub use header::CustomHeader;
/// The types of URLs, methods and headers.
pub use http;
pub use input::InputKind;
pub use operation::{Operation, SessionUse};
pub use qualifier::Qualifier;
pub use region::{Partition, Region};
pub use session::{SessionId, ShellId, UserId};
pub use target::Target;
pub use words::duration_in_words;
