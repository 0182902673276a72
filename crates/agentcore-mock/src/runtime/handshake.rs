//! The opening handshake of a WebSocket: admits it, or answers with HTTP. Sends no frame.

use agentcore_core::{ShellId, header::SESSION_ID};
use axum::{body::Body, extract::State};
use http::{HeaderMap, Response, header};

use super::{
    incoming::{IncomingRequest, send},
    limits,
    response_headers::ResponseHeaders,
    state::{RuntimeState, Shared},
    target::Target,
    upgrade::{CheckedUpgrade, Upgrade},
};
use crate::{
    agents::Agent,
    machine::{Commands, commands_refused},
    record::{CredentialForm, RecordedRequest},
    service_error::ServiceError,
    verify::subprotocol,
    websocket::{Connection, FrameLimits, Handler, Handshake, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES},
};

#[cfg(unix)]
use crate::websocket::shell::{self, Attachment};

/// Answers `GET /runtimes/{arn}/ws`.
pub(super) async fn open(State(runtime): Shared, upgrade: Upgrade, mut incoming: IncomingRequest) -> Response<Body> {
    let request = &mut incoming.request;
    let (session_id, headers) = find_session(&runtime, request);
    let admission = admit(&runtime, request, session_id, upgrade);
    headers.apply(respond(&runtime, incoming, admission).await)
}

/// Reads the session that the handshake names, notes it or a new one, and makes the headers of the response.
fn find_session(
    runtime: &RuntimeState,
    request: &mut RecordedRequest,
) -> (Result<Option<String>, ServiceError>, ResponseHeaders) {
    let session_id = session_id(request);
    let mut headers = ResponseHeaders::new(request, runtime.user_pool.issuer.url());
    if let Ok(Some(id)) = &session_id {
        headers.set_session_id(id);
    }
    request.session_id = Some(headers.session_id());
    (session_id, headers)
}

/// Answers `GET /runtimes/{arn}/ws/shells`.
pub(super) async fn open_shell(
    State(runtime): Shared,
    upgrade: Upgrade,
    mut incoming: IncomingRequest,
) -> Response<Body> {
    let request = &mut incoming.request;
    let (session_id, mut headers) = find_session(&runtime, request);
    let shell = shell_id(request);
    if let Ok(id) = &shell {
        headers.set_shell_id(id);
    }
    let admission = admit(&runtime, request, session_id, upgrade)
        .and_then(|(agent, handshake, upgrade)| Ok((agent, handshake, upgrade, shell?)));
    headers.apply(respond_with_shell(&runtime, incoming, admission).await)
}

/// Returns the shell's id, or a new one for a request without one.
fn shell_id(request: &RecordedRequest) -> Result<String, ServiceError> {
    let sent = request.parameters().into_iter().find(|(name, _)| name == "shellId").map(|(_, id)| id);
    let Some(id) = sent else { return Ok(ShellId::random().as_str().to_owned()) };
    let rule = "Value at 'shellId' failed to satisfy constraint: [a-zA-Z0-9][a-zA-Z0-9_-]{0,127}";
    id.parse::<ShellId>().map(|id| id.as_str().to_owned()).map_err(|_| ServiceError::validation(rule))
}

#[cfg(unix)]
async fn respond_with_shell(
    runtime: &RuntimeState,
    incoming: IncomingRequest,
    admission: Result<(Agent, Handshake, CheckedUpgrade, String), ServiceError>,
) -> Response<Body> {
    let IncomingRequest { request, control, .. } = incoming;
    let session = request.session_id.clone().unwrap_or_default();
    let attached = admission.and_then(|(agent, handshake, upgrade, id)| {
        if !matches!(runtime.commands, Commands::Processes) {
            return Err(ServiceError::forbidden("AccessDeniedException", commands_refused()));
        }
        let failed = |error: std::io::Error| {
            let message = format!("The shell cannot be started: {error}");
            ServiceError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", message)
        };
        let key = (handshake.agent().to_owned(), session, id.clone());
        let machine = runtime.machines.of(&key.0, &key.1).map_err(failed)?;
        let attached = runtime.shells.attach(&key, &machine).map_err(failed)?;
        let (shell, reconnected) = attached.ok_or_else(|| {
            let message = "The runtime has as many shells as it may have.";
            ServiceError::new(http::StatusCode::FAILED_DEPENDENCY, "RuntimeClientError", message)
        })?;
        Ok((agent, handshake, upgrade, shell, Attachment { id, reconnected, window: runtime.shell_window }))
    });
    let (agent, handshake, upgrade, shell, attachment) = match runtime.record(request, attached) {
        Ok(attached) => attached,
        Err(error) => return send(&control, error.into()),
    };
    // An agent with a fault has it here too.
    if let Err(response) = Handler::accept(agent, handshake).await {
        return send(&control, response);
    }
    let limits = FrameLimits::observe(&control);
    let protocols = [subprotocol::BEARER, SHELL_PROTOCOL];
    upgrade.switch(&protocols, MAX_FRAME_BYTES, MAX_FRAME_BYTES, |socket| {
        shell::run(Connection::new(socket, control, limits), shell, attachment)
    })
}

