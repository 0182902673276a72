//! Tokens from an environment variable, from a file that another program renews, from a closure. Uses no network.

use std::{
    fmt, fs,
    future::Future,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use secrecy::zeroize::Zeroizing;

use super::{Issued, StaticToken, Token, TokenIssuer, TokenSource};
use crate::{BoxFuture, Error, ErrorKind};

/// Returns the token in the environment, read through `lookup` so that tests need not change it.
///
/// `AGENTCORE_BEARER_TOKEN`, else `BEDROCK_AGENTCORE_BEARER_TOKEN`; empty counts as unset.
///
/// # Errors
/// If neither is set, or what is set is not a token; the error names the variable.
pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<StaticToken, Error> {
    let set = |name: &&str| lookup(name).filter(|value| !value.is_empty());
    match VARIABLES.iter().find_map(|name| Some((name, set(name)?))) {
        Some((name, token)) => {
            StaticToken::parse(&token).map_err(|error| Error::new(error.kind(), format!("{name}: {error}")))
        }
        None => {
            let message = format!("no bearer token in the environment: looked at {}", VARIABLES.join(" and "));
            Err(Error::new(ErrorKind::Authentication, message))
        }
    }
}

/// Makes an issuer of a closure, for tokens from the caller's own code.
///
/// ```
/// use std::time::Duration;
/// use agentcore_auth::{CachedToken, Issued, Token, token};
///
/// let source = CachedToken::new(token::from_fn(|| async {
///     Ok(Issued::new(Token::parse("from-somewhere")?).expires_in(Duration::from_secs(600)))
/// }));
/// # let _ = source;
/// ```
pub fn from_fn<F, A>(issue: F) -> FromFn<F>
where
    F: Fn() -> A + Send + Sync,
    A: Future<Output = Result<Issued, Error>> + Send,
{
    FromFn(issue)
}

/// An issuer made by [`from_fn`].
#[derive(Clone)]
pub struct FromFn<F>(F);

impl<F, A> TokenIssuer for FromFn<F>
where
    F: Fn() -> A + Send + Sync,
    A: Future<Output = Result<Issued, Error>> + Send + 'static,
{
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin((self.0)())
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn(…)")
    }
}

/// The token in a file that is read again whenever it has changed, such as a projected service-account token.
///
/// Each request reads the file's time and size, on the caller's thread: local files and tmpfs answer at once. While the file
/// cannot be read, such as during its replacement, the last token is used.
pub struct FileToken {
    path: PathBuf,
    last: Mutex<Option<Read>>,
}

/// What was read last, and the file's time and size then.
#[derive(Clone)]
struct Read {
    token: Token,
    stamp: (Option<SystemTime>, u64),
}

impl FileToken {
    /// The token in this file; white space around it does not count. Nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), last: Mutex::default() }
    }

    fn current(&self) -> Result<Token, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (read(&self.path, last.as_ref()), &*last) {
            (Ok(read), _) => Ok(last.insert(read).token.clone()),
            (Err(error), None) => Err(error),
            (Err(error), Some(last)) => {
                tracing::warn!(kind = ?error.kind(), "the token's file cannot be read; the last token is used");
                Ok(last.token.clone())
            }
        }
    }
}

impl TokenSource for FileToken {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        Box::pin(std::future::ready(self.current()))
    }

    /// Another token can be had if the file holds one by now.
    fn reject(&self, token: &Token) -> bool {
        self.current().is_ok_and(|current| current != *token)
    }
}

impl fmt::Debug for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileToken").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Reads the file if its time or size has changed.
fn read(path: &Path, last: Option<&Read>) -> Result<Read, Error> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Authentication, "the token's file cannot be read").with_source(error)
    };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let stamp = (metadata.modified().ok(), metadata.len());
    if let Some(last) = last.filter(|last| last.stamp == stamp) {
        return Ok(last.clone());
    }
    let mut text = Zeroizing::new(Vec::new());
    file.by_ref().take(MAX_FILE_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    Ok(Read { token: Token::read(&text)?, stamp })
}

const VARIABLES: [&str; 2] = ["AGENTCORE_BEARER_TOKEN", "BEDROCK_AGENTCORE_BEARER_TOKEN"];

/// Far more than a token has; a wrong path may name any file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::testing::{Directory, shown};

    #[test]
    fn environment() {
        let none = "error: no bearer token in the environment: looked at AGENTCORE_BEARER_TOKEN and \
                    BEDROCK_AGENTCORE_BEARER_TOKEN";
        let invalid = "error: AGENTCORE_BEARER_TOKEN: invalid bearer token: white space at byte 1";
        for (variables, found) in [
            (&[("AGENTCORE_BEARER_TOKEN", "one"), ("BEDROCK_AGENTCORE_BEARER_TOKEN", "two")][..], "one"),
            (&[("AGENTCORE_BEARER_TOKEN", ""), ("BEDROCK_AGENTCORE_BEARER_TOKEN", " two\n")], "two"),
            (&[], none),
            (&[("AGENTCORE_BEARER_TOKEN", "a b")], invalid),
        ] {
            let lookup =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(shown(from_env(lookup).map(|token| token.0)), found);
        }
    }

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let directory = Directory::new();
        let path = directory.join("token");
        let source = FileToken::new(&path);
        let found = || shown(source.current());
        assert_eq!(found(), "error: the token's file cannot be read");
        fs::write(&path, "first\n").unwrap();
        assert_eq!(found(), "first");
        let first = Token::parse("first").unwrap();
        assert!(!source.reject(&first), "the file still holds the refused token");
        fs::write(&path, " the-second ").unwrap();
        assert!(source.reject(&first), "by now it holds another");
        assert_eq!(found(), "the-second");
        fs::write(&path, "not a token!").unwrap();
        assert_eq!(found(), "the-second", "what is no token does not replace one");
        fs::remove_file(&path).unwrap();
        assert_eq!(found(), "the-second");
        assert!(!format!("{source:?}").contains("second"));
    }

    #[tokio::test]
    async fn a_closure() {
        let issuer = from_fn(|| async { Token::parse("made").map(Issued::new) });
        assert_eq!(issuer.issue().await.unwrap().token.expose(), "made");
        assert_eq!(format!("{issuer:?}"), "FromFn(…)");
    }
}
