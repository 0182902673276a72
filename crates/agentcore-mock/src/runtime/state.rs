//! The state that the routes share: admits requests, finds agents and records what was decided. Writes no HTTP.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use agentcore_core::header::{SESSION_ID, USER_ID};
use axum::extract::State;

use super::{
    incoming::IncomingRequest,
    limits,
    sessions::Sessions,
    target::{ACCOUNT, REGION, Target},
};
use crate::{
    agents::{Agent, Agents},
    clock::Clock,
    identity::UserPool,
    invocation::AgentRequest,
    lock::lock,
    machine::{Commands, Machines},
    record::{RecordedRequest, RequestLog},
    service_error::ServiceError,
    verify::{Authenticator, Credentials, InboundAuth, SigV4Verifier},
};

/// The state as the routes receive it.
pub(super) type Shared = State<Arc<RuntimeState>>;

/// The state of a runtime.
pub(crate) struct RuntimeState {
    pub(crate) inbound_auth: InboundAuth,
    /// The agent in the local container.
    pub(crate) local_agent: String,
    pub(crate) clock: Clock,
    /// Whether the local container is busy, and since when it is as it is.
    pub(crate) health: Mutex<(bool, SystemTime)>,
    pub(crate) agents: Agents,
    pub(crate) user_pool: UserPool,
    pub(crate) credentials: Credentials,
    pub(crate) log: RequestLog,
    pub(crate) attempts: Attempts,
    /// The endpoints of every runtime.
    pub(crate) endpoints: BTreeSet<String>,
    pub(crate) sessions: Sessions,
    pub(crate) commands: Commands,
    pub(crate) machines: Machines,
    #[cfg(unix)]
    pub(crate) shells: crate::shells::Shells,
    /// How long a shell lives on without a client.
    pub(crate) shell_window: Duration,
}

impl RuntimeState {
    /// Admits an invocation in the order of the service: the caller, then the request's form, then the runtime.
    pub(super) fn admit(&self, incoming: &mut IncomingRequest) -> Result<(Agent, AgentRequest), ServiceError> {
        // Without the body no signature can be checked, so this one rule of form comes before the caller.
        incoming.check_payload()?;
        let request = &mut incoming.request;
        let target = Target::parse(request);
        self.authenticate(target.as_ref().ok(), request)?;
        let session_id = request.header(SESSION_ID.as_str()).map(str::to_owned);
        self.resolve(&target?, session_id, request)
    }

    /// Checks the caller of a request for this runtime, then the headers.
    pub(super) fn authenticate(
        &self,
        target: Option<&Target>,
        request: &mut RecordedRequest,
    ) -> Result<(), ServiceError> {
        let (caller, credential_form) = self.authenticator(target).authenticate(request)?;
        (request.caller, request.credential_form) = (Some(caller), Some(credential_form));
        limits::check_headers(&request.headers)
    }

    /// Returns the authenticator of a runtime, or of one whose name cannot be parsed.
    pub(super) fn authenticator<'a>(&'a self, target: Option<&'a Target>) -> Authenticator<'a> {
        Authenticator {
            inbound_auth: self.inbound_auth,
            jwt: self.user_pool.issuer.authorizer((self.clock)()),
            sigv4: self.sigv4_verifier(target.map_or(REGION, |target| &target.region), "bedrock-agentcore"),
        }
    }

    /// Returns the verifier of signatures for a region and a service.
    pub(super) fn sigv4_verifier<'a>(&'a self, region: &'a str, service: &'static str) -> SigV4Verifier<'a> {
        SigV4Verifier { credentials: &self.credentials, region, service, now: (self.clock)() }
    }

    /// Finds the agent of a target, and counts its session. `session_id` is the one that was sent.
    pub(super) fn resolve(
        &self,
        target: &Target,
        session_id: Option<String>,
        request: &mut RecordedRequest,
    ) -> Result<(Agent, AgentRequest), ServiceError> {
        self.check_endpoint(target)?;
        if let Some(id) = request.session_id.as_deref().filter(|_| self.agents.find(&target.id).is_some()) {
            self.sessions.begin(&target.id, id)?;
        }
        self.find_agent(&target.id, target.qualifier.as_deref(), session_id, request)
    }

    /// Checks that the caller may reach the runtime, and that it has the endpoint.
    pub(super) fn check_endpoint(&self, target: &Target) -> Result<(), ServiceError> {
        if target.account != ACCOUNT {
            return Err(ServiceError::forbidden(
                "AccessDeniedException",
                "You are not authorized to perform this operation of bedrock-agentcore on this resource.",
            ));
        }
        if target.region != REGION {
            return Err(ServiceError::validation(format!(
                "The agent runtime is in {}, and this endpoint is that of {REGION}.",
                target.region
            )));
        }
        match &target.qualifier {
            Some(name) if !self.endpoints.contains(name) => Err(ServiceError::not_found(format!(
                "There is no endpoint '{name}' of the agent runtime '{}'.",
                target.id
            ))),
            _ => Ok(()),
        }
    }

    /// Finds the name of a runtime id's agent, by which sessions have their machines.
    pub(super) fn agent_name(&self, id: &str) -> Result<String, ServiceError> {
        self.agents.find(id).map(|(name, _)| name).ok_or_else(|| no_runtime(id))
    }

    /// Finds the agent of a runtime id, and makes its request. `session_id` is the one that was sent.
    pub(super) fn find_agent(
        &self,
        id: &str,
        qualifier: Option<&str>,
        session_id: Option<String>,
        request: &mut RecordedRequest,
    ) -> Result<(Agent, AgentRequest), ServiceError> {
        let (name, agent) = self.agents.find(id).ok_or_else(|| no_runtime(id))?;
        request.agent = Some(name.clone());
        let agent_request = AgentRequest {
            attempt: self.attempts.count(&name, session_id),
            agent: name,
            payload: request.body.clone(),
            session_id: request.session_id.clone(),
            user_id: request.header(USER_ID.as_str()).map(str::to_owned),
            qualifier: qualifier.map(str::to_owned),
            headers: AgentRequest::redact(&request.headers),
        };
        Ok((agent, agent_request))
    }

    /// Makes the local container busy or idle.
    pub(crate) fn set_busy(&self, busy: bool) {
        let mut health = lock(&self.health);
        if health.0 != busy {
            *health = (busy, (self.clock)());
        }
    }

    /// Records a request with the decision about it.
    pub(super) fn record<T>(
        &self,
        request: RecordedRequest,
        decision: Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let error = decision.as_ref().err().map(|error| error.name);
        self.log.push(RecordedRequest { error, ..request });
        decision
    }
}

fn no_runtime(id: &str) -> ServiceError {
    ServiceError::not_found(format!("There is no agent runtime '{id}'."))
}

/// Counts calls by agent and session; all requests without a session id count as one session.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<(String, Option<String>), u64>>);

impl Attempts {
    /// Counts a call, and returns the number of calls so far, this one included.
    fn count(&self, agent: &str, session_id: Option<String>) -> u64 {
        let mut counts = lock(&self.0);
        let count = counts.entry((agent.to_owned(), session_id)).or_default();
        *count += 1;
        *count
    }
}
