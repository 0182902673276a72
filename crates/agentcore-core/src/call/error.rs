//! The error of all crates in the workspace. Holds no URL, no header and no secret.

use std::{any::Any, error::Error as StdError, fmt, sync::Arc, time::Duration};

use crate::{InputKind, input::Quoted};

/// Any error that can be sent to another thread.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A failure: its kind, its message, the service's answer, and how far the call had come.
///
/// Every crate of the workspace returns this type. A caller decides by [`ErrorKind`], whether an ARN was mistyped, a token could
/// not be fetched, an agent failed or a socket was lost.
///
/// `Display` prints one line without the causes, which [`source`](StdError::source) returns. `Debug` prints the same line and the
/// causes, for a `main` that returns the error. Cloning is cheap.
///
/// ```
/// use agentcore_core::{Arn, ErrorKind};
///
/// let error = "my-agent".parse::<Arn>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Input);
/// assert!(!error.is_retryable() && !error.may_have_run());
/// ```
#[derive(Clone)]
#[doc(alias = "AuthenticationError")]
#[doc(alias = "AgentTimeoutError")]
#[doc(alias = "AgentUnavailableError")]
#[doc(alias = "AgentInvocationError")]
pub struct Error(Arc<Failure>);

/// The kind of a failure, for a program to decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is invalid, and nothing was sent.
    Input,
    /// The caller could not be authenticated: no credential was found, its issuer refused the caller, or 401.
    Authentication,
    /// The token has expired, by its `exp` claim or by its issuer's answer. It was not sent.
    ExpiredToken,
    /// The token's signature or audience is wrong.
    UntrustedToken,
    /// The issuer asks for what only a person has, such as a one-time code, and none was given.
    Challenge,
    /// The caller lacks a permission: 403.
    Authorization,
    /// Time ran out: 408, 504, or one of the client's timeouts.
    Timeout,
    /// Too many requests: 429.
    Throttled,
    /// The service or an issuer could not be reached, or is unavailable: connection failures and 503.
    Unavailable,
    /// There is no such runtime, endpoint or session: 404.
    NotFound,
    /// The session of the agent's own protocol has ended: 404 for an MCP request that named one. Another `initialize` begins a new one.
    SessionLost,
    /// Another operation is in the way: 409.
    Conflict,
    /// A quota of the account is used up: 402.
    Quota,
    /// The request or the answer is larger than a limit: 413, or one of the client's limits.
    TooLarge,
    /// The agent failed: 424, or an error within its answer.
    Agent,
    /// The service refused the request for another reason: every other 3xx and 4xx.
    Refused,
    /// The service or an issuer failed, or its answer is malformed: every other 5xx.
    Service,
    /// The answer or the connection ended too soon. What arrived before was delivered.
    BrokenOff,
}

