//! The routes of the service, of a local agent container and of the issuer of tokens.
//!
//! A request is judged in the service's order: who, then what, then where. Nothing here checks a signature or writes an
//! agent's answer.

pub(crate) mod attempts;
pub(crate) mod cognito;
mod envelope;
mod exchange;
mod handshake;
mod limits;
mod target;
pub(crate) mod token;

use std::{sync::Arc, time::SystemTime};

use agentcore_core::header::{SESSION_ID, USER_ID};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    middleware,
    routing::{get, post},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    ACCOUNT, AgentAnswer, AgentRequest, Credentials, Inbound, REGION, RecordedRequest,
    agents::{Agent, Agents},
    identity::{Issuer, unix_seconds},
    record::Log,
    refusal::Refusal,
    verify::Door,
};
use attempts::Attempts;
use cognito::Pool;
use envelope::Envelope;
use exchange::Exchange;
use target::Target;
use token::TokenEndpoint;

/// Tells the time by which tokens expire and signatures age.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Everything the routes share.
pub(crate) struct Runtime {
    pub(crate) inbound: Inbound,
    /// The agent in the local container.
    pub(crate) local: String,
    pub(crate) clock: Clock,
    pub(crate) agents: Agents,
    pub(crate) issuer: Issuer,
    pub(crate) token_endpoint: TokenEndpoint,
    pub(crate) pool: Pool,
    pub(crate) credentials: Credentials,
    pub(crate) log: Log,
    pub(crate) attempts: Attempts,
}

/// The routes over a runtime.
pub(crate) fn router(runtime: Arc<Runtime>) -> Router {
    Router::new()
        .route("/runtimes/{runtime}/invocations", post(invoke))
        .route("/runtimes/{runtime}/invocations/.well-known/oauth-protected-resource", get(protected_resource))
        .route("/runtimes/{runtime}/ws", get(handshake::open))
        .route("/invocations", post(invoke_local))
        .route("/ws", get(handshake::open_local))
        .route("/ping", get(ping))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/", post(cognito::call))
        .route("/oauth2/token", post(token::token))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::map_response_with_state(runtime.clone(), date))
        .with_state(runtime)
}

async fn invoke(State(runtime): State<Arc<Runtime>>, mut exchange: Exchange) -> Response<Body> {
    let envelope = Envelope::of(&exchange.request, runtime.issuer.url());
    exchange.request.session_id = Some(envelope.session_id());
    let admitted = runtime.admit(&mut exchange);
    let admitted = runtime.record(exchange.request, admitted);
    let answer = match admitted {
        Ok((agent, request)) => agent.answer(request).await,
        Err(refusal) => refusal.into(),
    };
    exchange.connection.send(answer, |response| envelope.around(response))
}

/// A container has no service in front of it: it asks for no credentials and knows no session it was not told of.
async fn invoke_local(State(runtime): State<Arc<Runtime>>, mut exchange: Exchange) -> Response<Body> {
    let session_id = exchange.request.header(SESSION_ID.as_str()).map(str::to_owned);
    exchange.request.session_id = session_id.clone();
    let admitted = limits::check_payload(&exchange)
        .and_then(|()| runtime.find(&runtime.local, None, session_id, &mut exchange.request));
    let admitted = runtime.record(exchange.request, admitted);
    let answer = match admitted {
        Ok((agent, request)) => agent.answer(request).await,
        Err(refusal) => refusal.into(),
    };
    exchange.connection.send(answer, |response| response)
}

