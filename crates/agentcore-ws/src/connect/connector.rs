//! Opens sockets: authorize, upgrade, decide, pause, again. What goes over them is not its business.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_auth::{AppliedCredential, Auth};
use agentcore_core::{
    SessionId, header, refusal,
    retry::{FailurePoint, Progress, Verdict, decide},
};
use agentcore_transport::{Body, Transport, Upgrade, Upgraded, refusal::refused};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::SEC_WEBSOCKET_PROTOCOL};
use tokio::time::{Instant, sleep, timeout};

use super::{Settings, Socket, supervisor::ConnectionSource, upgrade_check::UpgradeCheck};
use crate::{Error, ErrorKind, Expiry, Handshake, RetryPolicy, WebSocket};

/// Opens WebSockets to agents. Cheap to clone; clones share settings.
///
/// ```no_run
/// use agentcore_auth::{Auth, StaticToken};
/// use agentcore_core::Target;
/// use agentcore_transport::Transport;
/// use agentcore_ws::{Connector, WebSocket};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?);
/// let connector = Connector::new(auth, Transport::builder().build()?);
/// let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
/// let mut socket = connector.connect(&WebSocket::new(target)).await?;
/// socket.send("Hello").await?;
/// while let Some(incoming) = socket.recv().await? {
///     println!("{}", incoming.text().unwrap_or_default());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Connector(Arc<Inner>);

/// What a client shows the service to be let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMode {
    /// Headers, signed or with a bearer token: the way of a server.
    #[default]
    Headers,
    /// A presigned URL: the way of a browser with AWS credentials behind it.
    Presigned(Expiry),
    /// The token in a subprotocol: the way of a browser with a token.
    Subprotocol,
}

impl Connector {
    /// A client that authenticates so; to a local container it sends no credential.
    #[must_use]
    pub fn new(auth: Auth, transport: Transport) -> Self {
        Self(Arc::new(Inner { auth, transport, settings: Settings::default(), auth_mode: AuthMode::default() }))
    }

    /// Keeps sockets by these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        Arc::make_mut(&mut self.0).settings = settings;
        self
    }

    /// Takes another way in. Default: [`AuthMode::Headers`], the only one that hides the credential from the URL and leaves the
    /// subprotocol alone.
    #[must_use]
    pub fn auth_mode(mut self, auth_mode: AuthMode) -> Self {
        Arc::make_mut(&mut self.0).auth_mode = auth_mode;
        self
    }

    /// Opens the socket, with a credential made for this connection, and again as the settings say if it is not let in.
    ///
    /// # Errors
    /// If no credential can be had, the service refuses (401, 403, 404, 409, 424, 429: the same errors as an invocation's), or
    /// no connection can be made. A credential that cannot take the client's way in is an error before anything is sent.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future drops what there is of the connection; the agent may have seen it.
    pub async fn connect(&self, socket: &WebSocket) -> Result<Socket, Error> {
        let opened = self.0.open(socket, &self.0.settings.open, Duration::ZERO).await?;
        let source =
            ConnectionSource { connector: self.0.clone(), socket: socket.clone(), connection: opened.connection };
        Ok(Socket::start(source, opened.session))
    }
}

/// Everything it takes to open a connection.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    auth: Auth,
    transport: Transport,
    pub(crate) settings: Settings,
    auth_mode: AuthMode,
}

/// A connection that was let in.
pub(crate) struct Connected {
    pub(crate) connection: Upgraded,
    pub(crate) session: SessionId,
    pub(crate) attempts: u32,
}

impl Inner {
    /// Opens a connection in the place of a lost one. It does not come at once: those that were lost together must not
    /// return together.
    pub(crate) async fn reopen(&self, socket: &WebSocket, policy: &RetryPolicy) -> Result<Connected, Error> {
        self.open(socket, policy, policy.backoff().next(fastrand::f64())).await
    }

    async fn open(&self, socket: &WebSocket, policy: &RetryPolicy, mut pause: Duration) -> Result<Connected, Error> {
        let started = Instant::now();
        let mut backoff = policy.backoff();
        let (mut attempts, mut replayed) = (0, false);
        loop {
            sleep(pause).await;
            attempts += 1;
            let (failure, error) = match self.attempt_in_time(socket).await {
                Ok((connection, session)) => return Ok(Connected { connection, session, attempts }),
                Err(failed) => failed,
            };
            let progress = Progress {
                attempts,
                replayed,
                idempotent: false,
                elapsed: started.elapsed(),
                remaining: None,
                retry_after: error.retry_after(),
                pause: backoff.next(fastrand::f64()),
            };
            let verdict = decide(policy, failure, &progress);
            tracing::debug!(
                operation = "connect",
                attempt = attempts,
                status = error.status(),
                kind = ?error.kind(),
                ?verdict,
                "attempt failed"
            );
            pause = match verdict {
                Verdict::Retry { after } => after,
                Verdict::Replay => {
                    replayed = true;
                    Duration::ZERO
                }
                Verdict::GiveUp => return Err(error.with_attempts(attempts, started.elapsed())),
            };
        }
    }