#[derive(Clone)]
struct Failure {
    kind: ErrorKind,
    message: String,
    /// The kind of a refused text, and the rule it breaks.
    input: Option<(InputKind, String)>,
    response: Option<ServiceResponse>,
    arn: Option<String>,
    session_id: Option<String>,
    attempts: u32,
    elapsed: Duration,
    may_have_run: bool,
    lasting: bool,
    partial: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The service's answer to a failed call.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of facts, made by the crates that speak HTTP")]
pub struct ServiceResponse {
    /// The HTTP status.
    pub status: u16,
    /// The service's name for the error.
    pub code: Option<String>,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    /// The id of the trace (`x-amzn-trace-id`).
    pub trace_id: Option<String>,
    /// The pause that the service asked for (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The issuers whose tokens the runtime accepts, once it was asked for them.
    pub issuers: Vec<String>,
    /// Whether the name came in a header of the service (`x-amzn-ErrorType`), and not in a body that an agent may have written.
    pub is_of_the_service: bool,
    /// The refusal's body, if it is an error of JSON-RPC: at most 64 KiB of JSON.
    pub rpc_error: Option<String>,
}

impl Error {
    /// Makes an error. The message is shown to people and must not contain a secret.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Failure {
            kind,
            message: message.into(),
            input: None,
            response: None,
            arn: None,
            session_id: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            may_have_run: false,
            lasting: false,
            partial: None,
            source: None,
        }))
    }

    /// Makes an error about invalid input, which was not sent.
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// Makes an error about a text that breaks a rule of its type. It quotes the text, which must not be secret.
    pub(crate) fn invalid(kind: InputKind, input: &str, rule: impl Into<String>) -> Self {
        let rule = rule.into();
        Self::input(format!("invalid {kind} {}: {rule}", Quoted(input))).with_input(kind, rule)
    }

    /// Makes an error about a text that breaks a rule of its type, without the text, which may be long or private.
    pub(crate) fn invalid_unquoted(kind: InputKind, rule: impl Into<String>) -> Self {
        let rule = rule.into();
        Self::input(format!("invalid {kind}: {rule}")).with_input(kind, rule)
    }

    /// Makes an error that the agent reported within its answer. `code` is the agent's name for the error, such as the class of a
    /// Python exception.
    #[must_use]
    pub fn agent(message: impl Into<String>, code: Option<String>) -> Self {
        let response = ServiceResponse { status: 200, code, ..ServiceResponse::default() };
        Self::new(ErrorKind::Agent, message).with_response(response).possibly_run(true)
    }

    fn with_input(self, kind: InputKind, rule: String) -> Self {
        self.change(|failure| failure.input = Some((kind, rule)))
    }

    /// Changes the kind, where the caller knows more of the call than the answer says.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        self.change(|failure| failure.kind = kind)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.change(|failure| failure.source = Some(Arc::from(source.into())))
    }

    /// Adds the service's answer.
    #[must_use]
    pub fn with_response(self, response: ServiceResponse) -> Self {
        self.change(|failure| failure.response = Some(response))
    }

    /// Adds the issuers whose tokens the runtime accepts. No effect on an error without an answer of the service.
    #[must_use]
    pub fn with_issuers(self, issuers: Vec<String>) -> Self {
        self.change(|failure| {
            if let Some(response) = &mut failure.response {
                response.issuers = issuers;
            }
        })
    }

    /// Adds the status and the request id of the answer in which the agent reported its error.
    #[must_use]
    pub fn with_answer(self, status: u16, request_id: Option<&str>) -> Self {
        self.change(|failure| {
            let response = failure.response.get_or_insert_default();
            response.status = status;
            response.request_id = request_id.map(str::to_owned);
        })
    }

    /// Adds the trace of the answer in which the agent reported its error. No effect on an error without an answer.
    #[must_use]
    pub fn with_trace(self, trace_id: Option<&str>) -> Self {
        self.change(|failure| {
            if let Some(response) = &mut failure.response {
                response.trace_id = trace_id.map(str::to_owned);
            }
        })
    }

    /// Adds the number of attempts and the time they took, pauses included.
    #[must_use]
    pub fn with_attempts(self, attempts: u32, elapsed: Duration) -> Self {
        self.change(|failure| (failure.attempts, failure.elapsed) = (attempts, elapsed))
    }

    /// Adds the ARN of the runtime and the session.
    #[must_use]
    pub fn with_call(self, arn: Option<&str>, session_id: Option<&str>) -> Self {
        self.change(|failure| {
            failure.arn = arn.map(str::to_owned);
            failure.session_id = session_id.map(str::to_owned);
        })
    }

    /// Adds the part of an answer that had arrived, as a value of any type.
    #[must_use]
    pub fn with_partial(self, partial: impl Any + Send + Sync) -> Self {
        self.change(|failure| failure.partial = Some(Arc::new(partial)))
    }

    /// Sets whether the agent may have run, completely or partly.
    #[must_use]
    pub fn possibly_run(self, may_have_run: bool) -> Self {
        self.change(|failure| failure.may_have_run = may_have_run)
    }

    /// Marks the error as one that the same call would meet again.
    #[must_use]
    pub fn lasting(self) -> Self {
        self.change(|failure| failure.lasting = true)
    }

    fn change(mut self, change: impl FnOnce(&mut Failure)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message of the service, or of this client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the kind of the refused text, if a text was refused.
    #[must_use]
    pub fn input_kind(&self) -> Option<InputKind> {
        self.0.input.as_ref().map(|(kind, _)| *kind)
    }

    /// Returns the rule that a refused text breaks, or the whole message if no text was refused.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.0.input.as_ref().map_or(&self.0.message, |(_, rule)| rule)
    }

    /// Returns the HTTP status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.response.as_ref().map(|response| response.status)
    }

    /// Returns the service's name for the error, such as `ThrottlingException`, or the agent's name for it.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.response.as_ref()?.code.as_deref()
    }

    /// Returns the id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.response.as_ref()?.request_id.as_deref()
    }

    /// Returns the id of the trace, by which AWS X-Ray and CloudWatch find the call.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.response.as_ref()?.trace_id.as_deref()
    }

    /// Returns the pause that the service asked for (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.response.as_ref()?.retry_after
    }

    /// Returns the issuers whose tokens the runtime accepts, if it refused a token and named them (RFC 9728).
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        self.0.response.as_ref().map_or(&[], |response| &response.issuers)
    }

    /// Returns whether the service itself refused the request, by a name in its header `x-amzn-ErrorType`. An agent's own refusal has
    /// its name in the body.
    #[must_use]
    pub fn is_of_the_service(&self) -> bool {
        self.0.response.as_ref().is_some_and(|response| response.is_of_the_service)
    }

    /// Returns the body of a refusal that is an error of JSON-RPC, as JSON (JSON-RPC 2.0 section 5.1).
    #[must_use]
    pub fn rpc_error(&self) -> Option<&str> {
        self.0.response.as_ref()?.rpc_error.as_deref()
    }

    /// Returns the ARN of the called runtime, if it has one.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.0.arn.as_deref()
    }

    /// Returns the session of the call, if it had one.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.0.session_id.as_deref()
    }

    /// Returns the number of attempts.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the time that the call took, pauses between attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the part of the answer that had arrived, if it was kept as a `T`.
    #[must_use]
    pub fn partial<T: Any>(&self) -> Option<&T> {
        self.0.partial.as_deref()?.downcast_ref()
    }

    /// Returns whether the agent may have run, completely or partly, although the call failed.
    #[must_use]
    pub fn may_have_run(&self) -> bool {
        self.0.may_have_run
    }

    /// Returns whether the same call may succeed later. Running the agent twice may do harm: see
    /// [`may_have_run`](Self::may_have_run).
    ///
    /// A refused certificate and an answer that is too large are never retryable.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            _ if self.0.lasting => false,
            ErrorKind::Timeout | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::BrokenOff => true,
            ErrorKind::Service => matches!(self.status(), Some(500 | 502)),
            ErrorKind::Conflict => self.code() == Some(RETRYABLE_CONFLICT),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &*self.0;
        // An agent that reported its own failure has run: a note would add nothing.
        if failure.kind == ErrorKind::Agent && self.status().is_some_and(|status| status < 300) {
            let code = self.code().map(|code| format!("{code}: ")).unwrap_or_default();
            return write!(f, "the agent failed: {code}{}", failure.message);
        }
        f.write_str(&failure.message)?;
        let mut notes = Vec::new();
        if let Some(response) = &failure.response {
            let code = response.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            notes.push(format!("HTTP {}{code}", response.status));
            notes.extend(response.request_id.as_ref().map(|id| format!("request id {id}")));
            notes.extend(response.retry_after.map(|wait| format!("retry after {} s", wait.as_secs_f32().ceil())));
            if !response.issuers.is_empty() {
                notes.push(format!("the runtime takes tokens of {}", response.issuers.join(" or ")));
            }
        }
        if failure.attempts > 1 {
            notes.push(format!("{} attempts in {:.1} s", failure.attempts, failure.elapsed.as_secs_f32()));
        }
        if failure.may_have_run {
            notes.push("the agent may have run".to_owned());
        }
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join(", ")) }
    }
}

