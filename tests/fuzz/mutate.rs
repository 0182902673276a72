//! Turns good inputs into bad ones, the same for the same random numbers.

use fastrand::Rng;

/// Returns one of the seeds, damaged.
pub(crate) fn mutate(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..8) {
        step(&mut input, seeds, random);
    }
    input.truncate(LONGEST);
    input
}

/// Leaves parts of a failing input out as long as it fails.
pub(crate) fn shrink(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut length = input.len() / 2;
    while length > 0 {
        let mut start = 0;
        while start < input.len() {
            let mut shorter = input.clone();
            shorter.drain(start..(start + length).min(input.len()));
            if fails(&shorter) { input = shorter } else { start += length }
        }
        length /= 2;
    }
    input
}

fn step(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Rng) {
    let place = random.usize(..=input.len());
    let end = (place + random.usize(1..=16)).min(input.len());
    match random.u8(..10) {
        0 if place < input.len() => input[place] ^= 1 << random.u8(..8),
        1 if place < input.len() => input[place] = *random.choice(BYTES).unwrap_or(&0),
        2 => drop(input.drain(place..end)),
        3 => {
            let again = input[place..end].repeat(random.usize(1..=64));
            input.splice(place..place, again);
        }
        4 => input.truncate(place),
        5 => {
            let other = random.choice(seeds).map_or(&[][..], Vec::as_slice);
            let from = random.usize(..=other.len());
            input.truncate(place);
            input.extend(&other[from..]);
        }
        6 => {
            // The digits that begin here become a number that no field foresees.
            let digits = input[place..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = random.choice(NUMBERS).unwrap_or(&"0");
            input.splice(place..place + digits, number.bytes());
        }
        7 => {
            let depth = random.usize(1..=512);
            let opening = random.choice(&["[", "{\"a\":", "(", "\""]).unwrap_or(&"[");
            input.splice(place..place, opening.repeat(depth).into_bytes());
        }
        _ => {
            let piece = random.choice(PIECES).unwrap_or(&"");
            input.splice(place..end.min(place + random.usize(..=4)), piece.bytes());
        }
    }
}

const LONGEST: usize = 16 * 1024;
const BYTES: &[u8] = b"\0\x01\n\r\t \"\\'{}[]:,%+-=&?#/@;<\x7f\x80\xC0\xE2\xED\xF4\xFF";
const NUMBERS: &[&str] = &[
    "-1",
    "0",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "1e-400",
    "0.1",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "00",
    "-0",
    "1E19",
];
const PIECES: &[&str] = &[
    "\u{feff}",
    "\\ud83d",
    "\\udE00",
    "\\u0000",
    "\\",
    "\\u12",
    "\r\n",
    "\r",
    "\n\n",
    "data:",
    "event: error\n",
    ": \n",
    "id:\0",
    "retry: 99999999999999999999\n",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "\"text\":",
    "\"error\":",
    "\"type\":",
    "\"content\":",
    "\"delta\":",
    "\"index\":",
    "\"usage\":",
    "\"id\":",
    "\"exp\":",
    "\"expires_in\":",
    "%00",
    "%",
    "%zz",
    "..",
    "//",
    "https://",
    "arn:",
    "::",
    "é",
    "😀",
    "\u{2028}",
    "\u{202e}",
    "\u{1b}[2J",
    "\0",
    " ",
    "\t",
    "=",
    "==",
    "_-",
];
