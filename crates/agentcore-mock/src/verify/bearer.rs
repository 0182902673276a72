//! Verifies a bearer token as a runtime with a JWT authorizer does: signature, issuer, times and client. RS256 only.

use std::time::SystemTime;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::{clock::unix_seconds, record::Caller, service_error::ServiceError};

/// The JWT authorizer of a runtime: one issuer with one key, and one allowed client.
pub(crate) struct JwtAuthorizer<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) key_id: &'a str,
    pub(crate) key: &'a DecodingKey,
    pub(crate) client_id: &'a str,
    pub(crate) now: SystemTime,
}

impl JwtAuthorizer<'_> {
    /// Verifies a token without leeway: it is refused from the second of its `exp` on.
    pub(crate) fn verify(&self, token: &str) -> Result<Caller, ServiceError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| refuse("The token is not a JWT."))?;
        if header.alg != Algorithm::RS256 {
            return Err(refuse("The token's algorithm is not RS256."));
        }
        if header.kid.as_deref() != Some(self.key_id) {
            return Err(refuse("The token's kid is not in the issuer's key set."));
        }
        // The library checks the signature alone: its own checks of the claims read the system's clock.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, self.key, &validation)
            .map_err(|_| refuse("The token's signature is not valid."))?
            .claims;
        self.check_claims(&claims)?;
        Ok(Caller::Jwt { subject: text(&claims, "sub").unwrap_or_default().to_owned() })
    }

    fn check_claims(&self, claims: &Map<String, Value>) -> Result<(), ServiceError> {
        let now = unix_seconds(self.now);
        let time = |name: &str| claims.get(name).and_then(Value::as_u64);
        match time("exp") {
            None => return Err(refuse("The token has no exp.")),
            Some(exp) if exp <= now => return Err(refuse("The token has expired.")),
            Some(_) => {}
        }
        if claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| nbf > now) {
            return Err(refuse("The token is not valid yet."));
        }
        if text(claims, "iss") != Some(self.issuer) {
            return Err(refuse("Claim 'iss' value mismatch with configuration."));
        }
        // An access token of Cognito names its client in `client_id`, an id token in `aud`.
        match claims.get("client_id") {
            Some(client) if client == self.client_id => Ok(()),
            Some(_) => Err(refuse("Claim 'client_id' value mismatch with configuration.")),
            None if self.is_audience(claims.get("aud")) => Ok(()),
            None => Err(refuse("Claim 'aud' value mismatch with configuration.")),
        }
    }

    /// Returns whether `aud` is the client or a list that holds the client (RFC 7519 section 4.1.3).
    fn is_audience(&self, aud: Option<&Value>) -> bool {
        match aud {
            Some(Value::Array(several)) => several.iter().any(|one| one == self.client_id),
            Some(one) => one == self.client_id,
            None => false,
        }
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

fn refuse(message: &str) -> ServiceError {
    ServiceError::unauthorized(message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::{Duration, UNIX_EPOCH};

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::identity::{Issuer, TOKEN_LIFETIME};

    const NOW: u64 = 1_755_261_296;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn issuer() -> Issuer {
        Issuer::new("http://127.0.0.1:1".into()).unwrap()
    }

    /// Applies changes to good claims: a `null` removes one.
    fn outcome(changes: Value) -> String {
        let issuer = issuer();
        let mut claims = issuer.claims(now(), TOKEN_LIFETIME);
        for (name, value) in changes.as_object().unwrap() {
            claims.insert(name.clone(), value.clone());
        }
        claims.retain(|_, value| !value.is_null());
        let token = issuer.sign(&claims).unwrap();
        match issuer.authorizer(now()).verify(&token) {
            Ok(Caller::Jwt { subject }) => subject,
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!((error.status.as_u16(), error.name), (401, "UnauthorizedException"));
                error.message
            }
        }
    }

    #[test]
    fn claims() {
        let good = "5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01";
        for (changes, expected) in [
            (json!({}), good),
            (json!({"sub": "somebody"}), "somebody"),
            (json!({"sub": null}), ""),
            (json!({"exp": NOW + 1}), good),
            (json!({"exp": NOW}), "The token has expired."),
            (json!({"exp": NOW - 1}), "The token has expired."),
            (json!({"exp": null}), "The token has no exp."),
            (json!({"exp": "1999999999"}), "The token has no exp."),
            (json!({"nbf": NOW}), good),
            (json!({"nbf": NOW + 1}), "The token is not valid yet."),
            (json!({"nbf": "0"}), "The token is not valid yet."),
            (json!({"iss": "http://127.0.0.1:2"}), "Claim 'iss' value mismatch with configuration."),
            (json!({"iss": null}), "Claim 'iss' value mismatch with configuration."),
            (json!({"client_id": "other"}), "Claim 'client_id' value mismatch with configuration."),
            (
                json!({"client_id": "other", "aud": "agentcore-mock-client"}),
                "Claim 'client_id' value mismatch with configuration.",
            ),
            (json!({"client_id": null, "aud": "agentcore-mock-client"}), good),
            (json!({"client_id": null, "aud": ["x", "agentcore-mock-client"]}), good),
            (json!({"client_id": null, "aud": ["x"]}), "Claim 'aud' value mismatch with configuration."),
            (json!({"client_id": null, "aud": "x"}), "Claim 'aud' value mismatch with configuration."),
            (json!({"client_id": null}), "Claim 'aud' value mismatch with configuration."),
        ] {
            assert_eq!(outcome(changes.clone()), expected, "{changes}");
        }
    }

    #[test]
    fn every_character_of_a_token_counts() {
        let issuer = issuer();
        let token = issuer.sign(&issuer.claims(now(), TOKEN_LIFETIME)).unwrap();
        assert!(issuer.authorizer(now()).verify(&token).is_ok());
        let last = token.len() - 1;
        for index in 0..token.len() {
            // The last character of a 256-byte signature carries four spare bits, which a strict decoder refuses too.
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert!(issuer.authorizer(now()).verify(&tampered).is_err(), "character {index} of {last}");
        }
    }

    #[test]
    fn headers_that_are_not_ours() {
        let issuer = issuer();
        let token = issuer.sign(&issuer.claims(now(), TOKEN_LIFETIME)).unwrap();
        let (header, rest) = token.split_once('.').unwrap();
        assert!(!header.is_empty());
        for (header, expected) in [
            (json!({"alg": "none", "kid": issuer.authorizer(now()).key_id}), "The token is not a JWT."),
            (json!({"alg": "HS256", "kid": issuer.authorizer(now()).key_id}), "The token's algorithm is not RS256."),
            (json!({"alg": "RS512", "kid": issuer.authorizer(now()).key_id}), "The token's algorithm is not RS256."),
            (json!({"alg": "RS256", "kid": "other"}), "The token's kid is not in the issuer's key set."),
            (json!({"alg": "RS256"}), "The token's kid is not in the issuer's key set."),
            (json!({"alg": "RS256", "kid": issuer.authorizer(now()).key_id}), "The token's signature is not valid."),
        ] {
            let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
            assert_eq!(issuer.authorizer(now()).verify(&forged).unwrap_err().message, expected, "{header}");
        }
        for garbage in ["", ".", "..", "a.b.c", "x", &token[..token.len() - 1], &format!("{token}.x")] {
            assert!(issuer.authorizer(now()).verify(garbage).is_err(), "{garbage:?}");
        }
    }
}
