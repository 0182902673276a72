//! Authenticates a handshake in its headers, for any WebSocket library. Never sets the headers that a library sets itself.

use std::fmt;

use agentcore_auth::{AppliedCredential, Auth};
use agentcore_core::{SessionId, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, Request, Uri,
    header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};

use crate::{Error, WebSocket};

/// The URL and the headers that open a socket. The caller adds the headers to those of the WebSocket library.
///
/// The headers hold the session and the credential only: the library sets `Host`, `Connection`, `Upgrade` and `Sec-WebSocket-*`,
/// and servers refuse them when they come twice. A signature is valid for five minutes (AWS Signature Version 4), so make a
/// new handshake for each connection.
#[derive(Clone)]
#[non_exhaustive]
pub struct Handshake {
    /// The URL to connect to.
    pub uri: Uri,
    /// The headers to add. Those that hold a credential are marked sensitive.
    pub headers: HeaderMap,
    /// The session that the socket belongs to.
    pub session: SessionId,
}

impl WebSocket {
    /// Authenticates in headers: with a signature that covers the session, or with a bearer token.
    ///
    /// A local container gets no credential.
    ///
    /// # Errors
    /// If no credential is available, a token has expired, or the parameters make the URL too long.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind; a token that was being fetched is fetched by the next caller.
    pub async fn handshake(&self, auth: &Auth) -> Result<Handshake, Error> {
        Ok(self.authorize(auth).await?.0)
    }

    /// Returns the handshake and the credential in it.
    pub(crate) async fn authorize(&self, auth: &Auth) -> Result<(Handshake, AppliedCredential), Error> {
        let auth = if self.target.is_local() { &Auth::None } else { auth };
        let session = self.session_id();
        let mut request = Request::get(self.url()?)
            .header(header::SESSION_ID, session.as_str())
            .body(Bytes::new())
            .map_err(|error| Error::input("the request for a WebSocket cannot be written").with_source(error))?;
        let applied = auth.authorize(&mut request, self.target.region(), self.clock.now()).await?;
        let (parts, _) = request.into_parts();
        Ok((Handshake { uri: parts.uri, headers: parts.headers, session: session.clone() }, applied))
    }
}

impl Handshake {
    /// Returns the whole opening request (RFC 6455 §4.1) with a fresh key, for clients that send a request as it is.
    ///
    /// The key distinguishes the answer to this request from a cached one. It protects no secret and may be guessed.
    #[must_use]
    pub fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let mut key = [0; 16];
        fastrand::Rng::new().fill(&mut key);
        let host = self.uri.authority().map_or("", |authority| authority.as_str());
        for (name, value) in [
            (HOST, host),
            (UPGRADE, "websocket"),
            (CONNECTION, "Upgrade"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, &STANDARD.encode(key)),
        ] {
            // An authority and Base64 are visible ASCII, which any header takes.
            if let Ok(value) = value.parse() {
                request.headers_mut().insert(name, value);
            }
        }
        request
    }
}

