//! AWS credentials for SigV4: their provider, and the clock skew learned from the service.

use std::time::SystemTime;

pub use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};

use agentcore_core::duration_in_words;

use crate::{Error, ErrorKind, clock::LEEWAY, skew::Skew};

/// Signs with AWS credentials. Clones share what they learn of the service's clock.
#[derive(Clone, Debug)]
pub struct SigV4 {
    provider: SharedCredentialsProvider,
    skew: Skew,
}

impl SigV4 {
    /// Signs with what `provider` gives, asked once per attempt: a provider that does IO should cache.
    ///
    /// [`Credentials`] are a provider of themselves; [`from_env`] reads them from the environment.
    #[must_use]
    pub fn new(provider: impl ProvideCredentials + 'static) -> Self {
        Self { provider: SharedCredentialsProvider::new(provider), skew: Skew::default() }
    }

    /// Returns the same signer, sharing what `other` has learned and learns of the service's clock.
    #[must_use]
    pub fn with_skew_of(&self, other: &Self) -> Self {
        Self { provider: self.provider.clone(), skew: other.skew.clone() }
    }

    /// Returns credentials to sign with now.
    ///
    /// # Errors
    /// If the provider has none; its own reason is the source.
    pub async fn credentials(&self) -> Result<Credentials, Error> {
        self.provider.provide_credentials().await.map_err(|error| {
            Error::new(ErrorKind::Authentication, "no AWS credentials could be had from the provider")
                .with_source(error)
        })
    }

    /// Returns the time to sign with: `now`, corrected by what was learned of the service's clock.
    #[must_use]
    pub fn signing_time(&self, now: SystemTime) -> SystemTime {
        self.skew.corrected(now)
    }

    /// Learns the service's clock from the date of a refusal, and returns whether that explains the refusal.
    pub(crate) fn learn_skew(&self, signed_at: SystemTime, service: SystemTime, now: SystemTime) -> bool {
        self.skew.learn(signed_at, service, now)
    }
}

