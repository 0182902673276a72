//! Prints of texts: equal texts have equal prints, and different ones almost certainly not. White space does not count.
//!
//! A chain of folded multiplications, as the hashes of fast tables are, from numbers that each process draws anew: nobody can choose
//! two texts of one print, and by chance two in 2^64 have the same.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// A text, without its white space, in 24 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) bytes: u64,
    /// Of the bytes by eight.
    sum: u64,
    /// The bytes behind them, seven at most.
    tail: u64,
}

/// Makes prints that can be compared with each other.
#[derive(Clone, Copy)]
pub(super) struct Printer {
    before: u64,
    factor: u64,
}

impl Default for Printer {
    fn default() -> Self {
        static DRAWN: LazyLock<Printer> = LazyLock::new(|| {
            let random = RandomState::new();
            Printer { before: random.hash_one(0), factor: random.hash_one(1) | 1 }
        });
        *DRAWN
    }
}

impl Printer {
    pub(super) fn print(&self, text: &str) -> Print {
        self.and(Print::default(), text.as_bytes())
    }

    /// The print of a text and what follows it.
    pub(super) fn and(&self, mut print: Print, text: &[u8]) -> Print {
        let (words, last) = text.as_chunks::<8>();
        for bytes in words {
            self.add(&mut print, *bytes);
        }
        if !last.is_empty() {
            let mut bytes = [b' '; 8];
            bytes[..last.len()].copy_from_slice(last);
            self.add(&mut print, bytes);
        }
        print
    }

    #[inline]
    fn add(&self, print: &mut Print, bytes: [u8; 8]) {
        let word = u64::from_le_bytes(bytes);
        // A bit for each byte up to the space, if there is one (Hacker's Delight, "find first 0-byte").
        if word.wrapping_sub(0x2121_2121_2121_2121) & !word & 0x8080_8080_8080_8080 == 0 {
            self.add_black(print, word, 8);
        } else {
            let (mut black, mut count) = (0, 0);
            for byte in bytes {
                if !byte.is_ascii_whitespace() {
                    black |= u64::from(byte) << (8 * count);
                    count += 1;
                }
            }
            self.add_black(print, black, count);
        }
    }

    /// Adds up to eight bytes, of which the first is the lowest.
    #[expect(clippy::cast_possible_truncation, reason = "both halves of the product count, and a shift is below 64")]
    #[inline]
    fn add_black(&self, print: &mut Print, word: u64, count: u64) {
        let held = print.bytes % 8;
        print.bytes += count;
        print.tail |= word << (8 * held);
        if held + count >= 8 {
            let product = u128::from(print.sum ^ print.tail ^ self.before) * u128::from(self.factor);
            print.sum = product as u64 ^ (product >> 64) as u64;
            print.tail = word.checked_shr(64 - 8 * held as u32).unwrap_or(0);
        }
    }

    /// The print of a text, and where in it a beginning of this print ends, if there is one.
    pub(super) fn print_and_end_of(&self, text: &str, beginning: Print) -> (Print, Option<usize>) {
        let mut left = beginning.bytes;
        let end = text.bytes().position(|byte| {
            left -= u64::from(left > 0 && !byte.is_ascii_whitespace());
            left == 0
        });
        let end = if beginning.bytes == 0 { Some(0) } else { end.map(|last| last + 1) };
        let Some(end) = end else { return (self.print(text), None) };
        let (first, second) = text.as_bytes().split_at(end);
        let first = self.and(Print::default(), first);
        (self.and(first, second), (first == beginning).then_some(end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn prints_are_of_the_text_however_it_is_cut(first in "[a-c \n\u{c}\u{1}]{0,30}", second in "[a-cé ]{0,30}") {
            let printer = Printer::default();
            let whole = printer.print(&format!("{first}{second}"));
            prop_assert_eq!(printer.and(printer.print(&first), second.as_bytes()), whole);
            let text = |text: &str| text.split_ascii_whitespace().collect::<String>();
            prop_assert_eq!(printer.print(&first) == printer.print(&second), text(&first) == text(&second));
            let (print, end) = printer.print_and_end_of(&format!("{first}{second}"), printer.print(&first));
            prop_assert_eq!(print, whole);
            prop_assert_eq!(end, Some(first.trim_ascii_end().len()));
        }
    }
}
