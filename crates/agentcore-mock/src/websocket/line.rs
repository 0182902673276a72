//! An open WebSocket, under the service's limits. Pings are answered while somebody listens, as the library beneath does.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;

use super::frames::{Frames, Limit};
use crate::server::Switch;

/// The agent's end of a WebSocket.
pub(crate) struct Line {
    socket: WebSocket,
    switch: Switch,
    frames: Frames,
}

/// How a talk ends.
pub(super) enum End {
    /// The peer has gone, or is let go without a word.
    Gone,
    /// The agent closes, by this code.
    Close(u16, &'static str),
    /// The peer sent what cannot be read, and is told by this code.
    Unreadable(u16, &'static str),
}

impl Line {
    pub(crate) fn new(socket: WebSocket, switch: Switch, frames: Frames) -> Self {
        Self { socket, switch, frames }
    }

    /// Receives the next message that is text or binary. A close is answered, and then the peer has gone.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn recv(&mut self) -> Result<Message, End> {
        loop {
            let message = self.recv_any().await?;
            if matches!(message, Message::Text(_) | Message::Binary(_)) {
                return Ok(message);
            }
        }
    }

    /// Receives the next message, be it a ping or a close.
    pub(super) async fn recv_any(&mut self) -> Result<Message, End> {
        let message = self.socket.recv().await.ok_or(End::Gone)?;
        match (message, self.frames.broken()) {
            (Ok(message), None) => Ok(message),
            (Ok(_), Some(limit)) => Err(End::Close(limit.code(), limit.reason())),
            (Err(_), Some(limit @ Limit::Size)) => Err(End::Unreadable(limit.code(), limit.reason())),
            // A connection that broke ends up here too; the close then reaches nobody.
            (Err(_), _) => Err(End::Unreadable(PROTOCOL_ERROR, "")),
        }
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<(), End> {
        self.socket.send(message).await.map_err(|_| End::Gone)
    }

    /// Reads nothing more, for as long as the mock lives.
    pub(super) async fn deafen(&mut self) {
        self.switch.deafen();
        self.read_out().await;
    }

    /// Says nothing more, not even a pong or a close, until the peer ends the connection.
    pub(super) async fn silence(&mut self) {
        self.switch.silence();
        self.read_out().await;
    }

    /// Ends the connection.
    pub(super) async fn end(mut self, end: End) {
        match end {
            End::Gone => {}
            End::Close(code, reason) => {
                self.close(code, reason).await;
                self.read_out().await;
            }
            End::Unreadable(code, reason) => {
                self.close(code, reason).await;
                self.switch.linger();
                // It is the connection beneath that reads now; it reports the end to whoever waits for it.
                let _ = self.socket.flush().await;
            }
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        // A pong that is still to be sent would come after the close, where no frame may be. Whoever has gone needs neither.
        let _ = self.socket.flush().await;
        let _ = self.socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    }

    async fn read_out(&mut self) {
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}

const PROTOCOL_ERROR: u16 = 1002;
