//! Tokens of an Amazon Cognito user pool: logging in, staying logged in, logging out. Feature `cognito`.
//!
//! [`Cognito`] gives out tokens and a [`CachedToken`] keeps them, so that there is one login for everybody and renewal ahead
//! of time. The requests are made by AWS's own SDK and sent through the [`Exchange`] port. Nothing is written to disk, no
//! request is repeated, and the service is asked one thing at a time.
//!
//! Devices that a pool remembers are not supported: a pool that always does so refuses to renew.

mod challenge;
mod config;
mod login;
mod pool;
mod refusal;
mod secret_hash;
mod session;
mod srp;
mod wire;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use aws_smithy_types::date_time::{DateTime, Format};
use secrecy::{ExposeSecret, SecretString};

pub use self::{
    challenge::{Answer, Challenge, ChallengeResponder},
    config::{CognitoConfig, TokenUse},
    login::Login,
    pool::{PoolId, PoolRef},
};
use self::{
    login::{Account, Flow, Way},
    refusal::Failure,
    session::Session,
    srp::{Ephemeral, ServerHalf},
    wire::{Parameters, Question, Step, USERNAME, Wire},
};
use crate::{
    BoxFuture, CachedToken, Clock, Error, ErrorKind, Exchange, Issued, StoredToken, TokenIssuer,
    refresh::DEFAULT_DEADLINE,
};

/// A user of a pool who is logged in when a token is first asked for. Clones share the login.
///
/// The first token comes of logging in and the next ones of the refresh token. When that is dead, the password logs in
/// again; where there is none, the error says that somebody has to.
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
        let first = match &self.login.0 {
            Way::RefreshToken(token) => Some(token.clone()),
            Way::Password(..) => None,
        };
        let session = Session::new(self.refresh_token.clone().or(first), self.username.clone(), self.rotating);
        Cognito { config: self, http, session: Arc::new(session) }
    }
}

impl Cognito {
    /// A source that keeps each token while it lives.
    #[must_use]
    pub fn cached(self) -> CachedToken<Self> {
        CachedToken::new(self)
    }

    /// The refresh token, to be kept for [`Login::refresh_token`]; none before the first login and after the last logout.
    ///
    /// Where refresh tokens rotate, it is another one after each renewal. It is set before the token it came with is given
    /// out.
    #[must_use]
    pub fn refresh_token(&self) -> Option<SecretString> {
        self.session.refresh_token()
    }

