//! What to do about a failed call: a row for each cause that is known. A wrong hint is worse than none.

use std::error::Error as StdError;

use agentcore_client::{Auth, Error, ErrorKind};
use http::StatusCode;

/// How calls are authenticated, which decides what may be wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    None,
    Bearer,
    SigV4,
}

impl From<&Auth> for Mechanism {
    fn from(auth: &Auth) -> Self {
        match auth {
            Auth::Bearer(_) => Self::Bearer,
            Auth::SigV4(_) => Self::SigV4,
            _ => Self::None,
        }
    }
}

/// Returns what to do about a failed call by whoever authenticates so.
pub(super) fn hint(error: &Error, mechanism: Mechanism) -> Option<&'static str> {
    let row = row(error, mechanism)?;
    tracing::debug!(cause = row.cause, "the failure is known");
    Some(row.hint)
}

fn row(error: &Error, mechanism: Mechanism) -> Option<&'static Row> {
    let facts = Facts { error, kind: error.kind(), status: error.status(), mechanism };
    ROWS.iter().find(|row| (row.is)(&facts))
}

/// What decides about a hint.
struct Facts<'a> {
    error: &'a Error,
    kind: ErrorKind,
    status: Option<u16>,
    mechanism: Mechanism,
}

/// A cause and what to do about it.
struct Row {
    cause: &'static str,
    is: fn(&Facts<'_>) -> bool,
    hint: &'static str,
}

impl Facts<'_> {
    fn has_code(&self, codes: &[&str]) -> bool {
        self.error.code().is_some_and(|code| codes.contains(&code))
    }

    fn says(&self, words: &str) -> bool {
        let first: &(dyn StdError + 'static) = self.error;
        std::iter::successors(Some(first), |layer| (*layer).source()).any(|layer| layer.to_string().contains(words))
    }

    /// Whether the service did not take the caller.
    fn is_refused(&self) -> bool {
        matches!(self.kind, ErrorKind::Authentication | ErrorKind::Authorization) && self.status.is_some()
    }

    /// Whether no connection could be made, or no credential was got.
    fn is_unsent(&self) -> bool {
        let is_away = matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Timeout);
        is_away && self.status.is_none() && !self.error.may_have_run()
    }

    /// Whether a request to an issuer failed, whose error is among the causes.
    fn is_of_an_issuer(&self) -> bool {
        std::iter::successors(self.error.source(), |layer| (*layer).source()).any(<dyn StdError>::is::<Error>)
    }

    /// Whether an answer has nothing of the service, and not one word of its own: a page, or nothing at all.
    fn is_of_another(&self) -> bool {
        let words = self.status.and_then(|status| StatusCode::from_u16(status).ok()?.canonical_reason());
        let is_bare = words == Some(self.error.message()) || self.error.message().starts_with("a page came");
        is_bare && self.error.request_id().is_none() && self.error.code().is_none()
    }
}

