//! Where the tokens of an issuer are kept: a directory of the user's own, or a server that a fleet shares. Prints no secret.

use std::sync::Arc;

use agentcore_client::{
    ErrorKind, TokenIssuer, TokenSource,
    auth::{CachedToken, FileStore, Stored, StoredToken, TokenStore},
};

use crate::{errors::Failure, flags::Sourced, output::note};

/// A store of tokens, and whether it keeps all that are got, or only those of `acore login`.
#[derive(Clone, Debug)]
pub(crate) struct TokenPlace {
    store: Arc<dyn TokenStore>,
    keeps_all: bool,
}

impl TokenPlace {
    /// Returns the store that is named, else a directory of the user's own; none if there is neither. Opens nothing.
    pub(super) fn resolve(flag: Option<&Sourced<String>>) -> Result<Option<Self>, Failure> {
        let own = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let own = own.map(|home| FileStore::new(home.join(".agentcore").join("tokens")));
        let Some(Sourced { value, source }) = flag else {
            return Ok(own.map(|store| Self { store: Arc::new(store), keeps_all: false }));
        };
        if value == "file" {
            let store = own.ok_or_else(|| Failure::usage("there is no place for tokens: HOME is not set"))?;
            return Ok(Some(Self { store: Arc::new(store), keeps_all: true }));
        }
        if value.contains("://") {
            return Ok(Some(Self { store: on_server(value, source.is_flag())?, keeps_all: true }));
        }
        if source.is_flag() {
            return Err(Failure::usage("--token-store is redis://HOST, rediss://HOST or file")
                .hint("AGENTCORE_TOKEN_STORE can be a directory too, for the logins of `acore login`"));
        }
        Ok(Some(Self { store: Arc::new(FileStore::new(value)), keeps_all: false }))
    }

    /// Returns the token that is kept under this key, if there is one.
    pub(super) async fn find(&self, key: &str) -> Result<Option<StoredToken>, Failure> {
        Ok(self.store.load(key).await?)
    }

    /// Does the same for whoever can do without: a store that is away holds nothing, and is noted.
    pub(super) async fn find_if_there(&self, key: &str) -> Result<Option<StoredToken>, Failure> {
        match self.store.load(key).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                note(&format!("{error}; this token is got without it"));
                Ok(None)
            }
            found => Ok(found?),
        }
    }

    pub(super) async fn forget(&self, key: &str) -> Result<(), Failure> {
        Ok(self.store.clear(key).await?)
    }

    /// Gets a token in any case, and keeps it under this key.
    pub(super) async fn log_in(&self, issuer: impl TokenIssuer, key: String) -> Result<(), Failure> {
        self.forget(&key).await?;
        Stored::new(issuer, Arc::clone(&self.store), key).issue().await?;
        Ok(())
    }
}

/// Returns a source that looks into the place first and keeps its tokens there, if the place keeps all of them or has one of a
/// login.
pub(super) fn source(
    issuer: impl TokenIssuer + 'static,
    key: String,
    place: Option<TokenPlace>,
    is_kept: bool,
) -> Box<dyn TokenSource> {
    match place.filter(|place| place.keeps_all || is_kept) {
        Some(place) => Box::new(Stored::new(issuer, place.store, key).cached()),
        None => Box::new(CachedToken::new(issuer)),
    }
}

#[cfg(feature = "redis")]
fn on_server(url: &str, is_typed: bool) -> Result<Arc<dyn TokenStore>, Failure> {
    use crate::input::secret;
    use agentcore_client::auth::{EncryptionKey, RedisStore};

    if RedisStore::has_password(url)? && is_typed {
        return Err(Failure::usage("a URL with a password is read from AGENTCORE_TOKEN_STORE only")
            .hint("secrets come from the environment only, where no list of processes shows them"));
    }
    let key = |name| secret(name).map(|text| EncryptionKey::from_base64(&text)).transpose();
    let current = key("AGENTCORE_TOKEN_STORE_KEY")?.ok_or_else(|| {
        Failure::usage("tokens on a server are encrypted, and AGENTCORE_TOKEN_STORE_KEY is not set")
            .hint("it is 32 random bytes in base64, the same for the whole fleet: openssl rand -base64 32")
    })?;
    let other = key("AGENTCORE_TOKEN_STORE_OTHER_KEY")?;
    let store = RedisStore::builder(url, current);
    Ok(Arc::new(other.into_iter().fold(store, agentcore_client::auth::RedisStoreBuilder::other_key).build()?))
}

#[cfg(not(feature = "redis"))]
fn on_server(_: &str, _: bool) -> Result<Arc<dyn TokenStore>, Failure> {
    Err(Failure::usage("this acore was built without the feature redis: it keeps tokens in files only"))
}
