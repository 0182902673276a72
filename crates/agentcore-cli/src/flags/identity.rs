//! The flags that say who is calling. The bearer token is the only secret among them, and nothing here prints it.

use clap::{ArgAction, Args};
#[cfg(feature = "cognito")]
use clap::{ValueEnum, builder::EnumValueParser};

use super::source::Sourced;
#[cfg(feature = "cognito")]
use super::source::SourcedParser;

/// The heading of the flags that say who is calling.
pub(crate) const IDENTITY_HEADING: &str = "Who you are (exactly one)";

#[derive(Args, Clone, Default)]
#[group(skip)]
#[command(next_help_heading = IDENTITY_HEADING)]
pub(crate) struct IdentityFlags {
    /// A JSON Web Token of the issuer that the runtime trusts. The list of processes shows it to every user of the machine: `-`
    /// reads it from standard input, and AGENTCORE_BEARER_TOKEN holds it as well
    #[arg(long, value_name = "TOKEN", global = true)]
    pub(crate) bearer_token: Option<Sourced<String>>,
    /// A program that prints a token, or JSON with `token` and `expires_in`; words are split at spaces, no shell is run
    #[arg(long, value_name = "COMMAND", global = true)]
    pub(crate) token_command: Option<Sourced<String>>,
    /// Signs with AWS credentials: the environment, profiles, single sign-on, containers, EC2
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(crate) sigv4: Sourced<bool>,
    /// The profile of the AWS credentials, for --sigv4; AWS_PROFILE works too
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) profile: Option<Sourced<String>>,
    #[cfg(feature = "cognito")]
    #[command(flatten)]
    pub(crate) cognito: CognitoFlags,
    #[command(flatten)]
    pub(crate) oauth: OAuthFlags,
    /// Where an issuer's tokens are looked for first and kept: `redis://HOST` or `rediss://HOST[:PORT][/DATABASE]` for a
    /// fleet, or `file`; a server needs AGENTCORE_TOKEN_STORE_KEY, and a URL with a password comes from
    /// AGENTCORE_TOKEN_STORE [default: only what `acore login` kept is used]
    #[arg(long, value_name = "URL", global = true, hide_short_help = true, help_heading = "General")]
    pub(crate) token_store: Option<Sourced<String>>,
}

/// The flags of a user of a Cognito pool.
#[cfg(feature = "cognito")]
#[derive(Args, Clone, Default)]
#[group(skip)]
#[command(next_help_heading = IDENTITY_HEADING)]
pub(crate) struct CognitoFlags {
    /// An app client of a Cognito user pool, for a user who logs in; secrets come from AGENTCORE_COGNITO_PASSWORD,
    /// _REFRESH_TOKEN, _CLIENT_SECRET and _NEW_PASSWORD, or from `acore login`
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) cognito_client_id: Option<Sourced<String>>,
    /// The user pool, such as us-east-1_ABC123DEF
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) cognito_pool_id: Option<Sourced<String>>,
    /// The pool's region [default: by the pool's id, else the ARN's]
    #[arg(long, value_name = "REGION", global = true)]
    pub(crate) cognito_region: Option<Sourced<String>>,
    /// The user's name, or an alias such as an e-mail address
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) cognito_username: Option<Sourced<String>>,
    /// How the password is proved [default: srp where the pool's id is known, else password]
    #[arg(long, value_parser = SourcedParser(EnumValueParser::<Flow>::new()), value_name = "FLOW", global = true)]
    pub(crate) cognito_flow: Option<Sourced<Flow>>,
    /// Where Cognito is [default: the service]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) cognito_endpoint_url: Option<Sourced<String>>,
    /// Which of the user's tokens is sent [default: access]
    #[arg(long, value_parser = SourcedParser(EnumValueParser::<TokenUse>::new()), value_name = "USE", global = true)]
    pub(crate) token_use: Option<Sourced<TokenUse>>,
}

/// How a password is proved.
#[cfg(feature = "cognito")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flow {
    /// It is sent, over TLS
    Password,
    /// It never leaves this machine
    Srp,
}

/// What a token is for.
#[cfg(feature = "cognito")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenUse {
    /// Carries the client's id
    Access,
    /// Carries an audience
    Id,
}

/// The flags of OAuth client credentials.
#[derive(Args, Clone, Default)]
#[group(skip)]
#[command(next_help_heading = IDENTITY_HEADING)]
pub(crate) struct OAuthFlags {
    /// A token endpoint that gives tokens to machines; the secret comes from AGENTCORE_OAUTH_CLIENT_SECRET
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) oauth_token_url: Option<Sourced<String>>,
    /// The issuer whose metadata names its token endpoint, in place of --oauth-token-url
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) oauth_issuer: Option<Sourced<String>>,
    /// The client at the token endpoint
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) oauth_client_id: Option<Sourced<String>>,
    /// The scopes to ask for, separated by spaces
    #[arg(long, value_name = "SCOPES", global = true)]
    pub(crate) oauth_scope: Option<Sourced<String>>,
}
