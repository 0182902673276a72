//! The flags that a file can hold, under their own names: filled in where nothing better is given, and gathered to be kept. No secret is
//! among them.

use std::collections::BTreeMap;

#[cfg(feature = "cognito")]
use clap::ValueEnum;

#[cfg(feature = "cognito")]
use super::identity::{Flow, TokenUse};
use super::{
    identity::IdentityFlags,
    source::{Source, Sourced},
    target::TargetFlags,
};

/// Values by the names of their flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<&'static str, String>);

/// What a setting is about. Of the groups of one subject, one is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Agent,
    Identity,
    Store,
}

/// Settings that mean something only together: those that choose, and those that say more of what was chosen.
struct Group {
    subject: Subject,
    choosers: &'static [&'static str],
    others: &'static [&'static str],
}

impl Settings {
    /// Returns the name of a setting as it stands in the table, if it is one.
    pub(crate) fn key(name: &str) -> Option<&'static str> {
        keys().find(|key| *key == name)
    }

    /// Returns whether a setting is a switch, which is `true` or absent.
    pub(crate) fn is_switch(key: &str) -> bool {
        key == "sigv4"
    }

    pub(crate) fn insert(&mut self, key: &'static str, value: String) {
        self.0.insert(key, value);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns the settings in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        keys().filter_map(|key| Some((key, self.get(key)?)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns those that say who is calling.
    pub(crate) fn identity(&self) -> Self {
        let is_identity = |key: &str| {
            let group = GROUPS.iter().find(|group| group.keys().any(|other| other == key));
            group.is_some_and(|group| group.subject == Subject::Identity)
        };
        Self(self.iter().filter(|(key, _)| is_identity(key)).map(|(key, value)| (key, value.to_owned())).collect())
    }

    /// Fills in what is not given. What says more of a choice goes with that choice: where another one is given, it is left out.
    /// `is_set` knows the variables of other programs.
    ///
    /// # Errors
    /// If a value is none of those that its flag takes; the key and the rule.
    pub(crate) fn fill(
        &self,
        target: &mut TargetFlags,
        identity: &mut IdentityFlags,
        source: &Source,
        is_set: impl Fn(&str) -> bool,
    ) -> Result<(), (&'static str, String)> {
        for group in GROUPS {
            let given: Vec<_> = group.given(target, identity).collect();
            let chosen = group.choosers.iter().any(|key| self.get(key).is_some());
            if chosen && given.iter().any(|(key, value)| self.get(key) != Some(&value.value)) {
                continue;
            }
            for key in group.keys() {
                let Some(value) = self.get(key) else { continue };
                let mut slot = slot(key, target, identity);
                if slot.text().is_none() && !variables(key).iter().any(|name| is_set(name)) {
                    slot.store(value, source).map_err(|rule| (key, rule))?;
                }
            }
        }
        Ok(())
    }

    /// Gathers what is in force of these subjects. Of two groups that exclude each other the one of the higher level is taken.
    pub(crate) fn in_force(target: &TargetFlags, identity: &IdentityFlags, subjects: &[Subject]) -> Self {
        let (mut target, mut identity) = (target.clone(), identity.clone());
        let mut settings = Self::default();
        for subject in subjects {
            let level = |group: &&Group, target: &mut _, identity: &mut _| {
                group.given(target, identity).map(|(_, value)| value.source.level()).max()
            };
            let groups = GROUPS.iter().filter(|group| group.subject == *subject);
            // Of equals the last is taken, which is the first of the table.
            let chosen = groups.rev().max_by_key(|group| level(group, &mut target, &mut identity));
            for key in chosen.into_iter().flat_map(Group::keys) {
                // The region of the environment is there for other programs.
                let value = slot(key, &mut target, &mut identity).text();
                let value = value.filter(|value| key != "region" || !value.source.is_variable());
                settings.0.extend(value.map(|value| (key, value.value)));
            }
        }
        settings
    }

    /// Returns every setting that has a value, with its source.
    pub(crate) fn sources(target: &TargetFlags, identity: &IdentityFlags) -> Vec<(&'static str, Sourced<String>)> {
        let (mut target, mut identity) = (target.clone(), identity.clone());
        keys().filter_map(|key| Some((key, slot(key, &mut target, &mut identity).text()?))).collect()
    }
}

impl Group {
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.choosers.iter().chain(self.others).copied()
    }

    /// The choosers that have a value.
    fn given(
        &self,
        target: &mut TargetFlags,
        identity: &mut IdentityFlags,
    ) -> impl Iterator<Item = (&'static str, Sourced<String>)> + use<> {
        let given: Vec<_> =
            self.choosers.iter().filter_map(|key| Some((*key, slot(key, target, identity).text()?))).collect();
        given.into_iter()
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(Group::keys)
}

/// A flag's value as a text.
trait Slot {
    fn text(&self) -> Option<Sourced<String>>;
    fn store(&mut self, text: &str, source: &Source) -> Result<(), String>;
}

impl Slot for Option<Sourced<String>> {
    fn text(&self) -> Option<Sourced<String>> {
        self.clone()
    }

    fn store(&mut self, text: &str, source: &Source) -> Result<(), String> {
        *self = Some(Sourced { value: text.to_owned(), source: source.clone() });
        Ok(())
    }
}

impl Slot for Sourced<bool> {
    fn text(&self) -> Option<Sourced<String>> {
        self.on().map(|source| Sourced { value: "true".to_owned(), source: source.clone() })
    }

    fn store(&mut self, text: &str, source: &Source) -> Result<(), String> {
        *self = Self { value: text == "true", source: source.clone() };
        Ok(())
    }
}

/// A choice of a few words.
#[cfg(feature = "cognito")]
struct Choice<'a, T>(&'a mut Option<Sourced<T>>);

#[cfg(feature = "cognito")]
impl<T: ValueEnum> Slot for Choice<'_, T> {
    fn text(&self) -> Option<Sourced<String>> {
        let chosen = self.0.as_ref()?;
        let name = chosen.value.to_possible_value()?.get_name().to_owned();
        Some(Sourced { value: name, source: chosen.source.clone() })
    }

    fn store(&mut self, text: &str, source: &Source) -> Result<(), String> {
        let value = T::from_str(text, false).map_err(|_| {
            let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
            format!("it must be {}", names.join(" or "))
        })?;
        *self.0 = Some(Sourced { value, source: source.clone() });
        Ok(())
    }
}

