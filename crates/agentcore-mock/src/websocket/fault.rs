//! Injects the faults of an open WebSocket: an early close, a lost connection, a peer that stops reading or writing.

use axum::extract::ws::Message;

use super::connection::{Connection, End};
use crate::faults::WebSocketFault;

/// Injects a fault.
pub(super) async fn inject(fault: WebSocketFault, connection: &mut Connection) -> Result<(), End> {
    match fault {
        WebSocketFault::Close(code) => {
            echo_once(connection).await?;
            return Err(End::Close(code, REASON));
        }
        WebSocketFault::CloseNow(code) => return Err(End::Close(code, REASON)),
        WebSocketFault::Drop(_) => echo_once(connection).await?,
        WebSocketFault::Deaf => connection.stop_reading().await,
        WebSocketFault::Silent => connection.discard().await,
        WebSocketFault::NoClose => {
            loop {
                match connection.recv_any().await? {
                    Message::Close(_) => break,
                    message @ (Message::Text(_) | Message::Binary(_)) => connection.send(message).await?,
                    _ => {}
                }
            }
            connection.discard().await;
        }
    }
    Ok(())
}

async fn echo_once(connection: &mut Connection) -> Result<(), End> {
    let message = connection.recv().await?;
    connection.send(message).await
}

const REASON: &str = "the agent hangs up";
