//! The sign of life while an agent thinks. Seen on terminals only, and gone without a trace before anything else is printed.
//!
//! It is not a library's: those leave the cursor at the right edge, where the echo of Ctrl-C breaks the line and keeps it from
//! being cleared.

use std::{
    io::{IsTerminal, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tracing::level_filters::LevelFilter;

use crate::terminal::{columns, is_dumb};

/// A spinner on standard error; clears itself when it is dropped.
pub(crate) struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Shows what is waited for and since when, where there is a terminal that can and nothing is logged to it.
    pub(crate) fn start(message: &'static str) -> Self {
        let started = Instant::now();
        Self::show(move || format!("{message} {} s", started.elapsed().as_secs()))
    }

    /// Shows nothing.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Shows a line that changes, under the same conditions.
    pub(crate) fn show(line: impl FnMut() -> String + Send + 'static) -> Self {
        if is_dumb() || !std::io::stderr().is_terminal() || LevelFilter::current() != LevelFilter::OFF {
            return Self(None);
        }
        let (stop, stopped) = channel();
        Self(Some((stop, std::thread::spawn(move || spin(line, &stopped)))))
    }

    /// Clears it, the first time.
    pub(crate) fn clear(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // A spinner that panicked is cleared enough.
            let _ = thread.join();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Draws until it is stopped.
fn spin(mut line: impl FnMut() -> String, stopped: &Receiver<()>) {
    for frame in FRAMES.iter().cycle() {
        // What goes on in a second line is not cleared.
        let fitting: String = line().chars().take(columns().saturating_sub(3)).collect();
        lock().draw(&format!("{frame} {fitting}"));
        if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    lock().clear();
}

/// Clears the line of a spinner, and keeps it clear until what is returned is dropped.
#[cfg(feature = "cognito")]
pub(crate) fn hush() -> Hush {
    let mut line = lock();
    line.clear();
    line.hushed += 1;
    Hush(())
}

/// A line that is kept clear; see [`hush`].
#[cfg(feature = "cognito")]
pub(crate) struct Hush(());

#[cfg(feature = "cognito")]
impl Drop for Hush {
    fn drop(&mut self) {
        lock().hushed -= 1;
    }
}

/// The line that spinners draw.
struct Line {
    is_drawn: bool,
    hushed: usize,
}

impl Line {
    /// There is nobody to tell that standard error is gone.
    fn draw(&mut self, text: &str) {
        if self.hushed == 0 {
            self.is_drawn = true;
            let _ = std::io::stderr().write_all(format!("{CLEAR}{text}").as_bytes());
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = std::io::stderr().write_all(CLEAR.as_bytes());
        }
    }
}

static LINE: Mutex<Line> = Mutex::new(Line { is_drawn: false, hushed: 0 });

fn lock() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

const FRAMES: &[&str] = &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const TICK: Duration = Duration::from_millis(100);
/// ECMA-48: to the line's beginning, and erase the line.
const CLEAR: &str = "\r\u{1b}[2K";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_clear() {
        let mut line = Line { is_drawn: false, hushed: 1 };
        line.draw("one");
        assert!(!line.is_drawn);
        line.hushed = 0;
        line.draw("two");
        assert!(line.is_drawn);
        line.clear();
        assert!(!line.is_drawn);
    }
}
