//! The two halves of an open socket, as a program holds them. Opens nothing; a task reads and writes.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    task::{Context, Poll},
};

use agentcore_core::SessionId;
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Close, Incoming, Message,
    connection::{Channels, Command},
    supervisor::{self, Reopen},
    sync::{self, mpsc, oneshot},
};
use crate::{Error, ErrorKind};

/// An open WebSocket to an agent.
///
/// A spawned task reads, writes, sends pings and closes, so that the socket stays open while the program does other work. At
/// most 32 received messages wait; then the task stops reading, and the connection's flow control stops the agent.
///
/// Dropping the socket closes it in the background with 1000.
///
/// # Cancel safety
/// As that of [`Sender`] and [`Receiver`].
///
/// ```
/// # async fn example(mut socket: agentcore_ws::Socket) -> Result<(), agentcore_ws::Error> {
/// socket.send("Hello").await?;
/// while let Some(incoming) = socket.try_next().await? {
///     println!("{}", incoming.text().unwrap_or_default());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Socket {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    /// Tells the task that no other connection is wanted.
    pub(super) finished: Arc<AtomicBool>,
}

impl Socket {
    pub(super) fn start<S: Reopen>(source: S, connection: S::Connection, session: SessionId) -> Self {
        let (commands, outbox) = outbox();
        let (inbox, incoming) = mpsc::channel(INBOX);
        let closed = Arc::new(OnceLock::new());
        let ends_with_receiver = source.socket().shell_id().is_some();
        let channels = Channels { outbox, inbox, waiting: None, reconnected: None, ends_with_receiver };
        let finished = Arc::new(AtomicBool::new(false));
        sync::spawn(supervisor::run(source, connection, channels, closed.clone(), finished.clone()));
        Self { sender: Sender { commands }, receiver: Receiver { incoming, closed, session }, finished }
    }

    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.receiver.session_id()
    }

    /// Sends a message; see [`Sender::send`].
    ///
    /// # Errors
    /// If the connection is closed or was lost.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.sender.send(message).await
    }

    /// Sends a value as a JSON text; see [`Sender::send`].
    ///
    /// # Errors
    /// If the value cannot be written as JSON, or the connection is closed or was lost.
    pub async fn send_json<T: Serialize + ?Sized + Sync>(&self, value: &T) -> Result<(), Error> {
        self.sender.send_json(value).await
    }

    /// Returns the next item; see [`Receiver::next`].
    pub async fn next(&mut self) -> Option<Result<Incoming, Error>> {
        self.receiver.next().await
    }

    /// Returns the next item; see [`Receiver::try_next`].
    ///
    /// # Errors
    /// If the connection ended with an error.
    pub async fn try_next(&mut self) -> Result<Option<Incoming>, Error> {
        self.receiver.try_next().await
    }

    /// Parses the next message as JSON; see [`Receiver::try_next_json`].
    ///
    /// # Errors
    /// If the message is not such JSON, or the connection ended with an error.
    pub async fn try_next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        self.receiver.try_next_json().await
    }

    /// Splits the socket into its halves, for different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    /// Closes with 1000, waits for the agent's close frame, and returns it. Messages that arrive before it are dropped.
    ///
    /// # Errors
    /// If the agent does not answer in time ([`Settings::close_timeout`](crate::Settings::close_timeout)), or the
    /// connection ended with an error.
    ///
    /// # Cancel safety
    /// Dropping the future closes the socket in the background.
    pub async fn close(mut self) -> Result<Close, Error> {
        self.sender.close(Close::normal()).await?;
        while self.receiver.try_next().await?.is_some() {}
        Ok(self.receiver.closed().cloned().unwrap_or_else(Close::normal))
    }
}

impl Stream for Socket {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.incoming.poll_recv(cx)
    }
}

/// The half that sends. Clones send over the same socket.
#[derive(Clone, Debug)]
pub struct Sender {
    commands: mpsc::Sender<Command>,
}

impl Sender {
    /// Sends a message and waits until it is written to the connection. Messages of one sender keep their order.
    ///
    /// A message larger than a frame is sent in several frames, and no faster than the service accepts them
    /// ([`Settings`](crate::Settings)).
    ///
    /// # Errors
    /// If the connection is closed, or is lost while the message is sent: then the agent may have received it
    /// ([`may_have_run`](Error::may_have_run)), whatever part of it was written. A message not yet begun at the loss waits for the
    /// next connection ([`Settings::reconnect`](crate::Settings::reconnect)), or was certainly not sent.
    ///
    /// # Cancel safety
    /// Dropping the future leaves unknown whether the message is sent; it is sent whole or not at all.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        let (result, sent) = oneshot::channel();
        self.commands.send(Command::Send(message.into(), result)).await.map_err(|_| closed())?;
        sent.await.map_err(|_| closed())?
    }

    /// Sends a message if there is room for it, without waiting. What is returned must be kept for as long as it is wanted.
    pub(super) fn send_now(&self, message: Message) -> Option<Sending> {
        let (result, sent) = oneshot::channel();
        self.commands.try_send(Command::Send(message, result)).ok().map(|()| Sending(sent))
    }

    /// Sends a value as a JSON text.
    ///
    /// # Errors
    /// If the value cannot be written as JSON, and as [`send`](Self::send), whose cancel safety it shares.
    pub async fn send_json<T: Serialize + ?Sized + Sync>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::input("the message cannot be written as JSON").with_source(error))?;
        self.send(text).await
    }

    /// Sends a close frame after the messages sent before. The receiver still gets the agent's messages, then its close frame.
    ///
    /// The receiver must go on taking messages, because the agent's close frame comes after them.
    ///
    /// # Errors
    /// If the connection is closed already.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the socket open.
    pub async fn close(&self, close: Close) -> Result<(), Error> {
        self.commands.send(Command::Close(close)).await.map_err(|_| closed())
    }
}

