//! An open shell: what is typed, what it prints, its size, and the two ways to leave it. Makes no connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use agentcore_core::{SessionId, ShellId};
use bytes::Bytes;

use super::{
    Close, Incoming, Message, Reconnected, Sender, Settings, Socket, reconnect,
    socket::{Receiver, Sending},
    sync::timeout,
};
use crate::{Error, ErrorKind, ShellExit, ShellFrame, ShellStatus};

/// An open shell in a session's microVM, as a terminal has it.
///
/// It can be used from its opening on. **[`detach`](Self::detach) leaves it running**, for the 15 idle minutes that the service gives
/// it, and **[`kill`](Self::kill) ends it** for good; dropping it detaches. The same session and the same [`id`](Self::id) lead to it
/// again.
///
/// A connection that was lost is replaced ([`Settings::for_shells`](crate::Settings::for_shells)), and the service sends up to 256 KB of
/// what was printed meanwhile. A program that does not read holds the shell back: at most 32 pieces wait.
///
/// ```
/// # async fn example(mut shell: agentcore_ws::Shell) -> Result<(), agentcore_ws::Error> {
/// use agentcore_ws::ShellEvent;
///
/// shell.input().send("ls -l; exit\n").await?;
/// while let Some(event) = shell.try_next().await? {
///     match event {
///         ShellEvent::Stdout(bytes) => print!("{}", String::from_utf8_lossy(&bytes)),
///         ShellEvent::Exited(exit) => println!("exit code {:?}", exit.code),
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Shell {
    id: ShellId,
    receiver: Receiver,
    input: ShellInput,
    finished: Arc<AtomicBool>,
    ended: bool,
    close_timeout: Duration,
    /// The answer to the last sign of life.
    heartbeat: Option<Sending>,
}

/// What comes from a shell.
#[derive(Debug)]
#[non_exhaustive]
pub enum ShellEvent {
    /// What the shell prints, as its terminal has it: of both its outputs.
    Stdout(Bytes),
    /// What the platform says beside it.
    Stderr(Bytes),
    /// The service says to which shell this is attached. It need not come.
    #[non_exhaustive]
    Attached {
        /// Whether the shell was there before; false for a new one. False after a [`Reconnected`](Self::Reconnected) means that the
        /// shell had ended, and that there is a new one of the same id.
        reconnected: bool,
        /// How many bytes of output were lost since the last connection.
        bytes_dropped: u64,
    },
    /// The connection was lost and there is a new one, to the same shell. What was typed meanwhile is sent; what was on its way may be
    /// lost.
    Reconnected(Reconnected),
    /// The shell ended. Nothing comes after it.
    Exited(ShellExit),
}

/// What is typed into a shell, and the size of its terminal. Clones type into the same shell.
#[derive(Clone, Debug)]
pub struct ShellInput {
    sender: Sender,
    /// The most bytes of a frame, less once a frame was too big for the service.
    frame_bytes: Arc<AtomicUsize>,
}

impl Shell {
    pub(super) fn new(socket: Socket, id: ShellId, settings: &Settings) -> Self {
        let finished = Arc::clone(&socket.finished);
        let (sender, receiver) = socket.split();
        let frame_bytes = settings.max_frame_bytes.clamp(MIN_FRAME_BYTES, ShellFrame::MAX_BYTES);
        let input = ShellInput { sender, frame_bytes: Arc::new(AtomicUsize::new(frame_bytes)) };
        Self { id, receiver, input, finished, ended: false, close_timeout: settings.close_timeout, heartbeat: None }
    }

    /// Returns the shell's id, as the service has it.
    #[must_use]
    pub fn id(&self) -> &ShellId {
        &self.id
    }

