//! The connection to a server: made when it is needed, over TCP or TLS, and each wait with an end. Says once that the server is
//! away, and knows nothing of tokens.

use std::{
    fmt, io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind as RedisErrorKind, FromRedisValue, RedisError, ServerErrorKind,
    aio::MultiplexedConnection,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Handle,
    task::AbortHandle,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;

use super::address::Address;
use crate::{Error, ErrorKind};

/// One connection that all users share, made again when it is lost.
pub(super) struct Connection {
    address: Address,
    tls: Option<TlsConnector>,
    timeout: Duration,
    /// None while there is none. Held while one is made, so that one is.
    open: tokio::sync::Mutex<Option<Open>>,
    outage: Mutex<Outage>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    driver: Arc<Driver>,
}

/// The task that reads and writes. It ends with the last user of the connection.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Default)]
struct Outage {
    /// Whether the last attempt failed, which was said.
    is_away: bool,
    /// Until when nothing is tried.
    rests_until: Option<Instant>,
}

impl Connection {
    /// Connects to nothing yet. `roots` are trusted in place of the system's certificates, if there are any.
    ///
    /// # Errors
    /// If a root certificate is none.
    pub(super) fn new(address: Address, roots: &[Vec<u8>], timeout: Duration) -> Result<Self, Error> {
        let tls = address.tls.then(|| connector(roots)).transpose()?;
        Ok(Self { address, tls, timeout, open: tokio::sync::Mutex::default(), outage: Mutex::default() })
    }

    /// Sends a command and returns the answer. It may be sent twice, where the connection was lost.
    ///
    /// # Errors
    /// [`Unavailable`](ErrorKind::Unavailable) if the server is away, or cannot serve now; another kind if it refuses.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        if Handle::try_current().is_err() {
            return Err(Error::input("the token store needs a tokio runtime"));
        }
        match self.attempts(command).await {
            Ok(answer) => {
                let was_away = std::mem::take(&mut *self.outage()).is_away;
                if was_away {
                    tracing::info!(server = %self.address, "the token store is back");
                }
                Ok(answer)
            }
            Err(ConnectionFailure::Resting) => Err(self.away(None)),
            Err(failure) if failure.is_outage() => {
                // A server that stopped serving, such as one that is a replica now, may be another at the next connection.
                self.open.lock().await.take();
                let error = self.away(Some(failure));
                self.rest();
                if !std::mem::replace(&mut self.outage().is_away, true) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(server = %self.address, cause, "the token store is away; tokens are fetched without it");
                }
                Err(error)
            }
            Err(failure) => Err(self.refused(&failure)),
        }
    }

    async fn attempts<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, ConnectionFailure> {
        let (open, is_new) = self.open().await?;
        match self.ask(open, command).await {
            // The server may have closed it while it was idle, or is another one now.
            Err(ConnectionFailure::Redis(error)) if !is_new && error.is_unrecoverable_error() => {
                self.open.lock().await.take();
                self.ask(self.open().await?.0, command).await
            }
            outcome => outcome,
        }
    }

    async fn ask<T: FromRedisValue>(&self, mut open: Open, command: &Cmd) -> Result<T, ConnectionFailure> {
        let answer = self.bounded(command.query_async(&mut open.connection)).await;
        drop(open.driver);
        Ok(answer??)
    }

    /// Returns the connection, and whether it was made just now.
    async fn open(&self) -> Result<(Open, bool), ConnectionFailure> {
        let mut open = self.open.lock().await;
        // Of many who wait here, one finds out that the server is away.
        if self.outage().rests_until.is_some_and(|until| Instant::now() < until) {
            return Err(ConnectionFailure::Resting);
        }
        if let Some(open) = &*open {
            return Ok((open.clone(), false));
        }
        let made = self.bounded(self.connect()).await.flatten();
        let made = made.inspect_err(|failure| {
            if failure.is_outage() {
                self.rest()
            }
        })?;
        *open = Some(made.clone());
        Ok((made, true))
    }

    fn rest(&self) {
        self.outage().rests_until = Some(Instant::now() + REST);
    }

    /// Waits for the deadline, in two parts: a process that was paused finds the first over, and the answer there in the second.
    async fn bounded<F: Future>(&self, future: F) -> Result<F::Output, ConnectionFailure> {
        let mut future = pin!(future);
        let (most, rest) = (self.timeout - self.timeout / 4, self.timeout / 4);
        if let Ok(output) = timeout(most, &mut future).await {
            return Ok(output);
        }
        timeout(rest, future).await.map_err(|_| ConnectionFailure::Late)
    }

    async fn connect(&self) -> Result<Open, ConnectionFailure> {
        let Address { host, port, .. } = &self.address;
        let socket = TcpStream::connect((host.as_str(), *port)).await?;
        // Commands are small, and each waits for the answer to the one before.
        socket.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return self.greet(socket).await };
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        self.greet(tls.connect(name, socket).await?).await
    }

    async fn greet(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Open, ConnectionFailure> {
        // Without limits of its own: those around it are ours.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let greeting = self.address.greeting();
        let greeted = MultiplexedConnection::new_with_config(&greeting, stream, config).await?;
        let (connection, driver) = greeted;
        let driver = Arc::new(Driver(tokio::spawn(driver).abort_handle()));
        Ok(Open { connection, driver })
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self, cause: Option<ConnectionFailure>) -> Error {
        let error = Error::new(ErrorKind::Unavailable, format!("the token store at {} is away", self.address));
        match cause {
            None | Some(ConnectionFailure::Resting) => error,
            Some(ConnectionFailure::Io(cause)) => error.with_source(cause),
            Some(ConnectionFailure::Late) => error.with_source(io::Error::from(io::ErrorKind::TimedOut)),
            Some(ConnectionFailure::Redis(cause)) => error.with_source(presentable(&cause)),
        }
    }

    fn refused(&self, failure: &ConnectionFailure) -> Error {
        let ConnectionFailure::Redis(cause) = failure else {
            return Error::new(ErrorKind::Service, format!("the token store at {} failed", self.address));
        };
        let (kind, what) = match (cause.kind(), cause.code()) {
            (RedisErrorKind::AuthenticationFailed | RedisErrorKind::Server(ServerErrorKind::NoPerm), _)
            | (_, Some("NOAUTH" | "WRONGPASS")) => (ErrorKind::Authentication, "refused the user, or its password"),
            (RedisErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot), _) => {
                (ErrorKind::Input, "is one of a cluster, which is not supported")
            }
            _ => (ErrorKind::Service, "failed, or is no Redis server"),
        };
        Error::new(kind, format!("the token store at {} {what}", self.address)).with_source(presentable(cause))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.address).finish()
    }
}

