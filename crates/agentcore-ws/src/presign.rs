//! Signs URLs that open a socket without headers. Takes a signer, because a bearer token cannot sign.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use agentcore_auth::{SigV4, sigv4};
use agentcore_core::SessionId;
use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, WebSocket};

/// How long a presigned URL is valid: 1 to 300 seconds, the most that the official SDK allows.
///
/// The URL need only be valid until the socket is open; the socket then stays open up to an hour. A short time limits the
/// damage of a URL that leaked into a log or a browser's history; a long time tolerates a slow page and a clock that is
/// behind. Default: 300 seconds, as in the official SDK.
///
/// ```
/// # use agentcore_ws::Expiry;
/// assert_eq!("60".parse::<Expiry>()?, Expiry::from_secs(60)?);
/// assert_eq!(
///     Expiry::from_secs(301).unwrap_err().to_string(),
///     "invalid expiry: a presigned URL lives 1 to 300 seconds, not 301"
/// );
/// # Ok::<(), agentcore_ws::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(u16);

impl Expiry {
    /// The longest expiry, 300 seconds.
    pub const MAX: Self = Self(300);

    /// Returns an expiry of so many seconds.
    ///
    /// # Errors
    /// If `seconds` is 0 or more than 300.
    pub fn from_secs(seconds: u64) -> Result<Self, Error> {
        let fits = u16::try_from(seconds).ok().filter(|seconds| (1..=Self::MAX.0).contains(seconds));
        fits.map(Self).ok_or_else(|| invalid(&seconds.to_string()))
    }

    /// Returns the expiry as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

/// Returns [`Expiry::MAX`].
impl Default for Expiry {
    fn default() -> Self {
        Self::MAX
    }
}

/// Parses a number of seconds.
impl FromStr for Expiry {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_secs(text.parse().map_err(|_| invalid(&format!("{text:?}")))?)
    }
}

impl WebSocket {
    /// Signs the URL with session, qualifier and parameters in its query: whoever has it can open the socket until it
    /// expires, without any header.
    ///
    /// # Errors
    /// If no credentials are available, the parameters make the URL too long, or the target is a local container, which takes
    /// no credentials.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn presign(&self, signer: &SigV4, expiry: Expiry) -> Result<PresignedUrl, Error> {
        Ok(self.presign_at(signer, expiry).await?.0)
    }

    /// Returns the URL and its signing time.
    pub(crate) async fn presign_at(&self, signer: &SigV4, expiry: Expiry) -> Result<(PresignedUrl, SystemTime), Error> {
        let region = self.target.region().ok_or_else(|| Error::input("a local container takes no presigned URLs"))?;
        let url: Uri = self
            .url_with_session()?
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::input("the URL cannot be presigned").with_source(error))?;
        let credentials = signer.credentials().await?;
        let now = self.clock.now();
        let signed_at = signer.signing_time(now);
        let url = sigv4::presign(&url, &credentials, region, signed_at, expiry.duration())?;
        let expires_at = now.checked_add(expiry.duration()).unwrap_or(now);
        let expires_at = credentials.expiry().map_or(expires_at, |end| end.min(expires_at));
        Ok((PresignedUrl { url: url.into(), session: self.session_id().clone(), expires_at }, signed_at))
    }
}

/// A URL that opens a socket without headers. It is a secret while it is valid: hidden in `Debug`, zeroed when it is dropped, and not
/// to be logged.
#[derive(Clone)]
pub struct PresignedUrl {
    url: SecretString,
    session: SessionId,
    expires_at: SystemTime,
}

