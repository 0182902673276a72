//! The server of Secure Remote Password as user pools implement it. Keeps the password's verifier for one login only.
//!
//! SRP-6a (RFC 5054 §2.5, §2.6) over the 3072-bit group (RFC 3526 §4). Integers are hashed as signed big-endian bytes, and
//! the key is HKDF-SHA256 (RFC 5869) of the shared secret, salted by the scrambling parameter, for `Caldera Derived Key`.

use std::sync::LazyLock;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hkdf, hmac, rand};
use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::{BigInt, BigUint};

/// The server's state of one login, between the challenge and the claim.
pub(super) struct SrpServer {
    /// The pool's name and the user's.
    identity: String,
    salt: BigUint,
    verifier: BigUint,
    client: BigUint,
    private: BigUint,
    public: BigUint,
    secret_block: Vec<u8>,
}

impl SrpServer {
    /// Begins with the client's public value in hexadecimal; `None` for one under which the key is known to anybody.
    pub(super) fn new(pool: &str, user: &str, password: &str, client: &str) -> Option<Self> {
        let salt = BigUint::from_bytes_be(&random::<16>()?);
        let identity = format!("{pool}{user}");
        let hashed_password = digest(&[identity.as_bytes(), b":", password.as_bytes()]);
        let x = BigUint::from_bytes_be(&digest(&[&signed(&salt), &hashed_password]));
        let verifier = GENERATOR.modpow(&x, &GROUP);
        Self::by_verifier(identity, salt, verifier, client)
    }

    /// Begins as [`SrpServer::new`] does, where the password itself is not known.
    pub(super) fn by_verifier(identity: String, salt: BigUint, verifier: BigUint, client: &str) -> Option<Self> {
        let client = BigUint::parse_bytes(client.as_bytes(), 16)?;
        if &client % &*GROUP == BigUint::ZERO {
            return None;
        }
        let private = BigUint::from_bytes_be(&random::<32>()?);
        let multiplier = BigUint::from_bytes_be(&digest(&[&signed(&GROUP), &signed(&GENERATOR)]));
        let public = (multiplier * &verifier + GENERATOR.modpow(&private, &GROUP)) % &*GROUP;
        Some(Self { identity, salt, verifier, client, private, public, secret_block: random::<48>()?.to_vec() })
    }

    /// Returns `SALT`, in hexadecimal.
    pub(super) fn salt(&self) -> String {
        self.salt.to_str_radix(16)
    }

    /// Returns `SRP_B`, in hexadecimal.
    pub(super) fn public(&self) -> String {
        self.public.to_str_radix(16)
    }

    /// Returns `SECRET_BLOCK`, in Base64.
    pub(super) fn secret_block(&self) -> String {
        STANDARD.encode(&self.secret_block)
    }

    /// Returns whether a claim proves the password: a MAC over pool, user, secret block and time.
    pub(super) fn verify(&self, claim: &str, timestamp: &str) -> bool {
        let scramble = BigUint::from_bytes_be(&digest(&[&signed(&self.client), &signed(&self.public)]));
        let base = &self.client * self.verifier.modpow(&scramble, &GROUP);
        let shared = base.modpow(&self.private, &GROUP);
        let mut key = [0; 16];
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &signed(&scramble)).extract(&signed(&shared));
        let expanded = extracted.expand(&[b"Caldera Derived Key"], KeyLength).and_then(|okm| okm.fill(&mut key));
        let message = [self.identity.as_bytes(), &self.secret_block, timestamp.as_bytes()].concat();
        let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
        let claim = STANDARD.decode(claim).unwrap_or_default();
        expanded.is_ok() && verify_slices_are_equal(expected.as_ref(), &claim).is_ok()
    }
}

/// The length of the HKDF output, which the library takes as a type: 128 bits.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        16
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    digest::digest(&digest::SHA256, &parts.concat()).as_ref().to_vec()
}

/// Encodes a number as Java's `BigInteger` does.
fn signed(number: &BigUint) -> Vec<u8> {
    BigInt::from(number.clone()).to_signed_bytes_be()
}

static GENERATOR: LazyLock<BigUint> = LazyLock::new(|| BigUint::from(2_u8));

static GROUP: LazyLock<BigUint> = LazyLock::new(|| BigUint::parse_bytes(GROUP_DIGITS, 16).unwrap_or_default());

const GROUP_DIGITS: &[u8] = b"\
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
    020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
    4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
    EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
    98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
    9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
    E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
    3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33\
    A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
    ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864\
    D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2\
    08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::Value;

    use super::*;

    /// Exchanges between two other implementations under fixed random numbers.
    const VECTORS: &str = include_str!("../../../../tests/vectors/srp_vectors.json");

    #[test]
    fn golden_exchanges() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        for vector in vectors["srp"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let (_, pool) = text("pool_id").split_once('_').unwrap();
            let number = |name: &str| BigUint::parse_bytes(text(name).as_bytes(), 16).unwrap();
            let server = SrpServer {
                salt: number("SALT"),
                verifier: number("verifier"),
                private: number("b"),
                public: number("SRP_B"),
                secret_block: STANDARD.decode(text("SECRET_BLOCK")).unwrap(),
                ..SrpServer::new(pool, text("username"), text("password"), text("SRP_A")).unwrap()
            };
            let claim = text("PASSWORD_CLAIM_SIGNATURE");
            assert!(server.verify(claim, text("timestamp")));
            assert!(!server.verify(claim, "Mon Jan 5 03:04:06 UTC 2026"));
            let mut wrong = STANDARD.decode(claim).unwrap();
            wrong[0] ^= 1;
            assert!(!server.verify(&STANDARD.encode(wrong), text("timestamp")));
            assert!(!server.verify("", text("timestamp")));
        }
    }

    /// Devices of pycognito, whose proofs go by the verifier alone.
    #[test]
    fn golden_devices() {
        let vectors = include_str!("../../../../tests/vectors/device_srp_vectors.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        for vector in vectors["device_srp"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let number = |name: &str| BigUint::parse_bytes(text(name).as_bytes(), 16).unwrap();
            let bytes = |name: &str| BigUint::from_bytes_be(&STANDARD.decode(text(name)).unwrap());
            let identity = format!("{}{}", text("device_group_key"), text("device_key"));
            let begun =
                SrpServer::by_verifier(identity, bytes("Salt"), bytes("PasswordVerifier"), text("SRP_A")).unwrap();
            assert_eq!(begun.salt(), text("SALT"));
            let server = SrpServer {
                private: number("b"),
                public: number("SRP_B"),
                secret_block: STANDARD.decode(text("SECRET_BLOCK")).unwrap(),
                ..begun
            };
            assert!(server.verify(text("PASSWORD_CLAIM_SIGNATURE"), text("TIMESTAMP")));
            assert!(!server.verify(text("PASSWORD_CLAIM_SIGNATURE"), "Mon Jan 5 03:04:06 UTC 2026"));
        }
    }

    #[test]
    fn a_client_that_knows_the_key_beforehand_is_refused() {
        let group = GROUP.to_str_radix(16);
        for client in ["0", "00", &group, "", "xyz"] {
            assert!(SrpServer::new("p", "u", "w", client).is_none(), "{client}");
        }
    }
}
