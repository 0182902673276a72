//! The shells of sessions: real ones, over pseudo-terminals, which live on without a client. Speaks no WebSocket.

use std::{
    collections::HashMap,
    io,
    os::unix::process::ExitStatusExt as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Child,
    sync::{Notify, mpsc},
    time::timeout,
};

use crate::{
    lock::lock,
    machine::{Machine, exit_code, kill_group},
};

/// Whose a shell is: the runtime's id, the session's and the shell's own.
pub(crate) type Key = (String, String, String);

/// The shells that live, attached or not.
#[derive(Default)]
pub(crate) struct Shells(Mutex<HashMap<Key, Arc<Shell>>>);

impl Shells {
    /// Returns the shell of this key that lives, or a new one, and whether it was there before; none if the runtime has as many as it
    /// may have.
    pub(crate) fn attach(&self, key: &Key, machine: &Arc<Machine>) -> io::Result<Option<(Arc<Shell>, bool)>> {
        let mut shells = lock(&self.0);
        shells.retain(|_, shell| !shell.has_ended());
        if let Some(shell) = shells.get(key) {
            return Ok(Some((Arc::clone(shell), true)));
        }
        if shells.keys().filter(|(runtime, ..)| *runtime == key.0).count() >= MOST_A_RUNTIME {
            return Ok(None);
        }
        let shell = Shell::start(machine)?;
        shells.insert(key.clone(), Arc::clone(&shell));
        Ok(Some((shell, false)))
    }
}

impl Shells {
    /// Closes the connections of all clients by this code, or without a close.
    pub(crate) fn close(&self, code: Option<u16>) {
        lock(&self.0).values().filter(|shell| shell.is_attached()).for_each(|shell| shell.close(code));
    }

    /// Returns how many shells live, detached ones included.
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).values().filter(|shell| !shell.has_ended()).count()
    }
}

/// How a shell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShellEnd {
    pub(crate) code: i32,
    pub(crate) signal: Option<i32>,
}

/// What a client does to a shell.
pub(crate) enum Input {
    Bytes(Bytes),
    Resize(u16, u16),
}

/// One shell.
pub(crate) struct Shell {
    pub(crate) input: mpsc::Sender<Input>,
    kill: Notify,
    state: Mutex<State>,
    /// Something was printed, the shell ended, or another client came.
    pub(crate) changed: Notify,
    /// A client has read, or has gone.
    room: Notify,
}

#[derive(Default)]
struct State {
    /// What was printed and no client has.
    output: Vec<u8>,
    /// How many bytes of it were dropped since the last client.
    dropped: u64,
    end: Option<ShellEnd>,
    /// Counts the clients; only the last is attached.
    clients: u64,
    is_attached: bool,
    /// How the connection of the attached client is to be closed, if it is.
    closing: Option<Option<u16>>,
}

/// What a client learns when it looks.
pub(crate) enum Look {
    Output(Vec<u8>),
    Ended(ShellEnd),
    /// Another client has come.
    TakenOver,
    /// The connection is to be closed by this code, or without one.
    Closed(Option<u16>),
    Nothing,
}

impl Shell {
    fn start(machine: &Arc<Machine>) -> io::Result<Arc<Self>> {
        let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
        let child = machine.shell(pts)?;
        let (reader, writer) = pty.into_split();
        let (input, inputs) = mpsc::channel(INPUTS);
        let [kill, changed, room] = [(); 3].map(|()| Notify::new());
        let shell = Arc::new(Self { input, kill, state: Mutex::default(), changed, room });
        tokio::spawn(write(writer, inputs));
        tokio::spawn(supervise(Arc::clone(&shell), Arc::clone(machine), child, reader));
        Ok(shell)
    }

    /// Attaches a client, in place of any other; returns its number, and how many bytes were dropped before it came.
    pub(crate) fn attach(&self) -> (u64, u64) {
        let mut state = lock(&self.state);
        state.clients += 1;
        state.is_attached = true;
        let attached = (state.clients, std::mem::take(&mut state.dropped));
        drop(state);
        self.changed.notify_waiters();
        attached
    }

