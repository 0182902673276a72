//! The client: authentication, endpoints and connections for all runtimes. Sends nothing itself.

use std::{fmt, sync::Arc, time::Duration};

use agentcore_auth::{Auth, Clock, StaticToken, SystemClock, TokenSource, credentials::ProvideCredentials};
use agentcore_core::{Arn, Endpoints, Target, UserId};
use agentcore_http::{RetryBudget, RetryPolicy, Timeouts, Transport};

#[cfg(feature = "cache")]
use crate::response_cache::{CacheSettings, ResponseCache};
use crate::{Error, ErrorKind, Metrics, RateLimiter, Runtime, metrics::TokenMetrics, shared::Shared};

/// A client with one authentication and one pool of connections, for any number of runtimes. Cheap to clone, `Send` and `Sync`.
///
/// ```
/// # async fn example(jwt: &str) -> Result<(), agentcore_client::Error> {
/// use agentcore_client::Client;
///
/// let client = Client::builder().bearer_token(jwt).build()?;
/// let agent = client.runtime("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?);
/// println!("{}", agent.invoke("Hello, world!").await?.text);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "AgentCoreRuntimeClient")]
#[doc(alias = "AgentRuntimeClient")]
pub struct Client {
    shared: Arc<Shared>,
    endpoints: Endpoints,
}

impl Client {
    /// Returns the default settings. `build` exists only once the authentication is set.
    ///
    /// ```compile_fail
    /// // No credentials: does not compile.
    /// agentcore_client::Client::builder().build();
    /// ```
    #[must_use]
    #[doc(alias = "create_agentcore_client_with_jwt")]
    #[doc(alias = "create_agentcore_client_with_auth_manager")]
    pub fn builder() -> ClientBuilder<Unauthenticated> {
        ClientBuilder {
            state: Unauthenticated(()),
            endpoints: Endpoints::default(),
            clock: Arc::new(SystemClock::default()),
            transport: None,
            // Replaced before `build` can be called.
            http: agentcore_http::HttpClient::builder(Auth::None),
            budget: RetryBudget::default(),
            #[cfg(feature = "cache")]
            cache: None,
            #[cfg(feature = "connect")]
            sockets: agentcore_ws::Settings::default(),
        }
    }

    /// Returns the runtime with this ARN, in the ARN's region.
    #[must_use]
    pub fn runtime(&self, arn: Arn) -> Runtime {
        self.target(Target::at(self.endpoints.resolve(arn.region()), arn))
    }

    /// Returns the agent at this target, such as a local container, to which no credential is sent.
    #[must_use]
    pub fn target(&self, target: Target) -> Runtime {
        Runtime { shared: self.shared.clone(), target }
    }

    /// Returns the metrics of the client and its clones.
    ///
    /// Counting costs two uncontended locks a call. Sources count their tokens and transports their connections, since they were
    /// made and for all clients that share them.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.with_what_others_count(self.shared.meter.snapshot())
    }

    /// Returns the metrics, and counts from zero again.
    pub fn reset_metrics(&self) -> Metrics {
        self.with_what_others_count(self.shared.meter.reset())
    }

    fn with_what_others_count(&self, mut metrics: Metrics) -> Metrics {
        metrics.connections = self.shared.transport.connections().into();
        metrics.tokens = TokenMetrics::of(&self.shared.auth);
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.shared.cache {
            (metrics.cache.entries, metrics.cache.bytes) = cache.size();
        }
        metrics
    }

    /// Lets no more calls begin, for this client and its clones, and waits for those under way: until their answers are read to the
    /// end or dropped, and until a token that is being fetched has come, so that a refresh token that may be used once is not lost.
    ///
    /// Responses of [`send`](crate::Invoke::send) and sockets that are open are their callers' to end.
    ///
    /// # Errors
    /// If calls are still under way after `deadline`; they are not cut off, and their agents may be working.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait. No calls begin nevertheless.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), Error> {
        let lifecycle = &self.shared.lifecycle;
        lifecycle.close();
        let ended = async {
            lifecycle.drained().await;
            if let Auth::Bearer(bearer) = &self.shared.auth {
                bearer.source().settled().await;
            }
        };
        tokio::time::timeout(deadline, ended).await.map_err(|_| {
            let message = match lifecycle.under_way() {
                0 => "a token was still being fetched when the client was shut down".to_owned(),
                calls => format!("calls were still under way when the client was shut down: {calls}"),
            };
            Error::new(ErrorKind::Timeout, message).possibly_run(lifecycle.under_way() > 0)
        })
    }

    /// Removes the kept answers of an agent, by all its endpoint names; see [`ClientBuilder::cache`].
    #[cfg(feature = "cache")]
    pub fn forget(&self, arn: &Arn) {
        if let Some(cache) = &self.shared.cache {
            cache.forget(arn);
        }
    }

    /// Removes all kept answers.
    #[cfg(feature = "cache")]
    pub fn forget_all(&self) {
        if let Some(cache) = &self.shared.cache {
            cache.forget_all();
        }
    }
}

