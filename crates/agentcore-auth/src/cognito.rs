//! Tokens of an Amazon Cognito user pool: logging in, staying logged in, logging out. Feature `cognito`.
//!
//! [`Cognito`] issues tokens and a [`CachedToken`] keeps them, so that all callers share one login and tokens are renewed early. The requests are made by AWS's own SDK and sent through the [`Exchange`] port. Nothing is written to disk,
//! and one flow is under way at a time.
//!
//! A pool that remembers devices gives one to each login from an unknown device and renews only from there. Its password is chosen
//! here; [`Cognito::device`] and [`CognitoConfig::device`] keep it from one process to the next, as a [`TokenStore`](crate::TokenStore) does.

mod app_client;
mod challenge;
mod config;
mod error;
mod login;
mod password_login;
mod pool;
mod session;
mod srp;

use std::{fmt, sync::Arc, time::Duration};

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use secrecy::{ExposeSecret, SecretString};

use self::{
    app_client::{AppClient, AuthResponse, DEVICE_KEY},
    error::CognitoError,
    login::{Account, Flow, Method},
    password_login::{LoggedIn, PasswordLogin},
    session::Session,
};
pub use self::{
    challenge::{Answer, Challenge, ChallengeResponder},
    config::{CognitoConfig, TokenUse},
    login::Login,
    pool::{PoolId, PoolRef},
};
use crate::{
    BoxFuture, CachedToken, Device, Error, ErrorKind, Exchange, Issued, StoredToken, TokenIssuer,
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

    /// Returns the refresh token, for a later [`Login::refresh_token`]; none before the first login, after a logout, and where the
    /// pool remembers devices and did not confirm this one.
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

    /// Returns the device that the pool remembers, for [`CognitoConfig::device`]; none before a login, and where it remembers none.
    #[must_use]
    pub fn device(&self) -> Option<Device> {
        self.session.state().device.clone()
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

    /// Logs in with a password, and has the pool remember this device where it does such a thing.
    async fn log_in(&self, account: &Account, flow: &Flow) -> Result<Issued, Error> {
        if !matches!(flow, Flow::UserPassword) {
            self.config.pool.pool(flow.name())?;
        }
        let client = AppClient::new(&self.config, &self.http, Some(flow));
        let (chosen, device) = {
            let state = self.session.state();
            (state.password.clone(), state.device.clone())
        };
        let password = chosen.unwrap_or_else(|| account.password.clone());
        let login = PasswordLogin { config: &self.config, client: &client, account, flow, password, device };
        let LoggedIn { tokens, user, new_password, device } = login.run().await?;
        self.session.keep(&tokens, Some(user), new_password);
        self.session.state().device = device;
        self.confirm_device(&client, &tokens).await;
        self.config.token_use.of(&tokens)
    }

    /// Gives a device that the pool begins to remember its password (`ConfirmDevice`); before that, the pool renews nothing.
    async fn confirm_device(&self, client: &AppClient, tokens: &AuthenticationResultType) {
        let Some(made) = tokens.new_device_metadata() else { return };
        let confirmed = async {
            let device =
                srp::new_device(made.device_key().unwrap_or_default(), made.device_group_key().unwrap_or_default())?;
            let verifier = srp::device_verifier(&device)?;
            client.confirm_device(tokens.access_token().unwrap_or_default(), &device, verifier).await?;
            Ok::<Device, Error>(device)
        };
        match confirmed.await {
            Ok(device) => self.session.state().device = Some(device),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), %error, "Cognito did not confirm this device, so that the login cannot be renewed");
                self.session.state().refresh_token = None;
            }
        }
    }

    /// Renews by the refresh token, in the flow that the app client accepts.
    async fn renew(&self, token: &SecretString) -> Result<Issued, CognitoError> {
        let client = AppClient::new(&self.config, &self.http, None);
        let (user, rotating, device) = {
            let state = self.session.state();
            (state.username.clone(), state.rotating, state.device.as_ref().map(|device| device.key().to_owned()))
        };
        let mut response = None;
        if !rotating && (user.is_some() || self.config.secret.is_none()) {
            let parameters = [("REFRESH_TOKEN".to_owned(), token.expose_secret().to_owned())];
            let device = device.clone().map(|key| (DEVICE_KEY.to_owned(), key));
            let parameters = parameters.into_iter().chain(device).collect();
            match client.initiate("REFRESH_TOKEN_AUTH", user.as_deref(), parameters).await {
                Err(error) if error.is_about_the_flow() => {}
                other => response = Some(other?),
            }
        }
        let response = match response {
            Some(response) => response,
            None => {
                let response = client.tokens(token, device).await?;
                self.session.state().rotating = true;
                response
            }
        };
        match response {
            AuthResponse::Tokens(tokens) => {
                // The next renewal needs what came with a token that is none.
                self.session.keep(&tokens, None, None);
                Ok(self.config.token_use.of(&tokens)?)
            }
            AuthResponse::Challenge(challenge) => Err(challenge::unanswered(challenge.name.as_str()).into()),
        }
    }
}

impl TokenIssuer for Cognito {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let _flow = self.session.flow.lock().await;
            let mut ended = None;
            if let Some(token) = self.refresh_token() {
                match self.renew(&token).await {
                    Err(error) if error.is_missing() && self.device().is_some() => {
                        self.session.state().device = None;
                        ended = Some(Error::from(error));
                    }
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
        let mut state = self.session.state();
        state.device = stored.device.clone().or_else(|| state.device.take());
        if let Some(token) = &stored.refresh_token {
            // Refresh tokens rotate: the stored one is newer than ours.
            state.refresh_token = Some(token.clone());
            state.username = stored.username.clone().or_else(|| state.username.take());
        }
    }

    fn remember(&self, mut stored: StoredToken) -> StoredToken {
        stored.refresh_token = self.refresh_token();
        stored.username = self.username();
        stored.device = self.device();
        stored
    }
}

impl fmt::Debug for Cognito {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cognito").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
