//! Why a call failed, whichever layer failed: the layers' own errors, and the agent's.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use agentcore_core::ParseError;
use agentcore_http::ErrorKind;

use crate::{AgentError, Reply};

/// A failed call. What arrived before the failure of a whole reply is in [`partial`](Self::partial).
///
/// Cheap to clone, so that callers who waited for one answer can share its failure.
#[derive(Clone)]
pub struct Error(Arc<Failure>);

struct Failure {
    cause: Cause,
    partial: Option<Reply>,
}

#[derive(Debug)]
enum Cause {
    Call(agentcore_http::Error),
    Agent(AgentError),
}

impl Error {
    pub(crate) fn with_partial(mut self, reply: Reply) -> Self {
        // Nobody shares an error that is still being made.
        if let Some(failure) = Arc::get_mut(&mut self.0) {
            failure.partial = Some(reply);
        }
        self
    }

    fn of(cause: Cause) -> Self {
        Self(Arc::new(Failure { cause, partial: None }))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.call().map_or(ErrorKind::Invocation, agentcore_http::Error::kind)
    }

    /// The agent's own error, if it was the agent that failed within an answer.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentError> {
        match &self.0.cause {
            Cause::Agent(error) => Some(error),
            Cause::Call(_) => None,
        }
    }

    /// The error of the call, with the service's own words, if it was not the agent that failed.
    #[must_use]
    pub fn call(&self) -> Option<&agentcore_http::Error> {
        match &self.0.cause {
            Cause::Call(error) => Some(error),
            Cause::Agent(_) => None,
        }
    }

    /// What of a reply had arrived when it broke off or the agent failed.
    #[must_use]
    pub fn partial(&self) -> Option<&Reply> {
        self.0.partial.as_ref()
    }

    /// The HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.call().and_then(agentcore_http::Error::status).or(self.partial().map(|reply| reply.status))
    }

    /// The id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        let of_call = self.call().and_then(agentcore_http::Error::request_id);
        of_call.or_else(|| self.partial()?.request_id.as_deref())
    }

    /// How long the service asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.call().and_then(agentcore_http::Error::retry_after)
    }

    /// Whether the same call may succeed later without any change to it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.call().is_some_and(agentcore_http::Error::is_retryable)
    }

    /// Whether the agent may have done its work, or a part of it.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.call().is_none_or(agentcore_http::Error::may_have_run)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Cause::Call(error) => error.fmt(f),
            Cause::Agent(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Error").field(&self.0.cause).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.call().and_then(StdError::source)
    }
}

impl From<agentcore_http::Error> for Error {
    fn from(error: agentcore_http::Error) -> Self {
        Self::of(Cause::Call(error))
    }
}

impl From<AgentError> for Error {
    fn from(error: AgentError) -> Self {
        Self::of(Cause::Agent(error))
    }
}

impl From<agentcore_auth::Error> for Error {
    fn from(error: agentcore_auth::Error) -> Self {
        agentcore_http::Error::from(error).into()
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        agentcore_http::Error::from(error).into()
    }
}