/// A message on its way, which is not sent once this is dropped.
#[derive(Debug)]
pub(super) struct Sending(
    #[expect(dead_code, reason = "it is there to be dropped")] oneshot::Receiver<Result<(), Error>>,
);

/// The half that receives.
///
/// # Cancel safety
/// Dropping the future of a method loses nothing.
pub struct Receiver {
    incoming: mpsc::Receiver<Result<Incoming, Error>>,
    closed: Arc<OnceLock<Close>>,
    session: SessionId,
}

impl Receiver {
    /// Returns the session of the socket.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Takes nothing more, as if it was dropped.
    pub(super) fn leave(&mut self) {
        self.incoming.close();
    }

    /// Returns the next item; `None` once the program closed the connection, or the agent did with 1000, 1001 or no code. An
    /// error, the last item, means that the agent closed with another code, or that the connection was lost and not replaced.
    pub async fn next(&mut self) -> Option<Result<Incoming, Error>> {
        self.incoming.recv().await
    }

    /// Returns the next item as [`next`](Self::next) does, for use with `?`.
    ///
    /// # Errors
    /// If the agent closed with another code, or the connection was lost and not replaced.
    pub async fn try_next(&mut self) -> Result<Option<Incoming>, Error> {
        self.next().await.transpose()
    }

    /// Parses the next message, text or bytes, as JSON. Skips [`Reconnected`](crate::Reconnected): programs that must know of it
    /// call [`try_next`](Self::try_next).
    ///
    /// # Errors
    /// If the message is not such JSON (it is lost then), and as [`try_next`](Self::try_next).
    pub async fn try_next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        loop {
            let read = match self.try_next().await? {
                None => return Ok(None),
                Some(Incoming::Text(text)) => serde_json::from_str(&text),
                Some(Incoming::Binary(bytes)) => serde_json::from_slice(&bytes),
                Some(Incoming::Reconnected(_)) => continue,
            };
            return read.map(Some).map_err(|error| {
                Error::new(ErrorKind::Service, "the agent's message is not the expected JSON").with_source(error)
            });
        }
    }

    /// Returns the agent's close frame, once it arrived.
    #[must_use]
    pub fn closed(&self) -> Option<&Close> {
        self.closed.get()
    }
}

impl Stream for Receiver {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(cx)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (session, closed) = (&self.session, self.closed.get());
        f.debug_struct("Receiver").field("session", session).field("closed", &closed).finish_non_exhaustive()
    }
}

/// Makes the queue of messages that wait to be sent.
fn outbox() -> (mpsc::Sender<Command>, mpsc::Receiver<Command>) {
    mpsc::channel(OUTBOX)
}

fn closed() -> Error {
    Error::new(ErrorKind::BrokenOff, "the connection is closed")
}

/// How many messages wait to be sent before `send` waits too.
const OUTBOX: usize = 16;
/// How many received messages wait before reading stops.
const INBOX: usize = 32;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{pin::pin, task::Waker};

    use super::*;

    /// Sixteen messages wait; the next one stays with its sender, until one is taken. None is lost, and they keep their order.
    #[tokio::test]
    async fn sixteen_messages_wait_to_be_sent() {
        let (commands, mut outbox) = outbox();
        let sender = Sender { commands };
        let held: Vec<_> = (0..16).map(|number: u32| sender.send_now(number.to_string().into()).unwrap()).collect();
        assert!(sender.send_now("17".into()).is_none());
        let mut next = pin!(sender.send("16"));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        assert_eq!(outbox.len(), 16);
        let mut taken = Vec::new();
        while taken.len() < 17 {
            let Some(Command::Send(Message::Text(text), result)) = outbox.recv().await else { panic!("a message") };
            taken.push(text.to_string());
            let _ = result.send(Ok(()));
            let _ = next.as_mut().poll(&mut cx);
        }
        let expected: Vec<_> = (0..17).map(|number: u32| number.to_string()).collect();
        assert_eq!(taken, expected);
        drop(held);
    }
}
