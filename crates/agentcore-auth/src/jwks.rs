//! Verifying tokens with the keys their issuer publishes (RFC 7517), to accept a token or to learn why it is refused. Feature
//! `jwks`.
//!
//! It refuses tokens without a signature, signatures made with a shared secret, and keys from anywhere but the issuer's own
//! metadata.

mod cache;
mod key;

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use self::{
    cache::KeyCache,
    key::{Algorithm, decode, untrusted},
};
pub use crate::issuer::Issuer;
use agentcore_core::duration_in_words;

use crate::{Clock, Error, ErrorKind, Exchange};

/// Verifies the tokens of one issuer, as a runtime with a JWT authorizer does.
///
/// No token is allowed before [`allow_client`](Self::allow_client), [`allow_audience`](Self::allow_audience) or
/// [`allow_anybody`](Self::allow_anybody) is called.
///
/// The issuer's keys are fetched when the first token comes, once for all callers, and looked up without a lock from then on.
/// They are fetched again after an hour, in the background, and when a token names a key that is not among them; while that
/// fails, the last keys are used for a day. A fetch that takes longer than 30 seconds has failed.
///
/// ```no_run
/// # use std::sync::Arc;
/// use agentcore_auth::jwks::Verifier;
///
/// # async fn example(http: Arc<dyn agentcore_auth::Exchange>, token: &str) -> Result<(), agentcore_auth::Error> {
/// let issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ABC123DEF".parse()?;
/// let verifier = Verifier::new(issuer, http).allow_client("my-client-id");
/// let claims = verifier.verify(token).await?;
/// println!("called by {}", claims["sub"]);
/// # Ok(()) }
/// ```
pub struct Verifier {
    keys: KeyCache,
    leeway: Duration,
    clients: Vec<String>,
    audiences: Vec<String>,
    anybody: bool,
}

impl Verifier {
    /// Returns a verifier of this issuer's tokens that allows none yet.
    #[must_use]
    pub fn new(issuer: Issuer, http: Arc<dyn Exchange>) -> Self {
        let keys = KeyCache::new(issuer, http);
        Self { keys, leeway: Duration::ZERO, clients: Vec::new(), audiences: Vec::new(), anybody: false }
    }

    /// Allows tokens whose `client_id` is this, such as Cognito's access tokens. May be given several times.
    ///
    /// Where clients and audiences are given, a token must match one of each, as with a runtime's `allowedClients` and
    /// `allowedAudience`.
    #[must_use]
    pub fn allow_client(mut self, id: impl Into<String>) -> Self {
        self.clients.push(id.into());
        self
    }

    /// Allows tokens whose `aud` is this, or has this among others, such as Cognito's id tokens. May be given several times.
    #[must_use]
    pub fn allow_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Allows all of the issuer's tokens, where no client and no audience is given: to inspect a token, not to authorize a
    /// caller.
    #[must_use]
    pub fn allow_anybody(mut self) -> Self {
        self.anybody = true;
        self
    }

    /// Takes `exp` as this much later and `nbf` as this much earlier. Default: zero, so that no expired token is accepted; a
    /// machine whose clock is behind the issuer's needs a few seconds to accept new tokens.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Fetches the keys again for an unknown one no sooner than this after the last fetch. Default: 30 seconds. A shorter
    /// interval finds a new key sooner, and lets strangers cause more requests with invalid tokens.
    #[must_use]
    pub fn refetch_interval(mut self, interval: Duration) -> Self {
        self.keys.interval = interval;
        self
    }

