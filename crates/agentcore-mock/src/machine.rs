//! The machines of sessions: a directory of its own on this machine, and the processes that run there until the session ends.

use std::{
    collections::HashMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::{mpsc, watch},
};
use uuid::Uuid;

use crate::{event_stream, invocation::AgentResponse, lock::lock};

/// How a mock runs commands.
pub(crate) enum Commands {
    /// Not at all.
    Refused,
    /// As processes of this machine.
    Processes,
    /// By a function.
    Scripted(Box<dyn Fn(&str) -> AgentResponse + Send + Sync>),
}

/// Says why a command or a shell is refused.
pub(crate) fn commands_refused() -> &'static str {
    "This mock runs no commands: they would run on your machine. Allow them when you start it."
}

/// The machines of a runtime's sessions, by the runtime's id and the session's.
#[derive(Default)]
pub(crate) struct Machines(Mutex<HashMap<(String, String), Arc<Machine>>>);

impl Machines {
    /// Returns the machine of a session, which is made for its first command.
    pub(crate) fn of(&self, runtime: &str, session: &str) -> io::Result<Arc<Machine>> {
        let mut machines = lock(&self.0);
        let key = (runtime.to_owned(), session.to_owned());
        if let Some(machine) = machines.get(&key) {
            return Ok(Arc::clone(machine));
        }
        let machine = Arc::new(Machine::new()?);
        machines.insert(key, Arc::clone(&machine));
        Ok(machine)
    }

    /// Ends the machine of a session, and every process in it.
    pub(crate) fn end(&self, runtime: &str, session: &str) {
        if let Some(machine) = lock(&self.0).remove(&(runtime.to_owned(), session.to_owned())) {
            machine.end();
        }
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        lock(&self.0).values().for_each(|machine| machine.end());
    }
}

/// A session's machine. Its directory is removed once the last process has ended.
pub(crate) struct Machine {
    directory: PathBuf,
    ended: watch::Sender<bool>,
}

impl Machine {
    fn new() -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("agentcore-mock-{}", Uuid::new_v4()));
        make_private(&directory)?;
        Ok(Self { directory, ended: watch::Sender::new(false) })
    }

    fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Starts a command by `sh`, and returns its output as frames of an event stream. The command goes on if the stream is dropped.
    pub(crate) fn run(
        self: Arc<Self>,
        command: &str,
        timeout: Duration,
    ) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let (sender, receiver) = mpsc::channel(FRAMES_AHEAD);
        let child = self.spawn(command);
        tokio::spawn(async move {
            let stop = match child {
                Ok(child) => self.supervise(child, timeout, &sender).await,
                Err(error) => {
                    let text = format!("the command cannot be started: {error}\n");
                    let _ = sender.send(delta("stderr", &text)).await;
                    stop(PLATFORM_FAILURE, "COMPLETED")
                }
            };
            // A client that has gone is no reason to end the command.
            let _ = sender.send(stop).await;
        });
        stream::unfold(receiver, |mut receiver| async move {
            let frame = receiver.recv().await?;
            Some((Ok(frame), receiver))
        })
    }

    /// Waits until the session ends.
    pub(crate) async fn over(&self) {
        // The sender is ours, so that it cannot be gone.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Starts an interactive shell at a terminal.
    #[cfg(unix)]
    pub(crate) fn shell(&self, terminal: pty_process::Pts) -> io::Result<Child> {
        let process = pty_process::Command::new("sh").arg("-i").current_dir(&self.directory).env_clear();
        let process = process.envs(self.variables("xterm")).env("PS1", "$ ").kill_on_drop(true);
        process.spawn(terminal).map_err(io::Error::other)
    }

    /// Returns the variables of a process: none of this machine's but the path.
    fn variables(&self, terminal: &str) -> [(&'static str, OsString); 3] {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        [("PATH", path), ("HOME", self.directory.clone().into()), ("TERM", terminal.into())]
    }

    fn spawn(&self, command: &str) -> io::Result<Child> {
        let mut process = Command::new("sh");
        process.arg("-c").arg("--").arg(command).current_dir(&self.directory).env_clear().envs(self.variables("dumb"));
        #[cfg(unix)]
        process.process_group(0);
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()
    }

    /// Passes the output on until the command ends, by itself, by its timeout or with the session.
    async fn supervise(&self, mut child: Child, timeout: Duration, frames: &mpsc::Sender<Bytes>) -> Bytes {
        let started = json!({ "contentStart": {} });
        let _ = frames.send(event_stream::event("chunk", &started)).await;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let finished = async {
            tokio::join!(pass("stdout", stdout, frames), pass("stderr", stderr, frames));
        };
        let stop = tokio::select! {
            () = finished => match child.wait().await {
                Ok(status) => stop(exit_code(status), "COMPLETED"),
                Err(_) => stop(PLATFORM_FAILURE, "COMPLETED"),
            },
            () = tokio::time::sleep(timeout) => stop(PLATFORM_FAILURE, "TIMED_OUT"),
            () = self.over() => stop(PLATFORM_FAILURE, "COMPLETED"),
        };
        kill_group(&mut child).await;
        stop
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What is left in the directory of temporary files is no harm.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Passes a pipe on as text, in frames within the service's bound; bytes that are no UTF-8 become U+FFFD.
async fn pass(name: &'static str, pipe: Option<impl AsyncRead + Unpin>, frames: &mpsc::Sender<Bytes>) {
    let Some(mut pipe) = pipe else { return };
    let (mut buffer, mut kept) = (vec![0; READ_BYTES], Vec::new());
    loop {
        let read = pipe.read(&mut buffer).await.unwrap_or_default();
        kept.extend_from_slice(&buffer[..read]);
        // A character that is cut waits for its rest.
        let whole = match std::str::from_utf8(&kept) {
            Err(error) if read > 0 && error.error_len().is_none() => error.valid_up_to(),
            _ => kept.len(),
        };
        let text = String::from_utf8_lossy(&kept[..whole]).into_owned();
        kept.drain(..whole);
        if !text.is_empty() {
            let _ = frames.send(delta(name, &text)).await;
        }
        if read == 0 {
            return;
        }
    }
}

fn delta(name: &str, text: &str) -> Bytes {
    event_stream::event("chunk", &json!({ "contentDelta": { name: text } }))
}

fn stop(exit_code: i32, status: &str) -> Bytes {
    let stop: Value = json!({ "contentStop": { "exitCode": exit_code, "status": status } });
    event_stream::event("chunk", &stop)
}

/// Returns the exit code of a process, 128 and more after a signal.
#[cfg(unix)]
pub(crate) fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(PLATFORM_FAILURE)
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(PLATFORM_FAILURE)
}

/// Kills the command and whatever it started.
pub(crate) async fn kill_group(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?)) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    std::fs::create_dir(directory)
}

/// The exit code for what is the platform's fault, and for a command that was ended.
const PLATFORM_FAILURE: i32 = -1;
/// Escapes may double the bytes, and a frame has at most 64 KB.
const READ_BYTES: usize = 24 * 1024;
/// A slow client holds the command back.
const FRAMES_AHEAD: usize = 8;
