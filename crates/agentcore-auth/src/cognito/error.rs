//! What a failed request to Cognito means. Keeps the service's message only if it repeats no secret.

use agentcore_core::service_error;
use aws_sdk_cognitoidentityprovider::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, ErrorKind,
    exchange::{outage, unanswered},
};

/// A failed request, and what it means for the login.
#[derive(Debug)]
pub(super) struct CognitoError {
    code: Option<String>,
    message: String,
    error: Error,
    /// Whether it answered the proof of a device.
    answers_device: bool,
}

impl CognitoError {
    /// Reads the SDK's error. No secret that was sent may come back in the message.
    pub(super) fn read<E>(error: SdkError<E, HttpResponse>, secrets: &[SecretString]) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let (code, message) = (service.err().code(), service.err().message().unwrap_or_default());
                Self::service(status, code, &presentable(message, secrets))
            }
            // The source would be the parser's, and the answer beside it may hold tokens.
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                let kind = outage(status).unwrap_or(ErrorKind::Service);
                Error::new(kind, format!("Cognito's answer of HTTP {status} cannot be read")).into()
            }
            _ => {
                let out_of_time = matches!(&error, SdkError::TimeoutError(_))
                    || matches!(&error, SdkError::DispatchFailure(failure) if failure.is_timeout());
                match error.into_source() {
                    Ok(source) if out_of_time => Error::new(ErrorKind::Timeout, UNREACHED).with_source(source).into(),
                    Ok(source) => unanswered(UNREACHED, source).into(),
                    Err(_) => Error::new(ErrorKind::Unavailable, UNREACHED).into(),
                }
            }
        }
    }

    fn service(status: u16, code: Option<&str>, message: &str) -> Self {
        let name = code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
        let busy = code.is_none_or(service_error::is_throttling).then_some(ErrorKind::Unavailable);
        let (kind, what) = match outage(status).or(busy) {
            Some(kind) => (kind, "Cognito is not available"),
            None => (ErrorKind::Authentication, "Cognito refused"),
        };
        let text = if message.is_empty() { format!("{what}: {name}") } else { format!("{what}: {message} ({name})") };
        Self {
            code: code.map(str::to_owned),
            message: message.to_owned(),
            error: Error::new(kind, text),
            answers_device: false,
        }
    }

    /// Whether the refresh token is dead and a login is needed.
    pub(super) fn is_end_of_login(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some("NotAuthorizedException" | "RefreshTokenReuseException" | "UserNotFoundException")
        )
    }

    /// Whether `REFRESH_TOKEN_AUTH` is refused as such, as it is for app clients that rotate refresh tokens.
    ///
    /// The developer guide requires it to be turned off for them, and does not document the refusal.
    pub(super) fn is_about_the_flow(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some("InvalidParameterException" | "UnsupportedOperationException" | "OperationNotEnabledException")
        ) || self.message.to_ascii_lowercase().contains("rotation")
    }

    /// Marks the refusal of a device's proof.
    pub(super) fn of_the_device(self) -> Self {
        Self { answers_device: true, ..self }
    }

    /// Returns whether a request that names a device is refused because of it: the pool forgot it, or does not believe its password.
    pub(super) fn is_about_the_device(&self) -> bool {
        self.is_missing() || (self.answers_device && !self.is_temporary() && self.code.is_some())
    }

    /// Returns whether something that the request names does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("ResourceNotFoundException")
    }

    /// Returns whether a later request may succeed.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable)
    }
}

impl From<Error> for CognitoError {
    fn from(error: Error) -> Self {
        Self { code: None, message: String::new(), error, answers_device: false }
    }
}

impl From<CognitoError> for Error {
    fn from(error: CognitoError) -> Self {
        error.error
    }
}

const UNREACHED: &str = "Cognito could not be reached";

/// Returns the service's message without control characters, cut to its limit, or nothing if it repeats a secret.
fn presentable(message: &str, secrets: &[SecretString]) -> String {
    let repeats =
        |secret: &SecretString| !secret.expose_secret().is_empty() && message.contains(secret.expose_secret());
    if secrets.iter().any(repeats) {
        return String::new();
    }
    message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE_CHARS).collect()
}

/// The limit of the service's message in an error, in characters.
const MAX_MESSAGE_CHARS: usize = 200;
