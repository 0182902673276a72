//! Who is calling: a bearer token or AWS credentials, exactly one. Reads no secret until it is needed, and prints none.

mod logins;
pub(crate) mod machine;
pub(crate) mod user;

use agentcore_client::{Auth, Region, StaticToken, Token as BearerToken, TokenSource, Transport, auth};
use clap::{ArgMatches, Args};

use crate::{
    args::{Given, one_of},
    input,
    report::Failure,
};

/// The flags that say who is calling.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "Who you are (exactly one)")]
pub(crate) struct Flags {
    /// A JSON Web Token of the issuer that the runtime trusts; `-` reads it from standard input
    #[arg(long, value_name = "TOKEN", global = true)]
    bearer_token: Option<String>,
    /// A program that prints a token, or JSON with `token` and `expires_in`; words are split at spaces, no shell is run
    #[arg(long, value_name = "COMMAND", global = true)]
    token_command: Option<String>,
    /// Signs with AWS credentials: the environment, profiles, single sign-on, containers, EC2
    #[arg(long, global = true)]
    sigv4: bool,
    /// The profile of the AWS credentials, for --sigv4; AWS_PROFILE works too
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
    #[command(flatten)]
    user: user::Flags,
    #[command(flatten)]
    machine: machine::Flags,
}

/// What the flags say, with the command line's and the environment's told apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) bearer_token: Option<Given<Token>>,
    pub(crate) token_command: Option<Given<String>>,
    pub(crate) sigv4: Option<Given<()>>,
    pub(crate) profile: Option<Given<String>>,
    pub(crate) user: user::Choice,
    pub(crate) machine: machine::Choice,
}

/// A token as it was given; blind in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Token {
    /// Checks its shape.
    pub(crate) fn parse(&self) -> Result<StaticToken, Failure> {
        Ok(StaticToken::parse(&self.0)?)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Bearer(Token),
    /// The words of a command line.
    Command(Vec<String>),
    SigV4 {
        profile: Option<String>,
    },
    User(user::User),
    Machine(machine::Machine),
}

impl Flags {
    pub(crate) fn choice(self, matches: &ArgMatches) -> Choice {
        Choice {
            bearer_token: Given::of(matches, "bearer_token", self.bearer_token.map(Token::from)),
            token_command: Given::of(matches, "token_command", self.token_command),
            sigv4: Given::of(matches, "sigv4", self.sigv4.then_some(())),
            profile: Given::of(matches, "profile", self.profile),
            user: self.user.choice(matches),
            machine: self.machine.choice(matches),
        }
    }
}

impl Choice {
    /// The choice without what only the environment says.
    pub(crate) fn explicit(self) -> Self {
        Self {
            bearer_token: self.bearer_token.filter(|given| given.explicit),
            token_command: self.token_command.filter(|given| given.explicit),
            sigv4: self.sigv4.filter(|given| given.explicit),
            profile: self.profile.filter(|given| given.explicit),
            user: self.user.explicit(),
            machine: self.machine.explicit(),
        }
    }

    /// The one identity, if one is given.
    pub(crate) fn identity(self) -> Result<Option<Identity>, Failure> {
        let profile = self.profile.as_ref().map(|given| given.value.clone());
        let chosen = one_of([
            ("--bearer-token", self.bearer_token.map(|given| given.map(Identity::Bearer))),
            ("--token-command", self.token_command.map(|given| given.try_map(Identity::command)).transpose()?),
            ("--sigv4", self.sigv4.map(|given| given.map(|()| Identity::SigV4 { profile }))),
            ("--cognito-client-id", self.user.user()?.map(|given| given.map(Identity::User))),
            ("--oauth-token-url or --oauth-issuer", self.machine.machine()?.map(|given| given.map(Identity::Machine))),
        ])?
        .map(|given| given.value);
        let signs = matches!(chosen, Some(Identity::SigV4 { .. }));
        if self.profile.is_some_and(|given| given.explicit) && !signs {
            return Err(Failure::usage("--profile names AWS credentials, and --sigv4 is not given"));
        }
        Ok(chosen)
    }
}

