//! The issuer of tokens: an Amazon Cognito user pool with its API, its key set and its token endpoint. Hosts no pages and
//! speaks no HTTP.

pub(crate) mod cognito;
mod device;
mod issuer;
pub(crate) mod oauth;
mod srp;
mod user;
mod user_pool;

pub(crate) use issuer::{Issuer, TOKEN_LIFETIME};
pub use user::User;
pub use user_pool::UserPool;