    async fn attempt_in_time(&self, socket: &WebSocket) -> Result<(Upgraded, SessionId), (FailurePoint, Error)> {
        let Some(bound) = self.settings.open_timeout else { return self.attempt(socket).await };
        timeout(bound, self.attempt(socket)).await.unwrap_or_else(|_| {
            let message = format!("the socket was not open within {} s", bound.as_secs_f32());
            Err((FailurePoint::Uncertain, Error::new(ErrorKind::Timeout, message).possibly_run(true)))
        })
    }

    async fn attempt(&self, socket: &WebSocket) -> Result<(Upgraded, SessionId), (FailurePoint, Error)> {
        let UpgradeRequest { request, session, applied } =
            self.upgrade_request(socket).await.map_err(|error| (FailurePoint::Final, error))?;
        let upgrade_check = UpgradeCheck::to(&request);
        let answer = self.transport.upgrade(request).await.map_err(|failed| (failed.failure(), failed.into()))?;
        match answer {
            Upgrade::Switched(answer) => {
                upgrade_check.check(answer.headers()).map_err(|error| (FailurePoint::Final, error))?;
                let told = answer.headers().get(header::SESSION_ID).and_then(|id| id.to_str().ok()?.parse().ok());
                tracing::debug!(operation = "connect", status = 101, "answered");
                Ok((answer.into_body(), told.unwrap_or(session)))
            }
            Upgrade::Refused(answer) => Err(self.refused(answer, applied.as_ref(), socket.clock.now()).await),
        }
    }

    /// A fresh credential, in the way that was chosen.
    async fn upgrade_request(&self, socket: &WebSocket) -> Result<UpgradeRequest, Error> {
        let unfit = |what: &str, how: &str| Err(Error::input(format!("{what} needs {how}")));
        let (handshake, applied) = match (self.auth_mode, &self.auth) {
            (AuthMode::Headers, auth) => socket.authorize(auth).await?,
            (AuthMode::Presigned(expiry), Auth::SigV4(signer)) => {
                let url = socket.presign(signer, expiry).await?;
                return UpgradeRequest::to(url.expose(), HeaderMap::new(), url.session_id());
            }
            (AuthMode::Subprotocol, Auth::Bearer(source)) => {
                let subprotocol = socket.subprotocol(&**source).await?;
                let mut protocols = HeaderValue::try_from(subprotocol.protocols().join(", "))
                    .map_err(|error| Error::input("the token cannot be a subprotocol's name").with_source(error))?;
                protocols.set_sensitive(true);
                let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, protocols)]);
                return UpgradeRequest::to(subprotocol.url(), headers, subprotocol.session_id());
            }
            (AuthMode::Presigned(_), _) => return unfit("a presigned URL", "AWS credentials"),
            (AuthMode::Subprotocol, _) => return unfit("the subprotocol", "a bearer token"),
        };
        Ok(UpgradeRequest { request: handshake.request(), session: handshake.session, applied: Some(applied) })
    }

    /// Reads a refusal as an invocation's is read.
    async fn refused(
        &self,
        answer: Response<Body>,
        applied: Option<&AppliedCredential>,
        now: SystemTime,
    ) -> (FailurePoint, Error) {
        let (head, body) = answer.into_parts();
        if head.status.is_success() || head.status.is_redirection() {
            let message = format!("the answer to the upgrade was HTTP {}, which opens no WebSocket", head.status);
            return (FailurePoint::Final, refusal::read(head.status, &head.headers, message.as_bytes(), now));
        }
        refused(&head, body, &self.auth, applied, now).await
    }
}

/// The opening request, and what it shows.
struct UpgradeRequest {
    request: Request<()>,
    session: SessionId,
    /// What a refusal can be held against; a URL and a subprotocol are made anew in any case.
    applied: Option<AppliedCredential>,
}

impl UpgradeRequest {
    fn to(url: &str, headers: HeaderMap, session: &SessionId) -> Result<Self, Error> {
        let uri = url.parse::<Uri>().map_err(|error| Error::input("the URL is not one").with_source(error))?;
        let session = session.clone();
        let handshake = Handshake { uri, headers, session: session.clone() };
        Ok(Self { request: handshake.request(), session, applied: None })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use agentcore_auth::StaticToken;
    use agentcore_core::Target;

    use super::*;

    #[tokio::test]
    async fn the_token_in_a_subprotocol_is_sensitive() {
        let auth = Auth::bearer(StaticToken::parse("aaa.bbb.ccc").unwrap());
        let connector = Connector::new(auth, Transport::builder().build().unwrap()).auth_mode(AuthMode::Subprotocol);
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        let upgrade_request = connector.0.upgrade_request(&WebSocket::new(target)).await.unwrap();
        let value = &upgrade_request.request.headers()[SEC_WEBSOCKET_PROTOCOL];
        assert_eq!(value, "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M, base64UrlBearerAuthorization");
        assert!(value.is_sensitive());
    }
}