/// Hides the credential and the query, whose parameters may be private.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("path", &self.uri.path())
            .field("headers", &self.headers)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{
        error::Error as _,
        task::{Context, Poll, Waker},
        time::{Duration, UNIX_EPOCH},
    };

    use agentcore_auth::{
        ManualClock, StaticToken,
        credentials::{Credentials, ProvideCredentials},
    };
    use agentcore_core::Target;
    use aws_credential_types::provider::{error::CredentialsError, future};

    use super::*;
    use crate::ErrorKind;

    const SESSION: &str = "session-0123456789-0123456789-0123456789";

    fn at(endpoint: &str) -> WebSocket {
        let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap();
        let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_755_261_296));
        let session = SESSION.parse().unwrap();
        WebSocket::new(Target::at(endpoint.parse().unwrap(), arn)).session(&session).clock(clock)
    }

    fn keys() -> Credentials {
        Credentials::new("AKID", "hush-key", Some("hush-token".into()), None, "test")
    }

    fn names(handshake: &Handshake) -> Vec<&str> {
        let mut names: Vec<&str> = handshake.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn only_what_is_ours() {
        let session = "x-amzn-bedrock-agentcore-runtime-session-id";
        let token = || Auth::bearer(StaticToken::parse("aaa.hush.ccc").unwrap());
        let signed = ["authorization", "x-amz-date", "x-amz-security-token", session];
        for (auth, endpoint, url, ours) in [
            (Auth::sigv4(keys()), "https://gw.test", "wss://gw.test/runtimes/", &signed[..]),
            (Auth::sigv4(keys()), "https://gw.test:443/base", "wss://gw.test/base/runtimes/", &signed),
            (Auth::sigv4(keys()), "http://127.0.0.1:81", "ws://127.0.0.1:81/runtimes/", &signed),
            (token(), "https://gw.test", "wss://gw.test/runtimes/", &["authorization", session]),
            (Auth::None, "https://gw.test", "wss://gw.test/runtimes/", &[session]),
        ] {
            let handshake = at(endpoint).handshake(&auth).await.unwrap();
            assert!(handshake.uri.to_string().starts_with(url), "{}", handshake.uri);
            assert_eq!(names(&handshake), ours);
            assert_eq!((handshake.session.as_str(), &handshake.headers[session]), (SESSION, &SESSION.parse().unwrap()));
            let shown = format!("{handshake:?}");
            assert!(shown.contains(SESSION) && !shown.contains("hush") && !shown.contains("Signature"), "{shown}");
        }
    }

    #[tokio::test]
    async fn the_signature_covers_the_session_and_the_parameters() {
        let sign = async |socket: WebSocket| {
            let handshake = socket.handshake(&Auth::sigv4(keys())).await.unwrap();
            handshake.headers["authorization"].to_str().unwrap().to_owned()
        };
        let plain = sign(at("https://gw.test")).await;
        let covered = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amzn-bedrock-agentcore-runtime-session-id,";
        assert!(plain.contains(covered), "{plain}");
        assert_eq!(sign(at("https://gw.test")).await, plain);
        assert_ne!(sign(at("https://gw.test").session(&SessionId::random())).await, plain);
        assert_ne!(sign(at("https://gw.test").param("a", "b").unwrap()).await, plain);
    }

    #[tokio::test]
    async fn a_local_container_gets_no_credential() {
        let socket = WebSocket::new(Target::local("http://agent:8080").unwrap()).session(&SESSION.parse().unwrap());
        for auth in [Auth::None, Auth::sigv4(keys()), Auth::bearer(StaticToken::parse("aaa.bbb.ccc").unwrap())] {
            let handshake = socket.handshake(&auth).await.unwrap();
            assert_eq!(handshake.uri, "ws://agent:8080/ws");
            assert_eq!(names(&handshake), ["x-amzn-bedrock-agentcore-runtime-session-id"]);
        }
    }

    #[tokio::test]
    async fn a_raw_client_gets_the_rest_too() {
        let handshake = at("http://127.0.0.1:81").handshake(&Auth::sigv4(keys())).await.unwrap();
        let (one, other) = (handshake.request(), handshake.request());
        assert_eq!((one.method(), one.uri()), (&http::Method::GET, &handshake.uri));
        for (name, value) in [
            ("host", "127.0.0.1:81"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
            ("authorization", handshake.headers["authorization"].to_str().unwrap()),
        ] {
            assert_eq!(one.headers()[name], value);
        }
        assert_eq!(one.headers().len(), handshake.headers.len() + 5);
        assert_ne!(one.headers()["sec-websocket-key"], other.headers()["sec-websocket-key"]);
        assert_eq!(STANDARD.decode(&one.headers()["sec-websocket-key"]).unwrap().len(), 16);
    }

    #[test]
    fn no_runtime_is_needed() {
        let (socket, auth) = (at("https://gw.test"), Auth::sigv4(keys()));
        let made = std::pin::pin!(socket.handshake(&auth)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(made, Poll::Ready(Ok(_))));
    }

    /// A provider that found nothing.
    #[derive(Debug)]
    struct Nothing;

    impl ProvideCredentials for Nothing {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("looked in a drawer")))
        }
    }

    #[tokio::test]
    async fn missing_keys_say_where_they_were_looked_for() {
        let error = at("https://gw.test").handshake(&Auth::sigv4(Nothing)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(error.to_string(), "no AWS credentials could be had from the provider");
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        assert!(causes.map(ToString::to_string).any(|cause| cause.contains("looked in a drawer")), "{error:?}");
    }

    #[tokio::test]
    async fn what_keeps_a_handshake_from_being_made() {
        let expired = Auth::bearer(StaticToken::parse("e30.eyJleHAiOjF9.c2ln").unwrap());
        let error = at("https://gw.test").handshake(&expired).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ExpiredToken);
        assert_eq!(error.to_string(), "the bearer token expired 20315 days ago and was not sent");
        for (bytes, message) in
            [(30_000, "the URL is too long to be signed"), (70_000, "the request for a WebSocket cannot be written")]
        {
            let socket = at("https://gw.test").param("long", &"x".repeat(bytes)).unwrap();
            let error = socket.handshake(&Auth::sigv4(keys())).await.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, message));
        }
    }
}
