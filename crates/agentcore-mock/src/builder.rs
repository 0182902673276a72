//! Configures and starts a mock. Answers nothing itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use crate::{
    agents::{Agents, CustomAgent},
    clock::Clock,
    error::Error,
    identity::{Issuer, TOKEN_LIFETIME, User, UserPool},
    invocation::{AgentRequest, AgentResponse},
    machine::{Commands, Machines},
    mock::Mock,
    observe::{AnsweredRequest, Observer, observed},
    runtime::{self, RuntimeState, Sessions},
    server::{self, Certificate, Server},
    verify::{Credentials, InboundAuth},
};

/// The settings of a mock that is not started yet.
#[must_use = "a mock runs once it is started"]
pub struct MockBuilder {
    port: u16,
    tls: bool,
    inbound_auth: InboundAuth,
    pace: Duration,
    local_agent: String,
    clock: Clock,
    credentials: Option<Credentials>,
    token_lifetime: Duration,
    token_outages: u32,
    users: Vec<User>,
    rotates: bool,
    remembers_devices: bool,
    agents: BTreeMap<String, CustomAgent>,
    endpoints: BTreeSet<String>,
    max_streams: u32,
    max_new_sessions: Option<u32>,
    commands: Commands,
    shell_window: Duration,
    observer: Option<Observer>,
}

impl Mock {
    /// Returns the settings of a mock: plaintext HTTP on a free port, a JWT or a SigV4 signature accepted, no delays.
    pub fn builder() -> MockBuilder {
        MockBuilder {
            port: 0,
            tls: false,
            inbound_auth: InboundAuth::Either,
            pace: Duration::ZERO,
            local_agent: "echo".to_owned(),
            clock: Arc::new(SystemTime::now),
            credentials: None,
            token_lifetime: TOKEN_LIFETIME,
            token_outages: 0,
            users: Vec::new(),
            rotates: false,
            remembers_devices: false,
            agents: BTreeMap::new(),
            endpoints: BTreeSet::from(["DEFAULT".to_owned()]),
            max_streams: 200,
            max_new_sessions: None,
            commands: Commands::Refused,
            shell_window: Duration::from_secs(15 * 60),
            observer: None,
        }
    }
}

impl MockBuilder {
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

    /// Sets the most streams of an HTTP/2 connection at once; a client keeps further requests back, or sends them by another
    /// connection. Default: 200, as hyper has it.
    pub fn max_http2_streams(mut self, streams: u32) -> Self {
        self.max_streams = streams;
        self
    }

    /// Sets the inbound authentication of the runtimes. Default: either, where a real runtime accepts one.
    pub fn inbound_auth(mut self, inbound_auth: InboundAuth) -> Self {
        self.inbound_auth = inbound_auth;
        self
    }

    /// Sets the pause between a story's words, over HTTP or a WebSocket. Default: none, because tests should be fast.
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Shows each request as it is answered, such as to a log. Default: to nobody.
    pub fn observer(mut self, observer: impl Fn(&AnsweredRequest) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
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

    /// Sets the lifetime of the tokens of the token endpoint and of the user pool, in whole seconds. Default: an hour.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Answers the first `requests` requests to the token endpoint and the user pool with 503. Default: 0.
    pub fn token_outages(mut self, requests: u32) -> Self {
        self.token_outages = requests;
        self
    }

    /// Adds a user to the pool of [`Mock::cognito`]. Default: one user of the mock's own.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Makes a refresh token valid once, for tokens and the next refresh token (`GetTokensFromRefreshToken`). Default: off.
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.rotates = rotate;
        self
    }

    /// Makes the pool remember devices: a login from an unknown one makes one, its refresh token is taken from there alone once the
    /// device is confirmed, and a known one proves its password in place of a second factor. Default: off.
    pub fn remember_devices(mut self, remember: bool) -> Self {
        self.remembers_devices = remember;
        self
    }

    /// Sets the agent that answers `POST /invocations` and `GET /ws`, as in a local container. Default: `echo`.
    pub fn local_agent(mut self, agent: impl Into<String>) -> Self {
        self.local_agent = agent.into();
        self
    }

    /// Adds an endpoint to every runtime, which a request names as its qualifier. Default: `DEFAULT` alone, as for a runtime that
    /// was just made; another qualifier answers 404.
    pub fn endpoint(mut self, name: impl Into<String>) -> Self {
        self.endpoints.insert(name.into());
        self
    }

