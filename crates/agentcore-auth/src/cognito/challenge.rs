//! Cognito's challenges between a password and a token, and their answers. Asks no person itself.

use std::{collections::HashMap, fmt};

use secrecy::{ExposeSecret, SecretString};

use crate::{BoxFuture, Error, ErrorKind};

/// Answers Cognito's challenges in a login: a person at a terminal, a generator of one-time codes.
///
/// ```
/// use agentcore_auth::{BoxFuture, Error, cognito::{Answer, Challenge, ChallengeResponder}};
///
/// #[derive(Debug)]
/// struct Prompt;
///
/// impl ChallengeResponder for Prompt {
///     fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
///         Box::pin(async move {
///             match challenge {
///                 Challenge::SoftwareToken { .. } => Ok(Answer::new("123456".to_owned())),
///                 other => Err(other.unanswered()),
///             }
///         })
///     }
/// }
/// ```
pub trait ChallengeResponder: fmt::Debug + Send + Sync {
    /// Returns the answer to a challenge.
    ///
    /// Cognito waits for it as long as the app client's session lasts: 3 minutes unless set otherwise.
    ///
    /// # Errors
    /// If there is none: [`Challenge::unanswered`] makes the error.
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>>;
}

/// A challenge that only the user can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// `NEW_PASSWORD_REQUIRED`: the password was given by an administrator, and a new one must be chosen.
    #[non_exhaustive]
    NewPassword {
        /// Attributes of the user that the answer must have, such as `name`.
        required_attributes: Vec<String>,
    },
    /// `SOFTWARE_TOKEN_MFA`: the code that an authenticator shows (RFC 6238).
    #[non_exhaustive]
    SoftwareToken {
        /// The authenticator's name, if the user gave it one.
        device: Option<String>,
    },
    /// `SMS_MFA`: the code that was sent as a text message.
    #[non_exhaustive]
    Sms {
        /// Where it was sent, such as `+*******1234`.
        destination: Option<String>,
    },
    /// `EMAIL_OTP`: the code that was sent by e-mail.
    #[non_exhaustive]
    Email {
        /// Where it was sent, such as `a***@e***`.
        destination: Option<String>,
    },
    /// `SELECT_MFA_TYPE`: which of these to use. The answer is one of them.
    #[non_exhaustive]
    SelectMfa {
        /// `SMS_MFA`, `SOFTWARE_TOKEN_MFA`, `EMAIL_OTP`.
        choices: Vec<String>,
    },
}

/// The answer to a [`Challenge`]. Blind in `Debug`.
#[derive(Clone, Debug)]
pub struct Answer {
    text: SecretString,
    attributes: Vec<(String, SecretString)>,
}

impl Answer {
    /// The new password, the code or the choice.
    #[must_use]
    pub fn new(text: impl Into<SecretString>) -> Self {
        Self { text: text.into(), attributes: Vec::new() }
    }

    /// An attribute that [`Challenge::NewPassword`] requires.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

impl Challenge {
    /// Returns the challenge's name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names().0
    }

    /// Returns the error of a responder that has no answer.
    #[must_use]
    pub fn unanswered(&self) -> Error {
        unanswered(self.name())
    }

    /// Reads a challenge; none for one that this client does not know.
    pub(super) fn read(name: &str, parameters: &HashMap<String, String>) -> Option<Self> {
        let text = |name: &str| parameters.get(name).cloned();
        let list = |name: &str| -> Vec<String> {
            parameters.get(name).and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
        };
        Some(match name {
            "NEW_PASSWORD_REQUIRED" => {
                let names = list("requiredAttributes");
                let bare = |name: String| name.strip_prefix(ATTRIBUTE).map(str::to_owned).unwrap_or(name);
                Self::NewPassword { required_attributes: names.into_iter().map(bare).collect() }
            }
            "SOFTWARE_TOKEN_MFA" => Self::SoftwareToken { device: text("FRIENDLY_DEVICE_NAME") },
            "SMS_MFA" => Self::Sms { destination: text("CODE_DELIVERY_DESTINATION") },
            "EMAIL_OTP" => Self::Email { destination: text("CODE_DELIVERY_DESTINATION") },
            "SELECT_MFA_TYPE" => Self::SelectMfa { choices: list("MFAS_CAN_CHOOSE") },
            _ => return None,
        })
    }

