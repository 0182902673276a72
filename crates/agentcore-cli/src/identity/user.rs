//! A user of an Amazon Cognito pool. Judges the flags; secrets come from the environment, a stored login or a terminal.

use std::sync::Arc;

use agentcore_client::{
    Endpoint, Region, TokenSource, Transport,
    auth::{
        BoxFuture, Error, StoredToken, TokenStore,
        cognito::{Answer, Challenge, ChallengeResponder, Cognito, Login, PoolId, PoolRef, TokenUse},
    },
};
use clap::{ArgMatches, Args, ValueEnum};

use super::logins::{self, Kept};
use crate::{args::Given, input, report::Failure};

/// The flags of a Cognito user.
#[derive(Args)]
#[group(skip)]
#[command(next_help_heading = "Who you are (exactly one)")]
pub(crate) struct Flags {
    /// An app client of a Cognito user pool, for a user who logs in; secrets come from AGENTCORE_COGNITO_PASSWORD,
    /// _REFRESH_TOKEN, _CLIENT_SECRET and _NEW_PASSWORD, or from `acore login`
    #[arg(long, value_name = "ID", global = true)]
    cognito_client_id: Option<String>,
    /// The user pool, such as us-east-1_ABC123DEF
    #[arg(long, value_name = "ID", global = true)]
    cognito_pool_id: Option<String>,
    /// The pool's region [default: by the pool's id, else the ARN's]
    #[arg(long, value_name = "REGION", global = true)]
    cognito_region: Option<String>,
    /// The user's name, or an alias such as an e-mail address
    #[arg(long, value_name = "NAME", global = true)]
    cognito_username: Option<String>,
    /// How the password is proved [default: srp where the pool's id is known, else password]
    #[arg(long, value_enum, value_name = "FLOW", global = true)]
    cognito_flow: Option<Flow>,
    /// Where Cognito is [default: the service]
    #[arg(long, value_name = "URL", global = true)]
    cognito_endpoint_url: Option<String>,
    /// Which of the user's tokens is sent [default: access]
    #[arg(long, value_enum, value_name = "USE", global = true)]
    token_use: Option<Use>,
}

/// How a password is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flow {
    /// It is sent, over TLS
    Password,
    /// It never leaves this machine
    Srp,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Use {
    /// Carries the client's id
    Access,
    /// Carries an audience
    Id,
}

/// What the flags say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) client_id: Option<Given<String>>,
    pub(crate) pool_id: Option<Given<String>>,
    pub(crate) region: Option<Given<String>>,
    pub(crate) username: Option<Given<String>>,
    pub(crate) flow: Option<Given<Flow>>,
    pub(crate) endpoint_url: Option<Given<String>>,
    pub(crate) token_use: Option<Given<Use>>,
}

/// A user and the pool that knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    client_id: String,
    place: Option<PoolRef>,
    username: Option<String>,
    flow: Flow,
    endpoint: Option<Endpoint>,
    token_use: Use,
}

impl Flags {
    pub(super) fn choice(self, matches: &ArgMatches) -> Choice {
        Choice {
            client_id: Given::of(matches, "cognito_client_id", self.cognito_client_id),
            pool_id: Given::of(matches, "cognito_pool_id", self.cognito_pool_id),
            region: Given::of(matches, "cognito_region", self.cognito_region),
            username: Given::of(matches, "cognito_username", self.cognito_username),
            flow: Given::of(matches, "cognito_flow", self.cognito_flow),
            endpoint_url: Given::of(matches, "cognito_endpoint_url", self.cognito_endpoint_url),
            token_use: Given::of(matches, "token_use", self.token_use),
        }
    }
}

impl Choice {
    /// The choice without what only the environment says.
    pub(super) fn explicit(self) -> Self {
        Self {
            client_id: explicit(self.client_id),
            pool_id: explicit(self.pool_id),
            region: explicit(self.region),
            username: explicit(self.username),
            flow: explicit(self.flow),
            endpoint_url: explicit(self.endpoint_url),
            token_use: explicit(self.token_use),
        }
    }

    /// Whether the flags choose a user, and whether the command line does.
    pub(crate) fn rank(&self) -> Option<bool> {
        self.client_id.as_ref().map(|given| given.explicit)
    }

