//! A socket as a program holds it: its two halves, and the task behind them that outlives a connection. Opens nothing.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use agentcore_core::SessionId;
use agentcore_transport::Upgraded;
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{mpsc, oneshot};

use super::{
    Close, Incoming, Message,
    connection::{Ends, Job},
    connection_source::ConnectionSource,
    supervisor,
};
use crate::{Error, ErrorKind};

/// An open WebSocket to an agent.
///
/// A task of its own reads, writes, sends pings and closes, so that the socket stays up while the program thinks. At most 32
/// messages wait to be taken; then the task reads no further, and the agent feels it.
///
/// Dropping the socket closes it in the background with 1000.
#[derive(Debug)]
pub struct Socket {
    sender: Sender,
    receiver: Receiver,
}

impl Socket {
    pub(super) fn start(source: ConnectionSource, connection: Upgraded, session: SessionId) -> Self {
        let (jobs, outbox) = mpsc::channel(OUTBOX);
        let (inbox, arrivals) = mpsc::channel(INBOX);
        let closed = Arc::new(OnceLock::new());
        let ends = Ends { outbox, inbox, waiting: None, news: None };
        tokio::spawn(supervisor::run(source, connection, ends, closed.clone()));
        Self { sender: Sender { jobs }, receiver: Receiver { arrivals, closed, session } }
    }

    /// The session that the socket belongs to.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.receiver.session_id()
    }

    /// Sends a message; see [`Sender::send`].
    ///
    /// # Errors
    /// If the connection is closed or was lost.
    ///
    /// # Cancel safety
    /// As [`Sender::send`].
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.sender.send(message).await
    }

    /// Sends a value as a JSON text; see [`Sender::send`].
    ///
    /// # Errors
    /// If the value cannot be written as JSON, or the connection is closed or was lost.
    ///
    /// # Cancel safety
    /// As [`Sender::send`].
    pub async fn send_json<T: Serialize + ?Sized + Sync>(&self, value: &T) -> Result<(), Error> {
        self.sender.send_json(value).await
    }

    /// Takes what comes next; see [`Receiver::next`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Incoming, Error>> {
        self.receiver.next().await
    }

    /// Takes what comes next; see [`Receiver::try_next`].
    ///
    /// # Errors
    /// If the connection ended with an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Incoming>, Error> {
        self.receiver.try_next().await
    }

    /// Takes the next message as JSON; see [`Receiver::try_next_json`].
    ///
    /// # Errors
    /// If the message is not this kind of JSON, or the connection ended with an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        self.receiver.try_next_json().await
    }

    /// Parts the halves, to be used by different tasks. The socket ends when both are dropped.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    /// Closes with 1000, waits for the agent's close frame, and returns it. Messages that still come are dropped.
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
        self.receiver.arrivals.poll_recv(cx)
    }
}

/// The half that sends. Clones send over the same socket.
#[derive(Clone, Debug)]
pub struct Sender {
    jobs: mpsc::Sender<Job>,
}

impl Sender {
    /// Sends a message, and waits until it has left this program. Messages of one sender leave in order.
    ///
    /// A message larger than a frame leaves in several, and frames leave no faster than the service takes them
    /// ([`Settings`](crate::Settings)).
    ///
    /// # Errors
    /// If the connection is closed, or is lost while the message leaves: the agent may or may not have received it then.
    ///
    /// # Cancel safety
    /// A message whose future is dropped is sent whole or not at all; which of them cannot be told.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        self.jobs.send(Job::Send(message.into(), tell)).await.map_err(|_| over())?;
        told.await.map_err(|_| over())?
    }

    /// Sends a value as a JSON text.
    ///
    /// # Errors
    /// If the value cannot be written as JSON, and as [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_json<T: Serialize + ?Sized + Sync>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::input("the message cannot be written as JSON").with_source(error))?;
        self.send(text).await
    }

    /// Sends a close frame, after the messages sent before. What the agent still says comes to the receiver, then its own close
    /// frame.
    ///
    /// The receiver must go on taking messages, or the agent's close frame stays behind them.
    ///
    /// # Errors
    /// If the connection is closed already.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the socket open.
    pub async fn close(&self, close: Close) -> Result<(), Error> {
        self.jobs.send(Job::Close(close)).await.map_err(|_| over())
    }
}

/// The half that receives.
pub struct Receiver {
    arrivals: mpsc::Receiver<Result<Incoming, Error>>,
    closed: Arc<OnceLock<Close>>,
    session: SessionId,
}

impl Receiver {
    /// The session that the socket belongs to.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Takes what comes next; nothing, once the connection was closed by the program, or by the agent with 1000, 1001 or no code.
    /// An error, the last item, says that the agent closed with another code, or that the connection was lost and no other could
    /// be had.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Incoming, Error>> {
        self.arrivals.recv().await
    }

    /// Takes what comes next as [`next`](Self::next) does, for use with `?`.
    ///
    /// # Errors
    /// If the agent closed with another code, or the connection was lost and no other could be had.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Incoming>, Error> {
        self.next().await.transpose()
    }

    /// Takes the next message, text or bytes, as JSON. An [`Reconnected`](crate::Reconnected) is passed over: programs that
    /// must know of it call [`try_next`](Self::try_next).
    ///
    /// # Errors
    /// If the message is not this kind of JSON (it is lost then), and as [`try_next`](Self::try_next).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
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

    /// Returns the agent's close frame, once there was one.
    #[must_use]
    pub fn closed(&self) -> Option<&Close> {
        self.closed.get()
    }
}

impl Stream for Receiver {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.arrivals.poll_recv(cx)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Receiver");
        debug.field("session", &self.session).field("closed", &self.closed.get()).finish_non_exhaustive()
    }
}

fn over() -> Error {
    Error::new(ErrorKind::BrokenOff, "the connection is closed")
}

/// Messages that wait to be sent; more wait with their senders.
const OUTBOX: usize = 16;
/// Messages that wait to be taken, before reading stops.
const INBOX: usize = 32;