/// Prints the error and its causes, each text once.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.to_string();
        let mut layer = self.source();
        while let Some(cause) = layer {
            let text = cause.to_string();
            if !line.contains(&text) {
                line = format!("{line}: {text}");
            }
            layer = cause.source();
        }
        f.write_str(&line)
    }
}

/// Compares kind, message, status and code.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), self.message(), self.status(), self.code())
            == (other.kind(), other.message(), other.status(), other.code())
    }
}

impl Eq for Error {}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The one conflict that is safe to retry: another operation on the session is in progress.
pub(crate) const RETRYABLE_CONFLICT: &str = "RetryableConflictException";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_one_line_with_what_is_known() {
        let throttled = ServiceResponse {
            status: 429,
            code: Some("ThrottlingException".into()),
            request_id: Some("r-1".into()),
            retry_after: Some(Duration::from_millis(1500)),
            ..ServiceResponse::default()
        };
        let issuers = vec!["https://a.example".into(), "https://b.example".into()];
        let unauthorized = ServiceResponse { status: 401, issuers, ..ServiceResponse::default() };
        let (error, elapsed) = (Error::new, Duration::from_millis(2_140));
        for (error, line) in [
            (Error::input("the payload is not JSON"), "the payload is not JSON"),
            (
                error(ErrorKind::Throttled, "slow down").with_response(throttled).with_attempts(3, elapsed),
                "slow down (HTTP 429 ThrottlingException, request id r-1, retry after 2 s, 3 attempts in 2.1 s)",
            ),
            (
                error(ErrorKind::Authentication, "no").with_response(unauthorized),
                "no (HTTP 401, the runtime takes tokens of https://a.example or https://b.example)",
            ),
            (
                error(ErrorKind::Timeout, "no answer within 5 s").possibly_run(true).with_attempts(1, Duration::ZERO),
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
            (ErrorKind::BrokenOff, 200, None, true),
            (ErrorKind::Service, 500, None, true),
            (ErrorKind::Service, 502, None, true),
            (ErrorKind::NotFound, 404, None, false),
            (ErrorKind::SessionLost, 404, None, false),
            (ErrorKind::Refused, 400, None, false),
            (ErrorKind::Quota, 402, None, false),
            (ErrorKind::TooLarge, 200, None, false),
            (ErrorKind::Agent, 424, None, false),
            (ErrorKind::Conflict, 409, Some("ConflictException"), false),
            (ErrorKind::Conflict, 409, Some("RetryableConflictException"), true),
        ] {
            let response = ServiceResponse { status, code: code.map(str::to_owned), ..ServiceResponse::default() };
            let error = Error::new(kind, "x").with_response(response);
            assert_eq!(error.is_retryable(), retryable, "{kind:?} {status} {code:?}");
        }
    }

    #[test]
    fn is_small() {
        assert!(size_of::<Error>() <= 16);
    }

    #[test]
    fn what_lasts_is_not_retryable() {
        let refused = Error::new(ErrorKind::Unavailable, "the certificate was refused");
        assert!(refused.is_retryable());
        assert!(!refused.lasting().is_retryable());
    }

    #[test]
    fn debug_is_a_sentence_with_its_causes() {
        let inner = std::io::Error::other("connection reset");
        let middle = Error::new(ErrorKind::Unavailable, "could not connect").with_source(inner);
        let outer = Error::new(ErrorKind::Unavailable, "the issuer could not be reached").with_source(middle);
        assert_eq!(format!("{outer:?}"), "the issuer could not be reached: could not connect: connection reset");
        let twice = Error::input("not a number").with_source(std::io::Error::other("not a number"));
        assert_eq!(format!("{twice:?}"), "not a number");
    }

    #[test]
    fn a_partial_answer_is_had_back_as_what_it_was() {
        let error = Error::new(ErrorKind::BrokenOff, "x").with_partial(String::from("half"));
        assert_eq!(error.partial::<String>().map(String::as_str), Some("half"));
        assert_eq!(error.clone().partial::<u8>(), None);
    }

    #[test]
    fn agents_own_errors() {
        let named = Error::agent("no such city", Some("ValueError".into()));
        assert_eq!(named.to_string(), "the agent failed: ValueError: no such city");
        assert_eq!(Error::agent("no", None).to_string(), "the agent failed: no");
        assert!(named.may_have_run() && !named.is_retryable());
    }
}
