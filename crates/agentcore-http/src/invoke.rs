//! An invocation: payload, session, user, headers and its own settings. Builds the request, sends nothing.

use std::fmt;

use agentcore_core::{Arn, CustomHeader, Operation, ResourceType, SessionId, Target, UserId, header, operation};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    Error, McpContext, Payload, RetryPolicy, Timeouts, TraceContext,
    request::{Contents, Draft},
};

/// One invocation of an agent, or of a harness. Only the payload is required.
///
/// ```
/// use agentcore_http::{Invocation, SessionId};
///
/// let session = SessionId::random();
/// let invocation = Invocation::new("Hello, world!").session(&session).user("jane@example.com".parse()?);
/// # let _ = invocation;
/// # Ok::<(), agentcore_http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Invocation {
    payload: Payload,
    protocol: Protocol,
    session: SessionId,
    /// Whether the caller set the session.
    own_session: bool,
    /// Whether the request names the session.
    names_session: bool,
    /// `None`: the client's user.
    user: Option<Option<UserId>>,
    headers: Vec<CustomHeader>,
    trace: TraceContext,
    mcp: McpContext,
    pub(crate) idempotent: bool,
    pub(crate) waits_while_busy: bool,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) retry: Option<RetryPolicy>,
}

impl Invocation {
    /// Makes an invocation with this payload, in a new session.
    pub fn new(payload: impl Into<Payload>) -> Self {
        Self {
            payload: payload.into(),
            protocol: Protocol::Http,
            session: SessionId::random(),
            own_session: false,
            names_session: true,
            user: None,
            headers: Vec::new(),
            trace: TraceContext::default(),
            mcp: McpContext::default(),
            idempotent: false,
            waits_while_busy: false,
            timeouts: None,
            retry: None,
        }
    }

    /// Sets the session. Default: a new, random one; see [`Response::session_id`](crate::Response::session_id).
    #[must_use]
    pub fn session(mut self, session: &SessionId) -> Self {
        self.session = session.clone();
        (self.own_session, self.names_session) = (true, true);
        self
    }

    /// Names no session: the service makes one, and names it in its answer
    /// ([`Response::answered_session`](crate::Response::answered_session)).
    #[must_use]
    pub fn any_session(mut self) -> Self {
        (self.own_session, self.names_session) = (false, false);
        self
    }

    /// Adds a header for the agent; at most 20.
    #[must_use]
    pub fn header(mut self, header: CustomHeader) -> Self {
        self.headers.push(header);
        self
    }

    /// Returns the session's id. It is sent unless the invocation is one in [any session](Self::any_session).
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Returns the session that the request names, if it names one.
    #[must_use]
    pub fn named_session(&self) -> Option<&SessionId> {
        self.names_session.then_some(&self.session)
    }

    /// Returns the operation at a target: what is invoked there is an agent, or a harness.
    pub(crate) fn operation(&self, target: &Target) -> &'static Operation {
        match (self.protocol, target.arn().map(Arn::resource_type)) {
            (Protocol::Mcp, _) => &operation::MCP,
            (Protocol::A2a, _) => &operation::A2A,
            (Protocol::Http, Some(ResourceType::Harness)) => &operation::HARNESS,
            (Protocol::Http, _) => &operation::INVOKE,
        }
    }

    /// Returns the key under which a cache keeps the answer: payload, user, headers, and the session if the caller set it. Traces,
    /// timeouts and retries are not part of it.
    #[must_use]
    pub fn cache_key(&self) -> CacheKey {
        let own = self.headers.iter().map(|header| (header.name(), header.value()));
        let headers = own.chain(self.mcp.headers()).map(|(name, value)| (name.clone(), value.clone())).collect();
        let session = self.own_session.then(|| self.session.clone());
        CacheKey { payload: self.payload.clone(), session, user: self.user.clone(), headers }
    }

    /// Returns what its requests are written from.
    pub(crate) fn draft(
        &self,
        target: &Target,
        user: Option<&UserId>,
        max_payload_bytes: usize,
    ) -> Result<Draft<'_>, Error> {
        if self.headers.len() > header::MAX_CUSTOM_HEADERS {
            let most = header::MAX_CUSTOM_HEADERS;
            return Err(Error::input(format!("{} custom headers, at most {most} are allowed", self.headers.len())));
        }
        if target.is_aws() {
            self.headers.iter().try_for_each(CustomHeader::check_forwarded)?;
        }
        let operation = self.operation(target);
        let (content_type, body) = match operation.name == operation::HARNESS.name {
            true => self.payload.messages(max_payload_bytes)?,
            false => self.payload.body(&self.session, max_payload_bytes)?,
        };
        let mut headers = HeaderMap::new();
        let user = self.user.as_ref().map_or(user, Option::as_ref);
        // A user id consists of printable ASCII, which any header takes.
        if let Some(user) = user.and_then(|user| HeaderValue::from_str(user.as_str()).ok()) {
            headers.insert(header::USER_ID, user);
        }
        let own = self.headers.iter().map(|header| (header.name(), header.value()));
        for (name, value) in own.chain(self.trace.headers()).chain(self.mcp.headers()) {
            headers.append(name, value.clone());
        }
        let contents = Contents { session: self.named_session(), headers, content_type, body };
        Draft::new(target, operation, contents)
    }
}