    /// Answers 429 to requests that begin more new sessions than this within a second of tokio's clock; `None` sets no limit.
    /// Default: none, because tests begin many at once. The service's quota is 25.
    pub fn max_new_sessions_per_second(mut self, sessions: impl Into<Option<u32>>) -> Self {
        self.max_new_sessions = sessions.into();
        self
    }

    /// Sets how long a shell lives on without a client. Default: 15 minutes, as the service's.
    pub fn shell_window(mut self, window: Duration) -> Self {
        self.shell_window = window;
        self
    }

    /// Runs the commands and shells of sessions, as processes of this machine: by `sh`, in a directory of the session's own, with no variables but
    /// `PATH`, `HOME` and `TERM`, until the session is stopped or the mock dropped. Default: off, and every command is refused.
    pub fn allow_commands(mut self, allow: bool) -> Self {
        self.commands = if allow { Commands::Processes } else { Commands::Refused };
        self
    }

    /// Answers commands by a function, which gets the command; [`AgentResponse::command`] makes an answer. Nothing is run.
    pub fn script_commands(mut self, script: impl Fn(&str) -> AgentResponse + Send + Sync + 'static) -> Self {
        self.commands = Commands::Scripted(Box::new(script));
        self
    }

    /// Adds a custom agent under a runtime id, in place of a built-in one of that name.
    ///
    /// ```
    /// use agentcore_mock::{AgentResponse, AgentRequest, Mock};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), agentcore_mock::Error> {
    /// let mock = Mock::builder()
    ///     .agent("polite", |request: AgentRequest| async move {
    ///         let prompt = request.prompt().unwrap_or_default();
    ///         AgentResponse::events(["Certainly".to_owned(), format!(": {prompt}")])
    ///     })
    ///     .start()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn agent<F, A>(mut self, name: impl Into<String>, agent: F) -> Self
    where
        F: Fn(AgentRequest) -> A + Send + Sync + 'static,
        A: Future<Output = AgentResponse> + Send + 'static,
    {
        self.agents.insert(name.into(), Arc::new(move |request| Box::pin(agent(request))));
        self
    }

    /// Starts the mock on the tokio runtime of the caller.
    ///
    /// The first mock of a process makes an RSA key in tens to hundreds of milliseconds; the others share it.
    ///
    /// # Errors
    /// If the port is taken, or a key or certificate cannot be made.
    pub async fn start(self) -> Result<Mock, Error> {
        let port = self.port;
        let (listener, address) = server::bind(port).await.map_err(|source| Error::Bind { port, source })?;
        let certificate = self.tls.then(Certificate::generate).transpose()?;
        let scheme = if self.tls { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let issuer = Issuer::new(url.clone())?;
        let (rotates, remembers) = (self.rotates, self.remembers_devices);
        let user_pool = UserPool::new(issuer, self.users, self.token_lifetime, rotates, remembers, self.token_outages)?;
        let runtime = Arc::new(RuntimeState {
            inbound_auth: self.inbound_auth,
            local_agent: self.local_agent,
            health: Mutex::new((false, (self.clock)())),
            clock: self.clock,
            agents: Agents { custom: self.agents, pace: self.pace },
            user_pool,
            credentials: self.credentials.map_or_else(Credentials::random, Ok)?,
            log: Default::default(),
            attempts: Default::default(),
            endpoints: self.endpoints,
            sessions: Sessions::new(self.max_new_sessions),
            commands: self.commands,
            machines: Machines::default(),
            #[cfg(unix)]
            shells: Default::default(),
            shell_window: self.shell_window,
        });
        let (root_certificate_pem, tls) = certificate.map(|made| (made.root_pem, made.acceptor)).unzip();
        let mut router = runtime::router(runtime.clone());
        if let Some(observer) = self.observer {
            router = observed(router, observer);
        }
        let server = Server::start(listener, tls, self.max_streams, router);
        Ok(Mock { url, root_certificate_pem, runtime, server })
    }
}

impl fmt::Debug for MockBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBuilder")
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("inbound_auth", &self.inbound_auth)
            .field("pace", &self.pace)
            .field("local_agent", &self.local_agent)
            .field("agents", &self.agents.keys())
            .field("endpoints", &self.endpoints)
            .field("max_streams", &self.max_streams)
            .field("max_new_sessions", &self.max_new_sessions)
            .finish_non_exhaustive()
    }
}
