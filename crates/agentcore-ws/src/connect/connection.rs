//! Runs one connection from the upgrade to its end: reads, writes, pings. Never reconnects.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        error::{CapacityError, ProtocolError},
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use self::{
    close_frame::{CloseFinder, ClosePayload},
    in_flight::InFlight,
};
use super::{
    Close, Incoming, Message, Reconnected, Settings,
    keep_alive::{KeepAlive, PeerActivity},
    rate_limit::RateLimit,
    sync::{mpsc, now, oneshot, sleep_until, timeout},
};
use crate::{Error, ErrorKind};

mod close_frame;
mod in_flight;

/// What the program asks of the connection.
#[derive(Debug)]
pub(super) enum Command {
    /// Send this message, and report the result.
    Send(Message, oneshot::Sender<Result<(), Error>>),
    /// Close the connection.
    Close(Close),
}

/// The channels to the program, which outlive a connection.
#[derive(Debug)]
pub(super) struct Channels {
    pub(super) outbox: mpsc::Receiver<Command>,
    pub(super) inbox: mpsc::Sender<Result<Incoming, Error>>,
    /// A command of which nothing was done yet; the next connection gets it, if this one ends before.
    pub(super) waiting: Option<Command>,
    /// What the program gets before anything of this connection.
    pub(super) reconnected: Option<Reconnected>,
    /// Whether the socket is left with its receiver, whoever still sends. Otherwise it takes both halves.
    pub(super) ends_with_receiver: bool,
}

/// The outcome of a connection.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// The code with which the program closed, if it did.
    pub(super) close_sent: Option<u16>,
    /// Messages sent that nothing confirms, and the one that was being sent.
    pub(super) unconfirmed: u64,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The agent closed it, first or in answer to the program.
    Closed(Close),
    /// It broke off; `close_code` is sent to the agent, if it can be.
    Lost { error: Error, close_code: Option<CloseCode> },
}

/// A WebSocket connection.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: WebSocketStream<CloseFinder<S>>,
    close: ClosePayload,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Begins the WebSocket protocol on an upgraded connection.
    pub(super) async fn new(connection: S, settings: &Settings) -> Self {
        let bound = Some(settings.max_message_bytes);
        // A frame of the program's always fits behind what else waits: pongs, of which the newest is kept where the peer does not
        // read (RFC 6455 §5.5.3).
        let config = WebSocketConfig::default()
            .max_message_size(bound)
            .max_frame_size(bound)
            .write_buffer_size(0)
            .max_write_buffer_size(settings.max_frame_bytes.saturating_add(CONTROL_FRAMES_BYTES));
        let (connection, close) = CloseFinder::new(connection);
        Self { stream: WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await, close }
    }

    /// Passes messages both ways until the connection ends.
    pub(super) async fn run(self, channels: &mut Channels, settings: &Settings) -> Outcome {
        let activity = PeerActivity::new();
        let (mut sink, source) = self.stream.split();
        let mut reader = Reader { source, close: self.close };
        let Channels { outbox, inbox, waiting, reconnected, ends_with_receiver } = channels;
        let mut close_sent = None;
        let ends_with_receiver = *ends_with_receiver;
        let writer = Writer { sink: &mut sink, inbox, activity: &activity, settings, ends_with_receiver };
        let end = tokio::select! {
            end = reader.run(inbox, reconnected, &activity) => end,
            end = writer.run(outbox, waiting, &mut close_sent) => end,
        };
        let bound = Some(settings.close_timeout);
        // After the agent's close, the library has queued the answer.
        if !matches!(end, End::Lost { close_code: None, .. }) {
            let _ = within(bound, sink.flush()).await;
        }
        if let End::Lost { close_code: Some(code), .. } = end {
            let frame = CloseFrame { code, reason: "".into() };
            let _ = within(bound, sink.send(tungstenite::Message::Close(Some(frame)))).await;
        }
        Outcome { end, close_sent, unconfirmed: activity.unconfirmed() }
    }
}

