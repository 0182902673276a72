//! Locks a mutex of the mock's state, which a panic of a user's agent must not make useless.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even one whose holder panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
