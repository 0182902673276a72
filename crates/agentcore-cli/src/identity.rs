//! Who is calling: a source of tokens, or AWS credentials. Reads no secret until it is needed, and prints none.

#[cfg(feature = "cognito")]
mod cognito;
mod issued;
mod oauth;
mod place;

use agentcore_client::{Auth, Region, StaticToken, TokenSource, Transport, auth};

#[cfg(feature = "aws-config")]
use crate::errors::Exit;
use crate::{
    errors::Failure,
    flags::{IdentityFlags, Source, Sourced, exclusive, typed},
    input,
};

pub(crate) use issued::{IssuedIdentity, log_out};
pub(crate) use place::TokenPlace;

/// Who is calling.
pub(crate) enum Identity {
    /// A token, or `-` where standard input holds it.
    Bearer(String),
    /// A program that prints tokens, in words.
    Command(Vec<String>),
    /// A user or a machine that an issuer gives tokens to, and where these are kept.
    Issued(Box<dyn IssuedIdentity>, Option<TokenPlace>),
    /// AWS credentials, of a profile or of the standard places.
    SigV4 { profile: Option<String> },
}

impl Identity {
    /// Returns the one identity that is in force, if one is.
    pub(crate) fn resolve(flags: &IdentityFlags) -> Result<Option<Self>, Failure> {
        let profile = flags.profile.as_ref().map(|profile| profile.value.clone());
        let chosen = exclusive([
            (BEARER_TOKEN, flags.bearer_token.clone().map(|token| token.map(Self::Bearer))),
            (TOKEN_COMMAND, flags.token_command.clone().map(|line| line.try_map(Self::command)).transpose()?),
            (SIGV4, flags.sigv4.on().map(|source| Sourced { value: Self::SigV4 { profile }, source: source.clone() })),
            #[cfg(feature = "cognito")]
            (COGNITO, cognito::resolve(&flags.cognito)?.map(|user| user.map(Self::issued))),
            (OAUTH, oauth::resolve(&flags.oauth)?.map(|client| client.map(Self::issued))),
        ])?;
        let mut chosen = chosen.map(|identity| identity.value);
        if let Some(Self::Issued(_, place)) = &mut chosen {
            *place = TokenPlace::resolve(flags.token_store.as_ref())?;
        } else if typed(&flags.token_store).is_some() {
            return Err(Failure::usage("--token-store keeps tokens of an issuer, and no issuer is named"));
        }
        if typed(&flags.profile).is_some() && !chosen.as_ref().is_some_and(Self::signs) {
            return Err(Failure::usage("--profile names AWS credentials, and --sigv4 is not given"));
        }
        Ok(chosen)
    }

    /// Returns the user or the machine whose login is meant; a token or keys of the environment do not matter.
    pub(crate) fn resolve_issued(
        flags: &IdentityFlags,
        typed: &IdentityFlags,
    ) -> Result<(Box<dyn IssuedIdentity>, TokenPlace), Failure> {
        match Self::resolve(&Self::issued_flags(flags, typed))? {
            Some(Self::Issued(identity, Some(place))) => Ok((identity, place)),
            Some(Self::Issued(..)) => Err(Failure::usage(NO_PLACE)),
            _ => Err(Failure::usage(NO_LOGIN)),
        }
    }

    /// Returns the flags without a token, keys or a program that nobody typed.
    pub(crate) fn issued_flags(flags: &IdentityFlags, typed: &IdentityFlags) -> IdentityFlags {
        let IdentityFlags { bearer_token, sigv4, token_command, .. } = typed.clone();
        IdentityFlags { bearer_token, sigv4, token_command, ..flags.clone() }
    }

    /// Returns the flags in force that choose an identity, with their sources.
    pub(crate) fn sources(flags: &IdentityFlags) -> Vec<(&'static str, Source)> {
        let source = |value: &Option<Sourced<String>>| value.as_ref().map(|value| value.source.clone());
        let oauth = [&flags.oauth.oauth_token_url, &flags.oauth.oauth_issuer].into_iter().filter_map(source);
        let sources = [
            (BEARER_TOKEN, source(&flags.bearer_token)),
            (TOKEN_COMMAND, source(&flags.token_command)),
            (SIGV4, flags.sigv4.on().cloned()),
            #[cfg(feature = "cognito")]
            (COGNITO, source(&flags.cognito.cognito_client_id)),
            (OAUTH, oauth.max_by_key(Source::level)),
            // The variable is often there for other programs.
            ("--profile", source(&typed(&flags.profile))),
        ];
        sources.into_iter().filter_map(|(flag, source)| Some((flag, source?))).collect()
    }

    fn issued(identity: Box<dyn IssuedIdentity>) -> Self {
        Self::Issued(identity, None)
    }

