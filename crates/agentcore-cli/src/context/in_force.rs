//! What the command line, the environment, the context in force and the last login say together, and what of it is kept. Calls nobody.

use agentcore_client::{Target, operation};

use super::Context;
use crate::{
    config::{self, ConfigFile},
    errors::Failure,
    flags::{IdentityFlags, Settings, Source, Sourced, Subject, TargetFlags},
    identity::Identity,
    output::note,
    target::{Destination, uses_mock},
};

/// A setting that is in force.
pub(crate) struct SettingInForce {
    pub(crate) key: &'static str,
    /// None for a secret, which is not shown.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

impl Context {
    /// Puts together what was typed, the environment, the context in force and the last login.
    pub(crate) fn load(
        mut target: TargetFlags,
        mut identity: IdentityFlags,
        typed_identity: IdentityFlags,
    ) -> Result<Self, Failure> {
        // Neither the mock nor a container that was typed takes anything from there.
        let is_apart = uses_mock(&target)? || target.local.as_ref().is_some_and(|local| local.source.is_flag());
        if is_apart && target.context.is_none() {
            return Ok(Self { target, identity, typed_identity, name: None });
        }
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let file = ConfigFile::read()?;
        let stands = file.in_force().map(|name| Sourced { value: name.to_owned(), source: Source::File });
        let name = target.context.clone().or(stands);
        if let Some(name) = &name {
            let source = Source::Context(name.value.clone());
            let filled = file.context(&name.value)?.fill(&mut target, &mut identity, &source, is_set);
            filled.map_err(|(key, rule)| Failure::usage(format!("{source}: {key}: {rule}")))?;
        }
        if let Some(settings) = config::last_login()? {
            let filled = settings.fill(&mut target, &mut identity, &Source::Login, is_set);
            filled.map_err(|(key, rule)| Failure::usage(format!("{}: {key}: {rule}", Source::Login)))?;
        }
        Ok(Self { target, identity, typed_identity, name })
    }

    /// Returns what is in force with its source, a secret without its value. What another choice beats is not in force.
    ///
    /// # Errors
    /// If two choices of the same level exclude each other.
    pub(crate) fn in_force(&self) -> Result<Vec<SettingInForce>, Failure> {
        let (target, identity) = (&self.target, &self.identity);
        let some = |key, value, source| SettingInForce { key, value: Some(value), source };
        if uses_mock(target)? {
            return Ok(vec![some("mock", "true".to_owned(), target.mock.source.clone())]);
        }
        let chosen = Identity::resolve(identity)?;
        let destination = match (&target.arn, &target.local) {
            (None, None) => None,
            _ => Some(self.destination()?),
        };
        let is_local = matches!(destination, Some(Destination::Local(_)));
        let subjects: &[Subject] = match &chosen {
            _ if is_local => &[Subject::Agent],
            Some(Identity::Bearer(_)) => &[Subject::Agent, Subject::Store],
            _ => &[Subject::Agent, Subject::Identity, Subject::Store],
        };
        let kept = Settings::in_force(target, identity, subjects);
        let mut settings: Vec<_> = Settings::sources(target, identity)
            .into_iter()
            .filter(|(key, _)| kept.get(key).is_some())
            .map(|(key, set)| some(key, set.value, set.source))
            .collect();
        if let Some(Destination::Runtime(runtime)) = &destination {
            let defaults = [
                ("region", runtime.region().map(ToString::to_string)),
                ("qualifier", Some(runtime.qualifier().map_or_else(|| "DEFAULT".to_owned(), ToString::to_string))),
                ("endpoint-url", endpoint(runtime)),
            ];
            for (key, value) in defaults {
                if kept.get(key).is_none() {
                    settings.extend(value.map(|value| some(key, value, Source::Default)));
                }
            }
        }
        if let (Some(Identity::Bearer(_)), Some(token), false) = (&chosen, &identity.bearer_token, is_local) {
            settings.push(SettingInForce { key: "bearer-token", value: None, source: token.source.clone() });
        }
        Ok(settings)
    }

    /// Returns what a context can hold of what is in force.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let in_force = self.in_force()?;
        let mut settings = Settings::default();
        for SettingInForce { key, value, source } in in_force {
            match (value, Settings::key(key)) {
                (Some(value), Some(key)) if source != Source::Default => settings.insert(key, value),
                (None, _) if source.is_flag() => {
                    return Err(Failure::usage(format!("--{key} is a secret, and no context holds one"))
                        .hint("AGENTCORE_BEARER_TOKEN is read beside any context"));
                }
                (None, _) => note(&format!("{source} is a secret, and is not kept")),
                _ => {}
            }
        }
        Ok(settings)
    }

    /// Keeps what this login was told, for the commands that follow; says so where that cannot be, or where something else comes first.
    pub(crate) fn keep_login(&self, name: &str) {
        let mut settings = Settings::in_force(&self.target, &self.issued(), SUBJECTS);
        if let (Some(key), None) = (Settings::key("cognito-username"), settings.get("cognito-username"))
            && settings.get("cognito-client-id").is_some()
        {
            settings.insert(key, name.to_owned());
        }
        if let Err(failure) = config::keep_login(&settings) {
            let (_, why, _) = failure.summary();
            return note(&format!("the commands that follow need the same flags: {why}"));
        }
        let rival = Identity::sources(&self.identity).into_iter().find(|(flag, source)| {
            let is_kept = flag.split(" or ").any(|flag| settings.get(flag.trim_start_matches("--")).is_some());
            matches!(source, Source::Context(_)) && !is_kept
        });
        if let Some((flag, source)) = rival {
            note(&format!("{flag} of the {source} comes before this login"));
        }
    }

    /// Forgets the last login, if this is the one that ended.
    pub(crate) fn forget_login(&self) -> Result<(), Failure> {
        let ended = Settings::in_force(&self.target, &self.issued(), &[Subject::Identity]);
        match config::last_login()? {
            Some(last) if last.identity() == ended => config::forget_login(),
            _ => Ok(()),
        }
    }

    /// Returns the flags of whoever could log in.
    fn issued(&self) -> IdentityFlags {
        Identity::issued_flags(&self.identity, &self.typed_identity)
    }
}

/// Returns the scheme and the host that a runtime's calls go to.
fn endpoint(runtime: &Target) -> Option<String> {
    let url = runtime.url(&operation::HARNESS).or_else(|_| runtime.url(&operation::INVOKE)).ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}

const SUBJECTS: &[Subject] = &[Subject::Agent, Subject::Identity, Subject::Store];
