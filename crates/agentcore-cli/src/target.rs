//! Where to: a runtime by its ARN, a local container, or the embedded mock. Judges the flags; opens and sends nothing.

pub(crate) mod reach;

use agentcore_client::{Endpoint, Endpoints, Qualifier, Region, RuntimeArn, Target, Token};
use clap::{ArgMatches, Args};

use crate::{
    args::Given,
    identity::{self, Identity},
    report::Failure,
};

/// The flags that say where the agent is.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "Which agent")]
pub(crate) struct Flags {
    /// The agent runtime's ARN, or one of its endpoints'; with --mock an agent's name will do
    #[arg(long, value_name = "ARN", global = true)]
    arn: Option<String>,
    /// The region; must be the ARN's, which decides
    #[arg(long, value_name = "REGION", global = true)]
    region: Option<String>,
    /// The runtime's endpoint, such as `prod` [default: the ARN's, else DEFAULT]
    #[arg(long, value_name = "NAME", global = true)]
    qualifier: Option<String>,
    /// The service's URL: a gateway, a VPC endpoint, a test server
    #[arg(long, value_name = "URL", global = true)]
    endpoint_url: Option<String>,
    /// An agent container, such as http://127.0.0.1:8080: no ARN, no credentials
    #[arg(long, value_name = "URL", global = true)]
    local: Option<String>,
    /// Starts a mock of the service in this process and talks to that: nothing else is needed
    #[arg(long, global = true)]
    mock: bool,
}

/// What the flags say, the command line's word told apart from the environment's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) arn: Option<Given<String>>,
    pub(crate) region: Option<Given<String>>,
    pub(crate) qualifier: Option<Given<String>>,
    pub(crate) endpoint_url: Option<Given<String>>,
    pub(crate) local: Option<Given<String>>,
    pub(crate) mock: Option<Given<()>>,
}

impl Flags {
    pub(crate) fn choice(self, matches: &ArgMatches) -> Choice {
        Choice {
            arn: Given::of(matches, "arn", self.arn),
            region: Given::of(matches, "region", self.region),
            qualifier: Given::of(matches, "qualifier", self.qualifier),
            endpoint_url: Given::of(matches, "endpoint_url", self.endpoint_url),
            local: Given::of(matches, "local", self.local),
            mock: Given::of(matches, "mock", self.mock.then_some(())),
        }
    }
}

/// Where a command goes, as whom: everything that the flags decide, nothing of it done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The embedded mock; what is not given is the mock's own.
    Mock { agent: Agent, identity: Option<Identity> },
    /// The embedded mock as a local container.
    MockContainer,
    /// A local container, to which no credential is sent.
    Local(Target),
    /// A runtime behind the service.
    Runtime { target: Target, identity: Identity },
}

/// An agent of the mock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// An ARN, or the agent's bare name.
    name: String,
    region: Option<Region>,
    qualifier: Option<Qualifier>,
}

impl Plan {
    /// Decides by the flags, and by the environment's endpoint URLs through `lookup`.
    pub(crate) fn new(
        target: Choice,
        identity: identity::Choice,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        if target.goes_to_mock()? {
            return target.mock(identity.explicit());
        }
        if let Some(url) = target.goes_to_local(&identity)? {
            return Ok(Self::Local(Target::local(&url)?));
        }
        target.runtime(identity, lookup)
    }

    /// Goes to the mock with its keys, where nobody said who is calling: for what only AWS credentials can do.
    pub(crate) fn signing(self) -> Self {
        match self {
            Self::Mock { agent, identity: None } => {
                Self::Mock { agent, identity: Some(Identity::SigV4 { profile: None }) }
            }
            plan => plan,
        }
    }

    /// Decides by the flags where a container's health is asked: of a local one, or of the mock's.
    pub(crate) fn for_ping(target: Choice, identity: &identity::Choice) -> Result<Self, Failure> {
        if target.goes_to_mock()? {
            return Ok(Self::MockContainer);
        }
        match target.goes_to_local(identity)? {
            Some(url) => Ok(Self::Local(Target::local(&url)?)),
            None => Err(Failure::usage("no container is named: --local URL says which")
                .hint("the service keeps the health of its containers to itself, so a runtime cannot be asked")),
        }
    }
}

