//! The HTTP client: its settings, and one method an operation. Reads no answer but a ping's.

use std::{sync::Arc, time::Duration};

use agentcore_auth::{Auth, Clock, SystemClock};
use agentcore_core::{SessionId, Target, UserId, operation};
use agentcore_transport::{CallEngine, CallSpec, Network, RetryBudget};
use serde::{Deserialize, Serialize};

use crate::{
    Command, CommandStream, Error, Invocation, Payload, Response, RetryPolicy, Timeouts, Transport,
    call::HttpCall,
    request::{Contents, Draft},
    response::Limits,
    sse,
};

/// Invokes agents over HTTP. Cheap to clone; clones share connections and settings.
///
/// ```no_run
/// use agentcore_http::{Auth, HttpClient, Invocation, StaticToken, Target};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = HttpClient::builder(Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?)).build()?;
/// let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
/// let answer = client.invoke(&target, &Invocation::new("Hello, world!")).await?;
/// println!("{}", answer.text().await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engine: CallEngine,
    limits: Limits,
    auth: Auth,
    timeouts: Timeouts,
    retry: RetryPolicy,
    user: Option<UserId>,
    max_payload_bytes: usize,
}

impl HttpClient {
    /// Returns the default settings of a client with this authentication. Local containers receive no credential.
    #[must_use]
    pub fn builder(auth: Auth) -> HttpClientBuilder {
        HttpClientBuilder {
            auth,
            transport: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            budget: RetryBudget::default(),
            user: None,
            clock: Arc::new(SystemClock::default()),
            max_payload_bytes: Payload::MAX_BYTES,
            limits: Limits {
                answer_bytes: Payload::MAX_BYTES,
                event_bytes: sse::DEFAULT_MAX_EVENT_BYTES,
                lenient: false,
            },
        }
    }

    /// Invokes an agent, or a harness, and returns its answer, whose head has arrived.
    ///
    /// Failures are retried by the client's [`RetryPolicy`], or the invocation's own; [`retry`](crate::retry) has the table.
    ///
    /// # Errors
    /// If the invocation is invalid, if the agent or the service refused it, or if no answer came. [`Error::may_have_run`] returns
    /// whether the agent may have run.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. It closes the connection of a begun attempt, and the agent may have run.
    pub async fn invoke(&self, target: &Target, invocation: &Invocation) -> Result<Response, Error> {
        let Shared { user, max_payload_bytes, .. } = &*self.0;
        let draft = invocation.draft(target, user.as_ref(), *max_payload_bytes)?;
        let settings = CallSettings {
            session: invocation.named_session(),
            timeouts: self.timeouts(invocation),
            retry: self.retry(invocation),
            idempotent: invocation.idempotent,
            waits_while_busy: invocation.waits_while_busy,
        };
        self.call(target, &draft, settings).await
    }

    /// Runs a command in a session's microVM, by the shell there, and returns its output, which has begun.
    ///
    /// A command is never sent again once it may have run.
    ///
    /// # Errors
    /// If the target runs no commands (a local container), if the service refused it, or if no answer came.
    /// [`Error::may_have_run`] returns whether the command may have run.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. It closes the connection of a begun attempt, and the command may go on.
    pub async fn run(&self, target: &Target, command: &Command) -> Result<CommandStream, Error> {
        let draft = command.draft(target)?;
        let settings = CallSettings {
            timeouts: &command.effective_timeouts(&self.0.timeouts),
            retry: command.retry.as_ref().unwrap_or(&self.0.retry),
            ..self.settings(Some(command.session_id()))
        };
        self.call(target, &draft, settings).await.map(CommandStream::new)
    }

    /// Ends a session: its microVM, and with it the agent's work, commands and shells. A session that has ended is none to end, and
    /// that is no error. The request carries a client token of its own, by which the service knows it again when it is repeated.
    ///
    /// # Errors
    /// If the target has no sessions to end (a local container), if the service refused it, or if no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. The session may have been ended.
    pub async fn stop(&self, target: &Target, session: &SessionId) -> Result<(), Error> {
        // A UUID has 36 characters, of the alphabet of client tokens.
        let body = format!(r#"{{"clientToken":"{}"}}"#, SessionId::random().as_str());
        let content_type = operation::STOP.content_type;
        let contents = Contents { session: Some(session), content_type, body: body.into(), ..Contents::default() };
        let draft = Draft::new(target, &operation::STOP, contents)?;
        self.call(target, &draft, self.settings(Some(session))).await?.bytes().await.map(|_| ())
    }

    /// Requests the card of an A2A agent, which is JSON (A2A protocol, "Agent Card"). The session, if one is named, is the one whose
    /// microVM answers.
    ///
    /// # Errors
    /// If the agent has none, if the service refused it, or if no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    pub async fn card(&self, target: &Target, session: Option<&SessionId>) -> Result<Response, Error> {
        let draft = Draft::new(target, &operation::AGENT_CARD, Contents { session, ..Contents::default() })?;
        self.call(target, &draft, self.settings(session)).await
    }

    /// Returns the mechanism for a target: none for a local container.
    fn auth(&self, target: &Target) -> &Auth {
        if target.is_local() { &Auth::None } else { &self.0.auth }
    }

    /// Returns the client's own settings.
    fn settings<'a>(&'a self, session: Option<&'a SessionId>) -> CallSettings<'a> {
        let Shared { timeouts, retry, .. } = &*self.0;
        CallSettings { session, timeouts, retry, idempotent: false, waits_while_busy: false }
    }

