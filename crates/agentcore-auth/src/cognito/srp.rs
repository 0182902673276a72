//! Secure Remote Password as user pools use it, for users (USER_SRP_AUTH) and devices (DEVICE_SRP_AUTH): proves a password without
//! sending it. Sends nothing itself.
//!
//! SRP-6a (RFC 5054) over the 3072-bit group of RFC 3526, with Cognito's own hashing: integers are hashed as signed
//! big-endian bytes, and the key is drawn from the shared secret by HKDF under the label `Caldera Derived Key`.

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crypto_bigint::{U3072, const_monty_params, modular::ConstMontyForm};
use secrecy::{ExposeSecret, SecretBox, zeroize::Zeroizing};
use sha2::{Digest as _, Sha256};

use crate::{Device, Error, ErrorKind};

/// The client's half of one exchange of keys: a secret number and its public one.
#[derive(Debug)]
pub(super) struct Ephemeral {
    private: SecretBox<U3072>,
    public: U3072,
}

/// What the server answers to the public number (the parameters of `PASSWORD_VERIFIER`).
#[derive(Debug)]
pub(super) struct ServerHalf<'a> {
    /// `USER_ID_FOR_SRP`, which is not always what was typed.
    pub(super) user: &'a str,
    /// `SALT`, in hexadecimal.
    pub(super) salt: &'a str,
    /// `SRP_B`, in hexadecimal.
    pub(super) public: &'a str,
    /// `SECRET_BLOCK`, in Base64.
    pub(super) secret_block: &'a str,
}

impl Ephemeral {
    /// A new secret number of 1024 bits.
    pub(super) fn random() -> Result<Self, Error> {
        Ok(Self::from_private(&Zeroizing::new(random()?)))
    }

    fn from_private(bytes: &[u8; PRIVATE_BYTES]) -> Self {
        let private = integer(bytes).unwrap_or(U3072::ZERO);
        let public = Residue::new(&GENERATOR).pow_bounded_exp(&private, EXPONENT_BITS).retrieve();
        Self { private: SecretBox::new(Box::new(private)), public }
    }

    /// `SRP_A`: the public number in hexadecimal, without leading zeros.
    pub(super) fn public(&self) -> String {
        let digits = hex::encode(bytes(&self.public));
        digits.trim_start_matches('0').to_owned()
    }

    /// `PASSWORD_CLAIM_SIGNATURE` for the server's half, of a pool's user at a time.
    pub(super) fn claim(
        &self,
        pool: &str,
        password: &str,
        server: &ServerHalf<'_>,
        timestamp: &str,
    ) -> Result<String, Error> {
        let refuse = |what| Error::new(ErrorKind::Service, format!("Cognito's {what} is not of SRP's form"));
        let salt = unhex(server.salt).ok_or_else(|| refuse("SALT"))?;
        let public = unhex(server.public).and_then(|bytes| integer(&bytes)).ok_or_else(|| refuse("SRP_B"))?;
        let block = STANDARD.decode(server.secret_block).map_err(|_| refuse("SECRET_BLOCK"))?;
        let key = self.key(pool, password, server.user, &salt, &public).ok_or_else(|| refuse("SRP_B"))?;
        let claim = mac(&*key, &[pool.as_bytes(), server.user.as_bytes(), &block, timestamp.as_bytes()]);
        Ok(STANDARD.encode(claim))
    }

    /// The key both sides arrive at if the password is right; none for numbers that would give it away (RFC 5054 §2.5.4).
    fn key(
        &self,
        pool: &str,
        password: &str,
        user: &str,
        salt: &[u8],
        server: &U3072,
    ) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        let server_residue = Residue::new(server);
        let u = hash(&[&signed(&bytes(&self.public)), &signed(&bytes(server))]);
        if server_residue == Residue::ZERO || u == [0; 32] {
            return None;
        }
        let x = password_key(pool, user, password, salt)?;
        let k = integer(&hash(&[&signed(&bytes(Residue::MODULUS.as_ref())), &signed(&bytes(&GENERATOR))]))?;
        // S = (B - k·g^x) ^ (a + u·x)
        let masked = Residue::new(&k) * Residue::new(&GENERATOR).pow_bounded_exp(&x, HASH_BITS);
        let exponent = Zeroizing::new(self.private.expose_secret().wrapping_add(&integer(&u)?.wrapping_mul(&*x)));
        let secret = Zeroizing::new((server_residue - masked).pow_bounded_exp(&exponent, EXPONENT_BITS).retrieve());
        // HKDF (RFC 5869) for less than one block of output.
        let extracted = mac(&signed(&u), &[&*Zeroizing::new(signed(&*Zeroizing::new(bytes(&secret))))]);
        let expanded = mac(extracted.as_ref(), &[HKDF_LABEL, &[1]]);
        expanded.as_ref().first_chunk().copied().map(Zeroizing::new)
    }
}

