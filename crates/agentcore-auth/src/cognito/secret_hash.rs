//! The applied that an app client knows its secret (Amazon Cognito developer guide, "Computing secret hash values").

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// `SECRET_HASH` = Base64(HMAC-SHA256(secret, user name + client id)).
pub(super) fn secret_hash(secret: &str, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{username}{client_id}").as_bytes()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn golden() {
        let vectors = include_str!("../../../../tests/vectors/srp_vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let vectors = vectors["secret_hash"].as_array().unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let hash = secret_hash(text("client_secret"), text("username"), text("client_id"));
            assert_eq!(hash, text("SECRET_HASH"));
        }
    }
}