/// The settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder<State> {
    state: State,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
    transport: Option<Transport>,
    http: agentcore_http::HttpClientBuilder,
    budget: RetryBudget,
    #[cfg(feature = "cache")]
    cache: Option<CacheSettings>,
    #[cfg(feature = "connect")]
    sockets: agentcore_ws::Settings,
}

/// The state of a builder without authentication.
#[derive(Debug)]
pub struct Unauthenticated(());

/// The state of a builder with authentication.
pub struct Authenticated(Pending);

/// Makes the mechanism, which may need the transport.
type Pending = Box<dyn FnOnce(&Transport, &Arc<dyn Clock>) -> Result<Auth, Error> + Send>;

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticated(…)")
    }
}

impl ClientBuilder<Unauthenticated> {
    /// Authenticates with a token that the caller already has. An expired one is not sent.
    #[must_use]
    pub fn bearer_token(self, token: &str) -> ClientBuilder<Authenticated> {
        let token = StaticToken::parse(token);
        self.with(Box::new(|_, _| token.map(Auth::bearer)))
    }

    /// Authenticates with tokens that are fetched and renewed as needed.
    #[must_use]
    pub fn token_source(self, source: impl TokenSource + 'static) -> ClientBuilder<Authenticated> {
        self.auth(Auth::bearer(source))
    }

    /// Authenticates with AWS credentials (SigV4); [`Credentials`](crate::Credentials) are a provider of themselves.
    #[must_use]
    pub fn credentials(self, provider: impl ProvideCredentials + 'static) -> ClientBuilder<Authenticated> {
        self.auth(Auth::sigv4(provider))
    }

    /// Authenticates by this mechanism; with [`Auth::None`] only local containers can be reached.
    #[must_use]
    pub fn auth(self, auth: Auth) -> ClientBuilder<Authenticated> {
        self.with(Box::new(|_, _| Ok(auth)))
    }

    /// Authenticates as a user of an Amazon Cognito pool. Requests to Cognito use the client's transport.
    ///
    /// ```no_run
    /// # fn example(password: String) -> Result<(), agentcore_client::Error> {
    /// use agentcore_client::{Client, auth::cognito::{CognitoConfig, Login, PoolId}};
    ///
    /// let pool: PoolId = "us-east-1_ABC123DEF".parse()?;
    /// let user = CognitoConfig::new(pool, "my-client-id", Login::user_srp("ada@example.com", password));
    /// let client = Client::builder().cognito(user).build()?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "cognito")]
    #[must_use]
    pub fn cognito(self, user: agentcore_auth::cognito::CognitoConfig) -> ClientBuilder<Authenticated> {
        self.with(Box::new(|transport, clock| {
            Ok(Auth::bearer(user.over(port(transport)).cached().clock(clock.clone())))
        }))
    }

    /// Authenticates with tokens by OAuth 2.0 client credentials. Requests for them use the client's transport.
    ///
    /// ```no_run
    /// # fn example(secret: String) -> Result<(), agentcore_client::Error> {
    /// use agentcore_client::{Client, auth::oauth::{ClientCredentialsConfig, TokenEndpoint}};
    ///
    /// let endpoint: TokenEndpoint = "https://my-domain.auth.us-east-1.amazoncognito.com/oauth2/token".parse()?;
    /// let machine = ClientCredentialsConfig::new(endpoint, "my-client", secret).scope("agents/invoke");
    /// let client = Client::builder().oauth(machine).build()?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "oauth")]
    #[must_use]
    pub fn oauth(self, machine: agentcore_auth::oauth::ClientCredentialsConfig) -> ClientBuilder<Authenticated> {
        self.with(Box::new(|transport, clock| {
            Ok(Auth::bearer(machine.over(port(transport)).cached().clock(clock.clone())))
        }))
    }

    fn with(self, auth: Pending) -> ClientBuilder<Authenticated> {
        ClientBuilder {
            state: Authenticated(auth),
            endpoints: self.endpoints,
            clock: self.clock,
            transport: self.transport,
            http: self.http,
            budget: self.budget,
            #[cfg(feature = "cache")]
            cache: self.cache,
            #[cfg(feature = "connect")]
            sockets: self.sockets,
        }
    }
}