    fn command(line: String) -> Result<Self, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = (!words.is_empty()).then_some(Self::Command(words));
        found.ok_or_else(|| Failure::usage("--token-command names no program"))
    }

    /// Returns whether standard input holds the token, so that nothing else can be read from there.
    pub(crate) fn reads_stdin(&self) -> bool {
        matches!(self, Self::Bearer(text) if text == "-")
    }

    /// Returns whether it signs requests in place of sending a token.
    pub(crate) fn signs(&self) -> bool {
        matches!(self, Self::SigV4 { .. })
    }

    /// Returns whether credentials may have to be fetched over TLS.
    pub(crate) fn needs_tls(&self) -> bool {
        match self {
            Self::Bearer(_) | Self::Command(_) => false,
            Self::Issued(identity, _) => identity.needs_tls(),
            Self::SigV4 { .. } => cfg!(feature = "aws-config"),
        }
    }

    /// Returns what authenticates calls. Reads and checks a token on standard input; fetches nothing.
    pub(crate) async fn auth(self, transport: &Transport, region: Option<&Region>) -> Result<Auth, Failure> {
        match self {
            Self::SigV4 { profile } => sigv4(profile, transport, region).await,
            tokens => Ok(Auth::Bearer(auth::Bearer::new(tokens.token_source(transport, region).await?.into()))),
        }
    }

    /// Returns the source of the tokens.
    pub(crate) async fn token_source(
        self,
        transport: &Transport,
        region: Option<&Region>,
    ) -> Result<Box<dyn TokenSource>, Failure> {
        match self {
            Self::Bearer(text) => {
                let text = if text == "-" { input::token().await? } else { text };
                Ok(Box::new(StaticToken::parse(&text)?))
            }
            Self::Command(words) => {
                let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                Ok(Box::new(auth::CommandToken::new(program).args(arguments).cached()))
            }
            Self::Issued(identity, place) => identity.token_source(place, transport, region).await,
            Self::SigV4 { .. } => Err(Failure::usage("--sigv4 signs requests: there is no token to print")),
        }
    }
}

/// Says that no identity is in force.
pub(crate) fn no_credentials() -> Failure {
    let user = if cfg!(feature = "cognito") { " --cognito-client-id (a user)" } else { "" };
    Failure::usage(format!(
        "no credentials: give them by --bearer-token (a JSON Web Token), --sigv4 (AWS credentials),{user} or \
         --oauth-token-url (a machine)"
    ))
}

#[cfg(feature = "aws-config")]
async fn sigv4(profile: Option<String>, transport: &Transport, region: Option<&Region>) -> Result<Auth, Failure> {
    use std::sync::Arc;
    if profile.is_none() {
        check_environment(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))?;
    }
    let (http, clock) = (Arc::new(transport.clone()), Arc::new(auth::SystemClock::default()));
    let chain = auth::default_chain::DefaultChain::new(http, clock, region, profile.as_deref()).await;
    Ok(Auth::sigv4(chain))
}

/// Refuses one half of a key in the environment: the chain would pass it over and name the last place where it looked.
#[cfg(feature = "aws-config")]
fn check_environment(is_set: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let (set, missing) = match (is_set(id), is_set(secret) || is_set("SECRET_ACCESS_KEY")) {
        (true, false) => (id, secret),
        (false, true) => (secret, id),
        _ => return Ok(()),
    };
    Err(Failure::new(Exit::Refused, format!("{missing} is not set, and {set} is"))
        .hint("set both, or neither and choose a --profile"))
}

#[cfg(not(feature = "aws-config"))]
async fn sigv4(profile: Option<String>, _: &Transport, _: Option<&Region>) -> Result<Auth, Failure> {
    if profile.is_some() {
        let message = "this acore was built without profiles: it reads AWS credentials from the environment only";
        return Err(Failure::usage(message));
    }
    Ok(Auth::sigv4(auth::credentials::from_env(|name| std::env::var(name).ok())?))
}

const BEARER_TOKEN: &str = "--bearer-token";
const TOKEN_COMMAND: &str = "--token-command";
const SIGV4: &str = "--sigv4";
#[cfg(feature = "cognito")]
const COGNITO: &str = "--cognito-client-id";
const OAUTH: &str = "--oauth-token-url or --oauth-issuer";

const NO_PLACE: &str = "there is no place to keep the login: neither HOME nor AGENTCORE_TOKEN_STORE is set";
#[cfg(feature = "cognito")]
const NO_LOGIN: &str = "nobody is named who could log in: --cognito-client-id and --cognito-pool-id name a user, \
                        --oauth-token-url and --oauth-client-id a machine";
#[cfg(not(feature = "cognito"))]
const NO_LOGIN: &str = "nobody is named who could log in: --oauth-token-url and --oauth-client-id name a machine";
