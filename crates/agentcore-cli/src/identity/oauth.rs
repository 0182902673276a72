//! A machine with OAuth client credentials. Its secret comes from the environment alone.

use std::sync::Arc;

use agentcore_client::{
    Region, TokenSource, Transport,
    auth::{
        BoxFuture,
        oauth::{ClientCredentials, ClientCredentialsConfig, Issuer, TokenEndpoint},
    },
};

use super::{
    issued::IssuedIdentity,
    place::{self, TokenPlace},
};
use crate::{
    errors::Failure,
    flags::{OAuthFlags, Sourced, exclusive, typed},
    input::secret,
};

/// A machine, and where its tokens come from.
#[derive(Debug)]
struct OAuthClient {
    origin: TokenOrigin,
    client_id: String,
    scope: Option<String>,
}

#[derive(Debug)]
enum TokenOrigin {
    Endpoint(TokenEndpoint),
    Issuer(Issuer),
}

/// Returns the machine, if one is chosen; its other flags say nothing without it.
pub(super) fn resolve(flags: &OAuthFlags) -> Result<Option<Sourced<Box<dyn IssuedIdentity>>>, Failure> {
    let endpoint = flags.oauth_token_url.clone().map(|url| url.map(|text| text.parse().map(TokenOrigin::Endpoint)));
    let issuer = flags.oauth_issuer.clone().map(|url| url.map(|text| text.parse().map(TokenOrigin::Issuer)));
    let Some(origin) = exclusive([("--oauth-token-url", endpoint), ("--oauth-issuer", issuer)])? else {
        if typed(&flags.oauth_client_id).or(typed(&flags.oauth_scope)).is_none() {
            return Ok(None);
        }
        return Err(Failure::usage("--oauth-client-id and --oauth-scope need --oauth-token-url or --oauth-issuer"));
    };
    let client_id = flags.oauth_client_id.as_ref();
    let client_id = client_id.ok_or_else(|| Failure::usage("no client is named: --oauth-client-id says which"))?;
    let (client_id, scope) = (client_id.value.clone(), flags.oauth_scope.as_ref().map(|scope| scope.value.clone()));
    let origin = origin.try_map(|origin| origin.map_err(|error| Failure::usage(error.to_string())))?;
    Ok(Some(origin.map(|origin| Box::new(OAuthClient { origin, client_id, scope }) as _)))
}

impl TokenOrigin {
    fn as_str(&self) -> &str {
        match self {
            Self::Endpoint(url) => url.as_str(),
            Self::Issuer(url) => url.as_str(),
        }
    }
}

impl OAuthClient {
    fn issuer(self, transport: &Transport) -> Result<ClientCredentials, Failure> {
        let secret = secret(SECRET).ok_or_else(|| {
            Failure::usage(format!("no client secret: {SECRET} is not set"))
                .hint("secrets come from the environment only, where no list of processes shows them")
        })?;
        let config = match self.origin {
            TokenOrigin::Endpoint(url) => ClientCredentialsConfig::new(url, self.client_id, secret),
            TokenOrigin::Issuer(url) => ClientCredentialsConfig::discovered(url, self.client_id, secret),
        };
        let config = self.scope.into_iter().fold(config, ClientCredentialsConfig::scope);
        Ok(config.over(Arc::new(transport.clone())))
    }
}

impl IssuedIdentity for OAuthClient {
    fn needs_tls(&self) -> bool {
        self.origin.as_str().starts_with("https:")
    }

    fn token_source<'a>(
        self: Box<Self>,
        place: Option<TokenPlace>,
        transport: &'a Transport,
        _: Option<&'a Region>,
    ) -> BoxFuture<'a, Result<Box<dyn TokenSource>, Failure>> {
        Box::pin(async move {
            let key = self.key(None)?;
            let kept = match &place {
                Some(place) => place.find_if_there(&key).await?,
                None => None,
            };
            Ok(place::source(self.issuer(transport)?, key, place, kept.is_some()))
        })
    }

    /// Gets a token and keeps it for the commands that follow: such tokens are billed by the request.
    fn log_in<'a>(
        self: Box<Self>,
        place: &'a TokenPlace,
        transport: &'a Transport,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        Box::pin(async move {
            let (key, name) = (self.key(None)?, self.client_id.clone());
            place.log_in(self.issuer(transport)?, key).await?;
            Ok(name)
        })
    }

    fn key(&self, _: Option<&Region>) -> Result<String, Failure> {
        let scope = self.scope.as_deref().unwrap_or_default();
        Ok(format!("oauth {} {} {scope}", self.origin.as_str(), self.client_id))
    }
}

const SECRET: &str = "AGENTCORE_OAUTH_CLIENT_SECRET";