/// Returns a device in a group, with a new password of 320 random bits.
pub(super) fn new_device(key: &str, group_key: &str) -> Result<Device, Error> {
    Ok(Device::new(key, group_key, STANDARD.encode(*Zeroizing::new(random::<40>()?))))
}

/// What a pool keeps of a device's password (`DeviceSecretVerifierConfig`), in Base64.
pub(super) struct PasswordVerifier {
    pub(super) verifier: String,
    pub(super) salt: String,
}

/// Returns what verifies a device's password, under a new salt.
pub(super) fn device_verifier(device: &Device) -> Result<PasswordVerifier, Error> {
    verifier(device, &random::<16>()?)
        .ok_or_else(|| Error::new(ErrorKind::Service, "Cognito's DeviceSecretVerifierConfig cannot be computed"))
}

fn verifier(device: &Device, salt: &[u8]) -> Option<PasswordVerifier> {
    let x = password_key(device.group_key(), device.key(), device.expose_password(), salt)?;
    let number = Residue::new(&GENERATOR).pow_bounded_exp(&x, HASH_BITS).retrieve();
    Some(PasswordVerifier { verifier: STANDARD.encode(signed(&bytes(&number))), salt: STANDARD.encode(signed(salt)) })
}

/// Returns SRP's `x`: the password's number, under a salt.
fn password_key(pool: &str, user: &str, password: &str, salt: &[u8]) -> Option<Zeroizing<U3072>> {
    let identity = Zeroizing::new(hash(&[pool.as_bytes(), user.as_bytes(), b":", password.as_bytes()]));
    integer(&*Zeroizing::new(hash(&[&signed(salt), &*identity]))).map(Zeroizing::new)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::new(ErrorKind::Authentication, "the system gives no random numbers"))?;
    Ok(bytes)
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// An unsigned big-endian number, unless it is too long for the group.
fn integer(bytes: &[u8]) -> Option<U3072> {
    let mut wide = [0; GROUP_BYTES];
    let start = GROUP_BYTES.checked_sub(bytes.len())?;
    wide[start..].copy_from_slice(bytes);
    Some(U3072::from_be_slice(&wide))
}

fn bytes(number: &U3072) -> [u8; GROUP_BYTES] {
    let mut bytes = [0; GROUP_BYTES];
    bytes.copy_from_slice(number.to_be_bytes().as_ref());
    bytes
}

/// The shortest two's complement of a number that is not negative: Cognito hashes what Java's `BigInteger` writes.
fn signed(unsigned: &[u8]) -> Vec<u8> {
    let zeros = unsigned.iter().take_while(|byte| **byte == 0).count();
    let digits = &unsigned[zeros..];
    let sign = digits.first().is_none_or(|first| *first >= 0x80);
    sign.then_some(0).into_iter().chain(digits.iter().copied()).collect()
}

/// Reads hexadecimal of any length: Cognito drops a leading zero.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let padding = if text.len().is_multiple_of(2) { "" } else { "0" };
    hex::decode(format!("{padding}{text}")).ok().filter(|bytes| !bytes.is_empty())
}

type Residue = ConstMontyForm<Group, { U3072::LIMBS }>;

const PRIVATE_BYTES: usize = 128;
const GROUP_BYTES: usize = 384;
const KEY_BYTES: usize = 16;
const HASH_BITS: u32 = 256;
/// A private number of 1024 bits and a product of 512 bits make 1025 at most.
const EXPONENT_BITS: u32 = 1025;
const HKDF_LABEL: &[u8] = b"Caldera Derived Key";
const GENERATOR: U3072 = U3072::from_u8(2);

