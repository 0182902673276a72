//! Runs a command until it is done or a signal comes. Never waits for a command that does not stop.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use crate::{
    input,
    report::{Exit, Failure},
};

/// Runs the command to its end, or to Ctrl-C or a request to terminate, and tells how it ended.
///
/// The command runs in a task of its own, so that a signal is heard even while it is stuck writing to a full pipe.
pub(crate) async fn supervise(command: impl Future<Output = Result<(), Failure>> + Send + 'static) -> Exit {
    let signal = signal();
    let mut command = tokio::spawn(command);
    let exit = tokio::select! {
        ended = &mut command => {
            return match ended {
                Ok(Ok(())) => Exit::Done,
                Ok(Err(failure)) => failure.tell(),
                // The panic has told about itself.
                Err(_) => Exit::Trouble,
            };
        }
        exit = signal => exit,
    };
    command.abort();
    // Dropping the command clears its spinner.
    let _ = tokio::time::timeout(GRACE, command).await;
    input::restore();
    if std::io::stderr().is_terminal() {
        // The shell's prompt belongs on a line of its own.
        let _ = writeln!(std::io::stderr());
    }
    exit
}

/// Begins to listen at once, and tells what was heard.
#[cfg(unix)]
fn signal() -> impl Future<Output = Exit> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn heard(signals: std::io::Result<Signal>) {
        match signals {
            Ok(mut signals) => _ = signals.recv().await,
            // The system's own way to end a program is left.
            Err(_) => std::future::pending().await,
        }
    }
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        tokio::select! {
            () = heard(interrupt) => Exit::Interrupted,
            () = heard(terminate) => Exit::Terminated,
        }
    }
}

#[cfg(not(unix))]
async fn signal() -> Exit {
    let _ = tokio::signal::ctrl_c().await;
    Exit::Interrupted
}

/// Enough to clear a line of a terminal, too little to be noticed.
const GRACE: Duration = Duration::from_millis(200);
