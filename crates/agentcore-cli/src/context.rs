//! What the command line and the environment mean: where calls go, as whom, and the client that makes them. Sends nothing.
//!
//! Each part is resolved when a command asks for it, so that a command fails only by what it uses.

mod in_force;

use std::time::Duration;

use agentcore_client::{
    Auth, Authenticated, Client, ClientBuilder, Credentials, Error, Proxy, Runtime, StaticToken, Target, Token,
    Transport, auth::SigV4,
};
use agentcore_mock::{Mock, MockBuilder};

use crate::{
    errors::{Failure, Mechanism},
    flags::{IdentityFlags, Sourced, TargetFlags},
    identity::{Identity, IssuedIdentity, TokenPlace, no_credentials},
    output::note,
    target::{Destination, odd_qualifier, uses_mock},
};

/// The values in force, each with its source.
pub(crate) struct Context {
    pub(crate) target: TargetFlags,
    pub(crate) identity: IdentityFlags,
    /// The identity without the environment and the files.
    pub(crate) typed_identity: IdentityFlags,
    /// The context of the configuration file, if one is in force.
    pub(crate) name: Option<Sourced<String>>,
}

/// Where a command goes, and as whom. Nothing is opened yet.
pub(crate) struct Route {
    destination: Destination,
    identity: Option<Identity>,
    http2: bool,
    /// Whether the embedded mock runs commands on this machine.
    runs_commands: bool,
}

/// A target that can be reached.
pub(crate) struct Opened {
    pub(crate) target: Target,
    /// Serves until it is dropped.
    pub(crate) mock: Option<Mock>,
}

/// An agent that can be called.
pub(crate) struct Agent {
    pub(crate) runtime: Runtime,
    auth: Auth,
    /// Serves until it is dropped.
    _mock: Option<Mock>,
}

impl Context {
    /// Resolves where calls go, and as whom.
    pub(crate) fn route(&self) -> Result<Route, Failure> {
        self.route_by(|name| std::env::var(name).ok())
    }