agentcore_core::setters! {
    impl ClientBuilder<State>:

    /// Sets the endpoint: one [`Endpoint`](crate::Endpoint), or [`Endpoints`]. Default: the service's hosts in each ARN's region.
    /// Only [`Endpoints::from_env`] reads the environment.
    endpoints(endpoints: impl Into<Endpoints>) => endpoints = endpoints.into();

    /// Sets the transport. Default: a new one with default settings.
    transport(transport: Transport) => transport = Some(transport);

    /// Sets the clock for expiry and signatures. Default: the system's clock.
    clock(clock: impl Clock + 'static) => clock = Arc::new(clock);

    /// Sets the budget of retries that all calls share, those that open sockets included. Default: [`RetryBudget::default`], of this
    /// client's own.
    retry_budget(budget: RetryBudget) => budget = budget;

    /// Keeps answers for equal invocations. Default: none are kept.
    ///
    /// It applies to invocations whose whole [`Reply`](crate::Reply) is awaited; streams and errors are never kept.
    #[cfg(feature = "cache")]
    cache(cache: CacheSettings) => cache = Some(cache);

    /// Sets how WebSockets are opened and kept alive; see [`Settings`](agentcore_ws::Settings) for the defaults.
    #[cfg(feature = "connect")]
    sockets(settings: agentcore_ws::Settings) => sockets = settings;
}

impl<State> ClientBuilder<State> {
    /// Sets the timeouts; see [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.map(|http| http.timeouts(timeouts))
    }

    /// Sets the retry policy; see [`RetryPolicy`] for the defaults.
    #[must_use]
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.map(|http| http.retry(policy))
    }

    /// Sets the user of invocations that name none. Default: none; see
    /// [`HttpClientBuilder::user`](agentcore_http::HttpClientBuilder::user) for when to set one.
    #[must_use]
    pub fn user(self, user: UserId) -> Self {
        self.map(|http| http.user(user))
    }

    /// Sends what the Python JWT client sends besides: the user id `agentcore-client` with every invocation that names no user.
    ///
    /// For agents that read the header. Default: off, because with a JWT the service takes the user from the token.
    #[must_use]
    pub fn python_compatible(self) -> Self {
        match "agentcore-client".parse() {
            Ok(user) => self.user(user),
            Err(_) => self,
        }
    }

    /// Decodes server-sent events leniently; see [`sse::Decoder::lenient`](crate::sse::Decoder::lenient). Default: strictly.
    #[must_use]
    pub fn lenient_sse(self, lenient: bool) -> Self {
        self.map(|http| http.lenient_sse(lenient))
    }

    /// Changes settings of the HTTP client that have no method here: the bounds on sizes. Its transport and clock are this builder's.
    #[must_use]
    pub fn map(
        mut self,
        change: impl FnOnce(agentcore_http::HttpClientBuilder) -> agentcore_http::HttpClientBuilder,
    ) -> Self {
        self.http = change(self.http);
        self
    }
}

impl ClientBuilder<Authenticated> {
    /// Makes the client, without a connection.
    ///
    /// # Errors
    /// If the bearer token is not one, or the default transport cannot be built.
    pub fn build(self) -> Result<Client, Error> {
        let transport = self.transport.map_or_else(|| Transport::builder().clock(self.clock.clone()).build(), Ok)?;
        let auth = (self.state.0)(&transport, &self.clock)?;
        let http = self.http.auth(auth.clone()).transport(transport.clone()).clock(self.clock.clone());
        let http = http.retry_budget(self.budget.clone()).build()?;
        let shared = Shared {
            http,
            #[cfg(feature = "connect")]
            connector: agentcore_ws::Connector::new(auth.clone(), transport.clone())
                .settings(self.sockets)
                .retry_budget(self.budget),
            auth,
            transport,
            meter: Arc::default(),
            lifecycle: Arc::default(),
            rate_limiter: RateLimiter::new(),
            #[cfg(feature = "cache")]
            cache: self.cache.map(ResponseCache::new),
            clock: self.clock,
        };
        Ok(Client { shared: Arc::new(shared), endpoints: self.endpoints })
    }
}

/// Returns the transport, for requests to issuers.
#[cfg(any(feature = "cognito", feature = "oauth"))]
fn port(transport: &Transport) -> Arc<dyn agentcore_auth::Exchange> {
    Arc::new(transport.clone())
}
