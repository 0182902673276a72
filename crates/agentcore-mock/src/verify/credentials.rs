//! The AWS credentials that a mock accepts. AWS accepts none of them.

use std::fmt;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::error::Error;

/// A set of AWS credentials: the one key that a mock accepts.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Credentials {
    /// Makes credentials of given values, for a mock that verifies requests signed elsewhere.
    ///
    /// With a session token a request must carry it; without, it must carry none.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: session_token.map(str::to_owned),
        }
    }

    /// Makes random temporary credentials that look like those of AWS STS.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 136];
        rand::fill(&mut bytes).map_err(|error| Error::Key(error.into()))?;
        let (id, rest) = bytes.split_at(16);
        let (secret, token) = rest.split_at(30);
        // Base32's alphabet has 32 characters, so the bytes stay evenly spread over it.
        let id: String = id.iter().map(|byte| char::from(BASE32[usize::from(byte % 32)])).collect();
        Ok(Self {
            access_key_id: format!("ASIA{id}"),
            secret_access_key: STANDARD.encode(secret),
            session_token: Some(STANDARD.encode(token)),
        })
    }

    /// Returns the access key id, which is no secret.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the secret access key.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// Returns the session token of temporary credentials.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The alphabet of RFC 4648 section 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn random_credentials_look_like_temporary_ones_and_stay_out_of_debug() {
        let one = Credentials::random().unwrap();
        assert!(one.access_key_id.starts_with("ASIA"));
        assert_eq!((one.access_key_id.len(), one.secret_access_key.len()), (20, 40));
        assert_ne!(one.secret_access_key, Credentials::random().unwrap().secret_access_key);
        let debug = format!("{one:?}");
        assert!(!debug.contains(&one.secret_access_key), "{debug}");
        assert!(!debug.contains(one.session_token().unwrap()), "{debug}");
    }
}
