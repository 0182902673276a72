//! Where calls go: a runtime by its ARN, a local container, or the mock. Resolves the flags; opens and sends nothing.

use agentcore_client::{Arn, Endpoint, Endpoints, Qualifier, Region, Target};
use agentcore_mock::Mock;

use crate::{
    errors::Failure,
    flags::{Source, Sourced, TargetFlags, typed},
};

/// Where calls go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// An agent of the embedded mock, or the mock as a local container.
    Mock(Option<MockAgent>),
    /// A local container, to which no credential is sent.
    Local(Target),
    /// A runtime behind the service.
    Runtime(Target),
}

/// An agent of the mock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MockAgent {
    /// An ARN, or the agent's bare name.
    pub(crate) name: Sourced<String>,
    region: Option<Region>,
    qualifier: Option<Sourced<Qualifier>>,
}

impl Destination {
    /// Resolves where invocations go. `identities` are the flags in force that say who is calling; `lookup` finds the
    /// variables that name endpoint URLs.
    pub(crate) fn of_calls(
        flags: &TargetFlags,
        identities: &[(&'static str, Source)],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        if uses_mock(flags)? {
            return Ok(Self::Mock(Some(MockAgent::new(flags)?)));
        }
        match local(flags, identities)? {
            Some(target) => Ok(Self::Local(target)),
            None => Ok(Self::Runtime(runtime(flags, lookup)?)),
        }
    }

    /// Resolves which container is asked for its health.
    pub(crate) fn of_ping(flags: &TargetFlags, identities: &[(&'static str, Source)]) -> Result<Self, Failure> {
        if uses_mock(flags)? {
            return Ok(Self::Mock(None));
        }
        local(flags, identities)?.map(Self::Local).ok_or_else(|| {
            Failure::usage("no container is named: --local URL says which")
                .hint("the service keeps the health of its containers to itself, so a runtime cannot be asked")
        })
    }
}

impl MockAgent {
    /// Only the command line counts: somebody's real agent must not get into a trial.
    fn new(flags: &TargetFlags) -> Result<Self, Failure> {
        let default = || Sourced { value: DEFAULT_AGENT.to_owned(), source: Source::Default };
        let agent = Self {
            name: typed(&flags.arn).unwrap_or_else(default),
            region: typed(&flags.region).map(|region| region.value.parse()).transpose()?,
            qualifier: typed(&flags.qualifier).map(|name| name.try_map(|text| text.parse())).transpose()?,
        };
        let name = &agent.name.value;
        if name.starts_with(ARN_PREFIX) {
            name.parse::<Arn>()?;
        } else if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("invalid agent name {name:?}: no agent of the mock has it")));
        }
        Ok(agent)
    }

    /// Returns where the agent is in a mock that runs.
    pub(crate) fn target(self, mock: &Mock) -> Result<Target, Failure> {
        let arn = |name: String| if name.starts_with(ARN_PREFIX) { name.parse() } else { Ok(mock.arn(&name)) };
        let endpoints = Endpoints::from(mock.url().parse::<Endpoint>()?);
        target(self.name.try_map(arn)?, self.region.as_ref(), self.qualifier, &endpoints)
    }
}

/// Returns what is odd about the qualifier, which the service takes by this pattern: `[a-zA-Z][a-zA-Z0-9_]{0,47}`.
pub(crate) fn odd_qualifier(target: &Target) -> Option<String> {
    let name = target.qualifier()?.as_str();
    let mut letters = name.chars();
    let is_first = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    let is_usual = is_first && name.len() <= 48 && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    let message = "is no endpoint's name: the service's are a letter, then up to 47 letters, digits and `_`";
    (!is_usual).then(|| format!("the qualifier {name:?} {message}"))
}

