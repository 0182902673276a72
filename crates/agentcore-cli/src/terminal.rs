//! The terminal's state and size, and who has it. Reads and writes no text.
//!
//! The state is remembered before a secret is asked for or a line is edited, and forgotten after it: whoever waits for the
//! answer cannot put it back when a signal ends the program. To restore says whether there was a state to put back.

#[cfg(unix)]
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Returns whether nothing was remembered before.
fn remember() -> bool {
    #[cfg(unix)]
    {
        let mut before = lock();
        if before.is_none() {
            *before = tcgetattr(std::io::stdin()).ok();
            return true;
        }
    }
    false
}

fn forget() {
    #[cfg(unix)]
    lock().take();
}

pub(crate) fn restore() -> bool {
    #[cfg(unix)]
    if let Some(before) = lock().take() {
        // There is nothing left to do about a terminal that is gone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
        return true;
    }
    false
}

#[cfg(unix)]
fn lock() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no question is open, and has the terminal until what is returned is dropped: nobody asks meanwhile, so that no answer
/// stands within a question.
pub(crate) async fn turn() -> Turn {
    TURN.lock().await
}

/// Has the terminal, if nobody has.
pub(crate) fn try_turn() -> Option<Turn> {
    TURN.try_lock().ok()
}

/// The one who has the terminal.
pub(crate) type Turn = tokio::sync::MutexGuard<'static, ()>;

static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A terminal in raw mode: each key comes at once and as it is, until this is dropped. A signal restores it, too.
pub(crate) struct Raw(());

impl Raw {
    pub(crate) fn enter() -> Self {
        remember();
        #[cfg(unix)]
        change(Termios::make_raw);
        Self(())
    }
}

/// A terminal that edits a line by itself, and shows it or not, until this is dropped. A signal restores it, too.
#[cfg(feature = "cognito")]
pub(crate) struct Question {
    #[cfg(unix)]
    before: Option<Termios>,
    is_outermost: bool,
}

#[cfg(feature = "cognito")]
impl Question {
    pub(crate) fn enter(shown: bool) -> Self {
        let is_outermost = remember();
        Self {
            #[cfg(unix)]
            before: change(|modes| {
                modes.local_modes.insert(LocalModes::ICANON);
                modes.local_modes.set(LocalModes::ECHO, shown);
            }),
            is_outermost,
        }
    }
}

#[cfg(feature = "cognito")]
impl Drop for Question {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // There is nothing left to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
        if self.is_outermost {
            forget();
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// A terminal that shows no key that is pressed, and keeps them all for whoever reads next, until this is dropped. A signal restores
/// it, too. Ctrl-C is a signal still.
pub(crate) struct Quiet {
    #[cfg(unix)]
    before: Option<Termios>,
}

impl Quiet {
    pub(crate) fn enter() -> Self {
        remember();
        Self {
            #[cfg(unix)]
            before: quieten(),
        }
    }
}

impl Quiet {
    /// Lets the terminal edit and show a line by itself, until what is returned is dropped.
    pub(crate) fn lift(&self) -> Lifted {
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // A terminal that takes no modes is used as it is.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
        Lifted(())
    }
}

/// A terminal that was [lifted](Quiet::lift) out of its silence.
pub(crate) struct Lifted(());

impl Drop for Lifted {
    fn drop(&mut self) {
        #[cfg(unix)]
        quieten();
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        forget();
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // There is nothing left to do about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(unix)]
fn quieten() -> Option<Termios> {
    // Without lines, what ends one (Ctrl-D) and what takes one back (Ctrl-U) stay keys for the line editor.
    change(|modes| modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON))
}

/// Changes the terminal's modes, and returns those before; a terminal that takes no modes is used as it is.
#[cfg(unix)]
fn change(modes: impl FnOnce(&mut Termios)) -> Option<Termios> {
    let before = tcgetattr(std::io::stdin()).ok()?;
    let mut after = before.clone();
    modes(&mut after);
    tcsetattr(std::io::stdin(), OptionalActions::Now, &after).ok()?;
    Some(before)
}

/// Whether the terminal cannot move its cursor, or does not say.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Returns the columns and rows of the terminal of standard input.
pub(crate) fn size() -> Option<(u16, u16)> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(std::io::stdin()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }
    #[cfg(not(unix))]
    None
}

/// The changes of the terminal's size.
pub(crate) struct Resizes {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Resizes {
    pub(crate) fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signals: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).ok(),
        }
    }

    /// Waits for the next change.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
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
