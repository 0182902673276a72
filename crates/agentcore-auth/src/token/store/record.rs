//! The format of a stored token: one JSON object with a version, the same in every store. Stores nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{
    ExposeSecret as _,
    zeroize::{Zeroize as _, Zeroizing},
};
use serde::{Deserialize, Serialize};

use super::StoredToken;
use crate::{Device, Token};

/// The JSON object. Times are whole seconds since 1970. Its secrets are zeroed when it is dropped.
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

impl Drop for Record {
    fn drop(&mut self) {
        self.token.zeroize();
        self.refresh_token.zeroize();
    }
}

impl Drop for DeviceRecord {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

/// Returns the bytes to store.
pub(super) fn encode(stored: &StoredToken) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let record = Record {
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
    };
    // Never moved to a larger place, which would leave the smaller one behind as it is. What is stored is smaller.
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *bytes, &record)?;
    Ok(bytes)
}

/// Reads them back; none if it is damaged or of another version.
pub(super) fn decode(bytes: &[u8]) -> Option<StoredToken> {
    let mut record: Record = serde_json::from_slice(bytes).ok().filter(|record: &Record| record.version == VERSION)?;
    let token = Token::parse(&record.token).ok()?;
    let token = match record.expires_at {
        None => token,
        Some(expiry) => token.expiring_at(time(expiry)?),
    };
    let device = |mut record: DeviceRecord| {
        let taken = std::mem::take;
        Device::new(taken(&mut record.key), taken(&mut record.group_key), taken(&mut record.password))
    };
    Some(StoredToken {
        token,
        issued_at: time(record.issued_at)?,
        refresh_token: record.refresh_token.take().map(Into::into),
        username: record.username.take(),
        device: record.device.take().map(device),
    })
}

fn time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

const VERSION: u64 = 1;
const ROOM: usize = 64 * 1024;