#[cfg(not(unix))]
async fn respond_with_shell(
    runtime: &RuntimeState,
    incoming: IncomingRequest,
    admission: Result<(Agent, Handshake, CheckedUpgrade, String), ServiceError>,
) -> Response<Body> {
    let IncomingRequest { request, control, .. } = incoming;
    let refused = admission.and_then(|_| Err(ServiceError::forbidden("AccessDeniedException", commands_refused())));
    let error = runtime.record::<ServiceError>(request, refused).unwrap_or_else(|error| error);
    send(&control, error.into())
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

type Admission = Result<(Agent, Handshake, CheckedUpgrade), ServiceError>;

/// Admits a handshake in the order of an invocation: the caller, then the form, then the runtime.
fn admit(
    runtime: &RuntimeState,
    request: &mut RecordedRequest,
    session_id: Result<Option<String>, ServiceError>,
    upgrade: Upgrade,
) -> Admission {
    // A repeated header is ambiguous, for the caller's credential too.
    drop_second(&mut request.headers);
    drop_second_host(&mut request.headers);
    check_single(&request.headers)?;
    let target = Target::parse(request);
    let (caller, credential_form) = runtime.authenticator(target.as_ref().ok()).authenticate_handshake(request)?;
    (request.caller, request.credential_form) = (Some(caller), Some(credential_form));
    limits::check_headers(&request.headers)?;
    let session_id = session_id?;
    let protocol = request.headers.get(header::SEC_WEBSOCKET_PROTOCOL).filter(|protocol| {
        // A signed request for a shell may offer the shells' own.
        *protocol != SHELL_PROTOCOL || !request.path.ends_with("/ws/shells")
    });
    if protocol.is_some() && credential_form != CredentialForm::Subprotocol {
        return Err(ServiceError::validation(format!("There is no subprotocol but {}.", subprotocol::BEARER)));
    }
    let upgrade = upgrade.check(request)?;
    let (agent, agent_request) = runtime.resolve(&target?, session_id, request)?;
    Ok((agent, Handshake::new(agent_request, request), upgrade))
}

fn admit_local(runtime: &RuntimeState, request: &mut RecordedRequest, upgrade: Upgrade) -> Admission {
    drop_second(&mut request.headers);
    check_single(&request.headers)?;
    let upgrade = upgrade.check(request)?;
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
    upgrade.switch(&[subprotocol::BEARER], MAX_MESSAGE_BYTES, MAX_FRAME_BYTES, |socket| {
        handler.run(Connection::new(socket, control, limits))
    })
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

/// Drops a second `Host` that is the first one again: the official SDK returns one among the headers of a signed shell, and Python's
/// `websockets` adds them to its own. A container's server would refuse both.
fn drop_second_host(headers: &mut HeaderMap) {
    let hosts: Vec<_> = headers.get_all(header::HOST).iter().collect();
    if let [first, second] = hosts[..]
        && first == second
    {
        let host = first.clone();
        headers.insert(header::HOST, host);
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

/// The subprotocol that the clients of shells may offer beside a signature.
const SHELL_PROTOCOL: &str = "v1.command.agentcore.aws.dev";

/// The session id's name in the query, where case matters.
const SESSION_PARAMETER: &str = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id";

/// The headers that make a handshake (RFC 6455 section 4.1).
const HANDSHAKE: [&str; 5] = ["host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"];

/// The headers that may not repeat, besides those of the WebSocket.
const SINGLE: [&str; 3] = ["host", "upgrade", "connection"];