    fn route_by(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<Route, Failure> {
        let destination = self.destination_by(lookup)?;
        let identity = match &destination {
            Destination::Local(_) => None,
            other => self.identity_of_calls(matches!(other, Destination::Mock(_)))?,
        };
        Ok(Route { destination, identity, http2: self.target.http2, runs_commands: false })
    }

    /// Resolves where calls go that are signed with AWS credentials, whoever else could call.
    pub(crate) fn signed_route(&self) -> Result<Route, Failure> {
        let IdentityFlags { sigv4, profile, .. } = self.identity.clone();
        let keys = IdentityFlags { sigv4, profile, ..IdentityFlags::default() };
        let lookup = |name: &str| std::env::var(name).ok();
        let destination = Destination::of_calls(&self.target, &Identity::sources(&keys), lookup)?;
        let profile = keys.profile.map(|profile| profile.value);
        let identity = match &destination {
            Destination::Local(_) => return Err(Failure::usage("a local container takes no signature")),
            _ => Some(Identity::SigV4 { profile }),
        };
        Ok(Route { destination, identity, http2: self.target.http2, runs_commands: false })
    }

    /// Resolves where calls go.
    pub(crate) fn destination(&self) -> Result<Destination, Failure> {
        self.destination_by(|name| std::env::var(name).ok())
    }

    fn destination_by(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<Destination, Failure> {
        Destination::of_calls(&self.target, &Identity::sources(&self.identity), lookup)
    }

    /// Resolves who calls a runtime, or the mock, which has a token of its own.
    pub(crate) fn identity_of_calls(&self, mocked: bool) -> Result<Option<Identity>, Failure> {
        if mocked {
            return Identity::resolve(&self.typed_identity);
        }
        let identity = Identity::resolve(&self.identity)?.ok_or_else(|| {
            no_credentials().hint(
                "a runtime takes tokens or signatures, as it was configured; a local container (--local) takes none",
            )
        })?;
        Ok(Some(identity))
    }

    /// Resolves which container is asked for its health.
    pub(crate) fn route_of_ping(&self) -> Result<Route, Failure> {
        let destination = Destination::of_ping(&self.target, &Identity::sources(&self.identity))?;
        Ok(Route { destination, identity: None, http2: self.target.http2, runs_commands: false })
    }

    /// Gets the token that would be sent, wherever it goes: no agent need be named for that.
    pub(crate) async fn token(&self) -> Result<Token, Failure> {
        let mocked = uses_mock(&self.target)?;
        match Identity::resolve(if mocked { &self.typed_identity } else { &self.identity })? {
            Some(identity) => {
                let transport = transport(identity.needs_tls(), self.target.http2)?;
                let source = identity.token_source(&transport, None).await?;
                Ok(source.token().await?)
            }
            None if mocked => Ok(Token::parse(&start_mock(mock()).await?.token())?),
            None => Err(no_credentials()),
        }
    }

    /// Resolves whose login is meant, where it is kept, and the way to its issuer.
    pub(crate) fn login(&self) -> Result<(Box<dyn IssuedIdentity>, TokenPlace, Transport), Failure> {
        let (identity, place) = Identity::resolve_issued(&self.identity, &self.typed_identity)?;
        let transport = transport(identity.needs_tls(), self.target.http2)?;
        Ok((identity, place, transport))
    }
}

impl Route {
    /// Returns whether standard input holds the token, so that nothing else can be read from there.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::reads_stdin)
    }

    /// Uses the mock's keys where no identity is chosen: for what only AWS credentials can do.
    pub(crate) fn signing(mut self) -> Self {
        if let Destination::Mock(_) = self.destination {
            self.identity.get_or_insert(Identity::SigV4 { profile: None });
        }
        self
    }

    /// Lets the embedded mock run commands, on this machine: whoever types one and `--mock` means that.
    pub(crate) fn allowing_commands(mut self) -> Self {
        self.runs_commands = true;
        self
    }

    /// Makes the client, and starts the mock if it is wanted. `configure` makes the client's other settings.
    pub(crate) async fn connect(
        self,
        configure: impl FnOnce(ClientBuilder<Authenticated>) -> ClientBuilder<Authenticated>,
    ) -> Result<Agent, Failure> {
        let opened = self.destination.open(self.runs_commands).await?;
        // What runs in a session has standard error for itself.
        if let Some(odd) = odd_qualifier(&opened.target).filter(|_| !self.runs_commands) {
            note(&odd);
        }
        let (auth, transport) = opened.authenticate(self.identity, self.http2).await?;
        let client = configure(Client::builder().auth(auth.clone()).transport(transport)).build()?;
        Ok(Agent { runtime: client.target(opened.target), auth, _mock: opened.mock })
    }
}

impl Destination {
    /// Starts the mock if it is wanted, which may run commands on this machine.
    pub(crate) async fn open(self, runs_commands: bool) -> Result<Opened, Failure> {
        match self {
            Self::Local(target) | Self::Runtime(target) => Ok(Opened { target, mock: None }),
            Self::Mock(agent) => {
                let mock = start_mock(mock().allow_commands(runs_commands)).await?;
                let target = agent.map_or_else(|| Ok(Target::local(mock.url())?), |agent| agent.target(&mock))?;
                Ok(Opened { target, mock: Some(mock) })
            }
        }
    }
}

impl Opened {
    /// Returns how calls are authenticated, and the transport for them. The mock has a token and keys of its own.
    pub(crate) async fn authenticate(
        &self,
        identity: Option<Identity>,
        http2: bool,
    ) -> Result<(Auth, Transport), Failure> {
        let Self { target, mock } = self;
        let keys = mock.as_ref().filter(|_| identity.as_ref().is_some_and(Identity::signs)).map(keys);
        let fetches = keys.is_none() && identity.as_ref().is_some_and(Identity::needs_tls);
        let transport = transport(fetches || target.is_encrypted(), http2)?;
        let auth = match (keys, identity, mock) {
            (Some(keys), ..) => Auth::sigv4(keys),
            (None, Some(identity), _) => identity.auth(&transport, target.region()).await?,
            (None, None, Some(mock)) if target.region().is_some() => Auth::bearer(StaticToken::parse(&mock.token())?),
            (None, None, _) => Auth::None,
        };
        Ok((auth, transport))
    }
}

impl Agent {
    /// Returns how calls are authenticated.
    pub(crate) fn mechanism(&self) -> Mechanism {
        Mechanism::from(&self.auth)
    }

    /// Returns the AWS credentials that calls are signed with, if they are.
    pub(crate) fn signer(&self) -> Option<&SigV4> {
        match &self.auth {
            Auth::SigV4(signer) => Some(signer),
            _ => None,
        }
    }

    /// Explains a failed call.
    pub(crate) fn failure(&self, error: impl Into<Error>) -> Failure {
        Failure::call(error, self.mechanism())
    }
}

/// Starts a mock.
pub(crate) async fn start_mock(mock: MockBuilder) -> Result<Mock, Failure> {
    mock.start().await.map_err(|error| {
        let failed = match error {
            agentcore_mock::Error::Bind { .. } => Failure::usage,
            _ => Failure::internal,
        };
        failed("the mock did not start").caused_by(&error)
    })
}

/// Reads the proxy's variables only where TLS is used: nothing else goes through a proxy.
pub(crate) fn transport(tls: bool, http2: bool) -> Result<Transport, Failure> {
    let proxy = if tls { Proxy::Environment } else { Proxy::None };
    Ok(Transport::builder().proxy(proxy).http2(http2).build()?)
}

fn keys(mock: &Mock) -> Credentials {
    let own = mock.credentials();
    let session_token = own.session_token().map(str::to_owned);
    Credentials::new(own.access_key_id(), own.secret_access_key(), session_token, None, "mock")
}

/// Returns the settings of a mock at the pace of somebody who writes.
pub(crate) fn mock() -> MockBuilder {
    Mock::builder().pace(PACE)
}

const PACE: Duration = Duration::from_millis(40);

#[cfg(test)]
mod tests;
