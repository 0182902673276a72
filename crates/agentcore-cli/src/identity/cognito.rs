//! A user of an Amazon Cognito pool. The secrets come from the environment, a login that was kept, or a terminal.

use std::sync::Arc;

use agentcore_client::{
    Endpoint, Region, TokenSource, Transport,
    auth::{
        BoxFuture, Error, StoredToken,
        cognito::{self, Answer, Challenge, ChallengeResponder, CognitoConfig, Login, PoolId, PoolRef},
    },
};

use super::{
    issued::IssuedIdentity,
    place::{self, TokenPlace},
};
use crate::{
    errors::{Exit, Failure},
    flags::{CognitoFlags, Flow, Sourced, TokenUse, typed},
    input::{self, secret},
    output::note,
};

/// A user and the pool that knows them.
#[derive(Debug)]
struct CognitoUser {
    client_id: String,
    pool: Option<PoolRef>,
    username: Option<String>,
    flow: Flow,
    endpoint: Option<Endpoint>,
    token_use: TokenUse,
}

/// Returns the user, if one is chosen; the other flags say nothing without the client.
pub(super) fn resolve(flags: &CognitoFlags) -> Result<Option<Sourced<Box<dyn IssuedIdentity>>>, Failure> {
    let value = |value: &Option<Sourced<String>>| value.as_ref().map(|value| value.value.clone());
    let Some(client_id) = flags.cognito_client_id.clone() else {
        let stray = typed(&flags.cognito_pool_id).or(typed(&flags.cognito_username)).is_some();
        return match stray || typed(&flags.cognito_flow).is_some() {
            true => Err(Failure::usage("no app client is named: --cognito-client-id says which")),
            false => Ok(None),
        };
    };
    let pool = value(&flags.cognito_pool_id).map(|id| id.parse::<PoolId>()).transpose()?;
    let region = value(&flags.cognito_region).map(|region| region.parse::<Region>()).transpose()?;
    let pool = match (pool, region) {
        (Some(pool), Some(region)) if *pool.region() != region => {
            let message = format!("--cognito-region {region} contradicts the pool, which is in {}", pool.region());
            return Err(Failure::usage(message));
        }
        (Some(pool), _) => Some(PoolRef::Pool(pool)),
        (None, region) => region.map(PoolRef::Region),
    };
    let id_is_known = matches!(pool, Some(PoolRef::Pool(_)));
    let flow = match flags.cognito_flow.as_ref().map(|flow| flow.value) {
        Some(Flow::Srp) if !id_is_known => return Err(Failure::usage("--cognito-flow srp needs --cognito-pool-id")),
        Some(flow) => flow,
        None if id_is_known => Flow::Srp,
        None => Flow::Password,
    };
    let endpoint = value(&flags.cognito_endpoint_url).map(|url| url.parse()).transpose()?;
    let token_use = flags.token_use.as_ref().map_or(TokenUse::Access, |token_use| token_use.value);
    let username = value(&flags.cognito_username);
    let user = |client_id| Box::new(CognitoUser { client_id, pool, username, flow, endpoint, token_use }) as _;
    Ok(Some(client_id.map(user)))
}

impl CognitoUser {
    fn config(&self, pool: PoolRef, login: Login) -> CognitoConfig {
        let token_use = match self.token_use {
            TokenUse::Access => cognito::TokenUse::Access,
            TokenUse::Id => cognito::TokenUse::Id,
        };
        let cognito = CognitoConfig::new(pool, &self.client_id, login).responder(Terminal).token_use(token_use);
        let cognito = secret(CLIENT_SECRET).into_iter().fold(cognito, CognitoConfig::client_secret);
        self.endpoint.iter().cloned().fold(cognito, CognitoConfig::endpoint)
    }

