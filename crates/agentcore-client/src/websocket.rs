//! The request for a WebSocket: session and parameters, then credentials for another library, or a socket. Makes no URL.

use agentcore_auth::{Auth, SigV4};
use agentcore_core::{SessionId, Target};
use agentcore_ws::{Expiry, Handshake, PresignedUrl, Subprotocol, WebSocket};

use crate::{Error, shared::Shared};

/// The request for a WebSocket, which this client or another WebSocket library opens.
///
/// ```
/// # async fn example(agent: agentcore_client::Runtime) -> Result<(), Box<dyn std::error::Error>> {
/// use agentcore_client::{SessionId, ws::Handshake};
///
/// let session = SessionId::random();
/// // For any WebSocket library: connect to `uri` and add `headers` to its own.
/// let Handshake { uri, headers, .. } = agent.websocket().session(&session).handshake().await?;
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Dropping the future of a method leaves nothing behind, except that of `connect`.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `connect`, and nothing authenticated before `handshake`, `presign` or `subprotocol`"]
pub struct WebSocketRequest {
    auth: Auth,
    socket: WebSocket,
    #[cfg(feature = "connect")]
    connector: agentcore_ws::Connector,
    #[cfg(feature = "connect")]
    lifecycle: std::sync::Arc<crate::lifecycle::Lifecycle>,
}

impl WebSocketRequest {
    pub(crate) fn new(shared: &Shared, target: Target) -> Self {
        Self::to(shared, WebSocket::new(target))
    }

    pub(crate) fn to(shared: &Shared, socket: WebSocket) -> Self {
        Self {
            auth: shared.auth.clone(),
            socket: socket.clock(shared.clock.clone()),
            #[cfg(feature = "connect")]
            connector: shared.connector.clone(),
            #[cfg(feature = "connect")]
            lifecycle: shared.lifecycle.clone(),
        }
    }

    /// Sets the session. Default: a new, random one; see [`session_id`](Self::session_id).
    pub fn session(mut self, session: &SessionId) -> Self {
        self.socket = self.socket.session(session);
        self
    }

    /// Adds a query parameter; see [`WebSocket::param`].
    ///
    /// # Errors
    /// If the name is empty or reserved.
    pub fn param(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.socket = self.socket.param(name, value)?;
        Ok(self)
    }

    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.socket.session_id()
    }

    /// Makes the URL and the headers that open the socket, for any WebSocket library; see [`WebSocket::handshake`].
    ///
    /// # Errors
    /// If no credential is available, or a token has expired.
    pub async fn handshake(&self) -> Result<Handshake, Error> {
        self.socket.handshake(&self.auth).await
    }

    /// Signs a URL that opens the socket without headers, for a browser; see [`WebSocket::presign`].
    ///
    /// # Errors
    /// If the client has a bearer token, for which there is [`subprotocol`](Self::subprotocol), if no credentials are available, or
    /// if the target is a local container.
    #[doc(alias = "generate_presigned_url")]
    pub async fn presign(&self, expiry: Expiry) -> Result<PresignedUrl, Error> {
        let Auth::SigV4(signer) = &self.auth else {
            return Err(Error::input("a presigned URL needs AWS credentials"));
        };
        self.socket.presign(signer, expiry).await
    }

    /// Signs a URL as [`presign`](Self::presign) does, with other credentials. A correction of the clock that the client has made
    /// applies.
    ///
    /// # Errors
    /// If no credentials are available, or the target is a local container.
    pub async fn presign_with(&self, signer: &SigV4, expiry: Expiry) -> Result<PresignedUrl, Error> {
        let signer = match &self.auth {
            Auth::SigV4(own) => &signer.with_skew_of(own),
            _ => signer,
        };
        self.socket.presign(signer, expiry).await
    }

    /// Makes the URL and the subprotocols that open the socket, for a browser; see [`WebSocket::subprotocol`].
    ///
    /// # Errors
    /// If the client has no bearer token, or none is available, it has expired, or it is too long for a browser.
    pub async fn subprotocol(&self) -> Result<Subprotocol, Error> {
        let Auth::Bearer(bearer) = &self.auth else {
            return Err(Error::input("the subprotocol needs a bearer token"));
        };
        self.socket.subprotocol(&**bearer.source()).await
    }

    /// Opens the socket; see [`agentcore_ws::Connector::connect`].
    ///
    /// # Errors
    /// If no credential is available, the service refuses, or no connection can be made.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the agent may have received the request.
    #[cfg(feature = "connect")]
    pub async fn connect(&self) -> Result<agentcore_ws::Socket, Error> {
        self.lifecycle.check_open()?;
        self.connector.connect(&self.socket).await
    }

    /// Makes it the request for a shell of this id.
    #[cfg(feature = "connect")]
    pub(crate) fn shell(mut self, id: &agentcore_core::ShellId) -> Self {
        self.socket = self.socket.shell_of(id);
        self
    }

    /// Attaches to the shell that it is for.
    #[cfg(feature = "connect")]
    pub(crate) async fn attach(&self) -> Result<agentcore_ws::Shell, Error> {
        self.lifecycle.check_open()?;
        self.connector.attach(&self.socket).await
    }

    /// Sets the settings of this socket. Default: the client's.
    #[cfg(feature = "connect")]
    pub fn settings(mut self, settings: agentcore_ws::Settings) -> Self {
        self.connector = self.connector.settings(settings);
        self
    }

    /// Sets how the opening request is authenticated; see [`agentcore_ws::AuthMode`].
    #[cfg(feature = "connect")]
    pub fn auth_mode(mut self, auth_mode: agentcore_ws::AuthMode) -> Self {
        self.connector = self.connector.auth_mode(auth_mode);
        self
    }
}
