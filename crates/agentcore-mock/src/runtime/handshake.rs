//! Opens a WebSocket: what is judged of a handshake before it becomes one, and the HTTP answer where it does not. Speaks to
//! nobody afterwards.

use std::sync::Arc;

use agentcore_core::header::SESSION_ID;
use axum::{
    body::Body,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Response, header};

use super::{Exchange, Runtime, envelope::Envelope, limits, target::Target};
use crate::{
    CredentialForm, RecordedRequest,
    agents::Agent,
    encode,
    refusal::Refusal,
    verify::subprotocol,
    websocket::{Frames, Handshake, Line, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES},
};

/// What axum makes of a request, or says is wrong with it.
type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Answers `GET /runtimes/{arn}/ws`.
pub(super) async fn open(
    State(runtime): State<Arc<Runtime>>,
    upgrade: Upgrade,
    mut exchange: Exchange,
) -> Response<Body> {
    let request = &mut exchange.request;
    let session_id = session_id(request);
    let mut envelope = Envelope::of(request, runtime.issuer.url());
    if let Ok(Some(id)) = &session_id {
        envelope.set_session_id(id);
    }
    request.session_id = Some(envelope.session_id());
    let admitted = admit(&runtime, request, session_id, upgrade);
    answer(&runtime, exchange, admitted, |response| envelope.around(response)).await
}

/// Answers `GET /ws`, as a container does that has no service in front of it.
pub(super) async fn open_local(
    State(runtime): State<Arc<Runtime>>,
    upgrade: Upgrade,
    mut exchange: Exchange,
) -> Response<Body> {
    let request = &mut exchange.request;
    request.session_id = request.header(SESSION_ID.as_str()).map(str::to_owned);
    let admitted = admit_local(&runtime, request, upgrade);
    answer(&runtime, exchange, admitted, |response| response).await
}

type Admitted = (Agent, Handshake, WebSocketUpgrade);

/// Judges a handshake in the order of an invocation: the caller, then the form, then whether there is such a runtime.
fn admit(
    runtime: &Runtime,
    request: &mut RecordedRequest,
    session_id: Result<Option<String>, Refusal>,
    upgrade: Upgrade,
) -> Result<Admitted, Refusal> {
    // What a repeated header says, nobody can judge.
    check_single(&request.headers)?;
    let target = Target::of(request);
    let (caller, credential_form) = runtime.door(target.as_ref().ok()).verify_handshake(request)?;
    (request.caller, request.credential_form) = (Some(caller), Some(credential_form));
    limits::check_headers(&request.headers)?;
    let session_id = session_id?;
    if request.headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) && credential_form != CredentialForm::Subprotocol {
        return Err(Refusal::validation(format!("There is no subprotocol but {}.", subprotocol::BEARER)));
    }
    let upgrade = check_upgrade(&request.headers, upgrade)?;
    let (agent, given) = runtime.reach(&target?, session_id, request)?;
    Ok((agent, Handshake::new(given, request), upgrade))
}

fn admit_local(runtime: &Runtime, request: &mut RecordedRequest, upgrade: Upgrade) -> Result<Admitted, Refusal> {
    check_single(&request.headers)?;
    let upgrade = check_upgrade(&request.headers, upgrade)?;
    let (agent, given) = runtime.find(&runtime.local, None, request.session_id.clone(), request)?;
    Ok((agent, Handshake::new(given, request), upgrade))
}

/// Records the handshake, and switches protocols unless the mock or the agent refuses.
async fn answer(
    runtime: &Runtime,
    exchange: Exchange,
    admitted: Result<Admitted, Refusal>,
    dress: impl FnOnce(Response<Body>) -> Response<Body>,
) -> Response<Body> {
    let Exchange { request, connection, .. } = exchange;
    let (agent, handshake, upgrade) = match runtime.record(request, admitted) {
        Ok(admitted) => admitted,
        Err(refusal) => return connection.send(refusal.into(), dress),
    };
    let talk = match agent.open(handshake).await {
        Ok(talk) => talk,
        Err(answer) => return connection.send(answer, dress),
    };
    // From here on the client sends frames and nothing else.
    let frames = Frames::tap(&connection.0);
    let upgrade =
        upgrade.max_frame_size(MAX_FRAME_BYTES).max_message_size(MAX_MESSAGE_BYTES).protocols([subprotocol::BEARER]);
    dress(upgrade.on_upgrade(|socket| talk.over(Line::new(socket, connection.0, frames))))
}

/// Reads the session id, which travels as a header or, where no header can be set, in the query.
fn session_id(request: &RecordedRequest) -> Result<Option<String>, Refusal> {
    let sent = request.header(SESSION_ID.as_str());
    let parameters = encode::parameters(request.query.as_deref().unwrap_or_default());
    let mut in_query = parameters.into_iter().filter(|(name, _)| name == SESSION_PARAMETER).map(|(_, id)| id);
    let Some(id) = in_query.next() else { return Ok(sent.map(str::to_owned)) };
    if in_query.next().is_some() || sent.is_some_and(|sent| sent != id) {
        return Err(Refusal::validation("The request names more than one session."));
    }
    limits::check_session_id(&id)?;
    Ok(Some(id))
}

/// Refuses what a lenient server reads one way and a proxy in front of it another.
fn check_single(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_single = |name: &str| SINGLE.contains(&name) || name.starts_with("sec-websocket-");
    match headers.keys().find(|name| is_single(name.as_str()) && headers.get_all(*name).iter().count() > 1) {
        Some(name) => Err(Refusal::validation(format!("The header '{name}' is repeated."))),
        None => Ok(()),
    }
}

/// Checks what RFC 6455 section 4.2.1 asks of a handshake; axum checks all of it but the key's length.
fn check_upgrade(headers: &HeaderMap, upgrade: Upgrade) -> Result<WebSocketUpgrade, Refusal> {
    let upgrade = upgrade.map_err(|rejection| Refusal::validation(rejection.body_text()))?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key).ok());
    match key {
        Some(key) if key.len() == 16 => Ok(upgrade),
        _ => Err(Refusal::validation("`Sec-WebSocket-Key` header is not 16 bytes in base64")),
    }
}

/// The session id's name in the query, where names have upper and lower case.
const SESSION_PARAMETER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

const SINGLE: [&str; 3] = ["host", "upgrade", "connection"];