    fn login(&self, kept: Option<StoredToken>) -> Result<Login, Failure> {
        if let Some(password) = secret(PASSWORD) {
            let username = self.username.as_deref().ok_or_else(|| {
                Failure::usage(format!("{PASSWORD} is set, and no user is named: --cognito-username says whose it is"))
            })?;
            return Ok(self.by_password(username, password));
        }
        let kept = kept.and_then(|kept| kept.refresh_token);
        match secret(REFRESH_TOKEN).map(Into::into).or(kept) {
            Some(token) => Ok(Login::refresh_token(token)),
            None => {
                let message = format!("nobody is logged in: neither {PASSWORD} nor {REFRESH_TOKEN} is set");
                Err(Failure::new(Exit::Refused, message)
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

    /// Returns the pool, or as much as is known of it.
    fn pool(&self, region: Option<&Region>) -> Result<PoolRef, Failure> {
        let pool = self.pool.clone().or_else(|| region.cloned().map(PoolRef::Region));
        pool.ok_or_else(|| Failure::usage("no user pool is named: --cognito-pool-id, or --cognito-region, says where"))
    }
}

impl IssuedIdentity for CognitoUser {
    fn needs_tls(&self) -> bool {
        self.endpoint.as_ref().is_none_or(|url| url.to_string().starts_with("https:"))
    }

    /// Logs in by the secrets of the environment, else by the login that was kept.
    fn token_source<'a>(
        self: Box<Self>,
        place: Option<TokenPlace>,
        transport: &'a Transport,
        region: Option<&'a Region>,
    ) -> BoxFuture<'a, Result<Box<dyn TokenSource>, Failure>> {
        Box::pin(async move {
            let (pool, key) = (self.pool(region)?, self.key(region)?);
            let has_own = secret(PASSWORD).or_else(|| secret(REFRESH_TOKEN)).is_some();
            let kept = match &place {
                Some(place) if has_own => place.find_if_there(&key).await?,
                Some(place) => place.find(&key).await?,
                None => None,
            };
            let is_kept = kept.is_some();
            let login = self.login(kept)?;
            let cognito = self.config(pool, login);
            // A refresh token spares the password, and the password makes up for one that is dead.
            let cognito = match (secret(PASSWORD), secret(REFRESH_TOKEN)) {
                (Some(_), Some(token)) => cognito.resuming(token),
                _ => cognito,
            };
            Ok(place::source(cognito.over(Arc::new(transport.clone())), key, place, is_kept))
        })
    }

    /// Asks for what is missing.
    fn log_in<'a>(
        mut self: Box<Self>,
        place: &'a TokenPlace,
        transport: &'a Transport,
    ) -> BoxFuture<'a, Result<String, Failure>> {
        Box::pin(async move {
            let pool = self.pool(None)?;
            let username = match self.username.clone() {
                Some(username) => username,
                None => input::ask("User name: ").await?,
            };
            self.username = Some(username.clone());
            let key = self.key(None)?;
            let password = match secret(PASSWORD) {
                Some(password) => password,
                None => input::ask_secretly("Password: ").await?,
            };
            let login = self.by_password(&username, password);
            let config = self.config(pool, login);
            // A pool that remembers devices knows this one by the last login.
            let device = place.find(&key).await.unwrap_or_default().and_then(|kept| kept.device);
            let cognito = device.into_iter().fold(config, CognitoConfig::device).over(Arc::new(transport.clone()));
            place.log_in(cognito.clone(), key).await?;
            if cognito.refresh_token().is_none() {
                note("this login ends with its token: Cognito gave nothing that renews it from this device");
            }
            Ok(username)
        })
    }

    fn key(&self, region: Option<&Region>) -> Result<String, Failure> {
        let pool = match self.pool(region)? {
            PoolRef::Pool(pool) => pool.to_string(),
            pool => pool.region().to_string(),
        };
        let endpoint = self.endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
        let user = self.username.as_deref().unwrap_or_default();
        Ok(format!("cognito {pool} {} {user} {:?} {endpoint}", self.client_id, self.token_use))
    }

    fn revoke<'a>(&'a self, login: StoredToken, transport: &'a Transport) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let Some(token) = login.refresh_token else { return Ok(()) };
            let cognito = self.config(self.pool(None)?, Login::refresh_token(token));
            Ok(cognito.over(Arc::new(transport.clone())).logout().await?)
        })
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
                Challenge::Email { destination, .. } => {
                    format!("Code sent to {}: ", destination.as_deref().unwrap_or("your e-mail address"))
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

const PASSWORD: &str = "AGENTCORE_COGNITO_PASSWORD";
const REFRESH_TOKEN: &str = "AGENTCORE_COGNITO_REFRESH_TOKEN";
const CLIENT_SECRET: &str = "AGENTCORE_COGNITO_CLIENT_SECRET";
const NEW_PASSWORD: &str = "AGENTCORE_COGNITO_NEW_PASSWORD";