    /// Sends a request.
    async fn call(&self, target: &Target, draft: &Draft<'_>, settings: CallSettings<'_>) -> Result<Response, Error> {
        let Draft { url, operation, .. } = draft;
        let auth = if operation.authenticated { self.auth(target) } else { &Auth::None };
        let CallSettings { session, timeouts, retry, idempotent, waits_while_busy } = settings;
        let spec = CallSpec {
            operation: operation.name,
            url,
            arn: target.arn().map(|arn| arn.as_str()),
            session_id: session.map(SessionId::as_str),
            idempotent: idempotent || operation.idempotent,
            first_byte: timeouts.first_byte,
            first_byte_missed: "no answer began",
            total: timeouts.total,
            retry,
            waits_while_busy,
            pause: Duration::ZERO,
        };
        let called = self.0.engine.run(&spec, &HttpCall { draft, auth, region: target.region() }).await?;
        let host = url.host().filter(|_| !target.is_local());
        Ok(Response::new(called, session, self.0.limits.clone(), timeouts.idle, host))
    }

    /// Returns the timeouts that apply to an invocation: its own, else the client's.
    #[must_use]
    pub fn timeouts<'a>(&'a self, invocation: &'a Invocation) -> &'a Timeouts {
        invocation.timeouts.as_ref().unwrap_or(&self.0.timeouts)
    }

    /// Returns the retry policy that applies to an invocation: its own, else the client's.
    #[must_use]
    pub fn retry<'a>(&'a self, invocation: &'a Invocation) -> &'a RetryPolicy {
        invocation.retry.as_ref().unwrap_or(&self.0.retry)
    }

    /// Requests the health of a local container (`GET /ping`).
    ///
    /// # Errors
    /// If the target is not a local container, does not answer, or answers with anything but a health report.
    ///
    /// # Cancel safety
    /// Dropping the future has no lasting effect.
    pub async fn ping(&self, target: &Target) -> Result<Health, Error> {
        let draft = Draft::new(target, &operation::PING, Contents::default())?;
        self.call(target, &draft, self.settings(None)).await?.json().await
    }
}

/// The settings of one call, whatever its operation is.
struct CallSettings<'a> {
    session: Option<&'a SessionId>,
    timeouts: &'a Timeouts,
    retry: &'a RetryPolicy,
    idempotent: bool,
    waits_while_busy: bool,
}

/// A container's answer to a ping (`GET /ping` of the AgentCore Runtime HTTP protocol contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// `Healthy`, or `HealthyBusy` while the agent works in the background.
    pub status: String,
    /// The time of the last change of status, in seconds since 1970, if the agent reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_of_last_update: Option<u64>,
}

/// The settings of an [`HttpClient`].
#[derive(Clone, Debug)]
pub struct HttpClientBuilder {
    auth: Auth,
    transport: Option<Transport>,
    timeouts: Timeouts,
    retry: RetryPolicy,
    budget: RetryBudget,
    user: Option<UserId>,
    clock: Arc<dyn Clock>,
    max_payload_bytes: usize,
    limits: Limits,
}

agentcore_core::setters! {
    impl HttpClientBuilder:

    /// Sets the authentication, in place of the one that the builder was made with.
    auth(auth: Auth) => auth = auth;

    /// Sets the transport. Default: a new one with default settings. Clients that share a transport share its connections.
    transport(transport: Transport) => transport = Some(transport);

    /// Sets the timeouts of invocations that have none.
    timeouts(timeouts: Timeouts) => timeouts = timeouts;

    /// Sets the retry policy of invocations that have none.
    retry(policy: RetryPolicy) => retry = policy;

    /// Sets the budget of retries that all calls share. Default: [`RetryBudget::default`], of this client's own.
    retry_budget(budget: RetryBudget) => budget = budget;

    /// Sets the user of invocations that name none. Default: none, and the header is not sent.
    ///
    /// With a JWT the service takes the user from the token, and whoever sets the header speaks for that user: set it only to a user
    /// whom the caller has authenticated. With SigV4 it needs the IAM permission `bedrock-agentcore:InvokeAgentRuntimeForUser`.
    user(user: UserId) => user = Some(user);

    /// Sets the clock for expiry and signatures. Default: the system's clock.
    clock(clock: impl Clock + 'static) => clock = Arc::new(clock);

    /// Bounds the bytes of a payload. Default: [`Payload::MAX_BYTES`], the service's limit.
    max_payload_bytes(max: usize) => max_payload_bytes = max;

    /// Bounds the bytes of an answer that is collected into memory. Default: 100 MB. Streams have no such bound.
    max_answer_bytes(max: usize) => limits.answer_bytes = max;

    /// Bounds the bytes of one server-sent event. Default: [`sse::DEFAULT_MAX_EVENT_BYTES`].
    max_event_bytes(max: usize) => limits.event_bytes = max;

    /// Sets whether server-sent events are decoded leniently; see [`sse::Decoder::lenient`]. Default: no.
    lenient_sse(lenient: bool) => limits.lenient = lenient;
}

impl HttpClientBuilder {
    /// Makes the client, without a connection.
    ///
    /// # Errors
    /// If the default transport cannot be built.
    pub fn build(self) -> Result<HttpClient, Error> {
        let default = || Transport::builder().clock(self.clock.clone()).build();
        let transport = self.transport.clone().map_or_else(default, Ok)?;
        Ok(self.over(Arc::new(transport), fastrand::f64))
    }

    pub(crate) fn over(self, network: Arc<dyn Network>, random: fn() -> f64) -> HttpClient {
        let Self { auth, timeouts, retry, budget, user, clock, max_payload_bytes, limits, .. } = self;
        let engine = CallEngine::new(network, clock).random(random).budget(budget);
        HttpClient(Arc::new(Shared { engine, limits, auth, timeouts, retry, user, max_payload_bytes }))
    }
}

#[cfg(test)]
mod tests;