    /// The user's real name, for [`CognitoConfig::known_as`]; none before it is known.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        self.session.username()
    }

    /// Revokes the refresh token and forgets it. Nothing is done if there is none.
    ///
    /// Agents go on accepting an access token that was given out until it expires: they check it without asking Cognito. A
    /// source that is asked for a token after this logs in again, if it has a password.
    ///
    /// # Errors
    /// If Cognito refused, or could not be reached; in the latter case the refresh token is kept, so that this can be tried
    /// again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the token may have been revoked and is not forgotten.
    pub async fn logout(&self) -> Result<(), Error> {
        let _turn = self.session.turn().await;
        let Some(token) = self.session.refresh_token() else { return Ok(()) };
        let revoked = Wire::new(&self.config, &self.http, None).revoke(&token).await;
        if !revoked.as_ref().is_err_and(Failure::is_temporary) {
            self.session.forget();
        }
        Ok(revoked?)
    }

    /// Logs in with a password, answering what is asked on the way.
    async fn log_in(&self, account: &Account, flow: &Flow) -> Result<Issued, Error> {
        if !matches!(flow, Flow::UserPassword) {
            self.config.pool.pool(flow.name())?;
        }
        let wire = Wire::new(&self.config, &self.http, Some(flow));
        let password = self.session.password().unwrap_or_else(|| account.password.clone());
        let srp = matches!(flow, Flow::UserSrp).then(Ephemeral::random).transpose()?;
        let applied = match &srp {
            Some(half) => ("SRP_A".to_owned(), half.public()),
            None => ("PASSWORD".to_owned(), password.expose_secret().to_owned()),
        };
        let parameters = Parameters::from([(USERNAME.to_owned(), account.username.clone()), applied]);
        let mut step = wire.initiate(flow.name(), Some(&account.username), parameters).await?;
        let mut user = account.username.clone();
        let mut new_password = None;
        for _ in 0..MOST_CHALLENGES {
            let question = match step {
                Step::Done(tokens) => return self.keep(&tokens, Some(user), new_password),
                Step::Asked(question) => question,
            };
            // From the first challenge on, Cognito goes by the name that it gives there.
            if let Some(given) = [USER_ID, USERNAME].iter().find_map(|name| question.parameters.get(*name)) {
                user.clone_from(given);
            }
            let answers = match (question.name.as_str(), &srp) {
                ("PASSWORD_VERIFIER", Some(half)) => self.claim(half, &question, &user, &password)?,
                (name, _) => {
                    let challenge = Challenge::read(name, &question.parameters);
                    let (Some(challenge), Some(responder)) = (challenge, &self.config.responder) else {
                        return Err(challenge::unanswered(name));
                    };
                    let answer = responder.respond(&challenge).await?;
                    new_password = challenge.new_password(&answer).cloned().or(new_password);
                    challenge.write(&answer).into_iter().collect()
                }
            };
            step = wire.respond(question, &user, answers).await?;
        }
        match step {
            Step::Done(tokens) => self.keep(&tokens, Some(user), new_password),
            Step::Asked(_) => Err(Error::new(
                ErrorKind::Challenge,
                format!("Cognito asks for more than {MOST_CHALLENGES} answers in one login"),
            )),
        }
    }

    /// Proves the password (the responses to `PASSWORD_VERIFIER`).
    fn claim(
        &self,
        half: &Ephemeral,
        question: &Question,
        user: &str,
        password: &SecretString,
    ) -> Result<Parameters, Error> {
        let given = |name: &str| question.parameters.get(name).map_or("", String::as_str);
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

    /// Renews by the refresh token, in whichever way the app client takes.
    async fn renew(&self, token: &SecretString) -> Result<Issued, Failure> {
        let wire = Wire::new(&self.config, &self.http, None);
        let user = self.session.username();
        let mut step = None;
        if !self.session.is_rotating() && (user.is_some() || self.config.secret.is_none()) {
            let parameters = [("REFRESH_TOKEN".to_owned(), token.expose_secret().to_owned())];
            match wire.initiate("REFRESH_TOKEN_AUTH", user.as_deref(), parameters.into()).await {
                Err(failure) if failure.is_about_the_flow() => {}
                other => step = Some(other?),
            }
        }
        let step = match step {
            Some(step) => step,
            None => {
                let step = wire.tokens(token).await?;
                self.session.rotates();
                step
            }
        };
        match step {
            Step::Done(tokens) => Ok(self.keep(&tokens, None, None)?),
            Step::Asked(question) => Err(challenge::unanswered(question.name.as_str()).into()),
        }
    }

    /// Keeps what the next renewal needs, and only then gives out the token.
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
            let _turn = self.session.turn().await;
            let mut ended = None;
            if let Some(token) = self.session.refresh_token() {
                match self.renew(&token).await {
                    Err(failure) if failure.is_end_of_login() => ended = Some(Error::from(failure)),
                    other => return Ok(other?),
                }
                self.session.forget();
            }
            match (&self.config.login.0, ended) {
                (Way::Password(account, flow), _) => self.log_in(account, flow).await,
                (Way::RefreshToken(_), Some(cause)) => Err(log_in_again().with_source(cause)),
                (Way::RefreshToken(_), None) => Err(log_in_again()),
            }
        })
    }

    /// None where somebody answers challenges, for people take their time; otherwise 30 seconds.
    fn deadline(&self) -> Option<Duration> {
        self.config.responder.is_none().then_some(DEFAULT_DEADLINE)
    }

    fn resume(&self, stored: &StoredToken) {
        if let Some(token) = &stored.refresh_token {
            self.session.resume(token.clone(), stored.username.clone());
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

/// A moment as Cognito reads it, such as `Mon Jan 5 03:04:05 UTC 2026`: the day without a leading zero, always in English.
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

fn log_in_again() -> Error {
    Error::new(ErrorKind::Authentication, "the login has ended: log in again")
}

/// Verifying a password, choosing a new one, choosing a second factor and giving it are four; the rest is patience.
const MOST_CHALLENGES: usize = 8;
const SRP: &str = "USER_SRP_AUTH";
const USER_ID: &str = "USER_ID_FOR_SRP";

#[cfg(test)]
mod tests;