    /// The user, if one is chosen; the other flags say nothing without the client.
    pub(super) fn user(self) -> Result<Option<Given<User>>, Failure> {
        let Some(client_id) = self.client_id else {
            let stray = [is_explicit(&self.pool_id), is_explicit(&self.username), is_explicit(&self.flow)];
            return match stray.contains(&true) {
                true => Err(Failure::usage("no app client is named: --cognito-client-id says which")),
                false => Ok(None),
            };
        };
        let pool = self.pool_id.map(|given| given.value.parse::<PoolId>()).transpose()?;
        let region = self.region.map(|given| given.value.parse::<Region>()).transpose()?;
        let place = match (pool, region) {
            (Some(pool), Some(region)) if *pool.region() != region => {
                let message = format!("--cognito-region {region} contradicts the pool, which is in {}", pool.region());
                return Err(Failure::usage(message));
            }
            (Some(pool), _) => Some(PoolRef::Pool(pool)),
            (None, region) => region.map(PoolRef::Region),
        };
        let in_pool = matches!(place, Some(PoolRef::Pool(_)));
        let flow = match self.flow.map(|given| given.value) {
            Some(Flow::Srp) if !in_pool => return Err(Failure::usage("--cognito-flow srp needs --cognito-pool-id")),
            Some(flow) => flow,
            None if in_pool => Flow::Srp,
            None => Flow::Password,
        };
        let user = User {
            client_id: client_id.value,
            place,
            username: self.username.map(|given| given.value),
            flow,
            endpoint: self.endpoint_url.map(|given| given.value.parse()).transpose()?,
            token_use: self.token_use.map_or(Use::Access, |given| given.value),
        };
        Ok(Some(Given { value: user, explicit: client_id.explicit }))
    }
}

impl User {
    /// Whether tokens come over TLS.
    pub(super) fn needs_tls(&self) -> bool {
        self.endpoint.as_ref().is_none_or(|url| url.to_string().starts_with("https:"))
    }

    /// The source of the user's tokens: by the secrets of the environment, else by the login that was stored.
    pub(super) fn source(
        self,
        transport: &Transport,
        region: Option<&Region>,
    ) -> Result<Box<dyn TokenSource>, Failure> {
        let (place, key) = (self.place(region)?, self.key(region)?);
        let kept = logins::find(&key)?;
        let login = self.login(kept.as_ref().map(|kept| &kept.login))?;
        let cognito = self.cognito(place, login, transport);
        // A refresh token spares the password, and the password makes up for one that is dead.
        let cognito = match (secret(PASSWORD), secret(REFRESH_TOKEN)) {
            (Some(_), Some(token)) => cognito.resuming(token),
            _ => cognito,
        };
        Ok(logins::source(cognito, key, kept))
    }

    /// Logs in, asking for what is missing, and stores the login. Returns who is logged in.
    pub(super) async fn log_in(mut self, transport: &Transport) -> Result<String, Failure> {
        let (place, key) = (self.place(None)?, self.key(None)?);
        let username = match self.username.take() {
            Some(username) => username,
            None => input::ask("User name: ").await?,
        };
        let password = match secret(PASSWORD) {
            Some(password) => password,
            None => input::ask_secretly("Password: ").await?,
        };
        let login = self.by_password(&username, password);
        let cognito = self.cognito(place, login, transport);
        logins::log_in(cognito.clone(), key).await?;
        Ok(cognito.username().unwrap_or(username))
    }

    /// Revokes the login that was stored, and forgets it. Says whether there was one.
    pub(super) async fn log_out(self, transport: &Transport) -> Result<bool, Failure> {
        let (place, key) = (self.place(None)?, self.key(None)?);
        let Some(Kept { store, login }) = logins::find(&key)? else { return Ok(false) };
        if let Some(token) = login.refresh_token {
            self.cognito(place, Login::refresh_token(token), transport).logout().await?;
        }
        store.clear(&key)?;
        Ok(true)
    }

