//! Encryption of entries, each bound to its key. Stores nothing, and shows no key.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest::{Context, SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretSlice, zeroize::Zeroizing};

use crate::Error;

/// A key that encrypts tokens in a store: 32 random bytes, for AES-256-GCM (NIST SP 800-38D). Blind in `Debug`.
///
/// Whoever has it and can read the store has the tokens; whoever has only one of the two has nothing. One key is good for 2³²
/// entries, far more than tokens are ever fetched.
#[derive(Clone)]
pub struct EncryptionKey(SecretSlice<u8>);

impl EncryptionKey {
    /// A key of 32 bytes from a source of randomness that is fit for keys.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes).to_vec().into())
    }

    /// Parses a key in base64 (RFC 4648 section 4, with padding), such as `openssl rand -base64 32` prints. White space around it
    /// does not count.
    ///
    /// # Errors
    /// If it is not base64 of 32 bytes; the error does not show it.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let rule = "invalid encryption key: it is not 32 bytes in base64, such as `openssl rand -base64 32` prints";
        let bytes = STANDARD.decode(text.trim()).ok().map(Zeroizing::new).filter(|bytes| bytes.len() == KEY_BYTES);
        // A copy of exactly its size is not moved again.
        bytes.map(|bytes| Self(bytes.to_vec().into())).ok_or_else(|| Error::input(rule))
    }

    /// Returns the first bytes of the key's hash, by which the right one of two is found.
    fn id(&self) -> [u8; ID_BYTES] {
        let mut hash = Context::new(&SHA256);
        hash.update(b"agentcore token store\0");
        hash.update(self.0.expose_secret());
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&hash.finish().as_ref()[..ID_BYTES]);
        id
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.expose_secret()).ok()
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// The keys in force: one that encrypts, and those that are still read.
#[derive(Clone, Debug)]
pub(super) struct Keyring {
    pub(super) current: EncryptionKey,
    pub(super) others: Vec<EncryptionKey>,
}

impl Keyring {
    /// Returns the version, the key's id, the nonce, and the ciphertext with its tag. `name` is the entry's key, under which alone
    /// it can be opened.
    ///
    /// # Errors
    /// If there is no randomness.
    pub(super) fn seal(&self, name: &str, plain: Zeroizing<Vec<u8>>) -> Result<Vec<u8>, Error> {
        let unsealed = || Error::input("a token could not be encrypted");
        let mut sealed = plain;
        // The tag takes no larger place, which would leave the smaller one behind as it is.
        if sealed.capacity() < sealed.len() + TAG_BYTES {
            let mut larger = Zeroizing::new(Vec::with_capacity(sealed.len() + TAG_BYTES));
            larger.extend_from_slice(&sealed);
            sealed = larger;
        }
        let cipher = self.current.cipher().ok_or_else(unsealed)?;
        let nonce = cipher.seal_in_place_append_tag(Aad::from(name), &mut *sealed).map_err(|_| unsealed())?;
        Ok([&[VERSION][..], &self.current.id(), nonce.as_ref(), &sealed].concat())
    }

    /// Opens what was sealed under this name by one of the keys; none if it is damaged, foreign, or another entry's.
    pub(super) fn open(&self, name: &str, entry: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&version, rest) = entry.split_first()?;
        let (id, rest) = rest.split_at_checked(ID_BYTES)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
        let key = [&self.current].into_iter().chain(&self.others).find(|key| key.id() == id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok().filter(|_| version == VERSION)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let length = key.cipher()?.open_in_place(nonce, Aad::from(name), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn ring(current: u8, others: &[u8]) -> Keyring {
        let key = |byte: u8| EncryptionKey::new([byte; 32]);
        Keyring { current: key(current), others: others.iter().copied().map(key).collect() }
    }

    /// Made by Python's `cryptography`: `AESGCM(bytes([7]) * 32).encrypt(bytes(range(12)), b"hush", b"idp client")`, after the
    /// version, the id (`sha256(b"agentcore token store\0" + key)[:8]`) and the nonce.
    const BY_ANOTHER: &str = "01bd4d67d01aac2967000102030405060708090a0b70f49a18c5f9b319ae02218d2e66a80cd16ab6fc";

    #[test]
    fn an_entry_of_another_implementation_is_opened() {
        let entry = hex::decode(BY_ANOTHER).unwrap();
        assert_eq!(ring(7, &[]).open("idp client", &entry).unwrap().as_slice(), b"hush");
    }

    #[test]
    fn only_the_right_key_and_the_right_name_open_an_entry() {
        let entry = ring(1, &[]).seal("idp client", b"hush".to_vec().into()).unwrap();
        // Version, id, nonce, ciphertext, tag.
        assert_eq!(entry.len(), 1 + 8 + 12 + 4 + 16);
        assert!(!entry.windows(4).any(|window| window == b"hush"));
        for (ring, name, opens) in [
            (ring(1, &[]), "idp client", true),
            (ring(2, &[1]), "idp client", true),
            (ring(1, &[2]), "idp client", true),
            (ring(2, &[]), "idp client", false),
            (ring(2, &[3]), "idp client", false),
            (ring(1, &[]), "idp client2", false),
            (ring(1, &[]), "", false),
        ] {
            assert_eq!(ring.open(name, &entry).is_some(), opens, "{name}");
        }
    }

    #[test]
    fn what_is_damaged_is_not_opened() {
        let ring = ring(1, &[2]);
        let entry = ring.seal("name", b"hush".to_vec().into()).unwrap();
        for length in 0..entry.len() {
            assert!(ring.open("name", &entry[..length]).is_none(), "{length} bytes");
        }
        for position in 0..entry.len() {
            let mut damaged = entry.clone();
            damaged[position] ^= 1;
            assert!(ring.open("name", &damaged).is_none(), "byte {position}");
        }
        assert_ne!(ring.seal("name", b"hush".to_vec().into()).unwrap(), entry, "each nonce is another");
    }

    #[test]
    fn a_key_in_base64() {
        // `printf '\7%.0s' {1..32} | base64`
        let key = EncryptionKey::from_base64(" BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").unwrap();
        assert_eq!(key.id(), EncryptionKey::new([7; 32]).id());
        assert_eq!(format!("{key:?}"), "EncryptionKey(…)");
        let rule = "invalid encryption key: it is not 32 bytes in base64, such as `openssl rand -base64 32` prints";
        for bad in
            ["", "hush", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==", "B?cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="]
        {
            assert_eq!(EncryptionKey::from_base64(bad).unwrap_err().to_string(), rule);
        }
    }
}
