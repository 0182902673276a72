//! An open WebSocket under the limits of the service. Answers pings only while a receive is pending, as the library does.

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::frame_limits::{FrameLimits, Limit};
use crate::server::ConnectionControl;

/// A WebSocket over a connection that was upgraded.
pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The server's end of a WebSocket.
pub(crate) struct Connection {
    socket: Socket,
    control: ConnectionControl,
    limits: FrameLimits,
}

/// How a connection ends.
pub(super) enum End {
    /// The peer has gone, or the connection ends without a close.
    Gone,
    /// The agent closes with this code.
    Close(u16, &'static str),
    /// The peer sent a frame that cannot be read, and the close has this code.
    Unreadable(u16, &'static str),
}

impl Connection {
    pub(crate) fn new(socket: Socket, control: ConnectionControl, limits: FrameLimits) -> Self {
        Self { socket, control, limits }
    }

    /// Receives the next message that is text or binary. Answers a close, after which the peer has gone.
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

    /// Receives the next message of any kind.
    pub(super) async fn recv_any(&mut self) -> Result<Message, End> {
        let message = self.socket.next().await.ok_or(End::Gone)?;
        match (message, self.limits.exceeded()) {
            (Ok(message), None) => Ok(message),
            (Ok(_), Some(limit)) => Err(End::Close(limit.code(), limit.reason())),
            (Err(_), Some(limit @ Limit::Size)) => Err(End::Unreadable(limit.code(), limit.reason())),
            // A broken connection is an error too; the peer does not receive the close.
            (Err(_), _) => Err(End::Unreadable(PROTOCOL_ERROR, "")),
        }
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<(), End> {
        self.socket.send(message).await.map_err(|_| End::Gone)
    }

    /// Reads nothing more until the mock is dropped.
    pub(super) async fn stop_reading(&mut self) {
        self.control.stop_reading();
        self.read_to_end().await;
    }

    /// Discards all input and sends nothing, neither a pong nor a close, until the peer ends the connection.
    pub(super) async fn discard(&mut self) {
        self.control.discard();
        self.read_to_end().await;
    }

    /// Ends the connection.
    pub(super) async fn end(mut self, end: End) {
        match end {
            End::Gone => {}
            End::Close(code, reason) => {
                self.close(code, reason).await;
                self.read_to_end().await;
            }
            End::Unreadable(code, reason) => {
                self.close(code, reason).await;
                self.control.shut_down_write();
                // The TCP connection discards the input and reports its end here.
                let _ = self.socket.flush().await;
            }
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        // A queued pong would follow the close, where no frame is allowed. If the peer has gone, both fail, which is fine.
        let _ = self.socket.flush().await;
        let _ = self.socket.send(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))).await;
    }

    async fn read_to_end(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

const PROTOCOL_ERROR: u16 = 1002;
