//! How a mock is set up and started.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    AgentAnswer, AgentRequest, Credentials, Inbound, Mock, User,
    agents::{Agents, OwnAgent},
    identity::{Issuer, TOKEN_LIFE, random_secret},
    runtime::{self, Clock, Runtime, cognito::Pool, token::TokenEndpoint},
    server::{Certificate, Socket},
};

/// The settings of a mock that is not started yet.
#[must_use = "a mock runs once it is started"]
pub struct Builder {
    port: u16,
    tls: bool,
    inbound: Inbound,
    pace: Duration,
    local: String,
    clock: Clock,
    credentials: Option<Credentials>,
    token_life: Duration,
    token_outages: u32,
    users: Vec<User>,
    rotates: bool,
    agents: BTreeMap<String, OwnAgent>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            port: 0,
            tls: false,
            inbound: Inbound::Either,
            pace: Duration::ZERO,
            local: "echo".to_owned(),
            clock: Arc::new(SystemTime::now),
            credentials: None,
            token_life: TOKEN_LIFE,
            token_outages: 0,
            users: Vec::new(),
            rotates: false,
            agents: BTreeMap::new(),
        }
    }

    /// Sets the port on 127.0.0.1. Default: 0, any free one, so that tests can run side by side.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves TLS, with HTTP/2 and HTTP/1.1 by ALPN. Default: off.
    ///
    /// The certificate is signed by a root made for this mock, which the client must trust:
    /// [`Mock::root_certificate_pem`].
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the ways in that the runtimes accept. Default: either, where a real runtime accepts one.
    pub fn accept(mut self, inbound: Inbound) -> Self {
        self.inbound = inbound;
        self
    }

    /// Sets the pause between a story's words, over HTTP or a WebSocket. Default: none, because tests should be fast.
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Sets the clock by which tokens expire, signatures age and answers are dated. Default: the system's.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the AWS credentials to accept. Default: random temporary ones.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets how long the tokens of the token endpoint and of the user pool are good for, in whole seconds. Default: an hour.
    pub fn token_life(mut self, life: Duration) -> Self {
        self.token_life = life;
        self
    }

    /// Makes the token endpoint and the user pool answer so many requests with 503 before it serves. Default: none.
    pub fn token_outages(mut self, requests: u32) -> Self {
        self.token_outages = requests;
        self
    }

    /// Adds a user to the pool of [`Mock::cognito`], in place of its own one.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Makes a refresh token good once, for tokens and the next refresh token (`GetTokensFromRefreshToken`). Default: off.
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.rotates = rotate;
        self
    }

    /// Sets the agent that answers `POST /invocations` and `GET /ws`, as in a local container. Default: `echo`.
    pub fn local(mut self, agent: impl Into<String>) -> Self {
        self.local = agent.into();
        self
    }

    /// Adds an agent of your own under a runtime id, in place of a built-in one of that name.
    ///
    /// ```
    /// use agentcore_mock::{AgentAnswer, AgentRequest, Mock};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), agentcore_mock::Error> {
    /// let mock = Mock::builder()
    ///     .agent("polite", |request: AgentRequest| async move {
    ///         let prompt = request.prompt().unwrap_or_default();
    ///         AgentAnswer::events(["Certainly".to_owned(), format!(": {prompt}")])
    ///     })
    ///     .start()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn agent<F, A>(mut self, name: impl Into<String>, agent: F) -> Self
    where
        F: Fn(AgentRequest) -> A + Send + Sync + 'static,
        A: Future<Output = AgentAnswer> + Send + 'static,
    {
        self.agents.insert(name.into(), Arc::new(move |request| Box::pin(agent(request))));
        self
    }

    /// Starts the mock on the tokio runtime of the caller.
    ///
    /// The first mock of a process makes an RSA key, in tens to hundreds of milliseconds; the others share it.
    ///
    /// # Errors
    /// If the port is taken, or a key or certificate cannot be made.
    pub async fn start(self) -> Result<Mock, Error> {
        let port = self.port;
        let socket = Socket::bind(port).await.map_err(|source| Error::Bind { port, source })?;
        let certificate = self.tls.then(Certificate::generate).transpose()?;
        let scheme = if self.tls { "https" } else { "http" };
        let url = format!("{scheme}://{}", socket.address());
        let runtime = Arc::new(Runtime {
            inbound: self.inbound,
            local: self.local,
            clock: self.clock,
            agents: Agents { own: self.agents, pace: self.pace },
            issuer: Issuer::new(url.clone())?,
            token_endpoint: TokenEndpoint {
                client_secret: random_secret()?,
                life: self.token_life,
                outages: self.token_outages.into(),
            },
            pool: Pool::new(self.users, self.rotates)?,
            credentials: self.credentials.map_or_else(Credentials::random, Ok)?,
            log: Default::default(),
            attempts: Default::default(),
        });
        let (root_certificate_pem, tls) = certificate.map(|made| (made.root_pem, made.acceptor)).unzip();
        let server = socket.serve(tls, runtime::router(runtime.clone()));
        Ok(Mock { url, root_certificate_pem, runtime, server })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("inbound", &self.inbound)
            .field("pace", &self.pace)
            .field("local", &self.local)
            .field("agents", &self.agents.keys())
            .finish_non_exhaustive()
    }
}

/// Why a mock did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port could not be bound.
    #[error("cannot listen on port {port} of 127.0.0.1")]
    #[non_exhaustive]
    Bind {
        /// The port asked for.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The signing key or the credentials could not be made.
    #[error("cannot make a key")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The certificates could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}
