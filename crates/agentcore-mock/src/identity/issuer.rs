//! Signs tokens and publishes the key set and the metadata of their issuer. Verifies nothing.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{clock::unix_seconds, error::Error, verify::JwtAuthorizer};

/// The issuer of a mock's tokens.
pub(crate) struct Issuer {
    url: String,
    key: &'static SigningKey,
}

impl Issuer {
    pub(crate) fn new(url: String) -> Result<Self, Error> {
        Ok(Self { url, key: signing_key()? })
    }

    /// Returns the `iss` of the tokens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the authorizer of a runtime that accepts these tokens.
    pub(crate) fn authorizer(&self, now: SystemTime) -> JwtAuthorizer<'_> {
        let SigningKey { id, decoding, .. } = self.key;
        JwtAuthorizer { issuer: &self.url, key_id: id, key: decoding, client_id: CLIENT_ID, now }
    }

    /// Returns the claims of an Amazon Cognito access token that is valid from `now`.
    pub(crate) fn claims(&self, now: SystemTime, lifetime: Duration) -> Map<String, Value> {
        let now = unix_seconds(now);
        let claims = json!({
            "sub": SUBJECT,
            "iss": self.url,
            "version": 2,
            "client_id": CLIENT_ID,
            "origin_jti": Uuid::new_v4().to_string(),
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now,
            "exp": now + lifetime.as_secs(),
            "iat": now,
            "jti": Uuid::new_v4().to_string(),
            "username": "mock-user",
        });
        match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        }
    }

    /// Signs claims with RS256.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header { kid: Some(self.key.id.clone()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.key.encoding)
    }

    /// Returns the public key as a JSON Web Key Set (RFC 7517 section 5).
    pub(crate) fn key_set(&self) -> Value {
        json!({ "keys": [self.key.public] })
    }

    /// Returns the issuer's metadata (OpenID Connect Discovery 1.0 section 3).
    pub(crate) fn configuration(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/.well-known/jwks.json", self.url),
            "token_endpoint": format!("{}/oauth2/token", self.url),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }
}

struct SigningKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Jwk,
}

impl SigningKey {
    fn generate() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
        let id = digest::digest(&digest::SHA256, pair.public_key_raw());
        let id = URL_SAFE_NO_PAD.encode(id);
        let encoding = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes())?;
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::RS256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding = DecodingKey::from_jwk(&public)?;
        Ok(Self { id, encoding, decoding, public })
    }
}

/// Returns the one key of all mocks in this process.
///
/// A new RSA key takes from tens to hundreds of milliseconds, which each test with a mock of its own would pay. One mock
/// still refuses the tokens of another, because the issuer differs.
fn signing_key() -> Result<&'static SigningKey, Error> {
    static KEY: OnceLock<Result<SigningKey, String>> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate().map_err(|error| error.to_string()))
        .as_ref()
        .map_err(|error| Error::Key(error.clone().into()))
}

/// The client whose tokens the mock's runtimes allow.
pub(super) const CLIENT_ID: &str = "agentcore-mock-client";

/// The user of [`Issuer::claims`].
const SUBJECT: &str = "5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01";

/// The lifetime of a token: Cognito's default.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::UNIX_EPOCH;

    use super::*;

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_looks_like_cognitos() {
        let issuer = Issuer::new("http://127.0.0.1:1".into()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_755_261_296);
        let token = issuer.sign(&issuer.claims(now, TOKEN_LIFETIME)).unwrap();
        assert_eq!(part(&token, 0), json!({"typ": "JWT", "alg": "RS256", "kid": issuer.key.id}));
        let mut claims = part(&token, 1);
        for random in ["jti", "origin_jti"] {
            let id = claims.as_object_mut().unwrap().remove(random).unwrap();
            assert_eq!(id.as_str().unwrap().len(), 36);
        }
        assert_eq!(
            claims,
            json!({
                "sub": "5d0b3a52-7f0e-4d6c-9a7e-2f5a1c8b9e01",
                "iss": "http://127.0.0.1:1",
                "version": 2,
                "client_id": "agentcore-mock-client",
                "token_use": "access",
                "scope": "aws.cognito.signin.user.admin",
                "auth_time": 1_755_261_296,
                "exp": 1_755_264_896,
                "iat": 1_755_261_296,
                "username": "mock-user",
            })
        );
    }

    /// The key set alone, read as a stranger reads it, verifies a token by the primitive and not by the JWT library.
    #[test]
    fn the_key_set_verifies_a_token() {
        let issuer = Issuer::new("http://127.0.0.1:1".into()).unwrap();
        let token = issuer.sign(&issuer.claims(SystemTime::now(), TOKEN_LIFETIME)).unwrap();
        let set = issuer.key_set();
        let key = &set["keys"][0];
        assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
        assert_eq!(key["kid"], part(&token, 0)["kid"]);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let public = aws_lc_rs::signature::RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verify = |signature: &[u8]| {
            public.verify(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), signature)
        };
        assert!(verify(&signature).is_ok());
        signature[0] ^= 1;
        assert!(verify(&signature).is_err());
        assert!(!set.to_string().contains("\"d\""), "the private exponent stays here");
    }
}
