//! The errors of the service by status or name: `error-STATUS` and `error-NAME`, with or without `Retry-After`.

use http::{HeaderValue, StatusCode, header};

use crate::invocation::AgentResponse;

/// An error response, parsed from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    /// Empty for the statuses that come from in front of the service and have no name.
    name: &'static str,
    message: &'static str,
    /// Seconds.
    retry_after: Option<u32>,
}

impl ErrorResponse {
    pub(super) fn parse(agent: &str) -> Option<Self> {
        let error = agent.strip_prefix("error-")?;
        let (error, retry_after) = match error.split_once("-after-") {
            Some((error, seconds)) => (error, Some(decimal(seconds)?)),
            None => (error, None),
        };
        let (status, name, message) = match decimal(error) {
            // The first row, where a status has several.
            Some(status) => {
                let status = u16::try_from(status).ok().filter(|status| (400..600).contains(status))?;
                let row = ERRORS.iter().copied().find(|row| row.0 == status);
                row.unwrap_or((status, "", "An error of no name."))
            }
            None => ERRORS.iter().copied().find(|row| !row.1.is_empty() && row.1 == error)?,
        };
        Some(Self { status: StatusCode::from_u16(status).ok()?, name, message, retry_after })
    }

    pub(super) fn response(self) -> AgentResponse {
        let response = AgentResponse::error(self.status, self.name, self.message);
        match self.retry_after {
            Some(seconds) => response.with_header(header::RETRY_AFTER, HeaderValue::from(seconds)),
            None => response,
        }
    }
}

/// Parses a number of digits alone: `parse` accepts a sign too.
pub(super) fn decimal(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

/// The errors of the data plane: status, name and message, in the order of their statuses.
const ERRORS: &[(u16, &str, &str)] = &[
    (400, "ValidationException", "The request is not valid."),
    (401, "UnauthorizedException", "The token was refused."),
    (402, "ServiceQuotaExceededException", "A service quota is used up."),
    (403, "AccessDeniedException", "You are not allowed to do this."),
    (404, "ResourceNotFoundException", "There is no such runtime."),
    (408, "", "The request took too long to arrive."),
    (409, "ConflictException", "The session is in another state."),
    (409, "RetryableConflictException", "A session operation is in progress."),
    (424, "RuntimeClientError", "The agent failed."),
    (429, "ThrottlingException", "Too many requests."),
    (500, "InternalServerException", "The service failed."),
    (502, "", "Bad gateway."),
    (503, "", "The service is unavailable."),
    (504, "", "The agent did not answer in time."),
];

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
            let response = ErrorResponse::parse(name).unwrap().response().into_response().unwrap();
            let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(response.status().as_u16(), status, "{name}");
            assert_eq!(header("x-amzn-errortype"), error, "{name}");
            assert_eq!(header("retry-after"), retry_after.unwrap_or(""), "{name}");
        }
        for name in
            ["error-", "error-399", "error-600", "error-66000", "error-+429", "error-429-after-", "error-429-after-x"]
        {
            assert_eq!(ErrorResponse::parse(name), None, "{name}");
        }
    }
}
