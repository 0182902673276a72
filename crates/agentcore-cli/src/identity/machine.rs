//! A program that calls for itself: OAuth client credentials. Judges the flags, reads the secret from the environment alone.

use std::sync::Arc;

use agentcore_client::{
    TokenSource, Transport,
    auth::{
        TokenStore,
        oauth::{ClientCredentials, Issuer, TokenEndpoint},
    },
};
use clap::{ArgMatches, Args};

use super::logins;
use crate::{
    args::{Given, one_of},
    report::Failure,
};

/// The flags of client credentials.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "Who you are (exactly one)")]
pub(crate) struct Flags {
    /// A token endpoint that gives tokens to machines; the secret comes from AGENTCORE_OAUTH_CLIENT_SECRET
    #[arg(long, value_name = "URL", global = true)]
    oauth_token_url: Option<String>,
    /// The issuer whose metadata names its token endpoint, in place of --oauth-token-url
    #[arg(long, value_name = "URL", global = true)]
    oauth_issuer: Option<String>,
    /// The client at the token endpoint
    #[arg(long, value_name = "ID", global = true)]
    oauth_client_id: Option<String>,
    /// The scopes to ask for, separated by spaces
    #[arg(long, value_name = "SCOPES", global = true)]
    oauth_scope: Option<String>,
}

/// What the flags say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) token_url: Option<Given<String>>,
    pub(crate) issuer: Option<Given<String>>,
    pub(crate) client_id: Option<Given<String>>,
    pub(crate) scope: Option<Given<String>>,
}

/// A machine and where its tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    place: Place,
    client_id: String,
    scope: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Endpoint(TokenEndpoint),
    Issuer(Issuer),
}

impl Flags {
    pub(super) fn choice(self, matches: &ArgMatches) -> Choice {
        Choice {
            token_url: Given::of(matches, "oauth_token_url", self.oauth_token_url),
            issuer: Given::of(matches, "oauth_issuer", self.oauth_issuer),
            client_id: Given::of(matches, "oauth_client_id", self.oauth_client_id),
            scope: Given::of(matches, "oauth_scope", self.oauth_scope),
        }
    }
}

impl Choice {
    /// The choice without what only the environment says.
    pub(super) fn explicit(self) -> Self {
        let explicit = |given: Option<Given<String>>| given.filter(|given| given.explicit);
        Self {
            token_url: explicit(self.token_url),
            issuer: explicit(self.issuer),
            client_id: explicit(self.client_id),
            scope: explicit(self.scope),
        }
    }

    /// Whether the flags choose a machine, and whether the command line does.
    pub(crate) fn rank(&self) -> Option<bool> {
        [&self.token_url, &self.issuer].into_iter().flatten().map(|given| given.explicit).max()
    }

    /// The machine, if one is chosen; its other flags say nothing without it.
    pub(super) fn machine(self) -> Result<Option<Given<Machine>>, Failure> {
        let endpoint = self.token_url.map(|given| given.map(Place::parse_endpoint));
        let issuer = self.issuer.map(|given| given.map(Place::parse_issuer));
        let Some(place) = one_of([("--oauth-token-url", endpoint), ("--oauth-issuer", issuer)])? else {
            return match [self.client_id, self.scope].into_iter().flatten().any(|given| given.explicit) {
                true => {
                    Err(Failure::usage("--oauth-client-id and --oauth-scope need --oauth-token-url or --oauth-issuer"))
                }
                false => Ok(None),
            };
        };
        let client_id =
            self.client_id.ok_or_else(|| Failure::usage("no client is named: --oauth-client-id says which"))?;
        let scope = self.scope.map(|given| given.value);
        let machine = Machine { place: place.value?, client_id: client_id.value, scope };
        Ok(Some(Given { value: machine, explicit: place.explicit }))
    }
}

impl Place {
    fn parse_endpoint(text: String) -> Result<Self, Failure> {
        Ok(Self::Endpoint(text.parse().map_err(|error| bad_url(&error))?))
    }

    fn parse_issuer(text: String) -> Result<Self, Failure> {
        Ok(Self::Issuer(text.parse().map_err(|error| bad_url(&error))?))
    }
}

fn bad_url(error: &agentcore_client::auth::Error) -> Failure {
    Failure::usage(error.to_string())
}

impl Machine {
    /// Whether tokens come over TLS.
    pub(super) fn needs_tls(&self) -> bool {
        match &self.place {
            Place::Endpoint(url) => url.as_str().starts_with("https:"),
            Place::Issuer(url) => url.as_str().starts_with("https:"),
        }
    }

    /// The source of its tokens.
    pub(super) fn source(self, transport: &Transport) -> Result<Box<dyn TokenSource>, Failure> {
        let key = self.key();
        let kept = logins::find(&key)?;
        Ok(logins::source(self.issuer(transport)?, key, kept))
    }

    /// Gets a token and keeps it for the commands that follow: such tokens are billed by the request. Returns whose it is.
    pub(super) async fn log_in(self, transport: &Transport) -> Result<String, Failure> {
        let (key, name) = (self.key(), self.client_id.clone());
        logins::log_in(self.issuer(transport)?, key).await?;
        Ok(name)
    }

    /// Forgets the token that was kept. Says whether there was one; it is good until it expires.
    pub(super) fn log_out(&self) -> Result<bool, Failure> {
        let key = self.key();
        let kept = logins::find(&key)?;
        if let Some(kept) = &kept {
            kept.store.clear(&key)?;
        }
        Ok(kept.is_some())
    }

    fn issuer(self, transport: &Transport) -> Result<ClientCredentials, Failure> {
        let secret = std::env::var(SECRET).ok().filter(|secret| !secret.is_empty()).ok_or_else(|| {
            Failure::usage(format!("no client secret: {SECRET} is not set"))
                .hint("secrets come from the environment only, where no list of processes shows them")
        })?;
        let http = Arc::new(transport.clone());
        let machine = match self.place {
            Place::Endpoint(endpoint) => ClientCredentials::new(endpoint, self.client_id, secret.into(), http),
            Place::Issuer(issuer) => ClientCredentials::discovered(issuer, self.client_id, secret.into(), http),
        };
        Ok(match self.scope {
            Some(scope) => machine.scope(scope),
            None => machine,
        })
    }

    /// Everything that makes one token another one.
    fn key(&self) -> String {
        let place = match &self.place {
            Place::Endpoint(url) => url.as_str(),
            Place::Issuer(url) => url.as_str(),
        };
        format!("oauth {place} {} {}", self.client_id, self.scope.as_deref().unwrap_or_default())
    }
}

const SECRET: &str = "AGENTCORE_OAUTH_CLIENT_SECRET";
