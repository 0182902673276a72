//! Where logins are kept. Nothing is written but by `acore login`, and to a login that it left.

use std::sync::Arc;

use agentcore::{
    TokenIssuer, TokenSource,
    auth::{CachedToken, FileStore, Stored, TokenStore},
};

use crate::report::Failure;

/// Where logins are kept: `AGENTCORE_TOKEN_STORE`, else a directory of the user's own; none if there is neither.
pub(super) fn store() -> Option<FileStore> {
    let own = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let directory = match std::env::var_os("AGENTCORE_TOKEN_STORE").filter(|path| !path.is_empty()) {
        Some(path) => Some(path.into()),
        None => own.map(|home| home.join(".agentcore").join("tokens")),
    };
    directory.map(FileStore::new)
}

/// A source that goes on with the login under this key, if there is one, and keeps it up to date.
pub(super) fn source<I>(issuer: I, key: String) -> Result<Box<dyn TokenSource>, Failure>
where
    I: TokenIssuer + 'static,
{
    Ok(match store() {
        Some(store) if store.load(&key)?.is_some() => Box::new(Stored::new(issuer, Arc::new(store), key).cached()),
        _ => Box::new(CachedToken::new(issuer)),
    })
}

/// Gets a token in any case, and keeps it under this key.
pub(super) async fn log_in(issuer: impl TokenIssuer, key: String) -> Result<(), Failure> {
    let store = store().ok_or_else(|| {
        Failure::usage("there is no place to keep the login: neither HOME nor AGENTCORE_TOKEN_STORE is set")
    })?;
    store.clear(&key)?;
    Stored::new(issuer, Arc::new(store), key).issue().await?;
    Ok(())
}