    /// Sets the clock. Default: the system's clocks.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.keys.refresh.clock = Arc::new(clock);
        self
    }

    /// Verifies a token: its signature, issuer, times, client and audience. Returns its claims.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedToken`] and [`ErrorKind::ExpiredToken`] are about the token, and the message names the check;
    /// any other kind is about the issuer, whose keys could not be fetched.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await; a fetch that it caused goes on, as with [`CachedToken`](crate::CachedToken).
    pub async fn verify(&self, token: &str) -> Result<Map<String, Value>, Error> {
        let parts = Parts::read(token)?;
        // Checked first, so that the error is not about an unknown key.
        if parts.text("iss") != Some(self.keys.issuer().as_str()) {
            return Err(untrusted("its issuer is another"));
        }
        let key = self.keys.find(&parts.key_id).await?;
        if !key.verifies(parts.algorithm, parts.signed.as_bytes(), &parts.signature)? {
            return Err(untrusted("its signature is wrong"));
        }
        self.check_times(&parts.claims)?;
        self.check_receiver(&parts)?;
        Ok(parts.claims)
    }

    /// RFC 7519 §4.1.4 and §4.1.5.
    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), Error> {
        let now = self.keys.refresh.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let expiry = numeric_date(claims, "exp").ok_or_else(|| untrusted("it does not say when it expires"))?;
        if now >= expiry.saturating_add(self.leeway) {
            let message = format!("the token expired {} ago", duration_in_words(now.saturating_sub(expiry)));
            return Err(Error::new(ErrorKind::ExpiredToken, message));
        }
        match numeric_date(claims, "nbf") {
            None if claims.contains_key("nbf") => Err(untrusted("it does not say since when it is valid")),
            Some(begin) if now.saturating_add(self.leeway) < begin => Err(untrusted("it is not valid yet")),
            _ => Ok(()),
        }
    }

    fn check_receiver(&self, parts: &Parts<'_>) -> Result<(), Error> {
        if self.clients.is_empty() && self.audiences.is_empty() && !self.anybody {
            return Err(untrusted("no client and no audience is allowed"));
        }
        let client = parts.text("client_id");
        if !self.clients.is_empty() && !client.is_some_and(|client| self.clients.iter().any(|it| it == client)) {
            return Err(untrusted("its client is not allowed"));
        }
        let allowed = |audience: &Value| self.audiences.iter().any(|it| audience == it);
        let fine = match parts.claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(allowed),
            Some(one) => allowed(one),
            None => false,
        };
        if !self.audiences.is_empty() && !fine {
            return Err(untrusted("its audience is not allowed"));
        }
        Ok(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", self.keys.issuer())
            .field("clients", &self.clients)
            .field("audiences", &self.audiences)
            .field("anybody", &self.anybody)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}

/// The parts of a token (RFC 7515 §7.1), not verified yet.
struct Parts<'a> {
    signed: &'a str,
    algorithm: Algorithm,
    /// The name of its key (RFC 7517 §4.5).
    key_id: String,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn read(token: &'a str) -> Result<Self, Error> {
        let odd = || untrusted("it is not a signed JSON Web Token");
        if token.len() > MAX_TOKEN_BYTES {
            return Err(untrusted("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(odd)?;
        let (header, claims) = signed.split_once('.').ok_or_else(odd)?;
        let object = |part: &str| match serde_json::from_slice(&decode(part)?).ok()? {
            Value::Object(object) => Some(object),
            _ => None,
        };
        let (header, claims) = object(header).zip(object(claims)).ok_or_else(odd)?;
        let signature = decode(signature).ok_or_else(odd)?;
        // RFC 7515 §4.1.11: what must be understood, and is not, is refused.
        if header.contains_key("crit") {
            return Err(untrusted("it has extensions that must be understood"));
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        let algorithm = algorithm.ok_or_else(|| untrusted("its algorithm is none of those that are taken"))?;
        let Some(Value::String(key_id)) = header.get("kid").cloned() else {
            return Err(untrusted("it does not name its key"));
        };
        Ok(Self { signed, algorithm, key_id, claims, signature })
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
}

/// HTTP servers accept no header this long.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A `NumericDate` (RFC 7519 §2): seconds since 1970, perhaps with a fraction.
fn numeric_date(claims: &Map<String, Value>, name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(claims.get(name)?.as_f64()?).ok()
}

#[cfg(test)]
mod tests;
