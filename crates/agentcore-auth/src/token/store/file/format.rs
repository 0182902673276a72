//! The format of a stored token: one JSON object with a version. Touches no file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::StoredToken;
use crate::Token;

/// Returns the bytes of a file.
pub(super) fn encode(stored: &StoredToken) -> Vec<u8> {
    let value = json!({
        "version": VERSION,
        "token": stored.token.expose(),
        "issued_at": seconds(stored.issued_at),
        "expires_at": stored.token.expires_at().map(seconds),
        "refresh_token": stored.refresh_token.as_ref().map(|token| token.expose_secret()),
        "username": stored.username,
    });
    value.to_string().into_bytes()
}

/// Reads a file back; none if it is damaged or of another version.
pub(super) fn decode(bytes: &[u8]) -> Option<StoredToken> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    if value["version"] != VERSION {
        return None;
    }
    let token = Token::parse(value["token"].as_str()?).ok()?;
    let issued_at = moment(&value["issued_at"])?;
    let token = match &value["expires_at"] {
        Value::Null => token,
        expiry => token.expiring_at(moment(expiry)?),
    };
    Some(StoredToken {
        token,
        issued_at,
        refresh_token: text(&value["refresh_token"])?.map(SecretString::from),
        username: text(&value["username"])?,
    })
}

/// Reads a text or nothing; what is neither was not written here.
fn text(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(value.as_u64()?))
}

/// Whole seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

const VERSION: u64 = 1;