/// Reads credentials from the environment, through `lookup` so that tests need not change it.
///
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` (or `SECRET_ACCESS_KEY`, as the AWS SDKs do) and, for temporary ones,
/// `AWS_SESSION_TOKEN`. Empty counts as unset, and white space at either end does not count.
///
/// # Errors
/// If one of the first two is missing, or holds what no credential holds; the error names the variable.
pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Credentials, Error> {
    let set = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let missing = |name: &str| {
        let message = format!(
            "no AWS credentials in the environment: {name} is not set \
             (looked at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN)"
        );
        Error::new(ErrorKind::Authentication, message)
    };
    let id = set("AWS_ACCESS_KEY_ID").ok_or_else(|| missing("AWS_ACCESS_KEY_ID"))?;
    let secret = set("AWS_SECRET_ACCESS_KEY")
        .or_else(|| set("SECRET_ACCESS_KEY"))
        .ok_or_else(|| missing("AWS_SECRET_ACCESS_KEY"))?;
    let token = set("AWS_SESSION_TOKEN");
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", Some(&id)),
        ("AWS_SECRET_ACCESS_KEY", Some(&secret)),
        ("AWS_SESSION_TOKEN", token.as_ref()),
    ] {
        check_text(name, value.map(String::as_str))?;
    }
    Ok(Credentials::new(id, secret, token, None, "Environment"))
}

/// Checks that a request can be signed with these credentials: the signing library panics on some characters.
///
/// # Errors
/// If a part holds what no credential holds, or they have expired.
pub(crate) fn check(credentials: &Credentials, at: SystemTime) -> Result<(), Error> {
    check_text("the AWS access key id", Some(credentials.access_key_id()))?;
    check_text("the AWS secret access key", Some(credentials.secret_access_key()))?;
    check_text("the AWS session token", credentials.session_token())?;
    match credentials.expiry().and_then(|expiry| at.duration_since(expiry).ok()).filter(|age| *age >= LEEWAY) {
        None => Ok(()),
        Some(age) => {
            let message =
                format!("the AWS credentials expired {} ago, and nothing was signed with them", duration_in_words(age));
            Err(Error::new(ErrorKind::ExpiredToken, message))
        }
    }
}

fn check_text(what: &str, text: Option<&str>) -> Result<(), Error> {
    match text.and_then(|text| text.bytes().position(|byte| !byte.is_ascii_graphic())) {
        None => Ok(()),
        Some(place) => {
            let message = format!("{what} holds a character at byte {place} that no credential holds");
            Err(Error::new(ErrorKind::Authentication, message))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::testing::at;

    #[test]
    fn environment() {
        let lookup = |variables: &'static [(&str, &str)]| {
            move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let full = &[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_SESSION_TOKEN", "token")];
        let found = from_env(lookup(full)).unwrap();
        assert_eq!(
            (found.access_key_id(), found.secret_access_key(), found.session_token()),
            ("AKID", "hush", Some("token"))
        );
        assert!(!format!("{found:?}").contains("hush"));
        let found =
            from_env(lookup(&[("AWS_ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "")]));
        assert_eq!(found.unwrap().session_token(), None);
        for (variables, missing) in [
            (&[][..], "AWS_ACCESS_KEY_ID"),
            (&[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "s")][..], "AWS_ACCESS_KEY_ID"),
            (&[("AWS_ACCESS_KEY_ID", "AKID")], "AWS_SECRET_ACCESS_KEY"),
        ] {
            let error = from_env(lookup(variables)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Authentication);
            assert!(error.to_string().contains(&format!("{missing} is not set")), "{error}");
        }
    }

    #[test]
    fn skew_is_learned_only_where_it_explains_a_refusal() {
        let at = |seconds: u64| at(1_000_000_000 + seconds);
        let signer = SigV4::new(Credentials::new("AKID", "hush", None, None, "test"));
        assert!(!signer.learn_skew(at(0), at(239), at(0)));
        assert_eq!(signer.signing_time(at(0)), at(0));
        assert!(signer.learn_skew(at(0), at(3600), at(1)));
        assert_eq!(signer.signing_time(at(1)), at(3600));
        // The correction is clones' too, and a second refusal with the same date teaches nothing.
        assert!(!signer.clone().learn_skew(at(3600), at(3601), at(2)));
        // The other way.
        assert!(signer.learn_skew(at(3600), at(60), at(7200)));
        assert_eq!(signer.signing_time(at(7200)), at(60));
    }

    #[test]
    fn what_no_request_is_signed_with() {
        let plain = |id: &str, secret: &str, token: Option<&str>, expiry: Option<u64>| {
            Credentials::new(id, secret, token.map(str::to_owned), expiry.map(at), "test")
        };
        for (credentials, refusal) in [
            (plain("AKID", "s+/=", Some("t=="), Some(101)), None),
            (plain("AKID", "s", None, Some(71)), None),
            (
                plain("AKID", "s", None, Some(70)),
                Some("the AWS credentials expired 30 s ago, and nothing was signed with them"),
            ),
            (
                plain("AKID\n", "s", None, None),
                Some("the AWS access key id holds a character at byte 4 that no credential holds"),
            ),
            (
                plain("AK\u{7f}ID", "s", None, None),
                Some("the AWS access key id holds a character at byte 2 that no credential holds"),
            ),
            (
                plain("AKID", "s\r", None, None),
                Some("the AWS secret access key holds a character at byte 1 that no credential holds"),
            ),
            (
                plain("AKID", "s", Some("\u{fc}"), None),
                Some("the AWS session token holds a character at byte 0 that no credential holds"),
            ),
        ] {
            assert_eq!(check(&credentials, at(100)).err().map(|error| error.to_string()).as_deref(), refusal);
        }
        let lookup = |name: &str| Some(if name == "AWS_ACCESS_KEY_ID" { "AK\tID" } else { " x\r\n" }.to_owned());
        let error = from_env(lookup).unwrap_err();
        assert_eq!(error.to_string(), "AWS_ACCESS_KEY_ID holds a character at byte 2 that no credential holds");
        let trimmed = from_env(|_| Some(" x\r\n".to_owned())).unwrap();
        assert_eq!(
            (trimmed.access_key_id(), trimmed.secret_access_key(), trimmed.session_token()),
            ("x", "x", Some("x"))
        );
    }
}
