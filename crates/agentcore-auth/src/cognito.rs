//! Tokens of an Amazon Cognito user pool: logging in, staying logged in, logging out. Feature `cognito`.
//!
//! [`Cognito`] issues tokens and a [`CachedToken`] keeps them, so that all callers share one login and tokens are renewed early. The requests are made by AWS's own SDK and sent through the [`Exchange`] port. Nothing is written to disk,
//! and one flow is under way at a time.
//!
//! Devices that a pool remembers are not supported: a pool that always does so refuses to renew.

mod app_client;
mod challenge;
mod config;
mod error;
mod login;
mod pool;
mod session;
mod srp;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use aws_smithy_types::date_time::{DateTime, Format};
use secrecy::{ExposeSecret, SecretString};

use self::{
    app_client::{AppClient, AuthResponse, OpenChallenge, Parameters, USERNAME},
    error::CognitoError,
    login::{Account, Flow, Method},
    session::Session,
    srp::{Ephemeral, ServerHalf},
};
pub use self::{
    challenge::{Answer, Challenge, ChallengeResponder},
    config::{CognitoConfig, TokenUse},
    login::Login,
    pool::{PoolId, PoolRef},
};
use crate::{
    BoxFuture, CachedToken, Clock, Error, ErrorKind, Exchange, Issued, StoredToken, TokenIssuer,
    refresh::DEFAULT_DEADLINE,
};

/// A user of a pool who is logged in when a token is first asked for. Clones share the login.
///
/// The first token comes from the login and the next ones from the refresh token. When that has ended, the password logs in
/// again; without a password, an error asks for a new login.
#[derive(Clone)]
#[doc(alias = "AuthenticationManager")]
pub struct Cognito {
    config: CognitoConfig,
    http: Arc<dyn Exchange>,
    session: Arc<Session>,
}

impl CognitoConfig {
    /// Returns the user, who will be logged in over this port.
    #[must_use]
    pub fn over(self, http: Arc<dyn Exchange>) -> Cognito {
        let mut initial = self.initial.clone();
        if let Method::RefreshToken(token) = &self.login.0 {
            initial.refresh_token.get_or_insert_with(|| token.clone());
        }
        Cognito { config: self, http, session: Arc::new(Session::new(initial)) }
    }
}

impl Cognito {
    /// Returns a source that keeps each token until it expires.
    #[must_use]
    pub fn cached(self) -> CachedToken<Self> {
        CachedToken::new(self)
    }

    /// Returns the refresh token, for a later [`Login::refresh_token`]; none before the first login and after a logout.
    ///
    /// Where refresh tokens rotate, each renewal changes it, before the new token is given out.
    #[must_use]
    pub fn refresh_token(&self) -> Option<SecretString> {
        self.session.state().refresh_token.clone()
    }