impl Choice {
    /// Whether the mock is chosen, by the command line or by an environment that nothing on the command line contradicts.
    fn goes_to_mock(&self) -> Result<bool, Failure> {
        let Some(mock) = &self.mock else { return Ok(false) };
        let elsewhere = [("--local", &self.local), ("--endpoint-url", &self.endpoint_url)]
            .into_iter()
            .find(|(_, given)| given.as_ref().is_some_and(|given| given.explicit));
        match elsewhere {
            Some((flag, _)) if mock.explicit => Err(Failure::usage(format!(
                "--mock and {flag} exclude each other: the mock is started by this process"
            ))),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    /// The local container's URL, if one is chosen. It goes together with nothing that is about the service.
    fn goes_to_local(&self, identity: &identity::Choice) -> Result<Option<String>, Failure> {
        let Some(local) = &self.local else { return Ok(None) };
        let explicit = |given: &Option<Given<String>>| given.as_ref().map(|given| given.explicit);
        let rivals = [
            ("--arn", explicit(&self.arn), "has no ARN"),
            ("--qualifier", explicit(&self.qualifier), "has no endpoints to choose from"),
            ("--endpoint-url", explicit(&self.endpoint_url), "is not behind the service"),
            ("--bearer-token", identity.bearer_token.as_ref().map(|given| given.explicit), "takes no credentials"),
            ("--token-command", explicit(&identity.token_command), "takes no credentials"),
            ("--sigv4", identity.sigv4.as_ref().map(|given| given.explicit), "takes no credentials"),
            ("--cognito-client-id", identity.user.rank(), "takes no credentials"),
            ("--oauth-token-url or --oauth-issuer", identity.machine.rank(), "takes no credentials"),
            // These two are often in the environment for other programs' sake.
            ("--region", explicit(&self.region).filter(|explicit| *explicit), "has no region"),
            ("--profile", explicit(&identity.profile).filter(|explicit| *explicit), "takes no credentials"),
        ];
        let strongest =
            rivals.iter().filter_map(|(flag, given, why)| Some((*flag, (*given)?, *why))).max_by_key(|r| r.1);
        match strongest {
            Some((_, true, _)) if !local.explicit => Ok(None),
            Some((flag, explicit, why)) if explicit == local.explicit => {
                Err(Failure::usage(format!("--local and {flag} exclude each other: a local container {why}")))
            }
            _ => Ok(Some(local.value.clone())),
        }
    }

    /// The token that would be sent, wherever it goes: no agent need be named for that.
    pub(crate) async fn token(self, identity: identity::Choice) -> Result<Token, Failure> {
        if self.goes_to_mock()? {
            let mock = reach::start_mock(0).await?;
            return match identity.explicit().identity()? {
                None => Ok(Token::parse(&mock.token())?),
                Some(identity) => reach::token(identity).await,
            };
        }
        match identity.identity()? {
            Some(identity) => reach::token(identity).await,
            None => Err(no_credentials()),
        }
    }

    /// With the mock only the command line counts: somebody's real agent must not get into a trial.
    fn mock(self, identity: identity::Choice) -> Result<Plan, Failure> {
        let explicit = |given: Option<Given<String>>| given.filter(|given| given.explicit).map(|given| given.value);
        let parsed = |text: Option<String>| text.map(|text| text.parse()).transpose();
        let agent = Agent {
            name: explicit(self.arn).unwrap_or_else(|| DEFAULT_AGENT.to_owned()),
            region: parsed(explicit(self.region))?,
            qualifier: explicit(self.qualifier).map(|text| text.parse()).transpose()?,
        };
        if agent.name.starts_with(ARN_PREFIX) {
            agent.name.parse::<RuntimeArn>()?;
        } else if agent.name.is_empty() || agent.name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("invalid agent name {:?}: no agent of the mock has it", agent.name)));
        }
        Ok(Plan::Mock { agent, identity: identity.identity()? })
    }

    fn runtime(self, identity: identity::Choice, lookup: impl Fn(&str) -> Option<String>) -> Result<Plan, Failure> {
        let region = self.region.map(|given| given.try_map(|text| Ok(text.parse::<Region>()?))).transpose()?;
        let Some(arn) = self.arn else {
            return Err(Failure::usage("no agent is named: --arn (or AGENTCORE_RUNTIME_ARN) says which")
                .hint("--local URL talks to an agent container, and --mock to a mock that is started for it"));
        };
        let arn = arn.try_map(|text| Ok(text.parse::<RuntimeArn>()?))?;
        let qualifier = self.qualifier.map(|given| given.try_map(|text| Ok(text.parse::<Qualifier>()?))).transpose()?;
        let endpoint = self.endpoint_url.map(|given| given.value.parse::<Endpoint>()).transpose()?;
        let endpoints = Endpoints::from_env(endpoint, lookup)?;
        let region = region.filter(|given| given.explicit).map(|given| given.value);
        let target = aim(arn, region.as_ref(), qualifier, &endpoints)?;
        let identity = identity.identity()?.ok_or_else(|| {
            no_credentials().hint(
                "a runtime takes tokens or signatures, as it was configured; a local container (--local) takes none",
            )
        })?;
        Ok(Plan::Runtime { target, identity })
    }
}

fn no_credentials() -> Failure {
    Failure::usage(
        "no credentials: say who you are by --bearer-token (a JSON Web Token), --sigv4 (AWS credentials), \
         --cognito-client-id (a user) or --oauth-token-url (a machine)",
    )
}

/// Puts a target together from parts that must not contradict each other.
fn aim(
    arn: Given<RuntimeArn>,
    region: Option<&Region>,
    qualifier: Option<Given<Qualifier>>,
    endpoints: &Endpoints,
) -> Result<Target, Failure> {
    let named = arn.value.region();
    if let Some(region) = region.filter(|region| *region != named) {
        return Err(Failure::usage(format!("--region {region} contradicts the ARN, which is in {named}")));
    }
    let by_arn = arn.value.qualifier().cloned();
    let target = Target::at(endpoints.resolve(named), arn.value);
    match (by_arn, qualifier) {
        (None, Some(given)) => Ok(target.with_qualifier(given.value)),
        (Some(by_arn), Some(given)) if by_arn != given.value && (given.explicit || !arn.explicit) => {
            let given = given.value;
            Err(Failure::usage(format!("--qualifier {given} contradicts the ARN, which is of the endpoint {by_arn}")))
        }
        _ => Ok(target),
    }
}

const DEFAULT_AGENT: &str = "story";
const ARN_PREFIX: &str = "arn:";

#[cfg(test)]
mod tests;
