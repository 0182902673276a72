//! Reads the claims of a JSON Web Token (RFC 7519). Verifies nothing: a claim is a hint, never a permission.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Returns the claims of a token, unverified; none if it is not a signed JSON Web Token.
#[must_use]
pub fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    match serde_json::from_slice(&payload).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// Returns when a token expires by its `exp` claim (RFC 7519 §4.1.4), if it has one. A date before 1970 is 1970.
#[must_use]
pub fn expiry(token: &str) -> Option<SystemTime> {
    date(token, "exp")
}

/// Returns when a token was issued by its `iat` claim (RFC 7519 §4.1.6), by its issuer's clock.
#[must_use]
pub fn issued_at(token: &str) -> Option<SystemTime> {
    date(token, "iat")
}

/// Some issuers write a date as text.
fn date(token: &str, name: &str) -> Option<SystemTime> {
    let claims = claims(token)?;
    let claim = claims.get(name)?;
    let seconds: f64 = claim.as_f64().or_else(|| claim.as_str()?.parse().ok())?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds.max(0.0)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7519 §3.1's own example, whose `exp` is 1300819380.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(expiry(RFC), Some(UNIX_EPOCH + Duration::from_secs(1_300_819_380)));
        assert_eq!(claims(RFC).and_then(|claims| claims.get("iss").cloned()), Some("joe".into()));
    }

    /// The payloads, in base64url: what must not be taken for an expiry, and what may.
    #[test]
    fn other_shapes() {
        for (payload, seconds) in [
            ("eyJleHAiOjEuNX0", Some(1.5)), // {"exp":1.5}
            ("eyJleHAiOjJ9", Some(2.0)),    // {"exp":2}
            ("eyJleHAiOi0xfQ", Some(0.0)),  // {"exp":-1}
            ("eyJleHAiOiIyIn0", Some(2.0)), // {"exp":"2"}
            ("eyJleHAiOjFlMzAwfQ", None),   // {"exp":1e300}
            ("e30", None),                  // {}
            ("W10", None),                  // []
            ("bm90IGpzb24", None),          // not json
            ("!!!", None),
            ("", None),
        ] {
            let expected = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs_f64(seconds));
            assert_eq!(expiry(&format!("e30.{payload}.c2ln")), expected, "{payload}");
        }
        let since = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        let token = "e30.eyJpYXQiOjEwLCJleHAiOjM2MTB9.c2ln"; // {"iat":10,"exp":3610}
        assert_eq!((issued_at(token), expiry(token)), (since(10), since(3610)));
        assert_eq!(expiry("e30.eyJleHAiOi0xfQ.c2ln"), since(0)); // {"exp":-1}
        assert_eq!(expiry("e30.eyJleHAiOiIxMzk5OTkzNjAwIn0.c2ln"), since(1_399_993_600)); // {"exp":"1399993600"}
        for not_a_jwt in ["opaque", "a.b", "e30.eyJleHAiOjJ9", "a.eyJleHAiOjJ9.c.d.e"] {
            assert_eq!(expiry(not_a_jwt), None);
        }
    }
}