/// The protocol that a runtime was deployed with (`serverProtocol` of the control plane), which its payloads are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// The agent's own, AG-UI included.
    #[default]
    Http,
    /// The Model Context Protocol, over Streamable HTTP.
    Mcp,
    /// Agent2Agent, over JSON-RPC.
    A2a,
}

agentcore_core::setters! {
    impl Invocation:

    /// Sets the payload, in place of the one that the invocation was made with.
    payload(payload: impl Into<Payload>) => payload = payload.into();

    /// Sets the protocol of the payload. Default: the agent's own.
    protocol(protocol: Protocol) => protocol = protocol;

    /// Sets the user. Default: the client's; see [`HttpClientBuilder::user`](crate::HttpClientBuilder::user).
    user(user: UserId) => user = Some(Some(user));

    /// Sends no user id, whatever the client's default is.
    no_user() => user = Some(None);

    /// Sets the trace headers.
    trace(trace: TraceContext) => trace = trace;

    /// Sets the MCP headers.
    mcp(mcp: McpContext) => mcp = mcp;

    /// Marks the invocation as harmless if run twice. Failures after which the agent may have run are then retried too.
    idempotent() => idempotent = true;

    /// Waits up to 16 minutes while the session is busy (409 `RetryableConflictException`), within the timeouts: for an earlier call
    /// that was lost, and on which the agent may still be working. Default: a conflict is retried as the policy says.
    wait_while_busy() => waits_while_busy = true;

    /// Sets the timeouts. Default: the client's.
    timeouts(timeouts: Timeouts) => timeouts = Some(timeouts);

    /// Sets the retry policy. Default: the client's.
    retry(policy: RetryPolicy) => retry = Some(policy);
}

