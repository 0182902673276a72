//! Where logins are kept. Nothing is written but by `acore login`, and to a login that it left.

use std::sync::Arc;

use agentcore_client::{
    TokenIssuer, TokenSource,
    auth::{CachedToken, FileStore, Stored, StoredToken, TokenStore},
};

use crate::report::Failure;

/// Where logins are kept: `AGENTCORE_TOKEN_STORE`, else a directory of the user's own; none if there is neither.
fn store() -> Option<FileStore> {
    let own = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let directory = match std::env::var_os("AGENTCORE_TOKEN_STORE").filter(|path| !path.is_empty()) {
        Some(path) => Some(path.into()),
        None => own.map(|home| home.join(".agentcore").join("tokens")),
    };
    directory.map(FileStore::new)
}

/// A login that was kept, and where.
pub(super) struct Kept {
    pub(super) store: FileStore,
    pub(super) login: StoredToken,
}

/// The login that was kept under this key, if there is one.
pub(super) fn find(key: &str) -> Result<Option<Kept>, Failure> {
    let Some(store) = store() else { return Ok(None) };
    let login = store.load(key)?;
    Ok(login.map(|login| Kept { store, login }))
}

/// A source that goes on with a login that was kept, if there is one, and keeps it up to date.
pub(super) fn source(issuer: impl TokenIssuer + 'static, key: String, kept: Option<Kept>) -> Box<dyn TokenSource> {
    match kept {
        Some(Kept { store, .. }) => Box::new(Stored::new(issuer, Arc::new(store), key).cached()),
        None => Box::new(CachedToken::new(issuer)),
    }
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
