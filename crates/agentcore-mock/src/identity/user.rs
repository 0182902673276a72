//! A user of the user pool: names, password, second factor. Knows no tokens.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use uuid::Uuid;

use crate::clock::unix_seconds;

/// A user of the mock's user pool, who logs in with an alias or with the user name that the pool made.
#[derive(Clone)]
#[must_use = "a user exists once a mock is built with it"]
pub struct User {
    pub(super) alias: String,
    pub(super) id: String,
    pub(super) password: String,
    pub(super) new_password_required: bool,
    totp: Option<Vec<u8>>,
    pub(super) email_code: Option<String>,
}

impl User {
    /// Makes a user with an alias, such as an e-mail address, and a password.
    pub fn new(alias: impl Into<String>, password: impl Into<String>) -> Self {
        let id = Uuid::new_v4().to_string();
        Self {
            alias: alias.into(),
            id,
            password: password.into(),
            new_password_required: false,
            totp: None,
            email_code: None,
        }
    }

    /// Requires a new password of 8 characters or more at the first login (`NEW_PASSWORD_REQUIRED`). Default: off.
    pub fn new_password_required(mut self) -> Self {
        self.new_password_required = true;
        self
    }

    /// Requires a code of an authenticator with this secret at each login (`SOFTWARE_TOKEN_MFA`). Default: no code.
    pub fn totp(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.totp = Some(secret.into());
        self
    }

    /// Requires this code, as if it had been sent by e-mail, at each login (`EMAIL_OTP`). Default: no code.
    pub fn email_code(mut self, code: impl Into<String>) -> Self {
        self.email_code = Some(code.into());
        self
    }

    /// Returns the alias that is typed at a login.
    #[must_use]
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// Returns the user name: a token's `username` and `sub`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the password at the start.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    pub(super) fn has_totp(&self) -> bool {
        self.totp.is_some()
    }

    /// Returns whether a code is valid in this time step of 30 seconds or in one beside it (RFC 6238 §5.2).
    pub(super) fn accepts_code(&self, code: &str, now: SystemTime) -> bool {
        let Some(secret) = &self.totp else { return false };
        let step = unix_seconds(now) / TOTP_STEP.as_secs();
        let steps = [step.saturating_sub(1), step, step + 1];
        steps.iter().any(|step| verify_slices_are_equal(hotp(secret, *step).as_bytes(), code.as_bytes()).is_ok())
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("alias", &self.alias).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Returns the code of six digits for a counter (RFC 4226 §5.3).
fn hotp(secret: &[u8], counter: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let bytes = tag.as_ref()[offset..].first_chunk().copied().unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000)
}

const TOTP_STEP: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// RFC 6238 appendix B, the last six digits of its eight.
    #[test]
    fn codes_of_the_rfc() {
        let user = User::new("ada", "x").totp(*b"12345678901234567890");
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let at = |offset: u64| UNIX_EPOCH + Duration::from_secs(seconds + offset);
            assert!(user.accepts_code(code, at(0)) && user.accepts_code(code, at(30)));
            assert!(!user.accepts_code(code, at(90)) && !user.accepts_code("000000", at(0)));
        }
        assert!(!User::new("ada", "x").accepts_code("", UNIX_EPOCH));
    }
}
