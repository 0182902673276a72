//! The format of a stored token: one JSON object with a version, the same in every store. Stores nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::StoredToken;
use crate::{Device, Token};

/// The JSON object. Times are whole seconds since 1970.
#[derive(Deserialize, Serialize)]
struct Record {
    version: u64,
    token: String,
    issued_at: u64,
    expires_at: Option<u64>,
    refresh_token: Option<String>,
    username: Option<String>,
    /// Absent in what was stored before devices were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<DeviceRecord>,
}

#[derive(Deserialize, Serialize)]
struct DeviceRecord {
    key: String,
    group_key: String,
    password: String,
}

/// Returns the bytes to store.
pub(super) fn encode(stored: &StoredToken) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Record {
        version: VERSION,
        token: stored.token.expose().to_owned(),
        issued_at: seconds(stored.issued_at),
        expires_at: stored.token.expires_at().map(seconds),
        refresh_token: stored.refresh_token.as_ref().map(|token| token.expose_secret().to_owned()),
        username: stored.username.clone(),
        device: stored.device.as_ref().map(|device| DeviceRecord {
            key: device.key().to_owned(),
            group_key: device.group_key().to_owned(),
            password: device.expose_password().to_owned(),
        }),
    })
}

/// Reads them back; none if it is damaged or of another version.
pub(super) fn decode(bytes: &[u8]) -> Option<StoredToken> {
    let record: Record = serde_json::from_slice(bytes).ok().filter(|record: &Record| record.version == VERSION)?;
    let token = Token::parse(&record.token).ok()?;
    let token = match record.expires_at {
        None => token,
        Some(expiry) => token.expiring_at(time(expiry)?),
    };
    let refresh_token = record.refresh_token.map(Into::into);
    let device = record.device.map(|device| Device::new(device.key, device.group_key, device.password));
    Some(StoredToken { token, issued_at: time(record.issued_at)?, refresh_token, username: record.username, device })
}

fn time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

const VERSION: u64 = 1;
