//! The agents that answer with an error of the service: `error-STATUS` and `error-NAME`, with or without `Retry-After`.

use http::{HeaderValue, StatusCode, header};

use super::decimal;
use crate::{AgentAnswer, refusal::ServiceError};

/// An error to answer with, read from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorAgent {
    error: ServiceError,
    /// Seconds.
    retry_after: Option<u32>,
}

impl ErrorAgent {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let error = name.strip_prefix("error-")?;
        let (error, retry_after) = match error.split_once("-after-") {
            Some((error, seconds)) => (error, Some(decimal(seconds)?)),
            None => (error, None),
        };
        let error = match decimal(error) {
            Some(status) => {
                let status = u16::try_from(status).ok().filter(|status| (400..600).contains(status))?;
                ServiceError::of_status(status).unwrap_or(ServiceError {
                    status,
                    name: "",
                    message: "An error of no name.",
                })
            }
            None => ServiceError::of_name(error)?,
        };
        Some(Self { error, retry_after })
    }

    pub(crate) fn answer(self) -> AgentAnswer {
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = AgentAnswer::error(status, self.error.name, self.error.message);
        match self.retry_after {
            Some(seconds) => answer.with_header(header::RETRY_AFTER, HeaderValue::from(seconds)),
            None => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names() {
        for (name, status, error, retry_after) in [
            ("error-400", 400, "ValidationException", None),
            ("error-401", 401, "UnauthorizedException", None),
            ("error-402", 402, "ServiceQuotaExceededException", None),
            ("error-403", 403, "AccessDeniedException", None),
            ("error-404", 404, "ResourceNotFoundException", None),
            ("error-408", 408, "", None),
            ("error-409", 409, "ConflictException", None),
            ("error-RetryableConflictException", 409, "RetryableConflictException", None),
            ("error-424", 424, "RuntimeClientError", None),
            ("error-429-after-2", 429, "ThrottlingException", Some("2")),
            ("error-ThrottlingException-after-30", 429, "ThrottlingException", Some("30")),
            ("error-500", 500, "InternalServerException", None),
            ("error-502", 502, "", None),
            ("error-503-after-0", 503, "", Some("0")),
            ("error-504", 504, "", None),
            ("error-418", 418, "", None),
        ] {
            let response = ErrorAgent::named(name).unwrap().answer().into_response().unwrap();
            let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(response.status().as_u16(), status, "{name}");
            assert_eq!(header("x-amzn-errortype"), error, "{name}");
            assert_eq!(header("retry-after"), retry_after.unwrap_or(""), "{name}");
        }
        for name in
            ["error-", "error-399", "error-600", "error-66000", "error-+429", "error-429-after-", "error-429-after-x"]
        {
            assert_eq!(ErrorAgent::named(name), None, "{name}");
        }
    }
}