/// Why a command has no answer.
#[derive(Debug)]
enum ConnectionFailure {
    Io(io::Error),
    Late,
    /// Nothing was tried.
    Resting,
    Redis(RedisError),
}

impl ConnectionFailure {
    /// Whether the server is away or serves nobody, in contrast to a refusal.
    fn is_outage(&self) -> bool {
        let Self::Redis(error) = self else { return true };
        let by_kind = match error.kind() {
            RedisErrorKind::Io => true,
            RedisErrorKind::Server(kind) => matches!(
                kind,
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ReadOnly
                    | ServerErrorKind::TryAgain
            ),
            _ => false,
        };
        by_kind || error.code().is_some_and(|code| OUTAGES.contains(&code))
    }
}

impl From<io::Error> for ConnectionFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<RedisError> for ConnectionFailure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

/// Returns the server's code, or the cause on this side: the server's message may quote a command.
fn presentable(error: &RedisError) -> io::Error {
    match error.code() {
        Some(code) => io::Error::other(code.chars().filter(char::is_ascii_alphanumeric).take(32).collect::<String>()),
        None if error.is_io_error() => io::Error::other(error.to_string()),
        None => io::Error::other(error.category().to_owned()),
    }
}

fn connector(roots: &[Vec<u8>]) -> Result<TlsConnector, Error> {
    let mut store = RootCertStore::empty();
    if roots.is_empty() {
        // Certificates that cannot be parsed are skipped: a system's store may hold obsolete ones.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for pem in roots {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let read = read.ok().filter(|certificates| !certificates.is_empty());
        for certificate in read.ok_or_else(|| Error::input(NO_CERTIFICATE))? {
            store.add(certificate).map_err(|error| Error::input(NO_CERTIFICATE).with_source(error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::input("the TLS settings contradict each other").with_source(error))?;
    Ok(Arc::new(config.with_root_certificates(store).with_no_client_auth()).into())
}

/// After a failure, so that one fetch of a token waits once for a server that is away.
const REST: Duration = Duration::from_secs(1);
/// The codes of a server that serves nobody now, besides those that the library knows.
const OUTAGES: &[&str] = &["BUSY", "MISCONF", "NOREPLICAS", "OOM", "UNKILLABLE"];
const NO_CERTIFICATE: &str = "a root certificate of the token store is not PEM";
