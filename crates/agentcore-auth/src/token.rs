//! Bearer tokens and their sources. Checks their shape and reads their expiry; verifies no signature.

mod cache;
#[cfg(feature = "command")]
mod command;
mod device;
mod issuer;
pub mod jwt;
mod source;
mod store;
mod stored_token;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::HeaderValue;

#[cfg(feature = "command")]
pub use self::command::CommandToken;
#[cfg(feature = "redis")]
pub use self::store::{EncryptionKey, RedisStore, RedisStoreBuilder};
pub use self::{
    cache::CachedToken,
    device::Device,
    issuer::{Issued, TokenIssuer},
    source::{FileToken, FromFn, from_env, from_fn},
    store::{FileStore, LockOutcome, StoreLock, Stored, TokenStore, WriteOutcome},
    stored_token::StoredToken,
};
use agentcore_core::duration_in_words;

use crate::{BoxFuture, Error, ErrorKind, Principal, clock::LEEWAY, unicode};

/// A bearer token with its ready-made `Authorization` value. Cheap to clone; blind in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<Secret>);

#[derive(PartialEq, Eq)]
struct Secret {
    /// `Bearer …`, marked sensitive so that no HTTP library logs or compresses it.
    header: HeaderValue,
    expires_at: Option<SystemTime>,
}

impl Token {
    /// Checks a token's shape (RFC 6750 §2.1) and, if it is a JSON Web Token, reads its `exp`. White space around it, and a byte
    /// order mark before it, are those of the file, pipe or variable that it came from, and do not count.
    ///
    /// # Errors
    /// If it is empty, or holds a character that no bearer token has; the error names the place, not the token.
    pub fn parse(token: &str) -> Result<Self, Error> {
        Self::read(token.as_bytes())
    }

    fn of(token: &str) -> Result<Self, Error> {
        let refuse = |why: String| Err(Error::new(ErrorKind::Input, format!("invalid bearer token: {why}")));
        if token.is_empty() {
            return refuse("it is empty".into());
        }
        if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
            return refuse("it begins with the word Bearer, which is added when it is sent".into());
        }
        let body = token.trim_end_matches('=');
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        if let Some(place) = body.find(odd) {
            let what = match body[place..].chars().next() {
                Some(c) if c.is_whitespace() => "white space",
                Some(c) if !c.is_ascii() => "a non-ASCII character",
                _ => "a character that tokens do not have",
            };
            return refuse(format!("{what} at byte {place}"));
        }
        let mut header = HeaderValue::try_from(format!("{SCHEME}{token}"))
            .map_err(|_| Error::new(ErrorKind::Input, "invalid bearer token"))?;
        header.set_sensitive(true);
        Ok(Self(Arc::new(Secret { header, expires_at: jwt::expiry(token) })))
    }

    /// Reads a token from the bytes of a file or a pipe, as [`parse`](Self::parse) does.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and if they are not UTF-8.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let text = unicode::text(bytes)
            .map_err(|rule| Error::new(ErrorKind::Input, format!("invalid bearer token: {rule}")))?;
        Self::of(text.trim())
    }

    /// Returns the same token with the expiry of its issuer's `expires_in`, which takes the place of `exp`: that is by the
    /// issuer's clock.
    #[must_use]
    pub fn expiring_at(self, at: SystemTime) -> Self {
        Self(Arc::new(Secret { header: self.0.header.clone(), expires_at: Some(at) }))
    }

    /// The value of the `Authorization` header, marked sensitive.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// Returns the token itself. It is a secret: it lets its holder invoke the agent.
    #[must_use]
    pub fn expose(&self) -> &str {
        // The header was made from ASCII text that begins with the scheme.
        self.0.header.to_str().ok().and_then(|value| value.strip_prefix(SCHEME)).unwrap_or_default()
    }

    /// Returns whom the token stands for: two JSON Web Tokens with equal claims, but for times and the tokens' own ids, are one
    /// principal. An opaque token is a principal of its own.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::of_token(self.expose())
    }

    /// Returns when the token expires; none for an opaque token, unless it was [set](Self::expiring_at).
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Returns the same token, if it may still be sent. In its first 30 seconds after it expired it may, because the service's clock
    /// decides.
    ///
    /// # Errors
    /// If it has expired; the error has its age.
    pub fn alive_at(self, now: SystemTime) -> Result<Self, Error> {
        match self.0.expires_at.and_then(|at| now.duration_since(at).ok()).filter(|age| *age >= LEEWAY) {
            None => Ok(self),
            Some(age) => {
                let message = format!("the bearer token expired {} ago and was not sent", duration_in_words(age));
                Err(Error::new(ErrorKind::ExpiredToken, message))
            }
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.0.expires_at).finish_non_exhaustive()
    }
}

