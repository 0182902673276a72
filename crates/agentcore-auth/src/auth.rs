//! The choice of mechanism, and its credential on a request. Decides which credential may be sent over which connection.

use std::{sync::Arc, time::SystemTime};

use agentcore_core::{Region, endpoint::is_loopback};
use bytes::Bytes;
use http::{Request, Uri, header::AUTHORIZATION};

use crate::{
    Bearer, Error, ErrorKind, Principal, SigV4, Token, TokenSource, credentials::ProvideCredentials, sigv4, token::jwt,
};

/// How requests are authenticated. A runtime is configured for one of the two mechanisms; a local container for neither.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// No credentials, for a local container.
    None,
    /// A bearer token (RFC 6750): a JSON Web Token of the issuer the runtime trusts.
    Bearer(Bearer),
    /// AWS Signature Version 4.
    SigV4(SigV4),
}

impl Auth {
    /// Authenticates with the tokens of a source.
    #[must_use]
    pub fn bearer(source: impl TokenSource + 'static) -> Self {
        Self::Bearer(Bearer::new(Arc::new(source)))
    }

    /// Authenticates with AWS credentials.
    #[must_use]
    pub fn sigv4(provider: impl ProvideCredentials + 'static) -> Self {
        Self::SigV4(SigV4::new(provider))
    }

    /// Adds a credential to the request, in place of one that is there. Called once for each attempt, so that a retried
    /// request carries the newest token and a fresh signature.
    ///
    /// # Errors
    /// If there is no credential, a token has expired, or the connection is plaintext and not to loopback. Nothing has been
    /// sent then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the request without a new credential, and the source as it was.
    pub async fn authorize(
        &self,
        request: &mut Request<Bytes>,
        region: Option<&Region>,
        now: SystemTime,
    ) -> Result<AppliedCredential, Error> {
        match self {
            Self::None => Ok(AppliedCredential(Applied::Nothing)),
            Self::Bearer(bearer) => {
                refuse_plaintext(request.uri(), "bearer token")?;
                let token = bearer.token(now).await?;
                request.headers_mut().insert(AUTHORIZATION, token.header().clone());
                Ok(AppliedCredential(Applied::Token(token)))
            }
            Self::SigV4(signer) => {
                refuse_plaintext(request.uri(), "signature")?;
                let region =
                    region.ok_or_else(|| Error::new(ErrorKind::Input, "a local container takes no signed requests"))?;
                let at = signer.signing_time(now);
                sigv4::sign(request, &signer.credentials().await?, region, at)?;
                Ok(AppliedCredential(Applied::Signature(at)))
            }
        }
    }

    /// Returns for whom requests are made now, by the credential that would be sent.
    ///
    /// # Errors
    /// If there is no credential, or the token has expired.
    ///
    /// # Cancel safety
    /// As [`authorize`](Self::authorize).
    pub async fn principal(&self, now: SystemTime) -> Result<Principal, Error> {
        Ok(match self {
            Self::None => Principal::nobody(),
            Self::Bearer(bearer) => bearer.source().cache_identity(&bearer.token(now).await?),
            Self::SigV4(signer) => Principal::of_access_key(signer.credentials().await?.access_key_id()),
        })
    }

    /// Learns from a refusal, and returns whether an attempt with a new credential may succeed.
    ///
    /// A token that was refused with 401 is reported to its [source](TokenSource::reject), and where the service's clock is minutes away
    /// from ours, the next tokens are judged by the service's. A signature that was refused while
    /// the service's clock is minutes away from ours is made again with the service's time.
    #[must_use]
    pub fn refused(&self, applied: &AppliedCredential, refusal: &Rejection<'_>, now: SystemTime) -> bool {
        match (self, &applied.0) {
            (Self::Bearer(bearer), Applied::Token(token)) => {
                refusal.status == 401 && bearer.refused(token, refusal.date, now)
            }
            (Self::SigV4(signer), Applied::Signature(at)) => {
                let about_time = refusal.code.is_some_and(|code| TIME_ERRORS.contains(&code));
                about_time && refusal.date.is_some_and(|date| signer.learn_skew(*at, date, now))
            }
            _ => false,
        }
    }
}

