//! A device that an Amazon Cognito pool remembers: its names and its password. Proves nothing itself.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A device that an Amazon Cognito pool remembers, without which the pool renews none of its logins. Blind in `Debug`.
///
/// A pool makes one at a login (`NewDeviceMetadata`), and its password is chosen here (Amazon Cognito developer guide, "Working
/// with user devices in your user pool").
#[derive(Clone)]
pub struct Device {
    key: String,
    group_key: String,
    password: SecretString,
}

impl Device {
    /// A device that was kept: `DeviceKey`, `DeviceGroupKey`, and the password that was chosen for it.
    #[must_use]
    pub fn new(key: impl Into<String>, group_key: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { key: key.into(), group_key: group_key.into(), password: password.into() }
    }

    /// Returns `DeviceKey`, which names the device in requests.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns `DeviceGroupKey`.
    #[must_use]
    pub fn group_key(&self) -> &str {
        &self.group_key
    }

    /// Returns the password. A secret: it stands in for a second factor.
    #[must_use]
    pub fn expose_password(&self) -> &str {
        self.password.expose_secret()
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(…)")
    }
}