/// A source of bearer tokens.
///
/// It is asked once for each attempt, so it should keep a token until it expires.
///
/// ```
/// use agentcore_auth::{BoxFuture, Error, Token, TokenSource};
///
/// #[derive(Debug)]
/// struct FromVault;
///
/// impl TokenSource for FromVault {
///     fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
///         Box::pin(async { Token::parse("token-from-the-vault") })
///     }
/// }
/// ```
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Returns a token to send now.
    ///
    /// # Errors
    /// If there is none; [`Error::new`] makes the error.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await; a source must then be as good as before.
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>>;

    /// Records that the service refused `token`, and returns whether the next call can return a different one.
    ///
    /// A source that caches forgets this token, and only this one: the refusal may come late, after a newer token was
    /// fetched. The default returns `false`, so that a refused token is not sent twice.
    fn reject(&self, token: &Token) -> bool {
        let _ = token;
        false
    }

    /// Returns whom `token` stands for: a cache of answers shares nothing between different principals.
    ///
    /// Default: [`Token::principal`].
    fn cache_identity(&self, token: &Token) -> Principal {
        token.principal()
    }

    /// Waits until no fetch is under way. The default returns at once.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and no fetch.
    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Returns the statistics, if the source keeps any.
    fn token_statistics(&self) -> Option<TokenStatistics> {
        None
    }
}

/// Counts of what a source has done so far. Contains no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenStatistics {
    /// Fetches that were begun.
    pub fetches: u64,
    /// How many of them were begun early, while the token before was still good.
    pub refreshes: u64,
    /// Fetches that failed.
    pub failures: u64,
    /// Tokens given out within their refresh window, while another caller's fetch was under way or the issuer failed.
    pub served_stale: u64,
    /// Tokens given back because the service refused them.
    pub rejected: u64,
    /// The age of the current token, if there is one.
    pub age: Option<Duration>,
    /// The time until the current token expires, if that is known.
    pub expires_in: Option<Duration>,
}

/// A shared source is a source: several clients can share one login, and its statistics stay available.
impl<T: TokenSource + ?Sized> TokenSource for Arc<T> {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        (**self).token()
    }

    fn reject(&self, token: &Token) -> bool {
        (**self).reject(token)
    }

    fn cache_identity(&self, token: &Token) -> Principal {
        (**self).cache_identity(token)
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        (**self).settled()
    }

    fn token_statistics(&self) -> Option<TokenStatistics> {
        (**self).token_statistics()
    }
}

/// A token that the caller already has. It is never renewed.
#[derive(Clone, Debug)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Checks the token as [`Token::parse`] does.
    ///
    /// # Errors
    /// As [`Token::parse`].
    pub fn parse(token: &str) -> Result<Self, Error> {
        Token::parse(token).map(Self)
    }
}

impl From<Token> for StaticToken {
    fn from(token: Token) -> Self {
        Self(token)
    }
}

impl TokenSource for StaticToken {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Reads an issuer's `expires_in`: a number of seconds, though some issuers write it as text. A negative one has passed.
#[cfg(any(feature = "command", feature = "oauth"))]
pub(crate) fn lifetime_in_seconds(value: &serde_json::Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

const SCHEME: &str = "Bearer ";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_surrounds_a_token() {
        for text in [&b" x\r\n"[..], b"\xef\xbb\xbfx\n", b"\tx", b"x"] {
            assert_eq!(Token::read(text).unwrap().expose(), "x");
        }
        for (bytes, rule) in [
            (&b"\xff\xfex\0\r\0\n\0"[..], "it is UTF-16, and must be UTF-8"),
            (b"x\0y\0", "it is UTF-16, and must be UTF-8"),
            (b"to\xe9", "it is not UTF-8 at byte 2"),
            (b" \n", "it is empty"),
            (b"\xef\xbb\xbf\xef\xbb\xbfx", "a non-ASCII character at byte 0"),
        ] {
            assert_eq!(Token::read(bytes).unwrap_err().to_string(), format!("invalid bearer token: {rule}"));
        }
    }

    #[test]
    fn shape() {
        for good in ["aaa.bbb.ccc", "opaque-._~+/token==", "x"] {
            let token = Token::parse(good).unwrap();
            assert_eq!(token.expose(), good);
            assert_eq!(token.header().to_str().unwrap(), format!("Bearer {good}"));
            assert!(token.header().is_sensitive());
            assert_eq!(token.expires_at(), None);
        }
        for (bad, message) in [
            ("", "invalid bearer token: it is empty"),
            ("Bearer abc", "invalid bearer token: it begins with the word Bearer, which is added when it is sent"),
            ("ab cd", "invalid bearer token: white space at byte 2"),
            ("ab\r\ncd", "invalid bearer token: white space at byte 2"),
            ("töken", "invalid bearer token: a non-ASCII character at byte 1"),
            ("tok\u{1}en", "invalid bearer token: a character that tokens do not have at byte 3"),
            ("a=b", "invalid bearer token: a character that tokens do not have at byte 1"),
        ] {
            let error = Token::parse(bad).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, message));
        }
    }

    #[test]
    fn debug_is_blind() {
        let token = StaticToken::parse("hush.hush.hush").unwrap();
        assert_eq!(format!("{token:?}"), "StaticToken(Token { expires_at: None, .. })");
    }
}