/// Returns whether the mock is in force: by a flag, or by a variable that no flag contradicts.
pub(crate) fn uses_mock(flags: &TargetFlags) -> Result<bool, Failure> {
    let Some(mock) = flags.mock.on() else { return Ok(false) };
    let elsewhere = [("--local", &flags.local), ("--endpoint-url", &flags.endpoint_url)];
    match elsewhere.into_iter().find(|(_, value)| typed(value).is_some()) {
        Some((flag, _)) if mock.is_flag() => {
            Err(Failure::usage(format!("--mock and {flag} exclude each other: the mock is started by this process")))
        }
        other => Ok(other.is_none()),
    }
}

/// Returns the local container, if one is in force. It excludes all that is about the service.
fn local(flags: &TargetFlags, identities: &[(&'static str, Source)]) -> Result<Option<Target>, Failure> {
    let Some(local) = &flags.local else { return Ok(None) };
    // The variable is often there for other programs.
    let region = typed(&flags.region);
    let places = [
        ("--arn", &flags.arn, "has no ARN"),
        ("--qualifier", &flags.qualifier, "has no endpoints to choose from"),
        ("--endpoint-url", &flags.endpoint_url, "is not behind the service"),
        ("--region", &region, "has no region"),
    ];
    let places = places.into_iter().filter_map(|(flag, value, why)| Some((flag, value.as_ref()?.source.level(), why)));
    let identities = identities.iter().map(|(flag, source)| (*flag, source.level(), "takes no credentials"));
    match places.chain(identities).max_by_key(|(_, level, _)| *level) {
        Some((_, level, _)) if level > local.source.level() => Ok(None),
        Some((flag, level, why)) if level == local.source.level() => {
            Err(Failure::usage(format!("--local and {flag} exclude each other: a local container {why}")))
        }
        _ => Ok(Some(Target::local(&local.value)?)),
    }
}

fn runtime(flags: &TargetFlags, lookup: impl Fn(&str) -> Option<String>) -> Result<Target, Failure> {
    let region = flags.region.clone().map(|region| region.try_map(|text| text.parse::<Region>())).transpose()?;
    let Some(arn) = flags.arn.clone() else {
        return Err(Failure::usage("no agent is named: --arn (or AGENTCORE_RUNTIME_ARN) says which")
            .hint("--local URL talks to an agent container, and --mock to a mock that is started for it"));
    };
    let arn = arn.try_map(|text| text.parse())?;
    let qualifier = flags.qualifier.clone().map(|name| name.try_map(|text| text.parse())).transpose()?;
    let endpoint = flags.endpoint_url.as_ref().map(|url| url.value.parse::<Endpoint>()).transpose()?;
    let endpoints = Endpoints::from_env(endpoint, lookup)?;
    // The variable is often there for other programs.
    let region = region.filter(|region| !region.source.is_variable()).map(|region| region.value);
    target(arn, region.as_ref(), qualifier, &endpoints)
}

/// Puts a target together from parts that must not contradict each other.
fn target(
    arn: Sourced<Arn>,
    region: Option<&Region>,
    qualifier: Option<Sourced<Qualifier>>,
    endpoints: &Endpoints,
) -> Result<Target, Failure> {
    let named = arn.value.region();
    if let Some(region) = region.filter(|region| *region != named) {
        return Err(Failure::usage(format!("--region {region} contradicts the ARN, which is in {named}")));
    }
    let by_arn = arn.value.qualifier().cloned();
    let target = Target::at(endpoints.resolve(named), arn.value);
    match (by_arn, qualifier) {
        (None, Some(name)) => Ok(target.with_qualifier(name.value)),
        (Some(by_arn), Some(name)) if by_arn != name.value && name.source.level() >= arn.source.level() => {
            let name = name.value;
            Err(Failure::usage(format!("--qualifier {name} contradicts the ARN, which is of the endpoint {by_arn}")))
        }
        _ => Ok(target),
    }
}

const DEFAULT_AGENT: &str = "story";
const ARN_PREFIX: &str = "arn:";