impl Identity {
    fn command(line: String) -> Result<Self, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.is_empty() {
            true => Err(Failure::usage("--token-command names no program")),
            false => Ok(Self::Command(words)),
        }
    }

    /// Whether standard input holds the token, so that nothing else can be read from there.
    pub(crate) fn takes_stdin(&self) -> bool {
        matches!(self, Self::Bearer(Token(text)) if text == "-")
    }

    /// Whether credentials may have to be fetched over TLS.
    pub(crate) fn needs_tls(&self) -> bool {
        match self {
            Self::Bearer(_) | Self::Command(_) => false,
            Self::SigV4 { .. } => cfg!(feature = "aws-config"),
            Self::User(user) => user.needs_tls(),
            Self::Machine(machine) => machine.needs_tls(),
        }
    }

    /// Checks what can be checked before anything is fetched or sent, reading standard input if the token is there.
    pub(crate) async fn read(self) -> Result<Self, Failure> {
        let Self::Bearer(token) = self else { return Ok(self) };
        let token = if token.0 == "-" { Token(input::token().await?) } else { token };
        token.parse()?;
        Ok(Self::Bearer(token))
    }

    /// Makes it what the client sends.
    pub(crate) async fn auth(self, transport: &Transport, region: &Region) -> Result<Auth, Failure> {
        match self {
            Self::Bearer(token) => Ok(Auth::bearer(token.parse()?)),
            Self::Command(words) => Ok(Auth::bearer(command(&words))),
            Self::SigV4 { profile } => credentials(profile, transport, region).await,
            Self::User(user) => Ok(Auth::Bearer(user.source(transport, Some(region))?.into())),
            Self::Machine(machine) => Ok(Auth::Bearer(machine.source(transport)?.into())),
        }
    }

    /// The token that would be sent.
    pub(crate) async fn token(self, transport: &Transport) -> Result<BearerToken, Failure> {
        match self {
            Self::Bearer(token) => Ok(token.parse()?.token().await?),
            Self::Command(words) => Ok(command(&words).token().await?),
            Self::User(user) => {
                let source = user.source(transport, None)?;
                Ok(source.token().await?)
            }
            Self::Machine(machine) => {
                let source = machine.source(transport)?;
                Ok(source.token().await?)
            }
            Self::SigV4 { .. } => Err(Failure::usage("--sigv4 signs requests: there is no token to print")),
        }
    }
}

impl Choice {
    /// Whose login it is about: a user's or a machine's. Tokens and keys of the environment do not matter here.
    pub(crate) fn login(mut self) -> Result<Identity, Failure> {
        self.bearer_token = self.bearer_token.filter(|given| given.explicit);
        self.sigv4 = self.sigv4.filter(|given| given.explicit);
        match self.identity()? {
            Some(identity @ (Identity::User(_) | Identity::Machine(_))) => Ok(identity),
            _ => Err(Failure::usage(
                "nobody is named who could log in: --cognito-client-id and --cognito-pool-id name a user, \
                 --oauth-token-url and --oauth-client-id a machine",
            )),
        }
    }
}

impl Identity {
    /// Logs in and keeps the login. Returns who is logged in.
    pub(crate) async fn log_in(self, transport: &Transport) -> Result<String, Failure> {
        match self {
            Self::User(user) => user.log_in(transport).await,
            Self::Machine(machine) => machine.log_in(transport).await,
            _ => Err(Failure::usage("there is no login to keep")),
        }
    }

    /// Ends the login that was kept. Says whether there was one.
    pub(crate) async fn log_out(self, transport: &Transport) -> Result<bool, Failure> {
        match self {
            Self::User(user) => user.log_out(transport).await,
            Self::Machine(machine) => machine.log_out(),
            _ => Ok(false),
        }
    }
}

/// The source that runs the program in these words.
fn command(words: &[String]) -> impl TokenSource + 'static {
    let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    auth::CommandToken::new(program).args(arguments).cached()
}

#[cfg(feature = "aws-config")]
async fn credentials(profile: Option<String>, transport: &Transport, region: &Region) -> Result<Auth, Failure> {
    use std::sync::Arc;
    let (http, clock) = (Arc::new(transport.clone()), Arc::new(auth::SystemClock::default()));
    let chain = auth::default_chain::DefaultChain::new(http, clock, Some(region), profile.as_deref()).await;
    Ok(Auth::sigv4(chain))
}

#[cfg(not(feature = "aws-config"))]
async fn credentials(profile: Option<String>, _: &Transport, _: &Region) -> Result<Auth, Failure> {
    if profile.is_some() {
        let message = "this acore was built without profiles: it reads AWS credentials from the environment only";
        return Err(Failure::usage(message));
    }
    Ok(Auth::sigv4(auth::credentials::from_env(|name| std::env::var(name).ok())?))
}
