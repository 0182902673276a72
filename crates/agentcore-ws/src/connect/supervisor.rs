//! Runs a socket: one connection after the other, until the last ends. Sends and reads nothing itself.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{
    Close, Incoming, Reconnected, Settings,
    connection::{Channels, Command, Connection, End, Outcome},
    reconnect,
    sync::{mpsc, now},
};
use crate::{Error, ErrorKind, RetryPolicy, WebSocket};

/// What replaces the lost connections of a socket.
pub(super) trait Reopen: Send + Sync + 'static {
    /// A connection on which nothing was sent or read since its upgrade.
    type Connection: AsyncRead + AsyncWrite + Unpin + Send;

    fn settings(&self) -> &Settings;

    fn socket(&self) -> &WebSocket;

    /// Opens another connection to the same session, and returns it with the number of attempts.
    fn reopen(&self, retry: &RetryPolicy) -> impl Future<Output = Result<(Self::Connection, u32), Error>> + Send;
}

/// Runs the socket and reports its end to the receiver.
pub(super) async fn run<S: Reopen>(
    source: S,
    mut connection: S::Connection,
    mut channels: Channels,
    closed: Arc<OnceLock<Close>>,
    finished: Arc<AtomicBool>,
) {
    let error = loop {
        let (settings, socket) = (source.settings(), source.socket());
        let connected = Connection::new(connection, settings).await;
        let outcome = connected.run(&mut channels, settings).await;
        let policy = settings
            .reconnect
            .as_ref()
            .filter(|_| !finished.load(Ordering::Acquire) && should_reconnect(&outcome, socket.shell_id().is_some()));
        let Outcome { end, close_sent, unconfirmed } = outcome;
        let mut closed_by = None;
        let cause = match end {
            End::Closed(close) => {
                let error = close_error(&close);
                closed_by = Some(close.clone());
                if policy.is_none() {
                    let expected = ORDINARY.contains(&close.code) || close_sent == Some(close.code);
                    let _ = closed.set(close);
                    break if expected { None } else { Some(error) };
                }
                error
            }
            End::Lost { error, .. } => error,
        };
        let Some(policy) = policy else { break Some(cause) };
        tracing::warn!(session = socket.session_id().as_str(), kind = ?cause.kind(), "connection lost");
        let lost_at = now();
        let reopened = tokio::select! {
            reopened = source.reopen(policy) => reopened,
            () = closed_by_program(&mut channels) => break Some(cause),
        };
        match reopened {
            Ok((opened, attempts)) => {
                let downtime = now() - lost_at;
                let reconnected = Reconnected { cause, close: closed_by, unconfirmed, attempts, downtime };
                channels.reconnected = Some(reconnected.after(channels.reconnected.take()));
                connection = opened;
            }
            Err(error) => break Some(error),
        }
    };
    // Senders learn it first: the receiver may take long.
    let Channels { outbox, inbox, waiting, .. } = channels;
    drop((outbox, waiting));
    if let Some(error) = error {
        let _ = inbox.send(Err(error)).await;
    }
}

/// Decides whether another connection may go better.
fn should_reconnect(outcome: &Outcome, is_shell: bool) -> bool {
    let decide = if is_shell { reconnect::should_reattach } else { reconnect::should_reconnect };
    let worthwhile = match &outcome.end {
        End::Closed(close) => decide(Some(close)),
        // What breaks a rule of the protocol or a bound would break it again.
        End::Lost { close_code, .. } => close_code.is_none_or(|code| code == CloseCode::Away) && decide(None),
    };
    worthwhile && outcome.close_sent.is_none()
}

/// Returns the error of an unexpected close.
fn close_error(close: &Close) -> Error {
    let kind = match close.code {
        1001 | 1012..=1014 => ErrorKind::Unavailable,
        1008 if reconnect::is_about_credentials(&close.reason) => ErrorKind::Authorization,
        1008 => ErrorKind::Throttled,
        _ => ErrorKind::Agent,
    };
    Error::new(kind, format!("the agent's side closed the connection: {close}")).possibly_run(true)
}

/// Waits until the program closes the socket or has left it, and nobody waits any longer for a message to be sent.
async fn closed_by_program(channels: &mut Channels) {
    let Channels { outbox, inbox, waiting, ends_with_receiver, .. } = channels;
    loop {
        tokio::select! {
            is_closed = take_command(outbox, inbox, waiting) => if is_closed { return },
            () = inbox.closed(), if *ends_with_receiver && !outbox.is_closed() => outbox.close(),
        }
    }
}

/// Takes the next command, or drops the one that waits for a connection once its sender's future was dropped. Returns whether the
/// program has closed the socket.
async fn take_command(
    outbox: &mut mpsc::Receiver<Command>,
    inbox: &mpsc::Sender<Result<Incoming, Error>>,
    waiting: &mut Option<Command>,
) -> bool {
    match waiting {
        Some(Command::Close(_)) => return true,
        // It waits for the next connection, and all commands after it.
        Some(Command::Send(_, result)) => {
            result.closed().await;
            *waiting = None;
        }
        None => {
            *waiting = outbox.recv().await;
            if waiting.is_none() {
                inbox.closed().await;
                return true;
            }
        }
    }
    false
}

/// Normal, going away, and a close frame without a code.
const ORDINARY: [u16; 3] = [1000, 1001, 1005];
