//! Why a call failed, by HTTP or by WebSocket, as far as it can be told. Holds no URL, no header and no secret.

use std::{error::Error as StdError, fmt, time::Duration};

use crate::{NotOffered, ParseError};

/// What went wrong, whoever it went wrong with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A failed call: what kind of failure, what the service said, and how far the call had come.
///
/// One type for both ways to an agent, so that a caller decides by the same rules whichever it takes.
///
/// It prints its own layer only, in one line; causes are behind [`source`](StdError::source).
pub struct Error(Box<Failure>);

/// What went wrong, for a program to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request was not fit to be sent, and nothing was sent.
    Input,
    /// Who the caller is could not be shown: no credential, an expired one, or 401.
    Authentication,
    /// The caller may not do this: 403.
    Authorization,
    /// Time ran out: 408, 504, or one of the client's own bounds.
    Timeout,
    /// Too many requests: 429.
    Throttled,
    /// The service could not be reached, or does not serve now: connection failures and 503.
    Unavailable,
    /// The agent or the service failed, or refused the request for another reason.
    Invocation,
    /// The answer, or the connection, broke off midway. What arrived before was delivered.
    Broken,
}

#[derive(Debug)]
struct Failure {
    kind: ErrorKind,
    message: String,
    response: Option<ServiceResponse>,
    attempts: u32,
    elapsed: Duration,
    may_have_run: bool,
    source: Option<BoxError>,
}

/// What the service said.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of facts, made by whoever speaks HTTP")]
pub struct ServiceResponse {
    /// The HTTP status.
    pub status: u16,
    /// The service's name for the error.
    pub code: Option<String>,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    /// How long the service asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Whose tokens the runtime takes, once that was asked.
    pub issuers: Vec<String>,
}

impl Error {
    /// Makes an error. The message is shown to people: it must not contain a secret.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            kind,
            message: message.into(),
            response: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            may_have_run: false,
            source: None,
        }))
    }

    /// Makes an error about what was to be sent, and was not.
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what the service said.
    #[must_use]
    pub fn with_response(mut self, refusal: ServiceResponse) -> Self {
        self.0.response = Some(refusal);
        self
    }

    /// Adds whose tokens the runtime takes, to a refusal.
    #[must_use]
    pub fn with_issuers(mut self, issuers: Vec<String>) -> Self {
        if let Some(response) = &mut self.0.response {
            response.issuers = issuers;
        }
        self
    }

    /// Adds how often it was tried, and how long that took, pauses included.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    /// Says whether the agent may have done its work, or a part of it.
    #[must_use]
    pub fn possibly_run(mut self, may_have_run: bool) -> Self {
        self.0.may_have_run = may_have_run;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the service, or this client, has to say about it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.response.as_ref().map(|refusal| refusal.status)
    }

    /// The service's name for the error, such as `ThrottlingException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.response.as_ref()?.code.as_deref()
    }

    /// The id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.response.as_ref()?.request_id.as_deref()
    }

    /// How long the service asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.response.as_ref()?.retry_after
    }

    /// The issuers whose tokens the runtime takes, if it refused a token and said so (RFC 9728).
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        self.0.response.as_ref().map_or(&[], |refusal| &refusal.issuers)
    }

    /// How many times the request was sent, or tried to be.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, pauses between attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Whether the agent may have done its work, or a part of it, although the call failed.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.may_have_run
    }

    /// Whether the same call may succeed later without any change to it. It says nothing about whether running the agent
    /// twice does harm: see [`may_have_run`](Self::may_have_run).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Timeout | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Broken => true,
            ErrorKind::Invocation => {
                matches!(self.status(), Some(500 | 502)) || self.code() == Some(RETRYABLE_CONFLICT)
            }
            ErrorKind::Input | ErrorKind::Authentication | ErrorKind::Authorization => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &*self.0;
        f.write_str(&failure.message)?;
        let mut separator = " (";
        let mut note = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            write!(f, "{separator}{text}")?;
            separator = ", ";
            Ok(())
        };
        if let Some(refusal) = &failure.response {
            match &refusal.code {
                Some(code) => note(f, format_args!("HTTP {} {code}", refusal.status))?,
                None => note(f, format_args!("HTTP {}", refusal.status))?,
            }
            if let Some(request_id) = &refusal.request_id {
                note(f, format_args!("request id {request_id}"))?;
            }
            if let Some(wait) = refusal.retry_after {
                note(f, format_args!("retry after {} s", wait.as_secs_f32().ceil()))?;
            }
            if !refusal.issuers.is_empty() {
                note(f, format_args!("the runtime takes tokens of {}", refusal.issuers.join(" or ")))?;
            }
        }
        if failure.attempts > 1 {
            note(f, format_args!("{} attempts in {:.1} s", failure.attempts, failure.elapsed.as_secs_f32()))?;
        }
        if failure.may_have_run {
            note(f, format_args!("the agent may have run"))?;
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::input(error.to_string())
    }
}

impl From<NotOffered> for Error {
    fn from(error: NotOffered) -> Self {
        Self::input(error.to_string())
    }
}

/// The name of the one conflict that is safe to retry: another operation on the session is in progress.
pub(crate) const RETRYABLE_CONFLICT: &str = "RetryableConflictException";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_one_line_with_what_is_known() {
        let refusal = ServiceResponse {
            status: 429,
            code: Some("ThrottlingException".into()),
            request_id: Some("r-1".into()),
            retry_after: Some(Duration::from_millis(1500)),
            issuers: vec![],
        };
        let unauthorized = ServiceResponse {
            status: 401,
            issuers: vec!["https://a.example".into(), "https://b.example".into()],
            ..ServiceResponse::default()
        };
        for (error, line) in [
            (Error::input("the payload is not JSON"), "the payload is not JSON"),
            (
                Error::new(ErrorKind::Throttled, "slow down")
                    .with_response(refusal)
                    .with_attempts(3, Duration::from_millis(2_140)),
                "slow down (HTTP 429 ThrottlingException, request id r-1, retry after 2 s, 3 attempts in 2.1 s)",
            ),
            (
                Error::new(ErrorKind::Authentication, "no").with_response(unauthorized),
                "no (HTTP 401, the runtime takes tokens of https://a.example or https://b.example)",
            ),
            (
                Error::new(ErrorKind::Timeout, "no answer within 5 s")
                    .possibly_run(true)
                    .with_attempts(1, Duration::ZERO),
                "no answer within 5 s (the agent may have run)",
            ),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }

    #[test]
    fn what_may_succeed_later() {
        for (kind, status, code, retryable) in [
            (ErrorKind::Input, 0, None, false),
            (ErrorKind::Authentication, 401, None, false),
            (ErrorKind::Authorization, 403, None, false),
            (ErrorKind::Timeout, 504, None, true),
            (ErrorKind::Throttled, 429, None, true),
            (ErrorKind::Unavailable, 503, None, true),
            (ErrorKind::Broken, 200, None, true),
            (ErrorKind::Invocation, 500, None, true),
            (ErrorKind::Invocation, 502, None, true),
            (ErrorKind::Invocation, 404, None, false),
            (ErrorKind::Invocation, 409, Some("ConflictException"), false),
            (ErrorKind::Invocation, 409, Some("RetryableConflictException"), true),
        ] {
            let refusal = ServiceResponse { status, code: code.map(str::to_owned), ..ServiceResponse::default() };
            assert_eq!(
                Error::new(kind, "x").with_response(refusal).is_retryable(),
                retryable,
                "{kind:?} {status} {code:?}"
            );
        }
    }

    #[test]
    fn is_small() {
        assert!(size_of::<Error>() <= 16);
    }
}