// The 3072-bit MODP group (RFC 3526 §4).
const_monty_params!(
    Group,
    U3072,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    use serde_json::Value;

    /// Computed by another implementation under fixed random numbers; the names are the API's.
    const VECTORS: &str = include_str!("../../../../tests/vectors/srp_vectors.json");

    #[test]
    fn golden_exchanges() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let vectors = vectors["srp"].as_array().unwrap();
        assert_eq!(vectors.len(), 20);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let private = unhex(&format!("{:0>256}", text("a"))).unwrap();
            let half = Ephemeral::from_private(private.first_chunk().unwrap());
            assert_eq!(half.public(), text("SRP_A"));
            let (_, pool) = text("pool_id").split_once('_').unwrap();
            let server = ServerHalf {
                user: text("username"),
                salt: text("SALT"),
                public: text("SRP_B"),
                secret_block: text("SECRET_BLOCK"),
            };
            let public = integer(&unhex(server.public).unwrap()).unwrap();
            let key = half.key(pool, text("password"), server.user, &unhex(server.salt).unwrap(), &public).unwrap();
            assert_eq!(hex::encode(key), text("hkdf"));
            let claim = half.claim(pool, text("password"), &server, text("timestamp")).unwrap();
            assert_eq!(claim, text("PASSWORD_CLAIM_SIGNATURE"));
        }
    }

    /// Devices of pycognito 2024.5.1, whose random numbers are in the file, with a salt and a verifier that need a sign byte and without.
    #[test]
    fn golden_devices() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/device_srp_vectors.json")).unwrap();
        let vectors = vectors["device_srp"].as_array().unwrap();
        assert_eq!(vectors.len(), 8);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let device = Device::new(text("device_key"), text("device_group_key"), text("device_password"));
            let verifies = verifier(&device, &STANDARD.decode(text("Salt")).unwrap()).unwrap();
            assert_eq!((&*verifies.verifier, &*verifies.salt), (text("PasswordVerifier"), text("Salt")));
            let private = unhex(&format!("{:0>256}", text("a"))).unwrap();
            let half = Ephemeral::from_private(private.first_chunk().unwrap());
            assert_eq!(half.public(), text("SRP_A"));
            let server = ServerHalf {
                user: device.key(),
                salt: text("SALT"),
                public: text("SRP_B"),
                secret_block: text("SECRET_BLOCK"),
            };
            let claim = half.claim(device.group_key(), device.expose_password(), &server, text("TIMESTAMP")).unwrap();
            assert_eq!(claim, text("PASSWORD_CLAIM_SIGNATURE"));
        }
        let made = [new_device("k", "g").unwrap(), new_device("k", "g").unwrap()];
        assert_ne!(made[0].expose_password(), made[1].expose_password());
        assert!(!format!("{made:?}").contains(made[0].expose_password()));
    }

    #[test]
    fn what_no_honest_server_sends() {
        let half = Ephemeral::random().unwrap();
        let group = hex::encode(bytes(Residue::MODULUS.as_ref()));
        let long = "1".repeat(769);
        for (salt, public, block, message) in [
            ("", "2", "YQ==", "Cognito's SALT is not of SRP's form"),
            ("xyz", "2", "YQ==", "Cognito's SALT is not of SRP's form"),
            ("1", "", "YQ==", "Cognito's SRP_B is not of SRP's form"),
            ("1", "g", "YQ==", "Cognito's SRP_B is not of SRP's form"),
            ("1", "0", "YQ==", "Cognito's SRP_B is not of SRP's form"),
            ("1", &group, "YQ==", "Cognito's SRP_B is not of SRP's form"),
            ("1", &long, "YQ==", "Cognito's SRP_B is not of SRP's form"),
            ("1", "2", "!", "Cognito's SECRET_BLOCK is not of SRP's form"),
        ] {
            let server = ServerHalf { user: "u", salt, public, secret_block: block };
            assert_eq!(half.claim("p", "w", &server, "now").unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn each_exchange_has_a_number_of_its_own() {
        let (one, other) = (Ephemeral::random().unwrap(), Ephemeral::random().unwrap());
        assert_ne!(one.public, other.public);
        let private = hex::encode(bytes(one.private.expose_secret()));
        assert!(private.trim_start_matches('0').len() > 200, "1024 random bits");
        assert!(!format!("{one:?}").to_lowercase().contains(private.trim_start_matches('0')));
    }

    #[test]
    fn bytes_as_java_writes_them() {
        for (unsigned, expected) in [
            (&[][..], &[0][..]),
            (&[0, 0], &[0]),
            (&[0, 0, 0x7f], &[0x7f]),
            (&[0x80], &[0, 0x80]),
            (&[0, 0xff, 1], &[0, 0xff, 1]),
        ] {
            assert_eq!(signed(unsigned), expected);
        }
        assert_eq!(unhex("abc"), Some(vec![0x0a, 0xbc]));
        assert_eq!(unhex("0ABC"), Some(vec![0x0a, 0xbc]));
        assert_eq!(unhex("+1"), None);
    }
}
