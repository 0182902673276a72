//! The life of a socket: one connection after the other, until it ends for good. Sends and reads nothing itself.

use std::{
    future::pending,
    sync::{Arc, OnceLock},
};

use agentcore_transport::Upgraded;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{
    Close, Reconnected,
    connection::{Connection, End, Ended, Ends, Job},
    connection_source::ConnectionSource,
    reconnect,
};
use crate::{Error, ErrorKind};

/// Keeps a socket alive, and tells its end to whoever receives.
pub(super) async fn run(
    source: ConnectionSource,
    mut connection: Upgraded,
    mut ends: Ends,
    closed: Arc<OnceLock<Close>>,
) {
    let error = loop {
        let live = Connection::new(connection, &source.settings).await;
        let ended = live.carry(&mut ends, &source.settings).await;
        let policy = source.settings.reconnect.as_ref().filter(|_| is_worth_reconnecting(&ended));
        let Ended { how, close_sent, unconfirmed } = ended;
        let cause = match how {
            End::Closed(close) => {
                let failure = failure(&close);
                if policy.is_none() {
                    let expected = ORDINARY.contains(&close.code) || close_sent == Some(close.code);
                    let _ = closed.set(close);
                    break if expected { None } else { Some(failure) };
                }
                failure
            }
            End::Lost { error, .. } => error,
        };
        let Some(policy) = policy else { break Some(cause) };
        tracing::warn!(session = source.socket.session_id().as_str(), kind = ?cause.kind(), "connection lost");
        let lost_at = Instant::now();
        let opening = tokio::select! {
            opening = source.reopen(policy) => opening,
            () = given_up(&mut ends) => break Some(cause),
        };
        match opening {
            Ok(opened) => {
                let downtime = lost_at.elapsed();
                ends.news = Some(Reconnected { cause, unconfirmed, attempts: opened.attempts, downtime });
                connection = opened.connection;
            }
            Err(error) => break Some(error),
        }
    };
    // Whoever waits to send learns it first: the one who receives may take long.
    let Ends { outbox, inbox, waiting, news: _ } = ends;
    drop((outbox, waiting));
    if let Some(error) = error {
        let _ = inbox.send(Err(error)).await;
    }
}

/// Whether another connection would be of use.
fn is_worth_reconnecting(ended: &Ended) -> bool {
    let worthwhile = match &ended.how {
        End::Closed(close) => reconnect::worthwhile(Some(close)),
        // What breaks a rule of the protocol or a bound would break it again.
        End::Lost { sayable, .. } => sayable.is_none_or(|code| code == CloseCode::Away) && reconnect::worthwhile(None),
    };
    worthwhile && ended.close_sent.is_none()
}

/// Returns the error that an unexpected close means.
fn failure(close: &Close) -> Error {
    let kind = match close.code {
        1001 | 1012..=1014 => ErrorKind::Unavailable,
        1008 if reconnect::speaks_of_identity(&close.reason) => ErrorKind::Authorization,
        1008 => ErrorKind::Throttled,
        _ => ErrorKind::Agent,
    };
    Error::new(kind, format!("the agent's side closed the connection: {close}")).possibly_run(true)
}

/// Waits until the program wants no connection any more: it says close_sent, or has dropped both halves.
async fn given_up(ends: &mut Ends) {
    while ends.waiting.is_none() {
        match ends.outbox.recv().await {
            Some(Job::Close(_)) => return,
            job @ Some(Job::Send(..)) => ends.waiting = job,
            None => return ends.inbox.closed().await,
        }
    }
    // A message waits for the next connection, and with it everything after.
    pending().await
}

/// Normal, going away, and a close frame without a code.
const ORDINARY: [u16; 3] = [1000, 1001, 1005];
