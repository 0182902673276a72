//! An identity that an issuer gives tokens to, and its login, which is kept in files. Writes nothing but at `acore login`, and
//! to a login that it left.

use std::{fmt, sync::Arc};

use agentcore_client::{
    Region, TokenIssuer, TokenSource, Transport,
    auth::{BoxFuture, CachedToken, FileStore, Stored, StoredToken, TokenStore},
};

use crate::errors::Failure;

/// A user or a machine that an issuer gives tokens to, and that can log in and out.
pub(crate) trait IssuedIdentity: fmt::Debug + Send + Sync {
    /// Returns whether tokens come over TLS.
    fn needs_tls(&self) -> bool;

    /// Returns the source of the tokens, which goes on with a login that was kept. `region` is the agent's.
    fn token_source<'a>(
        self: Box<Self>,
        transport: &'a Transport,
        region: Option<&'a Region>,
    ) -> BoxFuture<'a, Result<Box<dyn TokenSource>, Failure>>;

    /// Logs in, keeps the login, and returns who is logged in.
    fn log_in<'a>(self: Box<Self>, transport: &'a Transport) -> BoxFuture<'a, Result<String, Failure>>;

    /// Returns everything that makes one login another one. `region` is the agent's.
    fn key(&self, region: Option<&Region>) -> Result<String, Failure>;

    /// Ends a login that was kept with its issuer, where that can be; else the token is good until it expires.
    fn revoke<'a>(&'a self, _login: StoredToken, _transport: &'a Transport) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

/// Ends and forgets the login that was kept, and returns whether there was one.
pub(crate) async fn log_out(identity: &dyn IssuedIdentity, transport: &Transport) -> Result<bool, Failure> {
    let key = identity.key(None)?;
    let Some((store, login)) = find(&key).await? else { return Ok(false) };
    identity.revoke(login, transport).await?;
    store.clear(&key).await?;
    Ok(true)
}

/// Returns a secret of the environment.
pub(super) fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|secret| !secret.is_empty())
}

/// Returns where logins are kept: `AGENTCORE_TOKEN_STORE`, else a directory of the user's own; none if there is neither.
fn store() -> Option<FileStore> {
    let own = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let directory = match std::env::var_os("AGENTCORE_TOKEN_STORE").filter(|path| !path.is_empty()) {
        Some(path) => Some(path.into()),
        None => own.map(|home| home.join(".agentcore").join("tokens")),
    };
    directory.map(FileStore::new)
}

/// Returns the login that was kept under this key, and where, if there is one.
pub(super) async fn find(key: &str) -> Result<Option<(FileStore, StoredToken)>, Failure> {
    let Some(store) = store() else { return Ok(None) };
    let login = store.load(key).await?;
    Ok(login.map(|login| (store, login)))
}

/// Returns a source that keeps its tokens up to date in the store of a login, if there is one.
pub(super) fn source(
    issuer: impl TokenIssuer + 'static,
    key: String,
    store: Option<FileStore>,
) -> Box<dyn TokenSource> {
    match store {
        Some(store) => Box::new(Stored::new(issuer, Arc::new(store), key).cached()),
        None => Box::new(CachedToken::new(issuer)),
    }
}

/// Gets a token in any case, and keeps it under this key.
pub(super) async fn log_in(issuer: impl TokenIssuer, key: String) -> Result<(), Failure> {
    let store = store().ok_or_else(|| {
        Failure::usage("there is no place to keep the login: neither HOME nor AGENTCORE_TOKEN_STORE is set")
    })?;
    store.clear(&key).await?;
    Stored::new(issuer, Arc::new(store), key).issue().await?;
    Ok(())
}
