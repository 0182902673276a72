//! The service's errors: their statuses, names and words, and the refusals made of them. Decides none of them.

use http::StatusCode;

use crate::AgentAnswer;

/// An answer of the service itself, given before an agent is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) name: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> Self {
        Self { status, name, message: message.into() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UnauthorizedException", message)
    }

    /// A 403 under one of the names by which AWS tells apart what is wrong with a signature.
    pub(crate) fn forbidden(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, name, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }
}

impl From<Refusal> for AgentAnswer {
    fn from(refusal: Refusal) -> Self {
        Self::error(refusal.status, refusal.name, &refusal.message)
    }
}

/// A row of the service's error table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    /// Empty for the statuses that come from in front of the service and bear no name.
    pub(crate) name: &'static str,
    pub(crate) message: &'static str,
}

impl ServiceError {
    /// The error of a status: the first row, where a status has several.
    pub(crate) fn of_status(status: u16) -> Option<Self> {
        TABLE.iter().copied().find(|error| error.status == status)
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        TABLE.iter().copied().find(|error| !error.name.is_empty() && error.name == name)
    }
}

/// The errors of the data plane, in the order of their statuses.
pub(crate) const TABLE: &[ServiceError] = &[
    ServiceError { status: 400, name: "ValidationException", message: "The request is not valid." },
    ServiceError { status: 401, name: "UnauthorizedException", message: "The token was refused." },
    ServiceError { status: 402, name: "ServiceQuotaExceededException", message: "A service quota is used up." },
    ServiceError { status: 403, name: "AccessDeniedException", message: "You are not allowed to do this." },
    ServiceError { status: 404, name: "ResourceNotFoundException", message: "There is no such runtime." },
    ServiceError { status: 408, name: "", message: "The request took too long to arrive." },
    ServiceError { status: 409, name: "ConflictException", message: "The session is in another state." },
    ServiceError { status: 409, name: "RetryableConflictException", message: "A session operation is in progress." },
    ServiceError { status: 424, name: "RuntimeClientError", message: "The agent failed." },
    ServiceError { status: 429, name: "ThrottlingException", message: "Too many requests." },
    ServiceError { status: 500, name: "InternalServerException", message: "The service failed." },
    ServiceError { status: 502, name: "", message: "Bad gateway." },
    ServiceError { status: 503, name: "", message: "The service is unavailable." },
    ServiceError { status: 504, name: "", message: "The agent did not answer in time." },
];
