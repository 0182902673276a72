//! Opens sockets: authorize, upgrade, decide, pause, again. What goes over them is not its business.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use agentcore_auth::{Auth, Proof};
use agentcore_core::{
    SessionId, header, refusal,
    retry::{Failure, Progress, Verdict, decide},
};
use agentcore_transport::{Body, Connection, Transport, Upgrade, refusal::refused};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header::SEC_WEBSOCKET_PROTOCOL};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Error, ErrorKind, Expiry, Handshake, RetryPolicy, Settings, Socket, WebSocket, agreement::Agreement, socket::Origin,
};

/// Opens WebSockets to agents. Cheap to clone; clones share settings.
///
/// ```no_run
/// use agentcore_auth::{Auth, StaticToken};
/// use agentcore_core::Target;
/// use agentcore_transport::Transport;
/// use agentcore_ws::{Client, WebSocket};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?);
/// let client = Client::new(auth, Transport::builder().build()?);
/// let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
/// let mut socket = client.connect(&WebSocket::new(target)).await?;
/// socket.send("Hello").await?;
/// while let Some(incoming) = socket.recv().await? {
///     println!("{}", incoming.text().unwrap_or_default());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Opener>);

/// What a client shows the service to be let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WayIn {
    /// Headers, signed or with a bearer token: the way of a server.
    #[default]
    Headers,
    /// A presigned URL: the way of a browser with AWS credentials behind it.
    Presigned(Expiry),
    /// The token in a subprotocol: the way of a browser with a token.
    Subprotocol,
}

impl Client {
    /// A client that authenticates so; to a local container it sends no credential.
    #[must_use]
    pub fn new(auth: Auth, transport: Transport) -> Self {
        Self(Arc::new(Opener { auth, transport, settings: Settings::default(), way_in: WayIn::default() }))
    }

    /// Keeps sockets by these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        Arc::make_mut(&mut self.0).settings = settings;
        self
    }

    /// Takes another way in. Default: [`WayIn::Headers`], the only one that hides the credential from the URL and leaves the
    /// subprotocol alone.
    #[must_use]
    pub fn way_in(mut self, way_in: WayIn) -> Self {
        Arc::make_mut(&mut self.0).way_in = way_in;
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
        let origin = Origin { opener: self.0.clone(), socket: socket.clone(), connection: opened.connection };
        Ok(Socket::start(origin, opened.session))
    }
}

/// Everything it takes to open a connection.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    auth: Auth,
    transport: Transport,
    pub(crate) settings: Settings,
    way_in: WayIn,
}

/// A connection that was let in.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) session: SessionId,
    pub(crate) attempts: u32,
}

impl Opener {
    /// Opens a connection in the place of a lost one. It does not come at once: those that were lost together must not
    /// return together.
    pub(crate) async fn reopen(&self, socket: &WebSocket, policy: &RetryPolicy) -> Result<Opened, Error> {
        self.open(socket, policy, policy.backoff().next(fastrand::f64())).await
    }

