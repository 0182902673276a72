//! Runs one connection from the upgrade to its end: reads, writes, pings. Never reconnects.

use std::{future::pending, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
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

use super::{
    Close, Incoming, Message, Reconnected, Settings,
    keep_alive::{KeepAlive, PeerActivity},
    rate_limit::RateLimit,
};
use crate::{Error, ErrorKind};

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
    /// A command that was taken while there was no connection.
    pub(super) waiting: Option<Command>,
    /// What the program gets before anything of this connection.
    pub(super) reconnected: Option<Reconnected>,
}

/// The outcome of a connection.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// The code with which the program closed, if it did.
    pub(super) close_sent: Option<u16>,
    /// Messages sent since a frame last arrived.
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
pub(super) struct Connection<S>(WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Begins the WebSocket protocol on an upgraded connection.
    pub(super) async fn new(connection: S, settings: &Settings) -> Self {
        let bound = Some(settings.max_message_bytes);
        let config = WebSocketConfig::default().max_message_size(bound).max_frame_size(bound);
        Self(WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await)
    }

    /// Passes messages both ways until the connection ends.
    pub(super) async fn run(self, channels: &mut Channels, settings: &Settings) -> Outcome {
        let activity = PeerActivity::new();
        let (mut sink, mut source) = self.0.split();
        let Channels { outbox, inbox, waiting, reconnected } = channels;
        let mut close_sent = None;
        let writer = Writer { sink: &mut sink, inbox, activity: &activity, settings };
        let end = tokio::select! {
            end = read(&mut source, inbox, reconnected, &activity) => end,
            end = writer.run(outbox, waiting, &mut close_sent) => end,
        };
        let bound = Some(settings.close_timeout);
        if let End::Lost { close_code: Some(code), .. } = end {
            let frame = CloseFrame { code, reason: "".into() };
            let _ = within(bound, sink.feed(tungstenite::Message::Close(Some(frame)))).await;
        }
        // After the agent's close, the library has queued the answer.
        if !matches!(end, End::Lost { close_code: None, .. }) {
            let _ = within(bound, sink.flush()).await;
        }
        Outcome { end, close_sent, unconfirmed: activity.unconfirmed.into_inner() }
    }
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    source: &mut SplitStream<WebSocketStream<S>>,
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
            let frame = match source.next().await {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return lost(error),
                None => return lost(tungstenite::Error::ConnectionClosed),
            };
            activity.note(false);
            activity.unconfirmed.store(0, Ordering::Relaxed);
            match frame {
                tungstenite::Message::Text(text) => {
                    let Ok(text) = ByteString::try_from(Bytes::from(text)) else { continue };
                    break Incoming::Text(text);
                }
                tungstenite::Message::Binary(bytes) => break Incoming::Binary(bytes),
                tungstenite::Message::Close(frame) => return End::Closed(close(frame)),
                _ => {}
            }
        };
        // Without a permit the receiver was dropped.
        if let Some(permit) = permit {
            permit.send(Ok(incoming));
        }
    }
}

/// The writing half.
struct Writer<'a, S> {
    sink: &'a mut SplitSink<WebSocketStream<S>, tungstenite::Message>,
    inbox: &'a mpsc::Sender<Result<Incoming, Error>>,
    activity: &'a PeerActivity,
    settings: &'a Settings,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<'_, S> {
    async fn run(
        mut self,
        outbox: &mut mpsc::Receiver<Command>,
        waiting: &mut Option<Command>,
        close_sent: &mut Option<u16>,
    ) -> End {
        let mut rate_limit = RateLimit::new(self.settings.max_frames_per_second, Instant::now());
        let mut check = KeepAlive::first(self.settings);
        loop {
            let command = match waiting.take() {
                Some(command) => Some(command),
                None => tokio::select! {
                    command = outbox.recv() => command,
                    () = check.due() => {
                        match self.check(check).await {
                            Ok(next) => check = next,
                            Err(end) => return end,
                        }
                        continue;
                    }
                },
            };
            let close = match command {
                // The sender's future was dropped.
                Some(Command::Send(_, result)) if result.is_closed() => continue,
                Some(Command::Send(message, result)) => match self.send(message, &mut rate_limit).await {
                    Ok(()) => {
                        self.activity.unconfirmed.fetch_add(1, Ordering::Relaxed);
                        let _ = result.send(Ok(()));
                        continue;
                    }
                    Err(error) => {
                        let message = "the connection was lost while the message was sent";
                        let failed = Error::new(ErrorKind::BrokenOff, message).possibly_run(true);
                        let _ = result.send(Err(failed));
                        return lost(error);
                    }
                },
                Some(Command::Close(close)) => close,
                // All senders were dropped. The receiver keeps the connection open.
                None => match self.listen(check).await {
                    Some(end) => return end,
                    None => Close::normal(),
                },
            };
            *close_sent = Some(close.code);
            return self.close(close).await;
        }
    }

    /// Sends a message in frames within the limits of size and rate.
    async fn send(&mut self, message: Message, rate_limit: &mut RateLimit) -> Result<(), tungstenite::Error> {
        let (mut kind, mut rest) = match message {
            Message::Text(text) => (Data::Text, text.into_bytes()),
            Message::Binary(bytes) => (Data::Binary, bytes),
        };
        loop {
            let piece = rest.split_to(rest.len().min(self.settings.max_frame_bytes));
            while let Err(wait) = rate_limit.take(Instant::now()) {
                // What is ready is sent before the pause.
                self.flush().await?;
                sleep(wait).await;
            }
            let frame = tungstenite::Message::Frame(Frame::message(piece, OpCode::Data(kind), rest.is_empty()));
            within(self.settings.pong_timeout, self.sink.feed(frame)).await?;
            if rest.is_empty() {
                return self.flush().await;
            }
            kind = Data::Continue;
        }
    }

    async fn flush(&mut self) -> Result<(), tungstenite::Error> {
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
                let error = Error::new(ErrorKind::BrokenOff, "the agent's side was silent after a ping");
                Err(End::Lost { error, close_code: Some(CloseCode::Away) })
            }
            KeepAlive::Pong { pinged, .. } => Ok(KeepAlive::ping_after(self.settings, pinged)),
            KeepAlive::Ping { .. } => {
                let pinged = Instant::now();
                let ping = self.sink.send(tungstenite::Message::Ping(Bytes::new()));
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
        let begun = Instant::now();
        let closing = async {
            match self.sink.send(tungstenite::Message::Close(Some(frame))).await {
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
        ended.unwrap_or_else(|_| {
            let waited = begun.elapsed().as_secs_f32();
            let message = format!("the agent did not answer the close within {waited} s");
            End::Lost { error: Error::new(ErrorKind::Timeout, message), close_code: None }
        })
    }
}

fn close(frame: Option<CloseFrame>) -> Close {
    match frame {
        Some(frame) => Close { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
        None => Close { code: 1005, reason: String::new() },
    }
}

/// Bounds a write to a connection whose peer may have stopped reading.
async fn within(
    bound: Option<Duration>,
    writing: impl Future<Output = Result<(), tungstenite::Error>>,
) -> Result<(), tungstenite::Error> {
    let Some(bound) = bound else { return writing.await };
    timeout(bound, writing).await.unwrap_or_else(|_| {
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

#[cfg(test)]
mod tests;
