//! Puts a bearer token into a subprotocol, for browsers, which can set no header but `Sec-WebSocket-Protocol`. Opens nothing.

use std::fmt;

use agentcore_auth::{Token, TokenSource};
use agentcore_core::SessionId;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use crate::{Error, WebSocket};

/// The arguments of a page's `new WebSocket(url, protocols)`.
///
/// The service reads the token from the first protocol's name and answers with the second; the agent cannot add another
/// protocol. Whoever has this can read the token: it is hidden in `Debug`, zeroed when it is dropped, and not
/// to be logged.
#[derive(Clone)]
pub struct Subprotocol {
    url: String,
    /// The protocol's name with the token.
    credential: SecretString,
    session: SessionId,
}

impl Subprotocol {
    /// The most characters of an encoded token.
    pub const MAX_TOKEN_CHARS: usize = 4096;

    /// Returns the URL with the session in its query. It is no secret unless the caller's parameters are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the two subprotocols in order; the first is a secret, the token.
    #[must_use]
    pub fn protocols(&self) -> [&str; 2] {
        [self.credential.expose_secret(), NAME]
    }

    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }
}

impl WebSocket {
    /// Puts a bearer token into a subprotocol's name, and the session into the URL.
    ///
    /// # Errors
    /// If no token is available, it has expired, it is longer than 4096 characters when encoded (3072 before), or the target
    /// is a local container, which takes no credentials.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind; a token that was being fetched is fetched by the next caller.
    pub async fn subprotocol<S: TokenSource + ?Sized>(&self, source: &S) -> Result<Subprotocol, Error> {
        self.check_remote()?;
        self.subprotocol_with(&source.token().await?.alive_at(self.clock.now())?)
    }

    /// Returns the subprotocol and the token in it.
    #[cfg(feature = "connect")]
    pub(crate) async fn subprotocol_of(&self, bearer: &agentcore_auth::Bearer) -> Result<(Subprotocol, Token), Error> {
        self.check_remote()?;
        let token = bearer.token(self.clock.now()).await?;
        Ok((self.subprotocol_with(&token)?, token))
    }

    fn check_remote(&self) -> Result<(), Error> {
        if self.target.is_local() { Err(Error::input("a local container takes no token")) } else { Ok(()) }
    }

    fn subprotocol_with(&self, token: &Token) -> Result<Subprotocol, Error> {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(token.expose()));
        let (chars, max) = (encoded.len(), Subprotocol::MAX_TOKEN_CHARS);
        if chars > max {
            return Err(Error::input(format!(
                "the bearer token is too long for a browser: it has {chars} characters when encoded for \
                 Sec-WebSocket-Protocol, at most {max} are allowed"
            )));
        }
        let url = self.url_with_session()?;
        let credential = format!("{NAME}.{}", *encoded).into();
        Ok(Subprotocol { url, credential, session: self.session_id().clone() })
    }
}

impl fmt::Debug for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subprotocol").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The subprotocol's name, and the prefix of the one with the token (AWS developer guide, "Get started with bidirectional
/// streaming using WebSocket").
pub(crate) const NAME: &str = "base64UrlBearerAuthorization";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{sync::Arc, time::UNIX_EPOCH};

    use agentcore_auth::{ManualClock, StaticToken};
    use agentcore_core::Target;

    use super::*;
    use crate::ErrorKind;

    fn socket() -> WebSocket {
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        WebSocket::new(target).session(&"session-0123456789-0123456789-0123456789".parse().unwrap())
    }

    fn source(token: &str) -> Arc<dyn TokenSource> {
        Arc::new(StaticToken::parse(token).unwrap())
    }

    /// Encoded by coreutils: `basenc --base64url`.
    #[tokio::test]
    async fn the_token_travels_in_a_name() {
        for (token, name) in [
            ("aaa.bbb.ccc", "base64UrlBearerAuthorization.YWFhLmJiYi5jY2M"),
            ("a", "base64UrlBearerAuthorization.YQ"),
            ("t~~~/+ok==", "base64UrlBearerAuthorization.dH5-fi8rb2s9PQ"),
        ] {
            let subprotocol = socket().param("a", "b c").unwrap().subprotocol(&source(token)).await.unwrap();
            assert_eq!(subprotocol.protocols(), [name, "base64UrlBearerAuthorization"]);
            assert_eq!(subprotocol.session_id().as_str(), "session-0123456789-0123456789-0123456789");
            assert_eq!(
                subprotocol.url(),
                "wss://bedrock-agentcore.us-east-1.amazonaws.com/runtimes/\
                 arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx/ws?a=b%20c\
                 &X-Amzn-Bedrock-AgentCore-Runtime-Session-Id=session-0123456789-0123456789-0123456789"
            );
            let shown = format!("{subprotocol:?}");
            assert!(!shown.contains("base64") && !shown.contains("b%20c"), "{shown}");
        }
    }

    #[tokio::test]
    async fn what_keeps_a_token_out_of_a_browser() {
        assert!(socket().subprotocol(&source(&"x".repeat(3072))).await.is_ok());
        let (long, expired) = ("x".repeat(3073), "e30.eyJleHAiOjE5OTl9.c2ln");
        let local = WebSocket::new(Target::local("http://127.0.0.1:8080").unwrap());
        let later = socket().clock(ManualClock::new(UNIX_EPOCH + std::time::Duration::from_secs(2030)));
        let too_long = "the bearer token is too long for a browser: it has 4098 characters when encoded for \
                        Sec-WebSocket-Protocol, at most 4096 are allowed";
        for (socket, token, kind, message) in [
            (socket(), &*long, ErrorKind::Input, too_long),
            (later, expired, ErrorKind::ExpiredToken, "the bearer token expired 31 s ago and was not sent"),
            (local, "aaa.bbb.ccc", ErrorKind::Input, "a local container takes no token"),
        ] {
            let error = socket.subprotocol(&source(token)).await.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
        }
    }
}
