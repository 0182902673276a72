//! Authentication for Amazon Bedrock AgentCore Runtime: bearer tokens and SigV4.
//!
//! A runtime accepts either JSON Web Tokens or SigV4, never both; [`Auth`] is that choice. The mechanism is a closed enum,
//! the source of the secret an open trait: [`TokenSource`] for tokens, AWS's own
//! [`ProvideCredentials`](credentials::ProvideCredentials) for keys.
//!
//! This crate opens no sockets, but for the client of Redis behind the feature `redis`: what needs HTTP gets it through the one port,
//! [`Exchange`]. Time is passed in. It refuses to send a credential over plaintext to anything but loopback, to send a
//! token that has expired, and to show a secret in `Debug`, an error or a log.
//!
//! ```
//! use std::time::SystemTime;
//! use agentcore_auth::{Auth, StaticToken};
//! use agentcore_core::{Target, operation};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?);
//! let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
//! let mut request = http::Request::post(target.url(&operation::INVOKE)?).body("{}".into())?;
//! auth.authorize(&mut request, target.region(), SystemTime::now()).await?;
//! assert!(request.headers()["authorization"].is_sensitive());
//! # Ok(()) }
//! ```
//!
//! Checked against: the signatures botocore 1.44.5 makes under a frozen clock with AWS's published example credentials.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod auth;
mod bearer;
mod clock;
#[cfg(feature = "cognito")]
pub mod cognito;
pub mod credentials;
#[cfg(feature = "aws-config")]
pub mod default_chain;
mod exchange;
#[cfg(any(feature = "jwks", feature = "oauth"))]
mod issuer;
#[cfg(feature = "jwks")]
pub mod jwks;
#[cfg(feature = "oauth")]
pub mod oauth;
mod principal;
mod refresh;
#[cfg(any(feature = "aws-config", feature = "cognito"))]
mod sdk;
pub mod sigv4;
mod skew;
mod sync;
#[cfg(test)]
mod testing;
pub mod token;

use agentcore_core::unicode;
pub use agentcore_core::{BoxError, Error, ErrorKind};
pub use auth::{AppliedCredential, Auth, Rejection};
pub use bearer::Bearer;
pub use clock::{Clock, ManualClock, SystemClock};
pub use credentials::SigV4;
pub use exchange::{BoxFuture, Exchange, Repeat};
pub use principal::Principal;
#[cfg(feature = "command")]
pub use token::CommandToken;
pub use token::{
    CachedToken, Device, FileStore, FileToken, Issued, StaticToken, Stored, StoredToken, Token, TokenIssuer,
    TokenSource, TokenStatistics, TokenStore,
};
#[cfg(feature = "redis")]
pub use token::{EncryptionKey, RedisStore, RedisStoreBuilder};