/// The reading half.
struct Reader<S> {
    source: SplitStream<WebSocketStream<CloseFinder<S>>>,
    close: ClosePayload,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<S> {
    async fn run(
        &mut self,
        inbox: &mpsc::Sender<Result<Incoming, Error>>,
        reconnected: &mut Option<Reconnected>,
        activity: &PeerActivity,
    ) -> End {
        loop {
            // The permit comes first: a cancellation must not lose a message that has been read.
            activity.note(true);
            let permit = inbox.reserve().await.ok();
            activity.note(false);
            if let Some(reconnected) = reconnected.take() {
                if let Some(permit) = permit {
                    permit.send(Ok(Incoming::Reconnected(reconnected)));
                }
                continue;
            }
            let incoming = loop {
                let frame = match self.source.next().await {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return lost(error),
                    None => return lost(tungstenite::Error::ConnectionClosed),
                };
                activity.note(false);
                match frame {
                    tungstenite::Message::Text(text) => {
                        let Ok(text) = ByteString::try_from(Bytes::from(text)) else { continue };
                        break Incoming::Text(text);
                    }
                    tungstenite::Message::Binary(bytes) => break Incoming::Binary(bytes),
                    tungstenite::Message::Pong(payload) => activity.note_pong(&payload),
                    tungstenite::Message::Close(_) => return self.closed(),
                    _ => {}
                }
            };
            activity.note_answer();
            // Without a permit the receiver was dropped.
            if let Some(permit) = permit {
                permit.send(Ok(incoming));
            }
        }
    }

    /// Returns the end by the agent's close frame, as it came.
    fn closed(&self) -> End {
        let payload = self.close.get().map(Vec::as_slice).unwrap_or_default();
        let Some((code, reason)) = payload.split_first_chunk() else {
            return End::Closed(Close { code: 1005, reason: String::new() });
        };
        let code = u16::from_be_bytes(*code);
        if Close::may_have(code) {
            return End::Closed(Close { code, reason: String::from_utf8_lossy(reason).into_owned() });
        }
        let message = format!("the agent's side closed the connection with {code}, which no close frame may have");
        let error = Error::new(ErrorKind::BrokenOff, message).possibly_run(true).lasting();
        End::Lost { error, close_code: Some(CloseCode::Protocol) }
    }
}

/// The writing half.
struct Writer<'a, S> {
    sink: &'a mut SplitSink<WebSocketStream<CloseFinder<S>>, tungstenite::Message>,
    inbox: &'a mpsc::Sender<Result<Incoming, Error>>,
    activity: &'a PeerActivity,
    settings: &'a Settings,
    ends_with_receiver: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<'_, S> {
    async fn run(
        mut self,
        outbox: &mut mpsc::Receiver<Command>,
        waiting: &mut Option<Command>,
        close_sent: &mut Option<u16>,
    ) -> End {
        let mut rate_limit = RateLimit::new(self.settings.max_frames_per_second, now());
        let mut check = KeepAlive::first(self.settings);
        loop {
            if waiting.is_none() {
                *waiting = tokio::select! {
                    command = outbox.recv() => match command {
                        Some(command) => Some(command),
                        // All senders were dropped. The receiver keeps the connection open.
                        None => match self.listen(check).await {
                            Some(end) => return end,
                            None => Some(Command::Close(Close::normal())),
                        },
                    },
                    () = self.inbox.closed(), if self.ends_with_receiver && !outbox.is_closed() => {
                        // What waits already is sent.
                        outbox.close();
                        continue;
                    }
                    () = check.due() => {
                        match self.check(check).await {
                            Ok(next) => check = next,
                            Err(end) => return end,
                        }
                        continue;
                    }
                };
            }
            // The sender's future was dropped.
            if matches!(waiting, Some(Command::Send(_, result)) if result.is_closed()) {
                *waiting = None;
                continue;
            }
            if matches!(waiting, Some(Command::Send(..)))
                && let Err(error) = self.make_room(&mut rate_limit).await
            {
                return lost(error);
            }
            match waiting.take() {
                Some(Command::Send(message, result)) => {
                    let in_flight = InFlight::new(result, self.activity);
                    match self.send(message, &mut rate_limit).await {
                        Ok(()) => in_flight.sent(),
                        Err(error) => return lost(error),
                    }
                }
                Some(Command::Close(close)) => {
                    *close_sent = Some(close.code);
                    return self.close(close).await;
                }
                None => {}
            }
        }
    }

    /// Sends a message in frames within the limits of size and rate; there is room for the first.
    async fn send(&mut self, message: Message, rate_limit: &mut RateLimit) -> Result<(), tungstenite::Error> {
        let (mut kind, mut rest) = match message {
            Message::Text(text) => (Data::Text, text.into_bytes()),
            Message::Binary(bytes) => (Data::Binary, bytes),
        };
        loop {
            let piece = rest.split_to(rest.len().min(self.settings.max_frame_bytes));
            let frame = tungstenite::Message::Frame(Frame::message(piece, OpCode::Data(kind), rest.is_empty()));
            within(self.settings.pong_timeout, self.sink.send(frame)).await?;
            if rest.is_empty() {
                return Ok(());
            }
            self.make_room(rate_limit).await?;
            kind = Data::Continue;
        }
    }

