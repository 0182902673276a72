//! Opens sockets: makes the first connection of each. Keeps none.

use std::{sync::Arc, time::Duration};

use agentcore_auth::Auth;
use agentcore_transport::{RetryBudget, Transport};

use super::{
    Settings, Shell, Socket,
    connection_source::{AuthMode, Connected, ConnectionSource},
};
use crate::{Error, WebSocket};

/// Opens WebSockets to agents. Cheap to clone.
///
/// ```no_run
/// use agentcore_ws::{Auth, Connector, StaticToken, Target, Transport, WebSocket};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::bearer(StaticToken::parse("eyJhbGciOiJSUzI1NiIs.e30.c2ln")?);
/// let connector = Connector::new(auth, Transport::builder().build()?);
/// let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
/// let mut socket = connector.connect(&WebSocket::new(target)).await?;
/// socket.send("Hello").await?;
/// while let Some(incoming) = socket.try_next().await? {
///     println!("{}", incoming.text().unwrap_or_default());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    auth: Auth,
    transport: Transport,
    budget: RetryBudget,
    settings: Settings,
    auth_mode: AuthMode,
}

impl Connector {
    /// Returns a connector that authenticates so; to a local container it sends no credential.
    #[must_use]
    pub fn new(auth: Auth, transport: Transport) -> Self {
        Self {
            auth,
            transport,
            budget: RetryBudget::default(),
            settings: Settings::default(),
            auth_mode: AuthMode::default(),
        }
    }

    /// Opens the socket with a credential made for this connection, and retries as [`Settings::retry`] says.
    ///
    /// # Errors
    /// If no credential is available, the service refuses (401, 403, 404, 409, 424, 429: the same errors as an invocation's), or
    /// no connection can be made. A credential that does not fit the connector's [`AuthMode`] is an error before anything is
    /// sent.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future drops what there is of the connection; the agent may have seen it.
    pub async fn connect(&self, socket: &WebSocket) -> Result<Socket, Error> {
        let source = self.source(socket);
        let Connected { connection, session, .. } = source.open(&self.settings.open, Duration::ZERO).await?;
        Ok(Socket::start(source, connection, session))
    }

    /// Attaches to a shell, which is made if there is none of that id: the socket of [`WebSocket::shell`]. The shell can be used at
    /// once. [`Settings::for_shells`] has the settings that fit.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and if the socket is no shell's.
    ///
    /// # Panics
    /// If it is not called within a tokio runtime with time and IO.
    ///
    /// # Cancel safety
    /// Dropping the future drops what there is of the connection; a shell that was made lives on, detached.
    pub async fn attach(&self, socket: &WebSocket) -> Result<Shell, Error> {
        let mut source = self.source(socket);
        let asked = socket.shell_id().cloned().ok_or_else(|| Error::input("the socket is not that of a shell"))?;
        let Connected { connection, session, shell, .. } = source.open(&self.settings.open, Duration::ZERO).await?;
        let id = shell.unwrap_or(asked);
        // The same shell in the same session is what a lost connection goes back to.
        source.socket = source.socket.session(&session).shell_of(&id);
        Ok(Shell::new(Socket::start(source, connection, session), id, &self.settings))
    }

    fn source(&self, socket: &WebSocket) -> ConnectionSource {
        // To a local container no credential is sent.
        let auth = if socket.target.is_local() { Auth::None } else { self.auth.clone() };
        let (network, settings) = (Arc::new(self.transport.clone()), self.settings.clone());
        let budget = self.budget.clone();
        ConnectionSource { auth, auth_mode: self.auth_mode, network, budget, settings, socket: socket.clone() }
    }
}

agentcore_core::setters! {
    impl Connector:

    /// Uses these settings for its sockets.
    settings(settings: Settings) => settings = settings;

    /// Sets the budget of retries that all openings share, reconnects included. Default: [`RetryBudget::default`], of this connector's
    /// own.
    retry_budget(budget: RetryBudget) => budget = budget;

    /// Authenticates in this mode. Default: [`AuthMode::Headers`], which keeps the credential out of the URL and leaves the
    /// subprotocol free.
    auth_mode(auth_mode: AuthMode) => auth_mode = auth_mode;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::SystemTime;

    use agentcore_auth::StaticToken;
    use agentcore_core::Target;
    use agentcore_transport::Call as _;
    use http::header::SEC_WEBSOCKET_PROTOCOL;

    use super::*;

    #[tokio::test]
    async fn the_token_in_a_subprotocol_is_sensitive() {
        let auth = Auth::bearer(StaticToken::parse("aaa.bbb.ccc").unwrap());
        let connector = Connector::new(auth, Transport::builder().build().unwrap()).auth_mode(AuthMode::Subprotocol);
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        let source = connector.source(&WebSocket::new(target));
        let (request, _) = source.prepare(SystemTime::now()).await.unwrap();
        let value = &request.headers()[SEC_WEBSOCKET_PROTOCOL];
        assert_eq!(value, "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M, base64UrlBearerAuthorization");
        assert!(value.is_sensitive());
    }
}