impl PresignedUrl {
    /// Returns the URL, a secret: whoever has it can talk to the agent in this session.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.expose_secret()
    }

    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Returns when the URL stops opening sockets, by this machine's clock: at its expiry, or at the expiry of the credentials
    /// that signed it if that is earlier. Open sockets stay open.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedUrl")
            .field("session", &self.session)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn invalid(found: &str) -> Error {
    Error::input(format!("invalid expiry: a presigned URL lives 1 to {} seconds, not {found}", Expiry::MAX.0))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::UNIX_EPOCH;

    use agentcore_auth::{Auth, ManualClock, Rejection, credentials::Credentials};
    use agentcore_core::Target;

    use super::*;
    use crate::ErrorKind;

    /// `2025-08-15T12:34:56Z`
    const NOW: u64 = 1_755_261_296;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn socket() -> WebSocket {
        let target = Target::new("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x".parse().unwrap());
        WebSocket::new(target).clock(ManualClock::new(at(NOW)))
    }

    fn signer(expiry: Option<SystemTime>) -> SigV4 {
        SigV4::new(Credentials::new("AKID", "hush-key", Some("hush-token".into()), expiry, "test"))
    }

    #[test]
    fn one_to_three_hundred_seconds() {
        for (text, seconds) in [("1", 1), ("60", 60), ("300", 300)] {
            assert_eq!(text.parse::<Expiry>().unwrap().duration(), Duration::from_secs(seconds));
        }
        assert_eq!(Expiry::default(), Expiry::from_secs(300).unwrap());
        let numbers = ["0", "301", "65537", "18446744073709551615"].map(|number| (number, number));
        for (text, found) in numbers.into_iter().chain([("-1", "\"-1\""), ("5m", "\"5m\""), ("", "\"\"")]) {
            let error = text.parse::<Expiry>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input);
            let message = format!("invalid expiry: a presigned URL lives 1 to 300 seconds, not {found}");
            assert_eq!(error.to_string(), message);
        }
    }

    #[tokio::test]
    async fn a_url_expires_with_its_credentials() {
        for (credentials, seconds, end) in
            [(None, 60, NOW + 60), (Some(at(NOW + 3600)), 300, NOW + 300), (Some(at(NOW + 59)), 60, NOW + 59)]
        {
            let socket = socket();
            let url = socket.presign(&signer(credentials), Expiry::from_secs(seconds).unwrap()).await.unwrap();
            assert_eq!(url.expires_at(), at(end));
            assert_eq!(url.session_id(), socket.session_id());
            assert!(url.expose().starts_with(&format!("{}&X-Amz-Algorithm=", socket.url_with_session().unwrap())));
            assert!(url.expose().contains(&format!("&X-Amz-Date=20250815T123456Z&X-Amz-Expires={seconds}&")));
            let shown = format!("{url:?}");
            assert!(!shown.contains("hush") && !shown.contains("X-Amz"), "{shown}");
        }
    }

    #[tokio::test]
    async fn the_services_clock_is_signed_with() {
        let signer = signer(None);
        let auth = Auth::SigV4(signer.clone());
        let (_, applied) = socket().authorize(&auth).await.unwrap();
        let (code, date) = (Some("InvalidSignatureException"), Some(at(NOW + 3600)));
        assert!(auth.refused(&applied, &Rejection { status: 403, code, date }, at(NOW)));
        let url = socket().presign(&signer, Expiry::default()).await.unwrap();
        assert!(url.expose().contains("&X-Amz-Date=20250815T133456Z&"), "{}", url.expose());
        // The expiry is by the caller's clock.
        assert_eq!(url.expires_at(), at(NOW + 300));
    }

    #[tokio::test]
    async fn what_keeps_a_url_from_being_signed() {
        let local = WebSocket::new(Target::local("http://127.0.0.1:8080").unwrap());
        let error = local.presign(&signer(None), Expiry::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "a local container takes no presigned URLs");
        let (long, longer) = ("the URL is too long to be signed", "the URL cannot be presigned");
        for (bytes, message) in [(30_000, long), (70_000, longer)] {
            let socket = socket().param("long", &"x".repeat(bytes)).unwrap();
            let error = socket.presign(&signer(None), Expiry::default()).await.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Input, message));
        }
    }
}
