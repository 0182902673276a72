//! The client: who the caller is and where the service is, once for all runtimes.

use std::{fmt, sync::Arc};

use agentcore_auth::{Auth, Clock, StaticToken, SystemClock, TokenSource, credentials::ProvideCredentials};
use agentcore_core::{Arn, Endpoints, Target, UserId};
use agentcore_http::{RetryPolicy, Timeouts, Transport};

#[cfg(feature = "cache")]
use crate::response_cache::{CacheSettings, ResponseCache};
use crate::{Error, Metrics, Runtime, metrics::TokenMetrics, shared::Shared};

/// One identity, one pool of connections, any number of runtimes. Cheap to clone, `Send` and `Sync`.
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
    /// Settings for a client. How to authenticate must be said, and once: without it there is no `build`.
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
            #[cfg(feature = "cache")]
            cache: None,
            #[cfg(feature = "connect")]
            sockets: agentcore_ws::Settings::default(),
        }
    }

    /// The runtime with this ARN, in the ARN's own region.
    #[must_use]
    pub fn runtime(&self, arn: Arn) -> Runtime {
        self.target(Target::at(self.endpoints.resolve(arn.region()), arn))
    }

    /// Whatever is at this target; a local container, for example, to which no credential is sent.
    #[must_use]
    pub fn target(&self, target: Target) -> Runtime {
        Runtime { shared: self.shared.clone(), target }
    }

    /// What the client and its clones have done so far.
    ///
    /// Counting costs two uncontended locks a call. Tokens are counted by their source, connections by the transport, both since
    /// they were made and for everybody who shares them.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.with_what_others_count(self.shared.meter.snapshot())
    }

    /// The same, and begins to count anew.
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

    /// Forgets what an agent has answered, by whichever endpoint name it was asked; see [`ClientBuilder::cache`].
    #[cfg(feature = "cache")]
    pub fn forget(&self, arn: &Arn) {
        if let Some(cache) = &self.shared.cache {
            cache.forget(arn);
        }
    }

    /// Forgets all answers.
    #[cfg(feature = "cache")]
    pub fn forget_all(&self) {
        if let Some(cache) = &self.shared.cache {
            cache.forget_all();
        }
    }
}

/// Settings for a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder<State> {
    state: State,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
    transport: Option<Transport>,
    http: agentcore_http::HttpClientBuilder,
    #[cfg(feature = "cache")]
    cache: Option<CacheSettings>,
    #[cfg(feature = "connect")]
    sockets: agentcore_ws::Settings,
}

/// A builder that does not know yet who the caller is.
#[derive(Debug)]
pub struct Unauthenticated(());

/// A builder that knows who the caller is.
pub struct Authenticated(Pending);

/// Makes the mechanism once there is a transport that it may need.
type Pending = Box<dyn FnOnce(&Transport, &Arc<dyn Clock>) -> Result<Auth, Error> + Send>;

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticated(…)")
    }
}

impl ClientBuilder<Unauthenticated> {
    /// Authenticates with a token that the caller already holds. An expired one is refused before it is sent.
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

    /// Authenticates as told; with [`Auth::None`] only local containers can be reached.
    #[must_use]
    pub fn auth(self, auth: Auth) -> ClientBuilder<Authenticated> {
        self.with(Box::new(|_, _| Ok(auth)))
    }

    /// Authenticates as a user of an Amazon Cognito pool, who logs in, is renewed and logs out over the client's own transport.
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

    /// Authenticates as a machine that gets its tokens by OAuth 2.0 client credentials, over the client's own transport.
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
            #[cfg(feature = "cache")]
            cache: self.cache,
            #[cfg(feature = "connect")]
            sockets: self.sockets,
        }
    }
}

agentcore_core::setters! {
    impl ClientBuilder<State>:

    /// Where the service is: one [`Endpoint`](crate::Endpoint), or [`Endpoints`]. Default: the service's own hosts in each ARN's
    /// region; the environment is read only by [`Endpoints::from_env`].
    endpoints(endpoints: impl Into<Endpoints>) => endpoints = endpoints.into();

    /// Uses this pool of connections. Default: a new one with the default settings of [`Transport`].
    transport(transport: Transport) => transport = Some(transport);

    /// Tells the time for expiry and signatures. Default: the system's clock.
    clock(clock: impl Clock + 'static) => clock = Arc::new(clock);

    /// Keeps answers for those who ask the same again. Default: none are kept.
    ///
    /// It is for invocations whose whole [`Reply`](crate::Reply) is awaited; streams and errors are never kept.
    #[cfg(feature = "cache")]
    cache(cache: CacheSettings) => cache = Some(cache);

    /// How WebSockets are opened and kept alive; see [`Settings`](agentcore_ws::Settings) for the defaults.
    #[cfg(feature = "connect")]
    sockets(settings: agentcore_ws::Settings) => sockets = settings;
}

impl<State> ClientBuilder<State> {
    /// How long to wait for what; see [`Timeouts`] for the defaults.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.map(|http| http.timeouts(timeouts))
    }

    /// How hard to try; see [`retry`](crate::retry) for the defaults.
    #[must_use]
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.map(|http| http.retry(policy))
    }

    /// Names the user in every invocation that does not name another. Default: `agentcore-client` with a bearer token, none with
    /// SigV4, where the header needs an IAM permission of its own.
    #[must_use]
    pub fn user(self, user: UserId) -> Self {
        self.map(|http| http.user(user))
    }

    /// Sends no user id, with a bearer token neither.
    #[must_use]
    pub fn no_user(self) -> Self {
        self.map(agentcore_http::HttpClientBuilder::no_user)
    }

    /// Decodes server-sent events leniently; see [`sse::Decoder::lenient`](crate::sse::Decoder::lenient). Default: strictly.
    #[must_use]
    pub fn lenient_sse(self, lenient: bool) -> Self {
        self.map(|http| http.lenient_sse(lenient))
    }

    /// Changes a setting of the HTTP half that has no method here: the bounds on sizes. Transport and clock are this builder's.
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
    /// Makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// If the bearer token is not one, or the default transport cannot be built.
    pub fn build(self) -> Result<Client, Error> {
        let transport = self.transport.map_or_else(|| Transport::builder().build(), Ok)?;
        let auth = (self.state.0)(&transport, &self.clock)?;
        let http = self.http.auth(auth.clone()).transport(transport.clone()).clock(self.clock.clone()).build()?;
        let shared = Shared {
            http,
            #[cfg(feature = "connect")]
            connector: agentcore_ws::Connector::new(auth.clone(), transport.clone()).settings(self.sockets),
            auth,
            transport,
            meter: Arc::default(),
            #[cfg(feature = "cache")]
            cache: self.cache.map(ResponseCache::new),
            clock: self.clock,
        };
        Ok(Client { shared: Arc::new(shared), endpoints: self.endpoints })
    }
}

/// The transport as the port through which issuers are asked.
#[cfg(any(feature = "cognito", feature = "oauth"))]
fn port(transport: &Transport) -> Arc<dyn agentcore_auth::Exchange> {
    Arc::new(transport.clone())
}