/// The first row that fits is taken.
const ROWS: &[Row] = &[
    Row {
        cause: "an issuer is away",
        is: |it| it.is_unsent() && it.is_of_an_issuer(),
        hint: "the issuer is away, or its URL is wrong; check the network, and HTTPS_PROXY if there is a proxy",
    },
    Row {
        cause: "AWS credentials have expired",
        is: |it| it.kind == ErrorKind::ExpiredToken && it.mechanism == Mechanism::SigV4,
        hint: "get new AWS credentials, such as by `aws sso login`",
    },
    Row {
        cause: "a token has expired",
        is: |it| it.kind == ErrorKind::ExpiredToken,
        hint: "get a new token from its issuer",
    },
    Row {
        cause: "no AWS credentials",
        is: |it| (it.kind, it.status, it.mechanism) == (ErrorKind::Authentication, None, Mechanism::SigV4),
        hint: NO_CREDENTIALS,
    },
    Row {
        cause: "the machine's secret is wrong",
        is: |it| it.status.is_none() && it.says("refused the client: invalid_client"),
        hint: "check --oauth-client-id, and AGENTCORE_OAUTH_CLIENT_SECRET, which is its secret",
    },
    Row {
        cause: "the app client's secret is wrong or missing",
        is: |it| it.status.is_none() && (it.says("SecretHash") || it.says("SECRET_HASH")),
        hint: "check --cognito-client-id, and AGENTCORE_COGNITO_CLIENT_SECRET, which is its secret if it has one",
    },
    Row {
        cause: "an unknown AWS key",
        is: |it| it.has_code(&["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"]),
        hint: "the access key id is unknown, or the session token is not its own: check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the \
               profile",
    },
    Row {
        cause: "a wrong AWS secret",
        is: |it| it.has_code(&["InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException"]),
        hint: "the secret is not that of the access key: check AWS_SECRET_ACCESS_KEY, or the profile; `acore doctor` compares the clocks",
    },
    Row {
        cause: "an answer of another host",
        is: |it| it.mechanism != Mechanism::None && it.is_of_another(),
        hint: "this is not from the service, which gives each answer a request id: a proxy? check --endpoint-url and HTTPS_PROXY",
    },
    Row {
        cause: "a refused token that is no JSON Web Token",
        is: |it| it.is_refused() && it.mechanism == Mechanism::Bearer && it.says("is no JSON Web Token"),
        hint: "a runtime's JWT authorizer takes JSON Web Tokens only; many issuers give one where an audience or a scope is asked for",
    },
    Row {
        cause: "a refused token",
        is: |it| it.is_refused() && it.mechanism == Mechanism::Bearer,
        hint: "the token must be of the issuer, and of a client or audience, that the runtime allows; a runtime that takes AWS credentials \
               (--sigv4) takes no token",
    },
    Row {
        cause: "refused AWS credentials",
        is: |it| it.is_refused() && it.mechanism == Mechanism::SigV4,
        hint: "the credentials need the IAM permission bedrock-agentcore:InvokeAgentRuntime on this runtime, and \
               InvokeAgentRuntimeForUser with --user-id; a runtime that takes tokens (--bearer-token) takes no AWS credentials",
    },
    Row {
        cause: "throttled",
        is: |it| it.kind == ErrorKind::Throttled,
        hint: "try again later, or ask for a higher quota",
    },
    Row {
        cause: "no container",
        is: |it| it.is_unsent() && it.kind == ErrorKind::Unavailable && it.mechanism == Mechanism::None,
        hint: "is the agent container running there?",
    },
    Row {
        cause: "no connection",
        is: |it| it.is_unsent(),
        hint: "check the network, the region and --endpoint-url, and HTTPS_PROXY if there is a proxy",
    },
    Row {
        cause: "our own time ran out",
        is: |it| it.kind == ErrorKind::Timeout && matches!(it.status, None | Some(200)),
        hint: MORE_TIME,
    },
    Row {
        cause: "the connection was lost",
        is: |it| {
            matches!(it.kind, ErrorKind::BrokenOff | ErrorKind::Unavailable) && matches!(it.status, None | Some(200))
        },
        hint: "the agent may go on working, and its session is busy until then",
    },
    Row {
        cause: "no such runtime",
        is: |it| (it.kind, it.status) == (ErrorKind::NotFound, Some(404)) && it.mechanism != Mechanism::None,
        hint: "check the ARN and --qualifier",
    },
    Row {
        cause: "the agent failed",
        is: |it| (it.kind, it.status) == (ErrorKind::Agent, Some(424)),
        hint: "the agent itself failed, or took over 30 seconds to start: its log in CloudWatch tells why",
    },
];

pub(super) const MORE_TIME: &str =
    "--timeout and --idle-timeout give the agent more time; it may go on working, and its session is busy until then";