/// The credential of one attempt, to which a refusal refers.
#[derive(Clone, Debug)]
pub struct AppliedCredential(Applied);

#[derive(Clone, Debug)]
enum Applied {
    Nothing,
    Token(Token),
    Signature(SystemTime),
}

impl AppliedCredential {
    /// Nothing was applied.
    #[must_use]
    pub fn none() -> Self {
        Self(Applied::Nothing)
    }

    /// A bearer token was applied, in a header or elsewhere.
    #[must_use]
    pub fn token(token: Token) -> Self {
        Self(Applied::Token(token))
    }

    /// Returns whether a token was applied that is no JSON Web Token.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        matches!(&self.0, Applied::Token(token) if jwt::claims(token.expose()).is_none())
    }

    /// A signature was applied that was made for this time.
    #[must_use]
    pub fn signature(at: SystemTime) -> Self {
        Self(Applied::Signature(at))
    }
}

/// The service's refusal of a credential.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of arguments")]
pub struct Rejection<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The service's name for the error.
    pub code: Option<&'a str>,
    /// The answer's `Date`.
    pub date: Option<SystemTime>,
}

/// Rejects a URL that would take a credential off this machine without TLS.
fn refuse_plaintext(uri: &Uri, what: &str) -> Result<(), Error> {
    if matches!(uri.scheme_str(), Some("https" | "wss")) || uri.host().is_some_and(is_loopback) {
        return Ok(());
    }
    let message = format!("the {what} was not sent: the endpoint is plaintext and not on this machine");
    Err(Error::new(ErrorKind::Input, message))
}