async fn ping(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Json<Value> {
    runtime.log.push(exchange.request);
    Json(json!({ "status": "Healthy", "time_of_last_update": unix_seconds((runtime.clock)()) }))
}

/// Says who issues the tokens for a runtime (RFC 9728 section 3), to a client that has none yet.
async fn protected_resource(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Response<Body> {
    let envelope = Envelope::of(&exchange.request, runtime.issuer.url());
    let metadata = match (runtime.inbound, Target::of(&exchange.request)) {
        (Inbound::SigV4, _) => Err(Refusal::not_found("The runtime takes no tokens.")),
        (_, Err(refusal)) => Err(refusal),
        (_, Ok(target)) => Ok(json!({
            "resource": target.url(runtime.issuer.url(), ""),
            "authorization_servers": [runtime.issuer.url()],
            "bearer_methods_supported": ["header"],
        })),
    };
    let answer = runtime.record(exchange.request, metadata).map_or_else(AgentAnswer::from, AgentAnswer::json);
    exchange.connection.send(answer, |response| envelope.around(response))
}

async fn key_set(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Json<Value> {
    runtime.log.push(exchange.request);
    Json(runtime.issuer.key_set())
}

async fn configuration(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Json<Value> {
    runtime.log.push(exchange.request);
    Json(runtime.issuer.configuration())
}

async fn unknown(State(runtime): State<Arc<Runtime>>, exchange: Exchange) -> Response<Body> {
    let envelope = Envelope::of(&exchange.request, runtime.issuer.url());
    let refusal = Refusal::new(StatusCode::NOT_FOUND, "UnknownOperationException", "There is no such operation.");
    runtime.log.push(RecordedRequest { refusal: Some(refusal.name), ..exchange.request });
    exchange.connection.send(refusal.into(), |response| envelope.around(response))
}

/// Dates an answer by the mock's clock, for a client whose own is wrong reads it there.
async fn date(State(runtime): State<Arc<Runtime>>, mut response: Response<Body>) -> Response<Body> {
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date((runtime.clock)())) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

impl Runtime {
    /// Judges an invocation as the service does: the caller, then the request's form, then whether there is such a runtime.
    fn admit(&self, exchange: &mut Exchange) -> Result<(Agent, AgentRequest), Refusal> {
        // Without the body no signature can be checked, so this one rule of form comes before the caller.
        limits::check_payload(exchange)?;
        let request = &mut exchange.request;
        let target = Target::of(request);
        let (caller, credential_form) = self.door(target.as_ref().ok()).verify(request)?;
        (request.caller, request.credential_form) = (Some(caller), Some(credential_form));
        limits::check_headers(&request.headers)?;
        let session_id = request.header(SESSION_ID.as_str()).map(str::to_owned);
        self.reach(&target?, session_id, request)
    }

    /// The door to a runtime, or to one whose name could not be read.
    fn door<'a>(&'a self, target: Option<&'a Target>) -> Door<'a> {
        Door {
            inbound: self.inbound,
            issuer: &self.issuer,
            credentials: &self.credentials,
            region: target.map_or(REGION, Target::region),
            service: "bedrock-agentcore",
            now: (self.clock)(),
        }
    }

    /// Finds the agent of a target. `session_id` is the one that was sent.
    fn reach(
        &self,
        target: &Target,
        session_id: Option<String>,
        request: &mut RecordedRequest,
    ) -> Result<(Agent, AgentRequest), Refusal> {
        if target.account() != ACCOUNT {
            return Err(Refusal::forbidden(
                "AccessDeniedException",
                "You are not authorized to perform bedrock-agentcore:InvokeAgentRuntime on this resource.",
            ));
        }
        self.find(target.id(), target.qualifier(), session_id, request)
    }

    /// Finds the agent of a runtime id and what it is given of the request. `session_id` is the one that was sent.
    fn find(
        &self,
        id: &str,
        qualifier: Option<&str>,
        session_id: Option<String>,
        request: &mut RecordedRequest,
    ) -> Result<(Agent, AgentRequest), Refusal> {
        let (name, agent) =
            self.agents.find(id).ok_or_else(|| Refusal::not_found(format!("There is no agent runtime '{id}'.")))?;
        request.agent = Some(name.clone());
        let given = AgentRequest {
            attempt: self.attempts.count(&name, session_id),
            agent: name,
            payload: request.body.clone(),
            session_id: request.session_id.clone(),
            user_id: request.header(USER_ID.as_str()).map(str::to_owned),
            qualifier: qualifier.map(str::to_owned),
            headers: AgentRequest::visible(&request.headers),
        };
        Ok((agent, given))
    }

    /// Records a request with what was decided about it.
    fn record<T>(&self, request: RecordedRequest, decision: Result<T, Refusal>) -> Result<T, Refusal> {
        let refusal = decision.as_ref().err().map(|refusal| refusal.name);
        self.log.push(RecordedRequest { refusal, ..request });
        decision
    }
}

#[cfg(test)]
mod tests;