#[cfg(feature = "aws-config")]
const NO_CREDENTIALS: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or log in with `aws sso login`";
#[cfg(not(feature = "aws-config"))]
const NO_CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    /// An error of the service.
    fn refused(kind: ErrorKind, status: u16, code: &str, message: &str) -> Error {
        let (code, id) = if code.is_empty() { (None, None) } else { (Some(code.to_owned()), Some("r-1")) };
        Error::agent(message, code).possibly_run(false).with_kind(kind).with_answer(status, id)
    }

    fn sent(kind: ErrorKind) -> Error {
        Error::new(kind, "x").possibly_run(true)
    }

    /// Every row has its errors, and no error another row.
    #[test]
    fn each_cause_has_its_hint() {
        use ErrorKind as Kind;
        use Mechanism::{Bearer, None, SigV4};
        let away = || Error::new(Kind::Unavailable, "could not connect to idp:443");
        let invalid_client = "the token endpoint refused the client: invalid_client: nobody knows it";
        let no_hash = "Cognito refused: Client c is configured with secret but SECRET_HASH was not received (NotAuthorizedException)";
        let page = "a page came in place of an agent's answer: h or a proxy on the way to it wrote it";
        let cases: Vec<(&str, Error, Mechanism)> = vec![
            ("an issuer is away", Error::new(Kind::Unavailable, "x").with_source(away()), Bearer),
            ("an issuer is away", Error::new(Kind::Timeout, "x").with_source(away()), None),
            ("AWS credentials have expired", refused(Kind::ExpiredToken, 403, "ExpiredTokenException", "x"), SigV4),
            ("a token has expired", Error::new(Kind::ExpiredToken, "x"), Bearer),
            ("no AWS credentials", Error::new(Kind::Authentication, "x"), SigV4),
            ("the machine's secret is wrong", Error::new(Kind::Authentication, invalid_client), Bearer),
            ("the app client's secret is wrong or missing", Error::new(Kind::Authentication, no_hash), Bearer),
            ("", Error::new(Kind::Authentication, "the token command \"false\" failed: exit status: 1"), Bearer),
            ("", Error::new(Kind::Authentication, "the token endpoint refused the client: invalid_scope"), Bearer),
            ("an unknown AWS key", refused(Kind::Authorization, 403, "UnrecognizedClientException", "x"), SigV4),
            ("a wrong AWS secret", refused(Kind::Authorization, 403, "InvalidSignatureException", "x"), SigV4),
            ("an answer of another host", refused(Kind::Service, 502, "", "Bad Gateway"), Bearer),
            ("an answer of another host", refused(Kind::Authorization, 403, "", "Forbidden"), SigV4),
            ("an answer of another host", refused(Kind::Service, 200, "", page), Bearer),
            ("", refused(Kind::Service, 502, "", "Bad Gateway"), None),
            ("", refused(Kind::Service, 502, "X", "Bad Gateway"), Bearer),
            (
                "a refused token that is no JSON Web Token",
                refused(Kind::Authentication, 401, "X", "x").with_source("the token is no JSON Web Token"),
                Bearer,
            ),
            ("a refused token", refused(Kind::Authentication, 401, "UnauthorizedException", "x"), Bearer),
            ("refused AWS credentials", refused(Kind::Authorization, 403, "AccessDeniedException", "x"), SigV4),
            ("throttled", refused(Kind::Throttled, 429, "ThrottlingException", "x"), Bearer),
            ("no container", away(), None),
            ("no connection", away(), Bearer),
            ("no connection", Error::new(Kind::Timeout, "could not connect in time"), SigV4),
            ("our own time ran out", sent(Kind::Timeout), Bearer),
            ("our own time ran out", refused(Kind::Timeout, 200, "", "x"), None),
            ("", refused(Kind::Timeout, 504, "X", "x"), Bearer),
            ("the connection was lost", sent(Kind::Unavailable), Bearer),
            ("the connection was lost", refused(Kind::BrokenOff, 200, "", "x"), None),
            ("no such runtime", refused(Kind::NotFound, 404, "ResourceNotFoundException", "x"), Bearer),
            ("", refused(Kind::NotFound, 404, "X", "x"), None),
            ("the agent failed", refused(Kind::Agent, 424, "RuntimeClientError", "x"), Bearer),
            ("", refused(Kind::Service, 500, "InternalServerException", "x"), Bearer),
        ];
        for (cause, error, mechanism) in &cases {
            let found = row(error, *mechanism).map_or("", |row| row.cause);
            assert_eq!(found, *cause, "{error} {mechanism:?}");
        }
        for row in ROWS {
            assert!(cases.iter().any(|(cause, ..)| *cause == row.cause), "no error has the cause {:?}", row.cause);
            assert!(!row.hint.is_empty() && !row.hint.contains('\n'), "{}", row.cause);
        }
    }
}
