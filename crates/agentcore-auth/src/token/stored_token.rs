//! A token as it is stored, with what continues its login. Reads and writes nothing.

use std::time::SystemTime;

use secrecy::SecretString;

use super::{Device, Token};

/// A token as it is stored, with what continues its login. Blind in `Debug`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredToken {
    /// The token that is sent, with its expiry if that is known.
    pub token: Token,
    /// When it was asked for.
    pub issued_at: SystemTime,
    /// The token that gets the next one without a password.
    pub refresh_token: Option<SecretString>,
    /// The user of the refresh token.
    pub username: Option<String>,
    /// The device from which the refresh token works, where a pool remembers devices.
    pub device: Option<Device>,
}

impl StoredToken {
    /// A token alone. Times are stored in whole seconds, rounded down.
    #[must_use]
    pub fn new(token: Token, issued_at: SystemTime) -> Self {
        Self { token, issued_at, refresh_token: None, username: None, device: None }
    }

    /// Adds the refresh token.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(token.into());
        self
    }

    /// Adds the user of the refresh token.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Adds the device from which the refresh token works.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }
}
