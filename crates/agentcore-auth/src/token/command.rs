//! Tokens that a program prints. Runs no shell, and never shows what the program printed. Feature `command`.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    process::Stdio,
    time::Duration,
};

use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use tokio::{io::AsyncReadExt as _, process::Command};

use super::{CachedToken, Issued, Token, TokenIssuer, lifetime_in_seconds};
use crate::{BoxFuture, Error, ErrorKind, unicode};

/// A program that is run for each new token.
///
/// It prints a token and nothing else, or a JSON object with the token as `token` or `access_token` and its lifetime in seconds
/// as `expires_in`. It ends with status zero. It shares this process's standard error, and its standard input is empty: a
/// program that asks a person something uses the terminal.
///
/// All users of the machine can see the arguments, so none may be a secret.
///
/// A tokio runtime with its timer and its input and output is needed.
///
/// ```no_run
/// # async fn example() -> Result<(), agentcore_auth::Error> {
/// use agentcore_auth::{CommandToken, TokenSource};
///
/// let source = CommandToken::new("vault").args(["read", "-field=token", "identity/oidc/token/agents"]).cached();
/// let token = source.token().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CommandToken {
    program: OsString,
    arguments: Vec<OsString>,
    timeout: Duration,
}

impl CommandToken {
    /// A program, by its path or by its name on the `PATH`. It is not run yet.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), timeout: DEFAULT_TIMEOUT }
    }

    /// Adds arguments, each passed on as it is.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Ends the program if it takes longer than this. Default: 60 seconds. A program that lets a person log in may need more;
    /// all callers without a token wait for it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns a source that keeps each token until it expires.
    #[must_use]
    pub fn cached(self) -> CachedToken<Self> {
        CachedToken::new(self)
    }

    async fn issued(&self) -> Result<Issued, Error> {
        let output = tokio::time::timeout(self.timeout, self.output()).await.map_err(|_| {
            self.failed(ErrorKind::Timeout, &format!("took longer than {} s and was ended", self.timeout.as_secs()))
        })??;
        let odd = |why: &str| self.failed(ErrorKind::Authentication, why);
        let output = unicode::text(&output).map_err(|rule| odd("printed what is no text").with_source(rule))?;
        match output.trim() {
            "" => Err(odd("printed nothing")),
            object if object.starts_with('{') => {
                let object: Value = serde_json::from_str(object).map_err(|_| odd("printed JSON that is not whole"))?;
                let token = ["token", "access_token"].iter().find_map(|name| object[*name].as_str());
                let token = token.ok_or_else(|| odd("printed JSON without a token"))?;
                Ok(Issued {
                    expires_in: lifetime_in_seconds(&object["expires_in"]),
                    ..Issued::found(self.parse(token)?)
                })
            }
            token => Ok(Issued::found(self.parse(token)?)),
        }
    }

    fn parse(&self, token: &str) -> Result<Token, Error> {
        Token::parse(token)
            .map_err(|error| self.failed(ErrorKind::Authentication, "printed what is no token").with_source(error))
    }

    /// Returns what the program printed, if it succeeded. Dropping the future ends the program.
    async fn output(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let unavailable = |what: &str| self.failed(ErrorKind::Authentication, what);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut program = command.spawn().map_err(|error| unavailable("cannot be run").with_source(error))?;
        // Never moved to a larger place, which would leave the smaller one behind as it is.
        let mut output = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT_BYTES + 1));
        if let Some(printed) = program.stdout.take() {
            let read = printed.take(MAX_OUTPUT_BYTES as u64 + 1).read_to_end(&mut output).await;
            read.map_err(|error| unavailable("cannot be read from").with_source(error))?;
        }
        if output.len() > MAX_OUTPUT_BYTES {
            return Err(unavailable("printed too much and was ended"));
        }
        let status = program.wait().await.map_err(|error| unavailable("cannot be waited for").with_source(error))?;
        if status.success() { Ok(output) } else { Err(unavailable(&format!("failed: {status}"))) }
    }

    fn failed(&self, kind: ErrorKind, what: &str) -> Error {
        Error::new(kind, format!("the token command {:?} {what}", self.program))
    }
}

impl TokenIssuer for CommandToken {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(self.issued())
    }

    /// None: the program has its own [timeout](CommandToken::timeout).
    fn deadline(&self) -> Option<Duration> {
        None
    }
}

impl fmt::Debug for CommandToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandToken")
            .field("program", &self.program)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Far more than a token has.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;

#[cfg(all(test, unix))]
mod tests;
