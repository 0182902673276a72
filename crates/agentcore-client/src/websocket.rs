//! A WebSocket about to be opened: its session and parameters, then credentials for another library, or a socket.

use agentcore_auth::{Auth, SigV4};
use agentcore_core::{SessionId, Target};
use agentcore_ws::{Expiry, Handshake, PresignedUrl, Subprotocol, WebSocket};

use crate::{Error, shared::Shared};

/// A WebSocket about to be opened, by this client or by somebody who is given what it takes.
///
/// ```
/// # async fn example(agent: agentcore_client::Runtime) -> Result<(), Box<dyn std::error::Error>> {
/// use agentcore_client::{SessionId, ws::Handshake};
///
/// let session = SessionId::random();
/// // For whichever WebSocket library: connect to `uri` and add `headers` to its own.
/// let Handshake { uri, headers, .. } = agent.websocket().session(&session).handshake().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `connect`, and nothing authenticated before `handshake`, `presign` or `subprotocol`"]
pub struct WebSocketRequest {
    auth: Auth,
    socket: WebSocket,
    #[cfg(feature = "connect")]
    connector: agentcore_ws::Connector,
}

impl WebSocketRequest {
    pub(crate) fn new(shared: &Shared, target: Target) -> Self {
        Self {
            auth: shared.auth.clone(),
            socket: WebSocket::new(target).clock(shared.clock.clone()),
            #[cfg(feature = "connect")]
            connector: shared.connector.clone(),
        }
    }

    /// Goes on in this session. Default: a new, random one, which whatever comes out of this tells.
    pub fn session(mut self, session: &SessionId) -> Self {
        self.socket = self.socket.session(session);
        self
    }

    /// Adds a query parameter of the caller's own; see [`WebSocket::param`].
    ///
    /// # Errors
    /// If the name is empty, or not the caller's to set.
    pub fn param(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.socket = self.socket.param(name, value)?;
        Ok(self)
    }

    /// The session that the socket will belong to.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.socket.session_id()
    }

    /// Makes the address and the headers that open the socket, for any WebSocket library; see [`WebSocket::handshake`].
    ///
    /// # Errors
    /// If no credential can be had, or a token has expired.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn handshake(&self) -> Result<Handshake, Error> {
        self.socket.handshake(&self.auth).await
    }

    /// Makes a URL that opens the socket by itself, for a browser, signed with the client's own credentials; see
    /// [`WebSocket::presign`].
    ///
    /// # Errors
    /// If the client authenticates by a bearer token, for which there is [`subprotocol`](Self::subprotocol); if no credentials
    /// can be had, or the target is a local container.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    #[doc(alias = "generate_presigned_url")]
    pub async fn presign(&self, expiry: Expiry) -> Result<PresignedUrl, Error> {
        let Auth::SigV4(signer) = &self.auth else {
            return Err(Error::input("a presigned URL needs AWS credentials"));
        };
        self.socket.presign(signer, expiry).await
    }

    /// Makes a URL that opens the socket by itself, signed with other credentials than the client's. What the client has learned
    /// of the service's clock is used here too.
    ///
    /// # Errors
    /// If no credentials can be had, or the target is a local container.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
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
    /// If the client has no bearer token, it cannot be had, it has expired, or it is too long for a browser.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn subprotocol(&self) -> Result<Subprotocol, Error> {
        let Auth::Bearer(source) = &self.auth else {
            return Err(Error::input("the subprotocol needs a bearer token"));
        };
        self.socket.subprotocol(&**source).await
    }

    /// Opens the socket; see [`agentcore_ws::Connector::connect`].
    ///
    /// # Errors
    /// If no credential can be had, the service refuses, or no connection can be made.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future drops what there is of the connection; the agent may have seen it.
    #[cfg(feature = "connect")]
    pub async fn connect(&self) -> Result<agentcore_ws::Socket, Error> {
        self.connector.connect(&self.socket).await
    }

    /// Keeps this socket by other settings than the client's.
    #[cfg(feature = "connect")]
    pub fn settings(mut self, settings: agentcore_ws::Settings) -> Self {
        self.connector = self.connector.settings(settings);
        self
    }

    /// Takes another way in; see [`agentcore_ws::AuthMode`].
    #[cfg(feature = "connect")]
    pub fn auth_mode(mut self, auth_mode: agentcore_ws::AuthMode) -> Self {
        self.connector = self.connector.auth_mode(auth_mode);
        self
    }
}
