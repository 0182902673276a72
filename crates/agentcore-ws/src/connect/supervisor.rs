//! Runs a socket: one connection after the other, until the last ends. Sends and reads nothing itself.

use std::{
    future::pending,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use agentcore_transport::Upgraded;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{
    Close, Reconnected,
    connection::{Channels, Command, Connection, End, Outcome},
    connection_source::{Connected, ConnectionSource},
    reconnect,
};
use crate::{Error, ErrorKind};

/// Runs the socket and reports its end to the receiver.
pub(super) async fn run(
    source: ConnectionSource,
    mut connection: Upgraded,
    mut channels: Channels,
    closed: Arc<OnceLock<Close>>,
    finished: Arc<AtomicBool>,
) {
    let error = loop {
        let connected = Connection::new(connection, &source.settings).await;
        let outcome = connected.run(&mut channels, &source.settings).await;
        let policy = source.settings.reconnect.as_ref().filter(|_| {
            !finished.load(Ordering::Acquire) && should_reconnect(&outcome, source.socket.shell_id().is_some())
        });
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
        tracing::warn!(session = source.socket.session_id().as_str(), kind = ?cause.kind(), "connection lost");
        let lost_at = Instant::now();
        let reopened = tokio::select! {
            reopened = source.reopen(policy) => reopened,
            () = closed_by_program(&mut channels) => break Some(cause),
        };
        match reopened {
            Ok(Connected { connection: opened, attempts, .. }) => {
                let downtime = lost_at.elapsed();
                channels.reconnected = Some(Reconnected { cause, close: closed_by, unconfirmed, attempts, downtime });
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

/// Waits until the program closes the socket or has dropped both halves.
async fn closed_by_program(channels: &mut Channels) {
    while channels.waiting.is_none() {
        match channels.outbox.recv().await {
            Some(Command::Close(_)) => return,
            command @ Some(Command::Send(..)) => channels.waiting = command,
            None => return channels.inbox.closed().await,
        }
    }
    // The message waits for the next connection, and all commands after it.
    pending().await
}

/// Normal, going away, and a close frame without a code.
const ORDINARY: [u16; 3] = [1000, 1001, 1005];