    /// Returns the answer's parameters in the API.
    pub(super) fn write(&self, answer: &Answer) -> HashMap<String, String> {
        let parameter = |name: String, value: &SecretString| (name, value.expose_secret().to_owned());
        let attributes = answer.attributes.iter().map(|(name, value)| parameter(format!("{ATTRIBUTE}{name}"), value));
        attributes.chain([parameter(self.names().1.to_owned(), &answer.text)]).collect()
    }

    /// Returns the names of the challenge and of the answer's own parameter.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::NewPassword { .. } => ("NEW_PASSWORD_REQUIRED", "NEW_PASSWORD"),
            Self::SoftwareToken { .. } => ("SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA_CODE"),
            Self::Sms { .. } => ("SMS_MFA", "SMS_MFA_CODE"),
            Self::Email { .. } => ("EMAIL_OTP", "EMAIL_OTP_CODE"),
            Self::SelectMfa { .. } => ("SELECT_MFA_TYPE", "ANSWER"),
        }
    }

    /// Returns the new password, if the answer was one.
    pub(super) fn new_password<'a>(&self, answer: &'a Answer) -> Option<&'a SecretString> {
        matches!(self, Self::NewPassword { .. }).then_some(&answer.text)
    }
}

/// Returns the error of a login that stops at a challenge.
pub(super) fn unanswered(name: &str) -> Error {
    Error::new(ErrorKind::Challenge, format!("Cognito asks for {name}, and nobody is there to answer it"))
}

/// Returns the error of a login that stops at a challenge that nobody could answer through this client.
pub(super) fn unsupported(name: &str) -> Error {
    let message = match name {
        "MFA_SETUP" => {
            "Cognito asks for MFA_SETUP: the user must set up a second factor first, such as on the pool's own sign-in page"
                .to_owned()
        }
        "DEVICE_SRP_AUTH" | "DEVICE_PASSWORD_VERIFIER" => {
            format!("Cognito asks for {name}, and the device that it remembers is not known here")
        }
        _ => format!("Cognito asks for {name}, which this client does not support"),
    };
    Error::new(ErrorKind::Challenge, message)
}

const ATTRIBUTE: &str = "userAttributes.";

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters as the developer guide shows them.
    #[test]
    fn challenges_of_the_wire() {
        let new_password = |names: &[&str]| Challenge::NewPassword {
            required_attributes: names.iter().map(|it| (*it).into()).collect(),
        };
        for (name, parameters, expected) in [
            ("NEW_PASSWORD_REQUIRED", &[("requiredAttributes", "[]"), ("userAttributes", "{}")][..], new_password(&[])),
            (
                "NEW_PASSWORD_REQUIRED",
                &[("requiredAttributes", r#"["userAttributes.name","custom:team"]"#)],
                new_password(&["name", "custom:team"]),
            ),
            ("NEW_PASSWORD_REQUIRED", &[("requiredAttributes", "not json")], new_password(&[])),
            (
                "SOFTWARE_TOKEN_MFA",
                &[("FRIENDLY_DEVICE_NAME", "my phone")],
                Challenge::SoftwareToken { device: Some("my phone".into()) },
            ),
            ("SOFTWARE_TOKEN_MFA", &[], Challenge::SoftwareToken { device: None }),
            (
                "SMS_MFA",
                &[("CODE_DELIVERY_DELIVERY_MEDIUM", "SMS"), ("CODE_DELIVERY_DESTINATION", "+*******1234")],
                Challenge::Sms { destination: Some("+*******1234".into()) },
            ),
            (
                "EMAIL_OTP",
                &[("CODE_DELIVERY_DELIVERY_MEDIUM", "EMAIL"), ("CODE_DELIVERY_DESTINATION", "a***@e***")],
                Challenge::Email { destination: Some("a***@e***".into()) },
            ),
            (
                "SELECT_MFA_TYPE",
                &[("MFAS_CAN_CHOOSE", r#"["SMS_MFA","SOFTWARE_TOKEN_MFA"]"#)],
                Challenge::SelectMfa { choices: vec!["SMS_MFA".into(), "SOFTWARE_TOKEN_MFA".into()] },
            ),
        ] {
            let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(Challenge::read(name, &parameters), Some(expected.clone()), "{name}");
            assert_eq!(expected.name(), name);
        }
        assert_eq!(Challenge::read("CUSTOM_CHALLENGE", &HashMap::new()), None);
    }

    #[test]
    fn debug_is_blind() {
        let answer = Answer::new("hush".to_owned()).attribute("name", "hush".to_owned());
        assert!(!format!("{answer:?}").contains("hush"));
    }
}