    async fn open(&self, socket: &WebSocket, policy: &RetryPolicy, mut pause: Duration) -> Result<Opened, Error> {
        let started = Instant::now();
        let mut backoff = policy.backoff();
        let (mut attempts, mut replayed) = (0, false);
        loop {
            sleep(pause).await;
            attempts += 1;
            let (failure, error) = match self.attempt_in_time(socket).await {
                Ok((connection, session)) => return Ok(Opened { connection, session, attempts }),
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

    async fn attempt_in_time(&self, socket: &WebSocket) -> Result<(Connection, SessionId), (Failure, Error)> {
        let Some(bound) = self.settings.open_timeout else { return self.attempt(socket).await };
        timeout(bound, self.attempt(socket)).await.unwrap_or_else(|_| {
            let message = format!("the socket was not open within {} s", bound.as_secs_f32());
            Err((Failure::Uncertain, Error::new(ErrorKind::Timeout, message).possibly_run(true)))
        })
    }

    async fn attempt(&self, socket: &WebSocket) -> Result<(Connection, SessionId), (Failure, Error)> {
        let Entrance { request, session, proof } =
            self.entrance(socket).await.map_err(|error| (Failure::Final, error))?;
        let agreement = Agreement::to(&request);
        let answer = self.transport.upgrade(request).await.map_err(|failed| (failed.failure(), failed.into()))?;
        match answer {
            Upgrade::Switched(answer) => {
                agreement.check(answer.headers()).map_err(|error| (Failure::Final, error))?;
                let told = answer.headers().get(header::SESSION_ID).and_then(|id| id.to_str().ok()?.parse().ok());
                tracing::debug!(operation = "connect", status = 101, "answered");
                Ok((answer.into_body(), told.unwrap_or(session)))
            }
            Upgrade::Refused(answer) => Err(self.refused(answer, proof.as_ref(), socket.clock.now()).await),
        }
    }

    /// A fresh credential, in the way that was chosen.
    async fn entrance(&self, socket: &WebSocket) -> Result<Entrance, Error> {
        let unfit = |what: &str, how: &str| Err(Error::input(format!("{what} needs {how}")));
        let (handshake, proof) = match (self.way_in, &self.auth) {
            (WayIn::Headers, auth) => socket.authorize(auth).await?,
            (WayIn::Presigned(expiry), Auth::SigV4(signer)) => {
                let url = socket.presign(signer, expiry).await?;
                return Entrance::to(url.expose(), HeaderMap::new(), url.session_id());
            }
            (WayIn::Subprotocol, Auth::Bearer(source)) => {
                let subprotocol = socket.subprotocol(&**source).await?;
                let mut protocols = HeaderValue::try_from(subprotocol.protocols().join(", "))
                    .map_err(|error| Error::input("the token cannot be a subprotocol's name").with_source(error))?;
                protocols.set_sensitive(true);
                let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, protocols)]);
                return Entrance::to(subprotocol.url(), headers, subprotocol.session_id());
            }
            (WayIn::Presigned(_), _) => return unfit("a presigned URL", "AWS credentials"),
            (WayIn::Subprotocol, _) => return unfit("the subprotocol", "a bearer token"),
        };
        Ok(Entrance { request: handshake.request(), session: handshake.session, proof: Some(proof) })
    }

    /// Reads a refusal as an invocation's is read.
    async fn refused(&self, answer: Response<Body>, proof: Option<&Proof>, now: SystemTime) -> (Failure, Error) {
        let (head, body) = answer.into_parts();
        if head.status.is_success() || head.status.is_redirection() {
            let message = format!("the answer to the upgrade was HTTP {}, which opens no WebSocket", head.status);
            return (Failure::Final, refusal::read(head.status, &head.headers, message.as_bytes(), now));
        }
        refused(&head, body, &self.auth, proof, now).await
    }
}

/// The opening request, and what it shows.
struct Entrance {
    request: Request<()>,
    session: SessionId,
    /// What a refusal can be held against; a URL and a subprotocol are made anew in any case.
    proof: Option<Proof>,
}

impl Entrance {
    fn to(url: &str, headers: HeaderMap, session: &SessionId) -> Result<Self, Error> {
        let uri = url.parse::<Uri>().map_err(|error| Error::input("the URL is not one").with_source(error))?;
        let session = session.clone();
        let handshake = Handshake { uri, headers, session: session.clone() };
        Ok(Self { request: handshake.request(), session, proof: None })
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
        let client = Client::new(auth, Transport::builder().build().unwrap()).way_in(WayIn::Subprotocol);
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        let entrance = client.0.entrance(&WebSocket::new(target)).await.unwrap();
        let value = &entrance.request.headers()[SEC_WEBSOCKET_PROTOCOL];
        assert_eq!(value, "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M, base64UrlBearerAuthorization");
        assert!(value.is_sensitive());
    }
}
