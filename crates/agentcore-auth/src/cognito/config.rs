//! The settings of a user's login. Asks Cognito nothing.

use std::{fmt, sync::Arc, time::Duration};

use agentcore_core::Endpoint;
use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use secrecy::SecretString;

use super::{ChallengeResponder, Login, PoolRef, session::State};
use crate::{Clock, Device, Error, ErrorKind, Issued, SystemClock};

/// The settings of a login: a user of a pool, through one app client.
///
/// ```no_run
/// # use std::sync::Arc;
/// use agentcore_auth::cognito::{CognitoConfig, Login, PoolId};
///
/// # fn example(http: Arc<dyn agentcore_auth::Exchange>, password: String) -> Result<(), agentcore_auth::Error> {
/// let pool: PoolId = "us-east-1_ABC123DEF".parse()?;
/// let login = Login::user_srp("ada@example.com", password);
/// let source = CognitoConfig::new(pool, "my-client-id", login).over(http).cached();
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CognitoConfig {
    pub(super) pool: PoolRef,
    pub(super) client_id: String,
    pub(super) secret: Option<SecretString>,
    pub(super) login: Login,
    pub(super) token_use: TokenUse,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) responder: Option<Arc<dyn ChallengeResponder>>,
    pub(super) clock: Arc<dyn Clock>,
    /// How the session begins.
    pub(super) initial: State,
}

/// Which of the tokens of a login is sent to agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenUse {
    /// The access token, whose `client_id` a runtime checks against `allowedClients`.
    #[default]
    Access,
    /// The id token, whose `aud` a runtime checks against `allowedAudience`.
    Id,
}

impl CognitoConfig {
    /// A user in a [`PoolId`](super::PoolId), or in a region alone.
    #[must_use]
    pub fn new(pool: impl Into<PoolRef>, client_id: impl Into<String>, login: Login) -> Self {
        Self {
            pool: pool.into(),
            client_id: client_id.into(),
            secret: None,
            login,
            token_use: TokenUse::default(),
            endpoint: None,
            responder: None,
            clock: Arc::new(SystemClock::default()),
            initial: State::default(),
        }
    }

    /// Sets the app client's secret. Default: it has none.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets which token is sent to agents. Default: [`TokenUse::Access`].
    #[must_use]
    pub fn token_use(mut self, token_use: TokenUse) -> Self {
        self.token_use = token_use;
        self
    }

    /// Sets Cognito's URL, `https` or on loopback. Default: the service in the pool's region.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Answers Cognito's challenges in a login. Default: none, and a login with a challenge fails with
    /// [`ErrorKind::Challenge`].
    #[must_use]
    pub fn responder(mut self, responder: impl ChallengeResponder + 'static) -> Self {
        self.responder = Some(Arc::new(responder));
        self
    }

    /// Renews by `GetTokensFromRefreshToken` from the start, which app clients that rotate refresh tokens require. Default:
    /// `REFRESH_TOKEN_AUTH` is tried first, and its refusal shows that they rotate.
    #[must_use]
    pub fn rotating(mut self) -> Self {
        self.initial.rotating = true;
        self
    }

    /// Sets the real name of the refresh token's user: the `username` claim of its tokens, never an alias.
    ///
    /// An app client with a secret needs it in `REFRESH_TOKEN_AUTH`. Without a name the first renewal is by
    /// `GetTokensFromRefreshToken`, which needs none, and the new token has the name.
    #[must_use]
    pub fn known_as(mut self, username: impl Into<String>) -> Self {
        self.initial.username = Some(username.into());
        self
    }

    /// Logs in and renews from a device that the pool remembers ([`Cognito::device`](super::Cognito::device)). Default: none, and a
    /// pool that remembers devices makes a new one at each login by password.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.initial.device = Some(device);
        self
    }

    /// Sets the clock for the timestamp in `USER_SRP_AUTH`. Default: the system's clocks.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Continues the login of this refresh token before the password is used. When it has ended, the password logs in again.
    #[must_use]
    pub fn resuming(mut self, refresh_token: impl Into<SecretString>) -> Self {
        self.initial.refresh_token = Some(refresh_token.into());
        self
    }
}

impl TokenUse {
    /// Returns the token of this use, with its own lifetime.
    pub(super) fn of(self, tokens: &AuthenticationResultType) -> Result<Issued, Error> {
        let (name, token) = match self {
            Self::Access => ("access", tokens.access_token()),
            Self::Id => ("id", tokens.id_token()),
        };
        let token = token.ok_or_else(|| Error::new(ErrorKind::Service, format!("Cognito gave no {name} token")))?;
        let token = crate::Token::parse(token).map_err(|error| {
            Error::new(ErrorKind::Service, format!("Cognito's {name} token is none")).with_source(error)
        })?;
        let issued = Issued::new(token);
        // `ExpiresIn` is the access token's; an id token has its own lifetime in its claims.
        match u64::try_from(tokens.expires_in()) {
            Ok(life) if life > 0 && self == Self::Access => Ok(issued.expires_in(Duration::from_secs(life))),
            _ => Ok(issued),
        }
    }
}

impl fmt::Debug for CognitoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoConfig")
            .field("pool", &self.pool)
            .field("login", &self.login)
            .field("token_use", &self.token_use)
            .field("responder", &self.responder)
            .finish_non_exhaustive()
    }
}
