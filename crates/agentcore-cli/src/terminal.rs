//! The terminal's state and size. Reads and writes no text.
//!
//! The state is remembered before a secret is asked for or a line is edited, and forgotten after it: whoever waits for the
//! answer cannot put it back when a signal ends the program. To restore says whether there was a state to put back.

#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

#[cfg(unix)]
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

pub(crate) fn remember() {
    #[cfg(unix)]
    replace(tcgetattr(std::io::stdin()).ok());
}

pub(crate) fn forget() {
    #[cfg(unix)]
    replace(None);
}

pub(crate) fn restore() -> bool {
    #[cfg(unix)]
    if let Some(before) = replace(None) {
        // There is nothing left to do about a terminal that is gone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
        return true;
    }
    false
}

#[cfg(unix)]
fn replace(state: Option<Termios>) -> Option<Termios> {
    std::mem::replace(&mut *BEFORE.lock().unwrap_or_else(PoisonError::into_inner), state)
}

/// Returns how wide the terminal of standard error is, or 80 columns where it does not say.
pub(crate) fn columns() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stderr())
        && size.ws_col > 0
    {
        return size.ws_col.into();
    }
    80
}

#[cfg(unix)]
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