    /// Detaches a client, unless another has come; the shell ends if none comes within the window.
    pub(crate) fn detach(self: &Arc<Self>, client: u64, window: Duration) {
        let mut state = lock(&self.state);
        if state.clients != client {
            return;
        }
        state.is_attached = false;
        drop(state);
        self.room.notify_one();
        let shell = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(window).await;
            let state = lock(&shell.state);
            if state.clients == client && !state.is_attached {
                shell.kill.notify_one();
            }
        });
    }

    pub(crate) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Takes what there is for a client.
    pub(crate) fn look(&self, client: u64) -> Look {
        let mut state = lock(&self.state);
        if state.clients != client {
            return Look::TakenOver;
        }
        if let Some(code) = state.closing.take() {
            return Look::Closed(code);
        }
        if !state.output.is_empty() {
            let piece = state.output.len().min(PIECE_BYTES);
            let output = state.output.drain(..piece).collect();
            drop(state);
            self.room.notify_one();
            return Look::Output(output);
        }
        state.end.map_or(Look::Nothing, Look::Ended)
    }

    fn close(&self, code: Option<u16>) {
        lock(&self.state).closing = Some(code);
        self.changed.notify_waiters();
    }

    fn is_attached(&self) -> bool {
        lock(&self.state).is_attached
    }

    fn has_ended(&self) -> bool {
        lock(&self.state).end.is_some()
    }

    /// Keeps what was printed; without a client the oldest is dropped, with one it is waited for.
    fn print(&self, bytes: &[u8]) {
        let mut state = lock(&self.state);
        state.output.extend_from_slice(bytes);
        if !state.is_attached && state.output.len() > KEPT_BYTES {
            let excess = state.output.len() - KEPT_BYTES;
            state.output.drain(..excess);
            state.dropped += excess as u64;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    async fn wait_for_room(&self) {
        loop {
            let is_full = {
                let state = lock(&self.state);
                state.is_attached && state.output.len() >= KEPT_BYTES
            };
            if !is_full {
                return;
            }
            self.room.notified().await;
        }
    }
}

/// Types what clients send.
async fn write(mut pty: OwnedWritePty, mut inputs: mpsc::Receiver<Input>) {
    while let Some(input) = inputs.recv().await {
        let written = match input {
            Input::Bytes(bytes) => pty.write_all(&bytes).await,
            Input::Resize(width, height) => pty.resize(Size::new(height, width)).map_err(io::Error::other),
        };
        if written.is_err() {
            return;
        }
    }
}

/// Reads what the shell prints until it ends, by itself, by a client or with the session.
async fn supervise(shell: Arc<Shell>, machine: Arc<Machine>, mut child: Child, mut pty: OwnedReadPty) {
    let mut buffer = vec![0; PIECE_BYTES];
    let status = {
        let mut over = std::pin::pin!(machine.over());
        loop {
            let read = async {
                shell.wait_for_room().await;
                pty.read(&mut buffer).await
            };
            tokio::select! {
                read = read => match read {
                    Ok(bytes) if bytes > 0 => shell.print(&buffer[..bytes]),
                    _ => break child.wait().await,
                },
                status = child.wait() => break status,
                () = shell.kill.notified() => kill_group(&mut child).await,
                () = &mut over => {
                    kill_group(&mut child).await;
                    break child.wait().await;
                }
            }
        }
    };
    // What the terminal still holds is printed; a process that was left behind may keep the terminal open.
    while let Ok(Ok(bytes)) = timeout(LAST_WORDS, pty.read(&mut buffer)).await {
        if bytes == 0 {
            break;
        }
        shell.print(&buffer[..bytes]);
    }
    lock(&shell.state).end =
        Some(status.map_or(UNKNOWN, |status| ShellEnd { code: exit_code(status), signal: status.signal() }));
    shell.changed.notify_waiters();
}

/// Shells a runtime may have, detached ones included.
const MOST_A_RUNTIME: usize = 10;
/// What is kept of the output for a client that comes again.
const KEPT_BYTES: usize = 256 * 1024;
const PIECE_BYTES: usize = 16 * 1024;
/// An end that the system does not tell.
const UNKNOWN: ShellEnd = ShellEnd { code: -1, signal: None };
const INPUTS: usize = 16;
const LAST_WORDS: Duration = Duration::from_millis(100);