    /// Returns the user's real name, for [`CognitoConfig::known_as`]; none before it is known.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        self.session.state().username.clone()
    }

    /// Revokes the refresh token and forgets it. Does nothing if there is none.
    ///
    /// Agents accept an access token until it expires, because they check it without asking Cognito. A source that is asked for
    /// a token after this logs in again, if it has a password.
    ///
    /// # Errors
    /// If Cognito refused, or could not be reached; in the latter case the refresh token is kept, so that this can be tried
    /// again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the token may have been revoked and is not forgotten.
    pub async fn logout(&self) -> Result<(), Error> {
        let _flow = self.session.flow.lock().await;
        let Some(token) = self.refresh_token() else { return Ok(()) };
        let revoked = AppClient::new(&self.config, &self.http, None).revoke(&token).await;
        if !revoked.as_ref().is_err_and(CognitoError::is_temporary) {
            self.session.state().refresh_token = None;
        }
        Ok(revoked?)
    }

    /// Logs in with a password, and answers the challenges.
    async fn log_in(&self, account: &Account, flow: &Flow) -> Result<Issued, Error> {
        if !matches!(flow, Flow::UserPassword) {
            self.config.pool.pool(flow.name())?;
        }
        let client = AppClient::new(&self.config, &self.http, Some(flow));
        let chosen = self.session.state().password.clone();
        let password = chosen.unwrap_or_else(|| account.password.clone());
        let srp = matches!(flow, Flow::UserSrp).then(Ephemeral::random).transpose()?;
        let proof = match &srp {
            Some(half) => ("SRP_A".to_owned(), half.public()),
            None => ("PASSWORD".to_owned(), password.expose_secret().to_owned()),
        };
        let parameters = Parameters::from([(USERNAME.to_owned(), account.username.clone()), proof]);
        let mut response = client.initiate(flow.name(), Some(&account.username), parameters).await?;
        let mut user = account.username.clone();
        let mut new_password = None;
        for answered in 0.. {
            let challenge = match response {
                AuthResponse::Tokens(tokens) => return self.keep(&tokens, Some(user), new_password),
                AuthResponse::Challenge(_) if answered == MAX_CHALLENGES => break,
                AuthResponse::Challenge(challenge) => challenge,
            };
            // From the first challenge on, Cognito expects the name that it gives there.
            if let Some(given) = [USER_ID, USERNAME].iter().find_map(|name| challenge.parameters.get(*name)) {
                user.clone_from(given);
            }
            let answers = match (challenge.name.as_str(), &srp) {
                ("PASSWORD_VERIFIER", Some(half)) => self.claim(half, &challenge, &user, &password)?,
                (name, _) => {
                    let known = Challenge::read(name, &challenge.parameters);
                    let (Some(known), Some(responder)) = (known, &self.config.responder) else {
                        return Err(challenge::unanswered(name));
                    };
                    let answer = responder.respond(&known).await?;
                    new_password = known.new_password(&answer).cloned().or(new_password);
                    known.write(&answer)
                }
            };
            response = client.respond(challenge, &user, answers).await?;
        }
        let message = format!("Cognito asks for more than {MAX_CHALLENGES} answers in one login");
        Err(Error::new(ErrorKind::Challenge, message))
    }

    /// Proves the password (the responses to `PASSWORD_VERIFIER`).
    fn claim(
        &self,
        half: &Ephemeral,
        challenge: &OpenChallenge,
        user: &str,
        password: &SecretString,
    ) -> Result<Parameters, Error> {
        let given = |name: &str| challenge.parameters.get(name).map_or("", String::as_str);
        let (salt, public, secret_block) = (given("SALT"), given("SRP_B"), given("SECRET_BLOCK"));
        let timestamp = timestamp(self.config.clock.now());
        let server = ServerHalf { user, salt, public, secret_block };
        let signature =
            half.claim(self.config.pool.pool(SRP)?.name(), password.expose_secret(), &server, &timestamp)?;
        Ok(Parameters::from([
            ("PASSWORD_CLAIM_SECRET_BLOCK".to_owned(), secret_block.to_owned()),
            ("PASSWORD_CLAIM_SIGNATURE".to_owned(), signature),
            ("TIMESTAMP".to_owned(), timestamp),
        ]))
    }

    /// Renews by the refresh token, in the flow that the app client accepts.
    async fn renew(&self, token: &SecretString) -> Result<Issued, CognitoError> {
        let client = AppClient::new(&self.config, &self.http, None);
        let (user, rotating) = (self.username(), self.session.state().rotating);
        let mut response = None;
        if !rotating && (user.is_some() || self.config.secret.is_none()) {
            let parameters = [("REFRESH_TOKEN".to_owned(), token.expose_secret().to_owned())];
            match client.initiate("REFRESH_TOKEN_AUTH", user.as_deref(), parameters.into()).await {
                Err(error) if error.is_about_the_flow() => {}
                other => response = Some(other?),
            }
        }
        let response = match response {
            Some(response) => response,
            None => {
                let response = client.tokens(token).await?;
                self.session.state().rotating = true;
                response
            }
        };
        match response {
            AuthResponse::Tokens(tokens) => Ok(self.keep(&tokens, None, None)?),
            AuthResponse::Challenge(challenge) => Err(challenge::unanswered(challenge.name.as_str()).into()),
        }
    }

    /// Keeps what the next renewal needs, and then returns the token.
    fn keep(
        &self,
        tokens: &AuthenticationResultType,
        user: Option<String>,
        new_password: Option<SecretString>,
    ) -> Result<Issued, Error> {
        self.session.keep(tokens, user, new_password);
        self.config.token_use.of(tokens)
    }
}

impl TokenIssuer for Cognito {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let _flow = self.session.flow.lock().await;
            let mut ended = None;
            if let Some(token) = self.refresh_token() {
                match self.renew(&token).await {
                    Err(error) if error.is_end_of_login() => ended = Some(Error::from(error)),
                    other => return Ok(other?),
                }
                self.session.state().refresh_token = None;
            }
            match (&self.config.login.0, ended) {
                (Method::Password(account, flow), _) => self.log_in(account, flow).await,
                (Method::RefreshToken(_), cause) => {
                    let error = Error::new(ErrorKind::Authentication, "the login has ended: log in again");
                    Err(match cause {
                        Some(cause) => error.with_source(cause),
                        None => error,
                    })
                }
            }
        })
    }

    /// Returns none where a responder may ask a person, otherwise 30 seconds.
    fn deadline(&self) -> Option<Duration> {
        self.config.responder.is_none().then_some(DEFAULT_DEADLINE)
    }

    fn resume(&self, stored: &StoredToken) {
        if let Some(token) = &stored.refresh_token {
            let mut state = self.session.state();
            // Refresh tokens rotate: the stored one is newer than ours.
            state.refresh_token = Some(token.clone());
            state.username = stored.username.clone().or_else(|| state.username.take());
        }
    }

    fn remember(&self, mut stored: StoredToken) -> StoredToken {
        stored.refresh_token = self.refresh_token();
        stored.username = self.username();
        stored
    }
}

impl fmt::Debug for Cognito {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cognito").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Returns a time as Cognito reads it, such as `Mon Jan 5 03:04:05 UTC 2026`: the day without a leading zero, always in English.
fn timestamp(now: SystemTime) -> String {
    let date = DateTime::from_secs(DateTime::from(now).secs()).fmt(Format::HttpDate).unwrap_or_default();
    let parts: Vec<&str> = date.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [weekday, day, month, year, time, _] => {
            format!("{weekday} {month} {} {time} UTC {year}", day.trim_start_matches('0'))
        }
        _ => date,
    }
}

/// Verifying a password, choosing a new one, choosing a second factor and giving it are four; twice that is enough.
const MAX_CHALLENGES: usize = 8;
const SRP: &str = "USER_SRP_AUTH";
const USER_ID: &str = "USER_ID_FOR_SRP";

#[cfg(test)]
mod tests;
