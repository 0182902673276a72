//! The opening handshake of a WebSocket: admits it, or answers with HTTP. Sends no frame.

use agentcore_core::header::SESSION_ID;
use axum::{
    body::Body,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Response, header};

use super::{
    incoming::{IncomingRequest, send},
    limits,
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
    target::Target,
};
use crate::{
    agents::Agent,
    record::{CredentialForm, RecordedRequest},
    service_error::ServiceError,
    verify::subprotocol,
    websocket::{Connection, FrameLimits, Handler, Handshake, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES},
};

/// The upgrade, or what axum finds wrong with it.
type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Answers `GET /runtimes/{arn}/ws`.
pub(super) async fn open(State(runtime): Shared, upgrade: Upgrade, mut incoming: IncomingRequest) -> Response<Body> {
    let request = &mut incoming.request;
    let session_id = session_id(request);
    let mut headers = ResponseHeaders::new(request, runtime.user_pool.issuer.url());
    if let Ok(Some(id)) = &session_id {
        headers.set_session_id(id);
    }
    request.session_id = Some(headers.session_id());
    let admission = admit(&runtime, request, session_id, upgrade);
    headers.apply(respond(&runtime, incoming, admission).await)
}

/// Answers `GET /ws`, as a container without a service in front.
pub(super) async fn open_local(
    State(runtime): Shared,
    upgrade: Upgrade,
    mut incoming: IncomingRequest,
) -> Response<Body> {
    let request = &mut incoming.request;
    request.session_id = request.header(SESSION_ID.as_str()).map(str::to_owned);
    let admission = admit_local(&runtime, request, upgrade);
    respond(&runtime, incoming, admission).await
}

type Admission = Result<(Agent, Handshake, WebSocketUpgrade), ServiceError>;

/// Admits a handshake in the order of an invocation: the caller, then the form, then the runtime.
fn admit(
    runtime: &RuntimeState,
    request: &mut RecordedRequest,
    session_id: Result<Option<String>, ServiceError>,
    upgrade: Upgrade,
) -> Admission {
    // A repeated header is ambiguous, for the caller's credential too.
    drop_second(&mut request.headers);
    check_single(&request.headers)?;
    let target = Target::parse(request);
    let (caller, credential_form) = runtime.authenticator(target.as_ref().ok()).authenticate_handshake(request)?;
    (request.caller, request.credential_form) = (Some(caller), Some(credential_form));
    limits::check_headers(&request.headers)?;
    let session_id = session_id?;
    if request.headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) && credential_form != CredentialForm::Subprotocol {
        return Err(ServiceError::validation(format!("There is no subprotocol but {}.", subprotocol::BEARER)));
    }
    let upgrade = check_upgrade(&request.headers, upgrade)?;
    let (agent, agent_request) = runtime.resolve(&target?, session_id, request)?;
    Ok((agent, Handshake::new(agent_request, request), upgrade))
}

fn admit_local(runtime: &RuntimeState, request: &mut RecordedRequest, upgrade: Upgrade) -> Admission {
    drop_second(&mut request.headers);
    check_single(&request.headers)?;
    let upgrade = check_upgrade(&request.headers, upgrade)?;
    let session_id = request.session_id.clone();
    let (agent, agent_request) = runtime.find_agent(&runtime.local_agent, None, session_id, request)?;
    Ok((agent, Handshake::new(agent_request, request), upgrade))
}

/// Records the handshake, and switches protocols unless the mock or the agent refuses.
async fn respond(runtime: &RuntimeState, incoming: IncomingRequest, admission: Admission) -> Response<Body> {
    let IncomingRequest { request, control, .. } = incoming;
    let (agent, handshake, upgrade) = match runtime.record(request, admission) {
        Ok(admitted) => admitted,
        Err(error) => return send(&control, error.into()),
    };
    let handler = match Handler::accept(agent, handshake).await {
        Ok(handler) => handler,
        Err(response) => return send(&control, response),
    };
    // From here on the client sends frames only.
    let limits = FrameLimits::observe(&control);
    let upgrade =
        upgrade.max_frame_size(MAX_FRAME_BYTES).max_message_size(MAX_MESSAGE_BYTES).protocols([subprotocol::BEARER]);
    upgrade.on_upgrade(|socket| handler.run(Connection::new(socket, control, limits)))
}

/// Reads the session id from its header or, for clients that cannot set one, from the query.
fn session_id(request: &RecordedRequest) -> Result<Option<String>, ServiceError> {
    let sent = request.header(SESSION_ID.as_str());
    let mut in_query = request.parameters().into_iter().filter(|(name, _)| name == SESSION_PARAMETER).map(|(_, id)| id);
    let Some(id) = in_query.next() else { return Ok(sent.map(str::to_owned)) };
    if in_query.next().is_some() || sent.is_some_and(|sent| sent != id) {
        return Err(ServiceError::validation("The request names more than one session."));
    }
    limits::check_session_id(&id)?;
    Ok(Some(id))
}

/// Drops a second handshake, with a key of its own, behind the whole first one: the official SDK returns one among its headers, and
/// Python's `websockets` adds them to its own.
fn drop_second(headers: &mut HeaderMap) {
    let twice = |name: &str| {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        matches!(values[..], [own, sdk] if own == sdk || name == "sec-websocket-key")
    };
    if HANDSHAKE.into_iter().all(twice) {
        for name in HANDSHAKE {
            if let Some(first) = headers.get(name).cloned() {
                headers.insert(name, first);
            }
        }
    }
}

/// Rejects repeated headers, which a server and a proxy in front of it may read differently.
fn check_single(headers: &HeaderMap) -> Result<(), ServiceError> {
    let is_single = |name: &str| SINGLE.contains(&name) || name.starts_with("sec-websocket-");
    match headers.keys().find(|name| is_single(name.as_str()) && headers.get_all(*name).iter().count() > 1) {
        Some(name) => Err(ServiceError::validation(format!("The header '{name}' is repeated."))),
        None => Ok(()),
    }
}

/// Checks the requirements of RFC 6455 section 4.2.1, of which axum leaves out the key's length.
fn check_upgrade(headers: &HeaderMap, upgrade: Upgrade) -> Result<WebSocketUpgrade, ServiceError> {
    let upgrade = upgrade.map_err(|rejection| ServiceError::validation(rejection.body_text()))?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key).ok());
    match key {
        Some(key) if key.len() == 16 => Ok(upgrade),
        _ => Err(ServiceError::validation("`Sec-WebSocket-Key` header is not 16 bytes in base64")),
    }
}

/// The session id's name in the query, where case matters.
const SESSION_PARAMETER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The headers that make a handshake (RFC 6455 section 4.1).
const HANDSHAKE: [&str; 5] = ["host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"];

/// The headers that may not repeat, besides those of the WebSocket.
const SINGLE: [&str; 3] = ["host", "upgrade", "connection"];
