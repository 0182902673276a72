//! Opens the connections of a socket by the call engine, each with a fresh credential. Sends no message.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_auth::{AppliedCredential, Auth};
use agentcore_core::{SessionId, ShellId, header, service_error};
use agentcore_transport::{
    Body, Call, CallEngine, CallSpec, Network, Reception, RetryBudget, SendError, Upgrade, Upgraded,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::SEC_WEBSOCKET_PROTOCOL};

use super::{Settings, supervisor::Reopen, upgrade_check::UpgradeCheck};
use crate::{Error, Expiry, Handshake, RetryPolicy, WebSocket};

/// How a socket's opening request is authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMode {
    /// In headers, signed or with a bearer token, as servers do.
    #[default]
    Headers,
    /// By a presigned URL, as browsers do whose backend has AWS credentials.
    Presigned(Expiry),
    /// By the token in a subprotocol, as browsers with a token do.
    Subprotocol,
}

/// Opens connections, and authenticates anew for each attempt.
#[derive(Debug)]
pub(super) struct ConnectionSource {
    pub(super) auth: Auth,
    pub(super) auth_mode: AuthMode,
    pub(super) network: Arc<dyn Network>,
    pub(super) budget: RetryBudget,
    pub(super) settings: Settings,
    pub(super) socket: WebSocket,
}

/// A connection that was accepted.
pub(super) struct Connected {
    pub(super) connection: Upgraded,
    pub(super) session: SessionId,
    /// The shell's id, if the answer names one.
    pub(super) shell: Option<ShellId>,
    pub(super) attempts: u32,
}

impl Reopen for ConnectionSource {
    type Connection = Upgraded;

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn socket(&self) -> &WebSocket {
        &self.socket
    }

    /// Pauses before, so that connections lost together do not return together.
    async fn reopen(&self, retry: &RetryPolicy) -> Result<(Upgraded, u32), Error> {
        let Connected { connection, attempts, .. } = self.open(retry, retry.backoff().next(fastrand::f64())).await?;
        Ok((connection, attempts))
    }
}

impl ConnectionSource {
    /// Opens a connection after this pause.
    pub(super) async fn open(&self, retry: &RetryPolicy, pause: Duration) -> Result<Connected, Error> {
        let socket = &self.socket;
        let operation = socket.operation();
        let url = socket.target.url(operation)?;
        let spec = CallSpec {
            waits_while_busy: false,
            operation: operation.name,
            url: &url,
            arn: socket.target.arn().map(|arn| arn.as_str()),
            session_id: Some(socket.session_id().as_str()),
            idempotent: operation.idempotent,
            first_byte: self.settings.open_timeout,
            first_byte_missed: "the socket was not open",
            total: self.settings.open_deadline,
            retry,
            pause,
        };
        let engine = CallEngine::new(self.network.clone(), socket.clock.clone()).budget(self.budget.clone());
        let called = engine.run(&spec, self).await?;
        let answered = |name| called.response.headers().get(name).and_then(|id| id.to_str().ok());
        let session = answered(header::SESSION_ID).and_then(SessionId::from_answer);
        let shell = answered(header::SHELL_ID).and_then(|id| id.parse().ok());
        Ok(Connected {
            shell,
            session: session.unwrap_or_else(|| socket.session_id().clone()),
            attempts: called.attempts,
            connection: called.response.into_body(),
        })
    }

    /// Makes a fresh credential in the chosen mode.
    async fn handshake(&self) -> Result<(Handshake, AppliedCredential), Error> {
        let unfit = |what: &str, how: &str| Err(Error::input(format!("{what} needs {how}")));
        match (self.auth_mode, &self.auth) {
            (AuthMode::Headers, auth) => self.socket.authorize(auth).await,
            (AuthMode::Presigned(expiry), Auth::SigV4(signer)) => {
                let (url, signed_at) = self.socket.presign_at(signer, expiry).await?;
                let handshake = self.to(url.expose(), HeaderMap::new())?;
                Ok((handshake, AppliedCredential::signature(signed_at)))
            }
            (AuthMode::Subprotocol, Auth::Bearer(bearer)) => {
                let (subprotocol, token) = self.socket.subprotocol_of(bearer).await?;
                let mut protocols = HeaderValue::try_from(subprotocol.protocols().join(", "))
                    .map_err(|error| Error::input("the token cannot be a subprotocol's name").with_source(error))?;
                protocols.set_sensitive(true);
                let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, protocols)]);
                Ok((self.to(subprotocol.url(), headers)?, AppliedCredential::token(token)))
            }
            (AuthMode::Presigned(_), _) => unfit("a presigned URL", "AWS credentials"),
            (AuthMode::Subprotocol, _) => unfit("the subprotocol", "a bearer token"),
        }
    }

    fn to(&self, url: &str, headers: HeaderMap) -> Result<Handshake, Error> {
        let uri = url.parse::<Uri>().map_err(|error| Error::input("the URL is not one").with_source(error))?;
        Ok(Handshake { uri, headers, session: self.socket.session_id().clone() })
    }
}

impl Call for ConnectionSource {
    type Body = Upgraded;

    fn auth(&self) -> &Auth {
        &self.auth
    }

    async fn prepare(&self, _: SystemTime) -> Result<(Request<Bytes>, AppliedCredential), Error> {
        let (handshake, credential) = self.handshake().await?;
        Ok((handshake.request().map(|()| Bytes::new()), credential))
    }

    async fn send(&self, network: &dyn Network, request: Request<Bytes>) -> Result<Reception<Upgraded>, SendError> {
        let request = request.map(|_| ());
        let check = UpgradeCheck::of(&request);
        Ok(match network.upgrade(request).await? {
            Upgrade::Switched(response) => match check.verify(response.headers()) {
                Ok(()) => Reception::Accepted(response),
                Err(error) => Reception::Useless(error),
            },
            Upgrade::Refused(response) => refused(response),
        })
    }
}

/// Judges an answer that opens no WebSocket: a success or a redirect is useless, everything else is read as a refusal.
fn refused(response: Response<Body>) -> Reception<Upgraded> {
    let status = response.status();
    if !status.is_success() && !status.is_redirection() {
        return Reception::Refused(response);
    }
    let message = format!("the answer to the upgrade was HTTP {status}, which opens no WebSocket");
    Reception::Useless(service_error::read(status, response.headers(), message.as_bytes(), &[], SystemTime::UNIX_EPOCH))
}
