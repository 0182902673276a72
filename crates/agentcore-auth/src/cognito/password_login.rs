//! A login by a password, from the first request to the tokens: proofs of the password and of the device, and the challenges that
//! only the user can answer. Keeps nothing.

use std::time::SystemTime;

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use aws_smithy_types::date_time::{DateTime, Format};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Challenge,
    app_client::{AppClient, AuthResponse, DEVICE_KEY, OpenChallenge, Parameters, USERNAME},
    challenge,
    config::CognitoConfig,
    error::CognitoError,
    login::{Account, Flow},
    srp::{Ephemeral, ServerHalf},
};
use crate::{Device, Error, ErrorKind};

/// A login that is under way.
pub(super) struct PasswordLogin<'a> {
    pub(super) config: &'a CognitoConfig,
    pub(super) client: &'a AppClient,
    pub(super) account: &'a Account,
    pub(super) flow: &'a Flow,
    pub(super) password: SecretString,
    /// The device that an earlier login was made from, until the pool does not know it.
    pub(super) device: Option<Device>,
}

/// What a login ends with.
pub(super) struct LoggedIn {
    pub(super) tokens: AuthenticationResultType,
    /// The user whom Cognito named in the challenges, else what was typed.
    pub(super) user: String,
    pub(super) new_password: Option<SecretString>,
    /// The device, if the pool knows it.
    pub(super) device: Option<Device>,
}

impl PasswordLogin<'_> {
    /// Logs in; from a device that the pool does not know any more, as from a new one.
    pub(super) async fn run(mut self) -> Result<LoggedIn, Error> {
        match self.attempt().await {
            Err(error) if self.device.is_some() && error.is_about_the_device() => {
                tracing::warn!("the pool does not know this device any more; the login is made as from a new one");
                self.device = None;
                Ok(self.attempt().await?)
            }
            outcome => Ok(outcome?),
        }
    }

    async fn attempt(&self) -> Result<LoggedIn, CognitoError> {
        let srp = matches!(self.flow, Flow::UserSrp).then(Ephemeral::random).transpose()?;
        let proof = match &srp {
            Some(half) => (SRP_A.to_owned(), half.public()),
            None => ("PASSWORD".to_owned(), self.password.expose_secret().to_owned()),
        };
        let mut parameters = Parameters::from([(USERNAME.to_owned(), self.account.username.clone()), proof]);
        parameters.extend(self.device_key());
        let mut response = self.client.initiate(self.flow.name(), Some(&self.account.username), parameters).await?;
        let mut user = self.account.username.clone();
        let (mut new_password, mut device_srp) = (None, None);
        for answered in 0.. {
            let challenge = match response {
                AuthResponse::Tokens(tokens) => {
                    return Ok(LoggedIn { tokens, user, new_password, device: self.device.clone() });
                }
                AuthResponse::Challenge(_) if answered == MAX_CHALLENGES => break,
                AuthResponse::Challenge(challenge) => challenge,
            };
            // From the first challenge on, Cognito expects the name that it gives there.
            if let Some(given) = [USER_ID, USERNAME].iter().find_map(|name| challenge.parameters.get(*name)) {
                user.clone_from(given);
            }
            let name = challenge.name.as_str().to_owned();
            let mut answers = match (name.as_str(), &srp, &self.device) {
                ("PASSWORD_VERIFIER", Some(half), _) => {
                    let pool = self.config.pool.pool(self.flow.name())?.name();
                    self.claim(half, &challenge, (pool, &user), self.password.expose_secret())?
                }
                ("DEVICE_SRP_AUTH", _, Some(_)) => {
                    let half = device_srp.insert(Ephemeral::random()?);
                    Parameters::from([(SRP_A.to_owned(), half.public())])
                }
                ("DEVICE_PASSWORD_VERIFIER", _, Some(device)) if device_srp.is_some() => {
                    let half = device_srp.take().ok_or_else(|| challenge::unanswered(&name))?;
                    self.claim(&half, &challenge, (device.group_key(), device.key()), device.expose_password())?
                }
                _ => {
                    let known =
                        Challenge::read(&name, &challenge.parameters).ok_or_else(|| challenge::unsupported(&name))?;
                    let responder = self.config.responder.as_ref().ok_or_else(|| known.unanswered())?;
                    let answer = responder.respond(&known).await?;
                    new_password = known.new_password(&answer).cloned().or(new_password);
                    known.write(&answer)
                }
            };
            if !matches!(name.as_str(), "NEW_PASSWORD_REQUIRED" | "SELECT_MFA_TYPE") {
                answers.extend(self.device_key());
            }
            let proves_device = name.starts_with("DEVICE_");
            let answered = self.client.respond(challenge, &user, answers).await;
            response = answered.map_err(|error| if proves_device { error.of_the_device() } else { error })?;
        }
        let message = format!("Cognito asks for more than {MAX_CHALLENGES} answers in one login");
        Err(Error::new(ErrorKind::Challenge, message).into())
    }

    fn device_key(&self) -> Option<(String, String)> {
        Some((DEVICE_KEY.to_owned(), self.device.as_ref()?.key().to_owned()))
    }

    /// Proves a password (the responses to `PASSWORD_VERIFIER` and `DEVICE_PASSWORD_VERIFIER`): of a user in a pool, or of a device
    /// in its group.
    fn claim(
        &self,
        half: &Ephemeral,
        challenge: &OpenChallenge,
        (pool, user): (&str, &str),
        password: &str,
    ) -> Result<Parameters, Error> {
        let given = |name: &str| challenge.parameters.get(name).map_or("", String::as_str);
        let (salt, public, secret_block) = (given("SALT"), given("SRP_B"), given("SECRET_BLOCK"));
        let timestamp = timestamp(self.config.clock.now());
        let server = ServerHalf { user, salt, public, secret_block };
        let signature = half.claim(pool, password, &server, &timestamp)?;
        Ok(Parameters::from([
            ("PASSWORD_CLAIM_SECRET_BLOCK".to_owned(), secret_block.to_owned()),
            ("PASSWORD_CLAIM_SIGNATURE".to_owned(), signature),
            ("TIMESTAMP".to_owned(), timestamp),
        ]))
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

/// Proving a password, choosing a new one, choosing a second factor, giving it, and the two proofs of a device are six.
const MAX_CHALLENGES: usize = 8;
const SRP_A: &str = "SRP_A";
const USER_ID: &str = "USER_ID_FOR_SRP";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::at;

    /// A day of the month has one or two digits, and the clock has nothing of the machine's zone or language.
    #[test]
    fn timestamps() {
        for (seconds, expected) in [
            (1_767_582_245, "Mon Jan 5 03:04:05 UTC 2026"),
            (1_767_225_599, "Wed Dec 31 23:59:59 UTC 2025"),
            (951_782_400, "Tue Feb 29 00:00:00 UTC 2000"),
        ] {
            assert_eq!(timestamp(at(seconds) + Duration::from_millis(250)), expected);
        }
    }
}
