//! The request for a shell: session and id, then credentials for another library, or an open shell. Makes no URL.

use agentcore_core::{SessionId, ShellId, Target};
use agentcore_ws::{AuthMode, Expiry, Handshake, PresignedUrl, Settings, Shell, Subprotocol, WebSocket};

use crate::{Error, WebSocketRequest, shared::Shared};

/// The request for a shell in a session's microVM, which this client or another WebSocket library opens.
///
/// ```
/// # async fn example(session: agentcore_client::Session) -> Result<(), agentcore_client::Error> {
/// use agentcore_client::ws::ShellEvent;
///
/// let mut shell = session.shell().connect().await?;
/// shell.input().send("uname -a; exit\n").await?;
/// while let Some(event) = shell.try_next().await? {
///     if let ShellEvent::Stdout(bytes) = event {
///         print!("{}", String::from_utf8_lossy(&bytes));
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Dropping the future of a method leaves nothing behind, except that of `connect`.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `connect`, and nothing authenticated before `handshake`, `presign` or `subprotocol`"]
#[doc(alias = "open_shell")]
pub struct ShellRequest {
    request: WebSocketRequest,
    session: SessionId,
    id: ShellId,
}

impl ShellRequest {
    pub(crate) fn new(shared: &Shared, target: Target) -> Self {
        let (session, id) = (SessionId::random(), ShellId::random());
        let request = WebSocketRequest::to(shared, WebSocket::shell(target, &id)).session(&session);
        Self { request: request.settings(Settings::for_shells()), session, id }
    }

    /// Sets the session. Default: a new, random one, whose microVM is started for the shell.
    pub fn session(mut self, session: &SessionId) -> Self {
        self.request = self.request.session(session);
        self.session = session.clone();
        self
    }

    /// Sets the shell's id. Default: a new, random one, and so a new shell; the id of one that lives leads to it.
    pub fn id(mut self, id: &ShellId) -> Self {
        self.request = self.request.shell(id);
        self.id = id.clone();
        self
    }

    /// Returns the session of the shell.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Returns the id of the shell.
    #[must_use]
    pub fn shell_id(&self) -> &ShellId {
        &self.id
    }

    /// Sets the settings of this shell's socket. Default: [`Settings::for_shells`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.request = self.request.settings(settings);
        self
    }

    /// Sets how the opening request is authenticated; see [`AuthMode`].
    pub fn auth_mode(mut self, auth_mode: AuthMode) -> Self {
        self.request = self.request.auth_mode(auth_mode);
        self
    }

    /// Attaches to the shell, which is made if there is none of that id; see [`agentcore_ws::Connector::attach`].
    ///
    /// # Errors
    /// If no credential is available, the service refuses (424 where the runtime has ten shells), or no connection can be made.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; a shell that was made lives on, detached.
    pub async fn connect(&self) -> Result<Shell, Error> {
        self.request.attach().await
    }

    /// Makes the URL and the headers that open the shell's socket, for any WebSocket library; see [`WebSocket::handshake`].
    ///
    /// # Errors
    /// If no credential is available, or a token has expired.
    #[doc(alias = "connect_shell")]
    pub async fn handshake(&self) -> Result<Handshake, Error> {
        self.request.handshake().await
    }

    /// Signs a URL that opens the shell's socket without headers, for a browser; see [`WebSocket::presign`].
    ///
    /// # Errors
    /// As [`WebSocketRequest::presign`].
    #[doc(alias = "connect_shell_presigned")]
    pub async fn presign(&self, expiry: Expiry) -> Result<PresignedUrl, Error> {
        self.request.presign(expiry).await
    }

    /// Makes the URL and the subprotocols that open the shell's socket, for a browser; see [`WebSocket::subprotocol`].
    ///
    /// # Errors
    /// As [`WebSocketRequest::subprotocol`].
    #[doc(alias = "connect_shell_oauth")]
    pub async fn subprotocol(&self) -> Result<Subprotocol, Error> {
        self.request.subprotocol().await
    }
}
