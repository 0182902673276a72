//! The way from a plan to a runtime that can be talked to: starts the mock, gets credentials, makes the client. Sends nothing.

use std::time::Duration;

use agentcore_client::{
    Auth, Authenticated, Client, ClientBuilder, Endpoint, Endpoints, Runtime, RuntimeArn, StaticToken, Target, Token,
    Transport, auth::credentials::Credentials,
};
use agentcore_mock::Mock;

use super::{ARN_PREFIX, Agent, DEFAULT_AGENT, Plan, aim};
use crate::{
    args::Given,
    identity::Identity,
    report::{Failure, Way},
};

/// A runtime that can be talked to.
pub(crate) struct Reached {
    pub(crate) runtime: Runtime,
    pub(crate) auth: Auth,
    pub(crate) way: Way,
    /// Serves until it is dropped.
    _mock: Option<Mock>,
}

impl Plan {
    /// Whether standard input holds the token, so that nothing else can be read from there.
    pub(crate) fn takes_stdin(&self) -> bool {
        self.identity().is_some_and(Identity::takes_stdin)
    }

    /// Reads and checks the token, if there is one.
    pub(crate) async fn with_token_read(self) -> Result<Self, Failure> {
        Ok(match self {
            Self::Mock { agent, identity: Some(identity) } => {
                Self::Mock { agent, identity: Some(identity.read().await?) }
            }
            Self::Runtime { target, identity } => Self::Runtime { target, identity: identity.read().await? },
            nothing_to_read => nothing_to_read,
        })
    }

    /// Gets there, with a client whose other settings `change` makes.
    pub(crate) async fn reach(
        self,
        change: impl FnOnce(ClientBuilder<Authenticated>) -> ClientBuilder<Authenticated>,
    ) -> Result<Reached, Failure> {
        let way = match self.identity() {
            Some(Identity::SigV4 { .. }) => Way::SigV4,
            None if matches!(self, Self::Local(_) | Self::MockContainer) => Way::Local,
            _ => Way::Bearer,
        };
        let (target, auth, transport, mock) = match self {
            Self::Local(target) => {
                let transport = transport(&target, false)?;
                (target, Auth::None, transport, None)
            }
            Self::MockContainer => {
                let mock = start_mock(0).await?;
                let target = Target::local(mock.url())?;
                let transport = transport(&target, false)?;
                (target, Auth::None, transport, Some(mock))
            }
            Self::Runtime { target, identity } => {
                let transport = transport(&target, identity.needs_tls())?;
                let auth = match target.region() {
                    Some(region) => identity.auth(&transport, region).await?,
                    None => Auth::None,
                };
                (target, auth, transport, None)
            }
            Self::Mock { agent, identity } => {
                let mock = start_mock(0).await?;
                let target = agent.target(&mock)?;
                let auth = match identity {
                    None => Auth::bearer(StaticToken::parse(&mock.token())?),
                    Some(Identity::SigV4 { .. }) => Auth::sigv4(keys(&mock)),
                    Some(identity) => {
                        let way_to_issuer = trusting(identity.needs_tls())?;
                        identity.auth(&way_to_issuer, mock.arn(DEFAULT_AGENT).region()).await?
                    }
                };
                let transport = transport(&target, false)?;
                (target, auth, transport, Some(mock))
            }
        };
        let client = change(Client::builder().auth(auth.clone()).transport(transport)).build()?;
        Ok(Reached { runtime: client.target(target), auth, way, _mock: mock })
    }

    fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Mock { identity, .. } => identity.as_ref(),
            Self::Runtime { identity, .. } => Some(identity),
            Self::Local(_) | Self::MockContainer => None,
        }
    }
}

impl Agent {
    fn target(self, mock: &Mock) -> Result<Target, Failure> {
        let arn: RuntimeArn = if self.name.starts_with(ARN_PREFIX) { self.name.parse()? } else { mock.arn(&self.name) };
        let endpoints = Endpoints::from(mock.url().parse::<Endpoint>()?);
        let qualifier = self.qualifier.map(|value| Given { value, explicit: true });
        aim(Given { value: arn, explicit: true }, self.region.as_ref(), qualifier, &endpoints)
    }
}

/// Starts the mock at the pace of somebody who writes.
pub(crate) async fn start_mock(port: u16) -> Result<Mock, Failure> {
    Mock::builder().port(port).pace(PACE).start().await.map_err(|error| {
        let failed = match error {
            agentcore_mock::Error::Bind { .. } => Failure::usage,
            _ => Failure::trouble,
        };
        failed("the mock did not start").caused_by(&error)
    })
}

/// Gets the token of an identity, checked as before a call.
pub(crate) async fn token(identity: Identity) -> Result<Token, Failure> {
    let transport = trusting(identity.needs_tls())?;
    identity.read().await?.token(&transport).await
}

fn transport(target: &Target, credentials_need_tls: bool) -> Result<Transport, Failure> {
    trusting(credentials_need_tls || target.invocations().starts_with("https:"))
}

/// Reads the system's certificates only where they are needed, which costs more than all the rest of the start.
pub(crate) fn trusting(system_roots: bool) -> Result<Transport, Failure> {
    Ok(Transport::builder().system_roots(system_roots).build().map_err(agentcore_client::Error::from)?)
}

fn keys(mock: &Mock) -> Credentials {
    let own = mock.credentials();
    let session_token = own.session_token().map(str::to_owned);
    Credentials::new(own.access_key_id(), own.secret_access_key(), session_token, None, "mock")
}

const PACE: Duration = Duration::from_millis(40);
