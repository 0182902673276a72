//! Runs a command until it is done or a signal comes. Never waits for a command that does not stop.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    errors::{Exit, Failure},
    output::note,
    terminal,
};

/// Runs the command to its end, or to Ctrl-C, a request to terminate or the end of the terminal, and returns how it ended.
///
/// The command runs in a task of its own, so that a signal ends it even while it is stuck writing to a full pipe.
pub(crate) async fn supervise(command: impl Future<Output = Result<(), Failure>> + Send + 'static) -> Exit {
    let signal = signal();
    let mut command = tokio::spawn(command);
    let exit = tokio::select! {
        ended = &mut command => {
            return match ended {
                Ok(Ok(())) => Exit::Done,
                Ok(Err(failure)) => failure.report(),
                // The panic has been printed.
                Err(_) => Exit::Internal,
            };
        }
        exit = signal => exit,
    };
    let notice = lock(&NOTICE).take();
    command.abort();
    // Dropping the command clears its spinner.
    let _ = tokio::time::timeout(GRACE, command).await;
    terminal::restore();
    if std::io::stderr().is_terminal() {
        // The shell's prompt belongs on a line of its own.
        let _ = writeln!(std::io::stderr());
    }
    if let Some(notice) = notice {
        note(&notice);
    }
    exit
}

/// Says this in a note if a signal ends the program while it is held: what may go on elsewhere.
pub(crate) fn notice(text: impl Into<String>) -> Notice {
    *lock(&NOTICE) = Some(text.into());
    Notice(())
}

/// A notice that is in force; see [`notice`].
pub(crate) struct Notice(());

impl Drop for Notice {
    fn drop(&mut self) {
        *lock(&NOTICE) = None;
    }
}

static NOTICE: Mutex<Option<String>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ctrl-C in the hands of a command that goes on after it, such as a conversation whose answer is stopped.
///
/// While this is held, Ctrl-C comes here and does not end the program; a second one that comes before the first was received
/// does, because the command is stuck.
pub(crate) struct Interrupts(mpsc::Receiver<()>);

impl Interrupts {
    /// Takes Ctrl-C; of several takers the last has it.
    pub(crate) fn take() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        *lock(&TAKER) = Some(sender);
        Self(receiver)
    }

    /// Waits for the next Ctrl-C.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // Another has taken it.
            std::future::pending().await
        }
    }
}

/// Passes Ctrl-C to the command that has taken it; returns whether one has, and receives.
fn notify_taker() -> bool {
    let taker = lock(&TAKER);
    taker.as_ref().is_some_and(|sender| sender.try_send(()).is_ok())
}

static TAKER: Mutex<Option<mpsc::Sender<()>>> = Mutex::new(None);

/// Listens at once, and returns which signal came.
#[cfg(unix)]
fn signal() -> impl Future<Output = Exit> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn received(signals: &mut std::io::Result<Signal>) {
        match signals {
            Ok(signals) => _ = signals.recv().await,
            // The system's own way to end a program is left.
            Err(_) => std::future::pending().await,
        }
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let mut hangup = match hangups_are_ignored() {
        Some(false) => signal(SignalKind::hangup()),
        _ => Err(std::io::ErrorKind::Unsupported.into()),
    };
    async move {
        loop {
            tokio::select! {
                () = received(&mut interrupt) => if !notify_taker() { return Exit::Interrupted },
                () = received(&mut terminate) => return Exit::Terminated,
                () = received(&mut hangup) => return Exit::HungUp,
            }
        }
    }
}

/// Returns whether this program was started to outlive its terminal (`nohup`), if the system says so. To listen for the signal would
/// undo it.
#[cfg(unix)]
fn hangups_are_ignored() -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    // The lowest bit is of the signal 1, `SIGHUP`.
    Some(u64::from_str_radix(ignored.trim(), 16).ok()? & 1 == 1)
}

#[cfg(not(unix))]
async fn signal() -> Exit {
    loop {
        let _ = tokio::signal::ctrl_c().await;
        if !notify_taker() {
            return Exit::Interrupted;
        }
    }
}

/// Enough to clear a line of a terminal, too little to be noticed.
const GRACE: Duration = Duration::from_millis(200);
