//! Public keys as issuers write them (RFC 7517), and the signatures they verify (RFC 7518 §3). Has no algorithm with a shared
//! secret, and none without a signature.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{Error, ErrorKind};

/// How a token is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Algorithm {
    name: &'static str,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug)]
enum Scheme {
    Rsa(&'static RsaParameters),
    /// On the curve of this name.
    Ecdsa(&'static str, &'static EcdsaVerificationAlgorithm),
}

impl Algorithm {
    /// Returns the algorithm that a token's `alg` names, if it is accepted.
    pub(super) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.iter().find(|it| it.name == name).copied()
    }
}

/// A public key that signatures can be verified with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    /// The one algorithm it is for, if it names one.
    algorithm: Option<String>,
    numbers: Numbers,
}

#[derive(Debug, PartialEq, Eq)]
enum Numbers {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Curve { name: &'static str, point: Vec<u8> },
}

impl Key {
    /// Reads a key; none if it is not one that can verify a token.
    pub(super) fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key[name].as_str();
        let bytes = |name: &str| decode(text(name)?);
        let for_signatures = key["use"].is_null() || key["use"] == "sig";
        let verifies = key["key_ops"].as_array().is_none_or(|uses| uses.iter().any(|it| it == "verify"));
        if !for_signatures || !verifies {
            return None;
        }
        let numbers = match text("kty")? {
            "RSA" => {
                let (modulus, exponent) = (bytes("n")?, bytes("e")?);
                MODULUS_BYTES.contains(&modulus.len()).then_some(Numbers::Rsa { modulus, exponent })?
            }
            "EC" => {
                let (name, length) = *CURVES.iter().find(|(name, _)| text("crv") == Some(name))?;
                let (x, y) = (bytes("x")?, bytes("y")?);
                // RFC 7518 §6.2.1: each coordinate has its full length.
                let whole = x.len() == length && y.len() == length;
                whole.then(|| Numbers::Curve { name, point: [&[UNCOMPRESSED], &x[..], &y[..]].concat() })?
            }
            _ => return None,
        };
        Some(Self { id: text("kid")?.to_owned(), algorithm: text("alg").map(str::to_owned), numbers })
    }

    /// Returns whether the signature is this key's. A key is never used with an algorithm that it is not for (RFC 8725 §3.1).
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<bool, Error> {
        let other_algorithm = || untrusted("its algorithm is not its key's");
        if self.algorithm.as_ref().is_some_and(|only| only != algorithm.name) {
            return Err(other_algorithm());
        }
        match (&self.numbers, algorithm.scheme) {
            (Numbers::Rsa { modulus, exponent }, Scheme::Rsa(scheme)) => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                Ok(key.verify(scheme, message, signature).is_ok())
            }
            (Numbers::Curve { name, point }, Scheme::Ecdsa(curve, scheme)) if *name == curve => {
                Ok(UnparsedPublicKey::new(scheme, point).verify(message, signature).is_ok())
            }
            _ => Err(other_algorithm()),
        }
    }
}

/// RFC 7518 §3.3 and §3.4.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm { name: "RS256", scheme: Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256) },
    Algorithm { name: "RS384", scheme: Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384) },
    Algorithm { name: "RS512", scheme: Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512) },
    Algorithm { name: "ES256", scheme: Scheme::Ecdsa(P256, &ECDSA_P256_SHA256_FIXED) },
    Algorithm { name: "ES384", scheme: Scheme::Ecdsa(P384, &ECDSA_P384_SHA384_FIXED) },
];

const P256: &str = "P-256";
const P384: &str = "P-384";
/// The curves, and how many bytes a coordinate has.
const CURVES: [(&str, usize); 2] = [(P256, 32), (P384, 48)];
/// Before the coordinates of a point that has both (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
/// 2,048 to 8,192 bits: RFC 7518 §3.3 requires the former at least, and the latter takes long enough to verify.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Reads base64url strictly, without padding (RFC 7515 §2): the same bytes have one text only.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(super) fn untrusted(why: &str) -> Error {
    Error::new(ErrorKind::UntrustedToken, format!("the token was refused: {why}"))
}

#[cfg(test)]
mod tests;