/// AWS's codes for a signature that is too old or too new. `InvalidSignatureException` has other causes too; the date shows
/// which it is.
const TIME_ERRORS: &[&str] = &[
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{
        BoxFuture, StaticToken,
        credentials::Credentials,
        testing::{at, secs},
    };

    fn request(url: &str) -> Request<Bytes> {
        Request::post(url).body(Bytes::new()).unwrap()
    }

    fn keys() -> Credentials {
        Credentials::new("AKID", "hush", None, None, "test")
    }

    /// `{"exp":2000000000}`
    const TOKEN: &str = "e30.eyJleHAiOjIwMDAwMDAwMDB9.c2ln";

    #[tokio::test]
    async fn plaintext_goes_to_loopback_only() {
        let region = "us-east-1".parse().unwrap();
        for auth in [Auth::bearer(StaticToken::parse(TOKEN).unwrap()), Auth::sigv4(keys())] {
            for (url, fine) in [
                ("https://example.com/x", true),
                ("http://127.0.0.1:1/x", true),
                ("http://localhost/x", true),
                ("http://[::1]/x", true),
                ("wss://example.com/x", true),
                ("ws://127.0.0.1:1/x", true),
                ("ws://example.com/x", false),
                ("ftp://example.com/x", false),
                ("http://example.com/x", false),
                ("http://127.0.0.1.example.com/x", false),
            ] {
                let mut request = request(url);
                let done = auth.authorize(&mut request, Some(&region), at(1_900_000_000)).await;
                assert_eq!(done.is_ok(), fine, "{url}");
                assert_eq!(request.headers().contains_key(AUTHORIZATION), fine);
                if let Err(error) = done {
                    assert_eq!(error.kind(), ErrorKind::Input);
                }
            }
        }
        assert!(Auth::sigv4(keys()).authorize(&mut request("http://localhost"), None, at(0)).await.is_err());
    }

    #[tokio::test]
    async fn an_expired_token_is_not_sent_and_the_error_has_its_age() {
        let auth = Auth::bearer(StaticToken::parse(TOKEN).unwrap());
        for (now, message) in [
            (2_000_000_029, None),
            (2_000_000_030, Some("the bearer token expired 30 s ago and was not sent")),
            (2_000_000_119, Some("the bearer token expired 119 s ago and was not sent")),
            (2_000_000_120, Some("the bearer token expired 2 min ago and was not sent")),
            (2_000_010_800, Some("the bearer token expired 3 h ago and was not sent")),
            (2_000_864_000, Some("the bearer token expired 10 days ago and was not sent")),
        ] {
            let mut request = request("https://example.com");
            let done = auth.authorize(&mut request, None, at(now)).await;
            assert_eq!(done.err().map(|error| error.to_string()).as_deref(), message);
            assert_eq!(request.headers().contains_key(AUTHORIZATION), message.is_none());
        }
    }

    #[derive(Debug)]
    struct Renewing;

    impl TokenSource for Renewing {
        fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
            Box::pin(std::future::ready(Token::parse("renewed")))
        }

        fn reject(&self, token: &Token) -> bool {
            assert_eq!(token.expose(), "renewed");
            true
        }
    }

    #[tokio::test]
    async fn what_a_refusal_leads_to() {
        let region = "us-east-1".parse().unwrap();
        let now = at(1_900_000_000);
        let hour_ahead = Some(now + secs(3600));
        let fixed = || Auth::bearer(StaticToken::parse("fixed").unwrap());
        for (auth, status, code, date, again) in [
            (fixed(), 401, Some("UnauthorizedException"), None, false),
            (Auth::bearer(Renewing), 401, Some("UnauthorizedException"), None, true),
            (Auth::bearer(Renewing), 403, Some("AccessDeniedException"), None, false),
            (Auth::sigv4(keys()), 403, Some("InvalidSignatureException"), hour_ahead, true),
            (Auth::sigv4(keys()), 403, Some("InvalidSignatureException"), Some(now), false),
            (Auth::sigv4(keys()), 403, Some("InvalidSignatureException"), None, false),
            (Auth::sigv4(keys()), 403, Some("AccessDeniedException"), hour_ahead, false),
            (Auth::None, 401, None, None, false),
        ] {
            let applied = auth.authorize(&mut request("https://example.com"), Some(&region), now).await.unwrap();
            let refusal = Rejection { status, code, date };
            assert_eq!(auth.refused(&applied, &refusal, now), again, "{auth:?} {refusal:?}");
        }
    }

    /// Our clock is three hours behind: the token that seems alive is refused, and then not sent again.
    #[tokio::test]
    async fn the_corrected_clock_judges_the_next_token() {
        let auth = Auth::bearer(StaticToken::parse(TOKEN).unwrap());
        let now = at(1_999_999_000);
        let send = async |auth: &Auth| auth.authorize(&mut request("https://example.com"), None, now).await;
        let applied = send(&auth).await.unwrap();
        for (status, date) in [(403, now + secs(10_800)), (401, now + secs(200))] {
            assert!(!auth.refused(&applied, &Rejection { status, code: None, date: Some(date) }, now));
            assert!(send(&auth).await.is_ok(), "{status} teaches nothing");
        }
        assert!(!auth.refused(&applied, &Rejection { status: 401, code: None, date: Some(now + secs(10_800)) }, now));
        let refused = send(&auth.clone()).await.unwrap_err();
        assert_eq!(refused.to_string(), "the bearer token expired 2 h ago and was not sent");
    }

    #[tokio::test]
    async fn the_corrected_clock_signs_the_next_attempt() {
        let region = "us-east-1".parse().unwrap();
        let auth = Auth::sigv4(keys());
        let now = at(1_755_261_296);
        let mut request = request("https://example.com");
        let applied = auth.authorize(&mut request, Some(&region), now).await.unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20250815T123456Z");
        let date = Some(now + secs(3600));
        let refusal = Rejection { status: 403, code: Some("InvalidSignatureException"), date };
        assert!(auth.refused(&applied, &refusal, now));
        auth.authorize(&mut request, Some(&region), now).await.unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20250815T133456Z");
    }

    #[test]
    fn debug_is_blind() {
        for auth in [Auth::bearer(StaticToken::parse("hush.hush.hush").unwrap()), Auth::sigv4(keys())] {
            assert!(!format!("{auth:?}").contains("hush"), "{auth:?}");
        }
    }
}
