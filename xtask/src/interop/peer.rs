//! A server of somebody else's (or `acore mock`) on a loopback port, for as long as its value lives.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::Outcome;

/// A running server.
#[derive(Debug)]
pub(super) struct Peer {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(super) url: String,
    /// What it prints after its first line.
    lines: Receiver<String>,
    /// Held open: the tether around the server kills it when this closes, however this program ends.
    tether: Option<ChildStdin>,
    child: Child,
}

impl Peer {
    /// Starts a tethered command and waits for its first line, `ready URL`; standard error goes to the log.
    pub(super) fn start(name: &str, mut command: Command, log: &Path) -> Outcome<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take();
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|it| BufReader::new(it).lines()).map_while(Result::ok) {
                // Nobody may be listening any more; the pipe is read all the same, or the server would block on it.
                let _ = sender.send(line);
            }
        });
        let tether = child.stdin.take();
        let mut peer = Self { url: String::new(), lines, tether, child };
        match peer.line()?.as_deref().and_then(|it| it.strip_prefix("ready ")) {
            Some(url) => url.clone_into(&mut peer.url),
            None => {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{name} did not get ready; it said:\n{said}").into());
            }
        }
        Ok(peer)
    }

    /// Waits for the next line of its output; `None` after the last one.
    pub(super) fn line(&self) -> Outcome<Option<String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(format!("a peer said nothing for {} s", PATIENCE.as_secs()).into())
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.tether.take());
        // The tether ends by itself once its pipe is closed; there is nobody left to tell of an error.
        let _ = self.child.wait();
    }
}

/// Importing the SDK takes a second or two on a cold disk.
const PATIENCE: Duration = Duration::from_secs(60);