/// The part of an invocation that decides its answer; see [`Invocation::cache_key`]. `Debug` prints none of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CacheKey {
    payload: Payload,
    session: Option<SessionId>,
    user: Option<Option<UserId>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl CacheKey {
    /// Returns the session, if the caller set it.
    #[must_use]
    pub fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// Removes the session, so that invocations in different sessions have equal keys.
    #[must_use]
    pub fn in_any_session(mut self) -> Self {
        self.session = None;
        self
    }

    /// Returns the approximate size, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        self.payload.bytes() + headers
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const SESSION: &str = "session-0123456789-0123456789-0123456789";

    fn target() -> Target {
        Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap())
    }

    #[test]
    fn the_request_of_the_default_form() {
        let invocation = Invocation::new("Hello").session(&SESSION.parse().unwrap());
        let request = invocation.draft(&target(), None, Payload::MAX_BYTES).unwrap().write().unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().to_string(), target().url(&operation::INVOKE).unwrap().to_string());
        let headers = [
            ("accept", "text/event-stream, application/json"),
            ("content-type", "application/json"),
            ("x-amzn-bedrock-agentcore-runtime-session-id", "session-0123456789-0123456789-0123456789"),
        ];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        assert_eq!(*request.headers(), HeaderMap::from_iter(headers));
        let body = r#"{"prompt":"Hello","sessionId":"session-0123456789-0123456789-0123456789","enableTrace":true}"#;
        assert_eq!(request.body(), body);
    }

    /// AWS developer guide, protocol contracts of MCP and A2A; MCP specification 2025-06-18, "Sending Messages to the Server".
    #[test]
    fn the_request_of_a_message() {
        let container = Target::local("http://127.0.0.1:8000").unwrap();
        for (protocol, local) in [(Protocol::Mcp, "/mcp"), (Protocol::A2a, "/")] {
            let message = Invocation::new(serde_json::json!({"jsonrpc": "2.0"})).protocol(protocol);
            let build = |invocation: &Invocation, target: &Target| {
                invocation.draft(target, None, 100).unwrap().write().unwrap()
            };
            let request = build(&message.clone().any_session(), &target());
            assert_eq!(request.uri(), &target().url(&operation::INVOKE).unwrap());
            assert_eq!(request.headers()["accept"], "application/json, text/event-stream");
            assert!(!request.headers().contains_key(header::SESSION_ID));
            assert_eq!(build(&message, &container).uri().path(), local);
            let named = build(&message.any_session().session(&SESSION.parse().unwrap()), &target());
            assert_eq!(named.headers()[header::SESSION_ID], SESSION);
        }
    }

    /// A harness takes messages: a prompt becomes one, and what is JSON is sent as it is.
    #[test]
    fn the_request_of_a_harness() {
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/h".parse().unwrap());
        let own = r#"{"messages": [], "maxTokens": 7}"#;
        for (payload, expected) in [
            (Payload::from("Hello"), r#"{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}"#),
            (Payload::json_text(own).unwrap(), own),
        ] {
            let request = Invocation::new(payload).session(&SESSION.parse().unwrap());
            let request = request.draft(&target, None, Payload::MAX_BYTES).unwrap().write().unwrap();
            let arn = "arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aharness%2Fh";
            let url = format!("https://bedrock-agentcore.us-east-1.amazonaws.com/harnesses/invoke?harnessArn={arn}");
            assert_eq!(request.uri().to_string(), url);
            assert_eq!(request.headers()["accept"], "application/vnd.amazon.eventstream");
            assert_eq!(request.headers()[header::SESSION_ID], SESSION);
            assert_eq!(request.body(), expected);
        }
    }

    #[test]
    fn whose_name_it_carries() {
        let (plain, jane) = (Invocation::new("x"), Some("jane".parse().unwrap()));
        let joe = plain.clone().user("joe".parse().unwrap());
        let nobody = plain.clone().no_user();
        for (invocation, client, expected) in [
            (&plain, None, None),
            (&plain, jane.clone(), Some("jane")),
            (&joe, None, Some("joe")),
            (&joe, jane.clone(), Some("joe")),
            (&nobody, jane, None),
        ] {
            let request = invocation.draft(&target(), client.as_ref(), Payload::MAX_BYTES).unwrap().write().unwrap();
            assert_eq!(request.headers().get(header::USER_ID).map(|value| value.to_str().unwrap()), expected);
        }
    }

    #[test]
    fn headers_of_the_callers_choice() {
        let own = |n: usize| CustomHeader::new(&format!("x-{n}"), "v").unwrap();
        let trace = TraceContext::default().traceparent("00-1-2-01").unwrap();
        let mcp = McpContext::default().method("tools/call").unwrap();
        let twenty = (0..20).fold(Invocation::new("x").trace(trace).mcp(mcp), |all, n| all.header(own(n)));
        let build = |invocation: &Invocation| invocation.draft(&target(), None, usize::MAX)?.write();
        let request = build(&twenty).unwrap();
        assert_eq!(request.headers()["x-19"], "v");
        assert_eq!(request.headers()["traceparent"], "00-1-2-01");
        assert_eq!(request.headers()["mcp-method"], "tools/call");
        let error = build(&twenty.header(own(20))).unwrap_err();
        assert_eq!(error.to_string(), "21 custom headers, at most 20 are allowed");
    }

    #[test]
    fn what_the_service_drops_goes_to_other_endpoints_alone() {
        let cookie = Invocation::new("x").header("Cookie=a".parse().unwrap());
        let arn: agentcore_core::Arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap();
        let at = |endpoint: &str| Target::at(endpoint.parse().unwrap(), arn.clone());
        for (target, sent) in [
            (target(), false),
            (at("https://bedrock-agentcore-fips.us-east-1.amazonaws.com"), false),
            (at("https://bedrock-agentcore.us-east-1.api.aws"), false),
            (at("https://vpce-1.bedrock-agentcore.us-east-1.vpce.amazonaws.com"), false),
            (at("https://agents.example.com"), true),
            (at("https://notamazonaws.com"), true),
            (at("http://127.0.0.1:1"), true),
            (Target::local("http://127.0.0.1:1").unwrap(), true),
        ] {
            assert_eq!(cookie.draft(&target, None, usize::MAX).is_ok(), sent, "{target:?}");
        }
    }

    #[test]
    fn a_bad_media_type_is_an_input_error() {
        let invocation = Invocation::new(Payload::raw(Some("text/plain\r\nhost: evil"), "x"));
        let error = invocation.draft(&target(), None, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Input);
    }
}