/// Returns the place of a setting among the flags.
fn slot<'a>(key: &str, target: &'a mut TargetFlags, identity: &'a mut IdentityFlags) -> Box<dyn Slot + 'a> {
    let text = match key {
        "arn" => &mut target.arn,
        "region" => &mut target.region,
        "qualifier" => &mut target.qualifier,
        "endpoint-url" => &mut target.endpoint_url,
        "local" => &mut target.local,
        "token-command" => &mut identity.token_command,
        "profile" => &mut identity.profile,
        #[cfg(feature = "cognito")]
        "cognito-client-id" => &mut identity.cognito.cognito_client_id,
        #[cfg(feature = "cognito")]
        "cognito-pool-id" => &mut identity.cognito.cognito_pool_id,
        #[cfg(feature = "cognito")]
        "cognito-region" => &mut identity.cognito.cognito_region,
        #[cfg(feature = "cognito")]
        "cognito-username" => &mut identity.cognito.cognito_username,
        #[cfg(feature = "cognito")]
        "cognito-endpoint-url" => &mut identity.cognito.cognito_endpoint_url,
        #[cfg(feature = "cognito")]
        "cognito-flow" => return Box::new(Choice::<Flow>(&mut identity.cognito.cognito_flow)),
        #[cfg(feature = "cognito")]
        "token-use" => return Box::new(Choice::<TokenUse>(&mut identity.cognito.token_use)),
        "oauth-token-url" => &mut identity.oauth.oauth_token_url,
        "oauth-issuer" => &mut identity.oauth.oauth_issuer,
        "oauth-client-id" => &mut identity.oauth.oauth_client_id,
        "oauth-scope" => &mut identity.oauth.oauth_scope,
        "token-store" => &mut identity.token_store,
        _ => return Box::new(&mut identity.sigv4),
    };
    Box::new(text)
}

impl<T: Slot> Slot for &mut T {
    fn text(&self) -> Option<Sourced<String>> {
        T::text(self)
    }

    fn store(&mut self, text: &str, source: &Source) -> Result<(), String> {
        T::store(self, text, source)
    }
}

/// Variables that are read elsewhere, and beat a file.
fn variables(key: &str) -> &'static [&'static str] {
    match key {
        "profile" => &["AWS_PROFILE"],
        "endpoint-url" => &["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", "AWS_ENDPOINT_URL"],
        _ => &[],
    }
}

/// The flags of a Cognito user; the first chooses.
pub(crate) const USER: &[&str] = &[
    "cognito-client-id",
    "cognito-pool-id",
    "cognito-region",
    "cognito-username",
    "cognito-flow",
    "cognito-endpoint-url",
    "token-use",
];

/// The flags of a machine; the first two choose.
pub(crate) const MACHINE: &[&str] = &["oauth-token-url", "oauth-issuer", "oauth-client-id", "oauth-scope"];

const GROUPS: &[Group] = &[
    Group { subject: Subject::Agent, choosers: &["arn"], others: &["region", "qualifier", "endpoint-url"] },
    Group { subject: Subject::Agent, choosers: &["local"], others: &[] },
    Group { subject: Subject::Identity, choosers: &["sigv4"], others: &["profile"] },
    #[cfg(feature = "cognito")]
    Group { subject: Subject::Identity, choosers: USER.split_at(1).0, others: USER.split_at(1).1 },
    Group { subject: Subject::Identity, choosers: MACHINE.split_at(2).0, others: MACHINE.split_at(2).1 },
    Group { subject: Subject::Identity, choosers: &["token-command"], others: &[] },
    Group { subject: Subject::Store, choosers: &["token-store"], others: &[] },
];
