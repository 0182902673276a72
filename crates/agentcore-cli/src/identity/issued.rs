//! An identity that an issuer gives tokens to, and its login. Writes nothing but at `acore login`, to a login that it left, and
//! to a store that keeps all tokens.

use std::fmt;

use agentcore_client::{
    Region, TokenSource, Transport,
    auth::{BoxFuture, StoredToken},
};

use super::place::TokenPlace;
use crate::errors::Failure;

/// A user or a machine that an issuer gives tokens to, and that can log in and out.
pub(crate) trait IssuedIdentity: fmt::Debug + Send + Sync {
    /// Returns whether tokens come over TLS.
    fn needs_tls(&self) -> bool;

    /// Returns the source of the tokens, which goes on with a login that was kept. `region` is the agent's.
    fn token_source<'a>(
        self: Box<Self>,
        place: Option<TokenPlace>,
        transport: &'a Transport,
        region: Option<&'a Region>,
    ) -> BoxFuture<'a, Result<Box<dyn TokenSource>, Failure>>;

    /// Logs in, keeps the login, and returns who is logged in.
    fn log_in<'a>(
        self: Box<Self>,
        place: &'a TokenPlace,
        transport: &'a Transport,
    ) -> BoxFuture<'a, Result<String, Failure>>;

    /// Returns everything that makes one login another one. `region` is the agent's.
    fn key(&self, region: Option<&Region>) -> Result<String, Failure>;

    /// Ends a login that was kept with its issuer, where that can be; else the token is good until it expires.
    fn revoke<'a>(&'a self, _login: StoredToken, _transport: &'a Transport) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

/// Ends and forgets the login that was kept, and returns whether there was one.
pub(crate) async fn log_out(
    identity: &dyn IssuedIdentity,
    place: &TokenPlace,
    transport: &Transport,
) -> Result<bool, Failure> {
    let key = identity.key(None)?;
    let Some(login) = place.find(&key).await? else { return Ok(false) };
    identity.revoke(login, transport).await?;
    place.forget(&key).await?;
    Ok(true)
}