    fn cognito(&self, place: PoolRef, login: Login, transport: &Transport) -> Cognito {
        let cognito = Cognito::new(place, &self.client_id, login, Arc::new(transport.clone())).responder(Terminal);
        let cognito = match self.token_use {
            Use::Access => cognito.token_use(TokenUse::Access),
            Use::Id => cognito.token_use(TokenUse::Id),
        };
        let cognito = match secret(CLIENT_SECRET) {
            Some(secret) => cognito.client_secret(secret),
            None => cognito,
        };
        match &self.endpoint {
            Some(endpoint) => cognito.endpoint(endpoint.clone()),
            None => cognito,
        }
    }

    fn login(&self, kept: Option<&StoredToken>) -> Result<Login, Failure> {
        if let Some(password) = secret(PASSWORD) {
            let username = self.username.as_deref().ok_or_else(|| {
                Failure::usage(format!("{PASSWORD} is set, and no user is named: --cognito-username says whose it is"))
            })?;
            return Ok(self.by_password(username, password));
        }
        let kept = kept.and_then(|kept| kept.refresh_token.clone());
        match secret(REFRESH_TOKEN).map(Into::into).or(kept) {
            Some(token) => Ok(Login::refresh_token(token)),
            None => {
                Err(Failure::refused(format!("nobody is logged in: neither {PASSWORD} nor {REFRESH_TOKEN} is set"))
                    .hint("`acore login` with the same flags asks for the password and keeps the login"))
            }
        }
    }

    fn by_password(&self, username: &str, password: String) -> Login {
        match self.flow {
            Flow::Password => Login::user_password(username, password),
            Flow::Srp => Login::user_srp(username, password),
        }
    }

    fn place(&self, region: Option<&Region>) -> Result<PoolRef, Failure> {
        self.place
            .clone()
            .or_else(|| region.cloned().map(PoolRef::Region))
            .ok_or_else(|| Failure::usage("no user pool is named: --cognito-pool-id, or --cognito-region, says where"))
    }

    /// Everything that makes one login another one.
    fn key(&self, region: Option<&Region>) -> Result<String, Failure> {
        let place = match self.place(region)? {
            PoolRef::Pool(pool) => pool.to_string(),
            place => place.region().to_string(),
        };
        let endpoint = self.endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
        let user = self.username.as_deref().unwrap_or_default();
        Ok(format!("cognito {place} {} {user} {:?} {endpoint}", self.client_id, self.token_use))
    }
}

/// Answers challenges: the new password by the environment, everything by whoever sits at the terminal.
#[derive(Debug)]
struct Terminal;

impl ChallengeResponder for Terminal {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let prompt = match challenge {
                Challenge::NewPassword { required_attributes, .. } if required_attributes.is_empty() => {
                    if let Some(password) = secret(NEW_PASSWORD) {
                        return Ok(Answer::new(password));
                    }
                    "New password: ".to_owned()
                }
                Challenge::SoftwareToken { .. } => "Code of your authenticator: ".to_owned(),
                Challenge::Sms { destination, .. } => {
                    format!("Code sent to {}: ", destination.as_deref().unwrap_or("your phone"))
                }
                Challenge::SelectMfa { choices, .. } => format!("Second factor ({}): ", choices.join(" or ")),
                _ => return Err(challenge.unanswered()),
            };
            let answer = match challenge {
                Challenge::NewPassword { .. } => input::ask_secretly(&prompt).await,
                _ => input::ask(&prompt).await,
            };
            answer.map(Answer::new).map_err(|_| challenge.unanswered())
        })
    }
}

fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|secret| !secret.is_empty())
}

fn explicit<T>(given: Option<Given<T>>) -> Option<Given<T>> {
    given.filter(|given| given.explicit)
}

fn is_explicit<T>(given: &Option<Given<T>>) -> bool {
    given.as_ref().is_some_and(|given| given.explicit)
}

const PASSWORD: &str = "AGENTCORE_COGNITO_PASSWORD";
const REFRESH_TOKEN: &str = "AGENTCORE_COGNITO_REFRESH_TOKEN";
const CLIENT_SECRET: &str = "AGENTCORE_COGNITO_CLIENT_SECRET";
const NEW_PASSWORD: &str = "AGENTCORE_COGNITO_NEW_PASSWORD";
