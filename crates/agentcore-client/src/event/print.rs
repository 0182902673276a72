//! Prints of texts: equal texts have equal prints, and different ones almost certainly not. White space does not count.
//!
//! A polynomial of the bytes modulo 2^61 - 1 at a point that each stream draws anew, so that nobody can choose two texts of one
//! print: for texts of n bytes, two in 2^61 / n are mistaken for each other.

use std::hash::{BuildHasher as _, RandomState};

/// A text, without its white space, in 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) bytes: u64,
    sum: u64,
}

/// Makes prints that can be compared with each other.
#[derive(Clone, Copy)]
pub(super) struct Printer {
    /// The point's powers from 0 to 8.
    powers: [u64; 9],
}

impl Default for Printer {
    fn default() -> Self {
        let point = RandomState::new().hash_one(0) % (MODULUS - 512) + 256;
        let mut powers = [1; 9];
        for power in 1..powers.len() {
            powers[power] = times(powers[power - 1], point);
        }
        Self { powers }
    }
}

impl Printer {
    pub(super) fn print(&self, text: &str) -> Print {
        self.and(Print::default(), text)
    }

    /// The print of a text and what follows it.
    pub(super) fn and(&self, print: Print, text: &str) -> Print {
        // Eight bytes at a time, whose products do not wait for each other.
        text.as_bytes().chunks(8).fold(print, |print, bytes| {
            let (mut black, mut count) = ([0; 8], 0);
            for &byte in bytes {
                black[count] = byte;
                count += usize::from(!byte.is_ascii_whitespace());
            }
            let sum = black[..count]
                .iter()
                .zip(self.powers[..count].iter().rev())
                .map(|(byte, power)| u128::from(*power) * (u128::from(*byte) + 1))
                .sum::<u128>();
            let sum = rest(u128::from(print.sum) * u128::from(self.powers[count]) + sum);
            Print { bytes: print.bytes + count as u64, sum }
        })
    }

    /// The print of two texts, one behind the other.
    pub(super) fn join(&self, first: Print, second: Print) -> Print {
        let mut shift = 1;
        let (mut power, mut left) = (self.powers[1], second.bytes);
        while left > 0 {
            if left & 1 == 1 {
                shift = times(shift, power);
            }
            power = times(power, power);
            left >>= 1;
        }
        Print {
            bytes: first.bytes + second.bytes,
            sum: rest(u128::from(times(first.sum, shift)) + u128::from(second.sum)),
        }
    }

    /// The print of a text, and where in it a beginning of this print ends, if there is one.
    pub(super) fn print_and_end_of(&self, text: &str, beginning: Print) -> (Print, Option<usize>) {
        let (mut print, mut end) = (Print::default(), (beginning == Print::default()).then_some(0));
        for (index, byte) in text.bytes().enumerate() {
            print = self.and_byte(print, byte);
            if print.bytes == beginning.bytes && end.is_none() && print == beginning {
                end = Some(index + 1);
            }
        }
        (print, end)
    }

    fn and_byte(&self, print: Print, byte: u8) -> Print {
        if byte.is_ascii_whitespace() {
            return print;
        }
        let sum = rest(u128::from(print.sum) * u128::from(self.powers[1]) + u128::from(byte) + 1);
        Print { bytes: print.bytes + 1, sum }
    }
}

fn times(a: u64, b: u64) -> u64 {
    rest(u128::from(a) * u128::from(b))
}

/// What is left after division by the modulus, of which only additions are needed: 2^61 leaves 1.
#[expect(clippy::cast_possible_truncation, reason = "the rest is below the modulus")]
fn rest(product: u128) -> u64 {
    let modulus = u128::from(MODULUS);
    let folded = (product & modulus) + (product >> 61);
    let folded = (folded & modulus) + (folded >> 61);
    (if folded >= modulus { folded - modulus } else { folded }) as u64
}

const MODULUS: u64 = (1 << 61) - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn prints_are_of_the_text_however_it_is_cut(first in "[a-c \n]{0,20}", second in "[a-cé ]{0,20}") {
            let printer = Printer::default();
            let whole = printer.print(&format!("{first}{second}"));
            prop_assert_eq!(printer.and(printer.print(&first), &second), whole);
            prop_assert_eq!(printer.join(printer.print(&first), printer.print(&second)), whole);
            let text = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(printer.print(&first) == printer.print(&second), text(&first) == text(&second));
            let (print, end) = printer.print_and_end_of(&format!("{first}{second}"), printer.print(&first));
            prop_assert_eq!(print, whole);
            prop_assert_eq!(end, Some(first.trim_end().len()));
        }
    }
}
