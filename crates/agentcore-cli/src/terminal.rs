//! The terminal's state and size. Reads and writes no text.
//!
//! The state is remembered before a secret is asked for or a line is edited, and forgotten after it: whoever waits for the
//! answer cannot put it back when a signal ends the program. To restore says whether there was a state to put back.

#[cfg(unix)]
mod state {
    use std::sync::{Mutex, PoisonError};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    pub(crate) fn remember() {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = tcgetattr(std::io::stdin()).ok();
    }

    pub(crate) fn forget() {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn restore() -> bool {
        let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = &before {
            // There is nothing left to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
        before.is_some()
    }
}

#[cfg(not(unix))]
mod state {
    pub(crate) fn remember() {}

    pub(crate) fn forget() {}

    pub(crate) fn restore() -> bool {
        false
    }
}

pub(crate) use state::{forget, remember, restore};

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