    /// Waits until the rate allows a frame, and writes what waits before it.
    async fn make_room(&mut self, rate_limit: &mut RateLimit) -> Result<(), tungstenite::Error> {
        let mut at = now();
        while let Err(wait) = rate_limit.take(at) {
            sleep_until(at + wait).await;
            at = now();
        }
        within(self.settings.pong_timeout, self.sink.flush()).await
    }

    /// Sends pings until the connection ends or the receiver is dropped.
    async fn listen(&mut self, mut check: KeepAlive) -> Option<End> {
        loop {
            tokio::select! {
                () = self.inbox.closed() => return None,
                () = check.due() => match self.check(check).await {
                    Ok(next) => check = next,
                    Err(end) => return Some(end),
                },
            }
        }
    }

    /// Does a check that is due, and returns the next one.
    async fn check(&mut self, check: KeepAlive) -> Result<KeepAlive, End> {
        match check {
            KeepAlive::Pong { pinged, .. } if self.activity.silent_since(pinged) => {
                let error =
                    Error::new(ErrorKind::BrokenOff, "the agent's side was silent after a ping").possibly_run(true);
                Err(End::Lost { error, close_code: Some(CloseCode::Away) })
            }
            KeepAlive::Pong { pinged, .. } => Ok(KeepAlive::ping_after(self.settings, pinged)),
            KeepAlive::Ping { .. } => {
                let pinged = now();
                let ping = async {
                    self.sink.flush().await?;
                    self.sink.send(tungstenite::Message::Ping(self.activity.ping())).await
                };
                within(self.settings.pong_timeout, ping).await.map_err(lost)?;
                Ok(KeepAlive::pong_after(self.settings, pinged))
            }
            KeepAlive::Never => Ok(KeepAlive::Never),
        }
    }

    /// Sends the close frame and waits for the agent's, which the reading half receives.
    async fn close(&mut self, close: Close) -> End {
        let code = CloseCode::from(close.code);
        let frame = CloseFrame { code, reason: close.reason.into() };
        let closing = async {
            let sent = match self.sink.flush().await {
                Ok(()) => self.sink.send(tungstenite::Message::Close(Some(frame))).await,
                failed => failed,
            };
            match sent {
                // The reading half receives the answer, or, where nothing can be sent, the agent's earlier close.
                Ok(())
                | Err(
                    tungstenite::Error::ConnectionClosed
                    | tungstenite::Error::AlreadyClosed
                    | tungstenite::Error::Protocol(ProtocolError::SendAfterClosing),
                ) => pending().await,
                Err(error) => lost(error),
            }
        };
        let ended = timeout(self.settings.close_timeout, closing).await;
        ended.unwrap_or_else(|| {
            let limit = self.settings.close_timeout.as_secs_f32();
            let message = format!("the agent did not answer the close within {limit} s");
            End::Lost { error: Error::new(ErrorKind::Timeout, message), close_code: None }
        })
    }
}

/// Bounds a write to a connection whose peer may have stopped reading.
async fn within(
    bound: Option<Duration>,
    writing: impl Future<Output = Result<(), tungstenite::Error>>,
) -> Result<(), tungstenite::Error> {
    let Some(bound) = bound else { return writing.await };
    timeout(bound, writing).await.unwrap_or_else(|| {
        let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the agent's side takes no more");
        Err(tungstenite::Error::Io(error))
    })
}

fn lost(error: tungstenite::Error) -> End {
    let (message, close_code) = match &error {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { max_size, .. }) => {
            (format!("a message of the agent's is larger than {max_size} bytes"), Some(CloseCode::Size))
        }
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | tungstenite::Error::ConnectionClosed
        | tungstenite::Error::Io(_) => ("the connection was lost".to_owned(), None),
        tungstenite::Error::Utf8(_) => ("the agent's text is not UTF-8".to_owned(), Some(CloseCode::Invalid)),
        _ => ("the agent's side does not speak WebSocket as it should".to_owned(), Some(CloseCode::Protocol)),
    };
    let error = Error::new(ErrorKind::BrokenOff, message).with_source(error).possibly_run(true);
    // What breaks a bound or a rule of the protocol would break it again.
    let error = if close_code.is_some() { error.lasting() } else { error };
    End::Lost { error, close_code }
}

/// What may wait to be written besides a frame of the program's, in bytes: some hundred pongs.
const CONTROL_FRAMES_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests;
