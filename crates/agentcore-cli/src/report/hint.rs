//! What to do about a failed call, in words. Only where it is known; a wrong hint is worse than none.

use agentcore_client::{Error, ErrorKind};

/// By what means the agent was reached, which decides what may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Bearer,
    SigV4,
    Local,
}

/// What to do about the error, if that is known.
pub(super) fn of(error: &Error, way: Way) -> Option<&'static str> {
    match (error.kind(), error.status(), way) {
        (ErrorKind::Authentication, None, Way::Bearer) => Some("get a new token from its issuer"),
        (ErrorKind::Authentication, None, Way::SigV4) => Some(NO_CREDENTIALS),
        (ErrorKind::Authentication | ErrorKind::Authorization, Some(_), Way::Bearer) => Some(
            "the token must be of the issuer, and of a client or audience, that the runtime allows; \
             a runtime that takes AWS credentials (--sigv4) takes no token",
        ),
        (ErrorKind::Authentication | ErrorKind::Authorization, Some(_), Way::SigV4) => Some(
            "the credentials need the IAM permission bedrock-agentcore:InvokeAgentRuntime on this runtime, and \
             InvokeAgentRuntimeForUser with --user-id; a runtime that takes tokens (--bearer-token) takes no AWS credentials",
        ),
        (ErrorKind::Throttled, ..) => Some("try again later, or ask for a higher quota"),
        (ErrorKind::Unavailable, None, Way::Local) if !error.may_have_run() => {
            Some("is the agent container running there?")
        }
        (ErrorKind::Unavailable | ErrorKind::Timeout, None, _) if !error.may_have_run() => {
            Some("check the network, the region and --endpoint-url, and HTTPS_PROXY if there is a proxy")
        }
        (ErrorKind::Timeout, None | Some(200), _) => Some("--timeout and --idle-timeout give the agent more time"),
        (ErrorKind::Invocation, Some(404), Way::Bearer | Way::SigV4) => Some("check the ARN and --qualifier"),
        (ErrorKind::Invocation, Some(424), _) => {
            Some("the agent itself failed, or took over 30 seconds to start: its log in CloudWatch tells why")
        }
        _ => None,
    }
}

#[cfg(feature = "aws-config")]
const NO_CREDENTIALS: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or log in with `aws sso login`";
#[cfg(not(feature = "aws-config"))]
const NO_CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN";
