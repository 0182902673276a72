//! What the inputs of a batch were, as a hash. Keeps none of them.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What the inputs of a batch were, so that others are not taken for them: their number and a hash (SHA-256).
#[derive(Clone, Default)]
pub struct InputDigest {
    hasher: Sha256,
    inputs: usize,
}

impl InputDigest {
    /// Adds the next input.
    pub fn add(&mut self, input: impl AsRef<[u8]>) {
        let input = input.as_ref();
        self.hasher.update(u64::try_from(input.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.hasher.update(input);
        self.inputs += 1;
    }

    /// Returns how many inputs there are.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the first line of the file of begun calls.
    pub(super) fn header(&self) -> String {
        let hash: String = self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("# inputs: {}, sha256: {hash}\n", self.inputs)
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for InputDigest {
    fn from_iter<I: IntoIterator<Item = T>>(inputs: I) -> Self {
        let mut digest = Self::default();
        inputs.into_iter().for_each(|input| digest.add(input));
        digest
    }
}

impl PartialEq for InputDigest {
    fn eq(&self, other: &Self) -> bool {
        self.header() == other.header()
    }
}

impl Eq for InputDigest {}

impl fmt::Debug for InputDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header().trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `hashlib.sha256(b"".join(len(i).to_bytes(8, "little") + i for i in inputs)).hexdigest()`.
    #[test]
    fn what_is_told_apart() {
        for (inputs, hash) in [
            (&[][..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (&["ab", "c"], "43ee655579de01ca739b3f95c1c2d3f46d353b2c0df818064ea594506cdb2617"),
            (&["a", "bc"], "9a8acca1b6c6c0befd3fbc756aed625da998c998f7252e738c4ef061906b9b21"),
        ] {
            let digest: InputDigest = inputs.iter().collect();
            assert_eq!(digest.header(), format!("# inputs: {}, sha256: {hash}\n", inputs.len()));
        }
    }
}
