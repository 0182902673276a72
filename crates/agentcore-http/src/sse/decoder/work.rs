//! Counts the bytes that the decoder searches, copies and parses. Outside the tests it counts nothing.

/// Adds bytes to the count, by which the tests distinguish linear from quadratic work.
#[cfg(not(test))]
pub(super) fn work(_bytes: usize) {}

#[cfg(test)]
pub(super) fn work(bytes: usize) {
    WORK.set(WORK.get() + bytes);
}

#[cfg(test)]
thread_local! {
    pub(super) static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