    /// Returns the session of the shell, as the service has it.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        self.receiver.session_id()
    }

    /// Returns what types into the shell, for use beside [`try_next`](Self::try_next).
    #[must_use]
    pub fn input(&self) -> ShellInput {
        self.input.clone()
    }

    /// Waits for what comes next; none after the end of the shell.
    ///
    /// # Errors
    /// If another client has taken the shell over ([`ErrorKind::Conflict`]), or the connection was lost and not replaced. The shell may
    /// live on then.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<ShellEvent>, Error> {
        while !self.ended {
            let event = match self.receiver.try_next().await {
                Ok(Some(Incoming::Binary(message))) => ShellFrame::decode(message).and_then(|frame| self.event(frame)),
                Ok(Some(Incoming::Reconnected(reconnected))) => Some(self.reconnected(reconnected)),
                // Shells speak in bytes.
                Ok(Some(Incoming::Text(_))) => None,
                Ok(None) => {
                    self.ended = true;
                    None
                }
                Err(error) => {
                    self.ended = true;
                    return Err(self.taken_over().unwrap_or(error));
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Waits for the end of the shell. What it prints meanwhile is dropped.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next), and if the shell ended without saying how.
    ///
    /// # Cancel safety
    /// Dropping the future loses what was printed meanwhile; the shell lives on.
    pub async fn wait(&mut self) -> Result<ShellExit, Error> {
        while let Some(event) = self.try_next().await? {
            if let ShellEvent::Exited(exit) = event {
                return Ok(exit);
            }
        }
        Err(Error::new(ErrorKind::BrokenOff, "the shell ended without its exit code").possibly_run(true))
    }

    /// Leaves the shell, which lives on and can be attached to again; [`kill`](Self::kill) ends it. What was typed before is sent.
    ///
    /// # Errors
    /// If the connection is closed already.
    ///
    /// # Cancel safety
    /// Dropping the future detaches too, and what was typed last may not be sent.
    pub async fn detach(self) -> Result<(), Error> {
        self.finished.store(true, Ordering::Release);
        self.input.sender.close(Close::normal()).await
    }

    /// Ends the shell for good, with everything that runs in it; [`detach`](Self::detach) leaves it running. What it prints at last is
    /// dropped. The service's goodbye is waited for as long as [`Settings::close_timeout`] says.
    ///
    /// # Errors
    /// If the connection is closed, or was lost: the shell may live on then.
    ///
    /// # Cancel safety
    /// Dropping the future detaches, and the shell may have been ended.
    pub async fn kill(mut self) -> Result<(), Error> {
        self.finished.store(true, Ordering::Release);
        let sent = self.input.send_frame(&ShellFrame::Close).await;
        // A service that closes at once may do so before it is known here that the frame has left.
        if sent.as_ref().is_err_and(|error| !error.may_have_run()) {
            return sent;
        }
        let limit = self.close_timeout;
        let ended = async {
            while self.try_next().await?.is_some() {}
            Ok(())
        };
        // A service that does not say goodbye is not waited for.
        timeout(limit, ended).await.unwrap_or(sent)
    }

    /// Understands a frame. What is not known is passed over.
    fn event(&mut self, frame: ShellFrame) -> Option<ShellEvent> {
        match frame {
            ShellFrame::Stdout(bytes) => Some(ShellEvent::Stdout(bytes)),
            ShellFrame::Stderr(bytes) => Some(ShellEvent::Stderr(bytes)),
            ShellFrame::Heartbeat => {
                let frame = ShellFrame::Heartbeat.encode().ok()?;
                // Where there is no room, what waits to be sent is a sign of life itself.
                self.heartbeat = self.input.sender.send_now(Message::Binary(frame));
                None
            }
            ShellFrame::Status(payload) => match ShellStatus::parse(&payload)? {
                ShellStatus::Attached { reconnected, bytes_dropped, .. } => {
                    Some(ShellEvent::Attached { reconnected, bytes_dropped })
                }
                ShellStatus::Exited(exit) => {
                    // Another connection would begin another shell.
                    self.finished.store(true, Ordering::Release);
                    self.receiver.leave();
                    self.ended = true;
                    Some(ShellEvent::Exited(exit))
                }
            },
            _ => None,
        }
    }

    fn reconnected(&self, reconnected: Reconnected) -> ShellEvent {
        if reconnected.close.as_ref().is_some_and(|close| close.code == reconnect::TOO_BIG) {
            let bytes = &self.input.frame_bytes;
            bytes.store((bytes.load(Ordering::Relaxed) / 2).max(MIN_FRAME_BYTES), Ordering::Relaxed);
        }
        ShellEvent::Reconnected(reconnected)
    }

    fn taken_over(&self) -> Option<Error> {
        let close = self.receiver.closed().filter(|close| close.code == TAKEN_OVER)?;
        let message = format!("another client has taken the shell over ({close})");
        Some(Error::new(ErrorKind::Conflict, message).possibly_run(true))
    }
}

/// Detaches, whatever still types into it: the socket of a shell is left with its receiver.
impl Drop for Shell {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
    }
}

impl ShellInput {
    /// Types this, in frames as large as the service takes: text, or any bytes, such as `\x03` for Ctrl-C.
    ///
    /// # Errors
    /// If the shell has ended or was left, or if the connection is lost meanwhile: then a part may have been typed
    /// ([`may_have_run`](Error::may_have_run)).
    ///
    /// # Cancel safety
    /// Dropping the future leaves unknown which part is typed; each frame is, whole or not at all.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let mut rest = bytes.into();
        while !rest.is_empty() {
            let most = self.frame_bytes.load(Ordering::Relaxed) - CHANNEL_BYTES;
            let piece = rest.split_to(rest.len().min(most));
            self.send_frame(&ShellFrame::Stdin(piece)).await?;
        }
        Ok(())
    }

    /// Tells the shell the size of its terminal.
    ///
    /// # Errors
    /// If a size is not from 1 to 1000, and as [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As that of [`send`](Self::send).
    pub async fn resize(&self, width: u16, height: u16) -> Result<(), Error> {
        self.send_frame(&ShellFrame::Resize { width, height }).await
    }

    async fn send_frame(&self, frame: &ShellFrame) -> Result<(), Error> {
        self.sender.send(Message::Binary(frame.encode()?)).await
    }
}

const CHANNEL_BYTES: usize = 1;
/// Below that a service that finds a frame too big means something else.
const MIN_FRAME_BYTES: usize = 1024;
/// The close code by which a client learns that another has taken its shell over.
const TAKEN_OVER: u16 = 4000;
