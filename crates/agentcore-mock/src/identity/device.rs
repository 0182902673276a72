//! The devices that a pool remembers, and what verifies their passwords. Answers no request.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
use serde_json::{Value, json};
use uuid::Uuid;

use super::srp::SrpServer;

/// The devices of a pool's users, by their keys.
#[derive(Default)]
pub(super) struct Devices {
    known: HashMap<String, Device>,
}

struct Device {
    user: String,
    group_key: String,
    /// The salt and the verifier of its password, once it is confirmed.
    confirmed: Option<(BigUint, BigUint)>,
}

impl Devices {
    /// Makes a device for a user, and returns `NewDeviceMetadata`.
    pub(super) fn make(&mut self, user: &str, region: &str) -> Value {
        let key = format!("{region}_{}", Uuid::new_v4());
        let group_key = format!("-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let metadata = json!({ "DeviceKey": key, "DeviceGroupKey": group_key });
        self.known.insert(key, Device { user: user.to_owned(), group_key, confirmed: None });
        metadata
    }

    /// Keeps what verifies a device's password (`DeviceSecretVerifierConfig`), in Base64; false for what is no device of the user's
    /// or no verifier.
    pub(super) fn confirm(&mut self, user: &str, key: &str, verifier: &Value) -> bool {
        let number = |name: &str| {
            let bytes = STANDARD.decode(verifier[name].as_str()?).ok().filter(|bytes| !bytes.is_empty())?;
            Some(BigUint::from_bytes_be(&bytes))
        };
        let device = self.known.get_mut(key).filter(|device| device.user == user);
        let (Some(device), Some(salt), Some(verifier)) = (device, number("Salt"), number("PasswordVerifier")) else {
            return false;
        };
        device.confirmed = Some((salt, verifier));
        true
    }

    /// Returns whether a device is known as the user's, and has its password.
    pub(super) fn is_confirmed(&self, user: &str, key: &str) -> bool {
        self.known.get(key).is_some_and(|device| device.user == user && device.confirmed.is_some())
    }

    /// Returns whether a device is known as the user's.
    pub(super) fn is_known(&self, user: &str, key: &str) -> bool {
        self.known.get(key).is_some_and(|device| device.user == user)
    }

    /// Begins the proof of a device's password with the client's public value.
    pub(super) fn srp(&self, key: &str, client: &str) -> Option<SrpServer> {
        let device = self.known.get(key)?;
        let (salt, verifier) = device.confirmed.clone()?;
        SrpServer::by_verifier(format!("{}{key}", device.group_key), salt, verifier, client)
    }

    /// Forgets every device.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}
