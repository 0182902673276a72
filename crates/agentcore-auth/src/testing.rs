//! What the tests of several modules share: a scripted port and issuer, a captured log, a directory, and time moved by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(any(feature = "cognito", feature = "oauth"))]
mod exchange;

use std::{
    collections::VecDeque,
    fmt, fs,
    future::Future,
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) use agentcore_captured_log::CapturedLog;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

#[cfg(any(feature = "cognito", feature = "oauth"))]
pub(crate) use self::exchange::{PortAnswer, ScriptedExchange};
use crate::{BoxFuture, Error, ErrorKind, Issued, ManualClock, StoredToken, Token, TokenIssuer};

/// The time at which [`clock`] begins, in seconds since 1970.
pub(crate) const NOW: u64 = 2_000_000_000;

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(at(NOW))
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + secs(seconds)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Polls a future once.
pub(crate) fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the output of a future that waits for nothing.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let Poll::Ready(output) = poll(future) else { panic!("it waits") };
    output
}

/// Returns the kind and the message of a failure.
pub(crate) fn failure<T: fmt::Debug>(outcome: Result<T, Error>) -> (ErrorKind, String) {
    let error = outcome.unwrap_err();
    (error.kind(), error.to_string())
}

/// Returns the text of a token, or the message of a failure after `error: `.
pub(crate) fn shown(outcome: Result<Token, Error>) -> String {
    outcome.map_or_else(|error| format!("error: {error}"), |token| token.expose().to_owned())
}

/// What an issuer does: it gives a token with a lifetime in seconds or without one, or fails.
pub(crate) type Issue = Result<Option<u64>, ErrorKind>;

/// An issuer of `token-1`, `token-2` and so on. Each fetch needs a permit.
#[derive(Debug)]
pub(crate) struct NumberedIssuer {
    script: Mutex<VecDeque<Issue>>,
    begun: AtomicU64,
    permits: Semaphore,
    pub(crate) resumed: Mutex<Vec<String>>,
}

impl NumberedIssuer {
    pub(crate) fn new(permits: usize, script: &[Issue]) -> Arc<Self> {
        let (script, permits) = (Mutex::new(script.iter().copied().collect()), Semaphore::new(permits));
        Arc::new(Self { script, begun: AtomicU64::new(0), permits, resumed: Mutex::default() })
    }

    /// Returns an issuer whose fetches wait for nothing.
    pub(crate) fn prompt(script: &[Issue]) -> Arc<Self> {
        Self::new(Semaphore::MAX_PERMITS, script)
    }

    pub(crate) fn permit_one(&self) {
        self.permits.add_permits(1);
    }

    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

impl TokenIssuer for Arc<NumberedIssuer> {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
            self.permits.acquire().await.unwrap().forget();
            let step = self.script.lock().unwrap().pop_front().expect("the script foresees this fetch");
            let expires_in = step.map_err(|kind| Error::new(kind, format!("failure {number}")))?.map(secs);
            Ok(Issued { expires_in, ..Issued::new(Token::parse(&format!("token-{number}"))?) })
        })
    }

    fn resume(&self, stored: &StoredToken) {
        let refresh = stored.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
        self.resumed.lock().unwrap().push(format!("{refresh:?} of {:?}", stored.username));
    }

    fn remember(&self, stored: StoredToken) -> StoredToken {
        stored.refresh_token(format!("refresh-{}", self.begun())).username("ada")
    }
}

/// A directory that is removed after the test.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("agentcore-auth-{:016x}", fastrand::u64(..)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl std::ops::Deref for Directory {
    type Target = std::path::Path;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
