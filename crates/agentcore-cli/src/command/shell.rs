//! `acore shell`: a shell in the session's machine at this terminal, or by a pipe. What is typed is understood in `escape`.

mod escape;

use std::io::{IsTerminal, Read as _, Write as _};

use agentcore_client::{
    RetryPolicy, ShellId,
    ws::{Settings, Shell, ShellEvent, ShellExit, ShellInput},
};
use clap::Args;
use tokio::sync::mpsc;

use crate::{
    context::{Agent, Context},
    errors::{Exit, Failure},
    flags::SessionFlags,
    output::Output,
    progress::Spinner,
    signal, terminal,
};
use escape::{Escapes, Typed, Wish};

/// Opens a shell in the session's machine
///
/// It is typed into at this terminal, or by a pipe.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ShellFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// The shell to go back to, in the session named [default: a new one]
    #[arg(long, value_name = "ID")]
    shell_id: Option<String>,
    /// Asks for the shell once, and does not come back when the connection is lost
    #[arg(long, help_heading = "Patience")]
    no_retry: bool,
}

impl ShellFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let session = self.session.session()?;
        let asked = self.shell_id.map(|id| id.parse::<ShellId>()).transpose()?;
        let route = context.route()?;
        if route.reads_stdin() {
            return Err(Failure::usage("standard input holds the token, so nothing can be typed"));
        }
        let agent = route.allowing_commands().connect(|client| client).await?;
        let mut settings = Settings::for_shells();
        if self.no_retry {
            settings = settings.retry(RetryPolicy::off()).reconnect(None::<RetryPolicy>);
        }
        let request = agent.runtime.shell().session(&session).settings(settings);
        let request = asked.iter().fold(request, |request, id| request.id(id));
        let mut spinner = Spinner::start("opening the shell");
        let opened = request.connect().await;
        spinner.clear();
        let shell = opened.map_err(|error| agent.failure(error))?;
        let again =
            format!("acore shell --session-id {} --shell-id {}", shell.session_id().as_str(), shell.id().as_str());
        let _notice = signal::notice(format!("the shell lives on; to attach again: {again}"));
        let is_terminal = std::io::stdin().is_terminal();
        let raw = is_terminal.then(terminal::Raw::enter);
        let output = Output::default();
        Terminal { shell, agent, output, is_terminal, again, expects_shell: asked.is_some() }.serve(raw).await
    }
}

/// A shell and the terminal, or the pipe, that it is used from.
struct Terminal {
    shell: Shell,
    agent: Agent,
    output: Output,
    is_terminal: bool,
    /// The command that leads back to the shell.
    again: String,
    /// Whether a shell that was there before is wanted.
    expects_shell: bool,
}

impl Terminal {
    /// Passes what is typed and printed until the shell ends or is left. The terminal is as it was before then.
    async fn serve(mut self, raw: Option<terminal::Raw>) -> Result<(), Failure> {
        let (input, mut wishes) = (self.shell.input(), typing(self.shell.input(), self.is_terminal));
        let mut resized = terminal::Resizes::listen();
        if self.is_terminal {
            resize(&input).await;
        }
        let left = loop {
            tokio::select! {
                event = self.shell.try_next() => match event {
                    Ok(Some(ShellEvent::Exited(exit))) => break Left::Exited(exit),
                    Ok(Some(event)) => match self.show(event) {
                        Ok(()) => {}
                        Err(failure) => break Left::Failed(failure),
                    },
                    Ok(None) => break Left::Failed(Failure::new(Exit::BrokenOff, "the shell ended without its exit code")),
                    Err(error) => break Left::Failed(self.agent.failure(error)),
                },
                Some(wish) = wishes.recv() => match wish {
                    Wish::Detach => break Left::Detached,
                    Wish::Kill => break Left::Killed,
                    Wish::Help => self.say(ESCAPES),
                },
                () = resized.next(), if self.is_terminal => resize(&input).await,
            }
        };
        drop(raw);
        self.leave(left).await
    }

    /// Shows what comes from the shell.
    fn show(&mut self, event: ShellEvent) -> Result<(), Failure> {
        match event {
            ShellEvent::Stdout(bytes) => self.output.write(&bytes)?,
            // There is nobody to tell that standard error is gone.
            ShellEvent::Stderr(bytes) => drop(std::io::stderr().write_all(&bytes)),
            ShellEvent::Reconnected(interruption) => {
                self.expects_shell = true;
                let seconds = interruption.downtime.as_secs_f32();
                self.say(&format!("the connection was lost, and taken up again after {seconds:.1} s"));
            }
            ShellEvent::Attached { reconnected: false, .. } if self.expects_shell => {
                self.expects_shell = false;
                self.say("the shell is not there any more; this is a new one of the same id");
            }
            ShellEvent::Attached { bytes_dropped: bytes @ 1.., .. } => {
                self.say(&format!("{bytes} bytes that the shell printed meanwhile are lost"));
            }
            _ => {}
        }
        Ok(())
    }

    async fn leave(self, left: Left) -> Result<(), Failure> {
        let Self { shell, again, .. } = self;
        match left {
            Left::Exited(exit) => ended(&exit),
            Left::Failed(Failure::OutputClosed) => shell.detach().await.or(Ok(())),
            Left::Failed(failure) => Err(failure.hint(format!("the shell may live on: {again}"))),
            Left::Detached => {
                // A connection that ended at this moment has detached, too.
                let _ = shell.detach().await;
                crate::output::note(&format!("detached; to attach again: {again}"));
                Ok(())
            }
            Left::Killed => {
                shell.kill().await.map_err(|error| self.agent.failure(error))?;
                crate::output::note("the shell was killed");
                Ok(())
            }
        }
    }

    /// Says something beside the shell's output, on a line of its own.
    fn say(&self, text: &str) {
        // A terminal in raw mode does not begin a line by itself.
        let (before, after) = if self.is_terminal { ("\r\n", "\r\n") } else { ("", "\n") };
        let lines = text.replace('\n', after);
        let _ = write!(std::io::stderr(), "{before}note: {lines}{after}");
    }
}

/// How a shell was left.
enum Left {
    Exited(ShellExit),
    Detached,
    Killed,
    Failed(Failure),
}

/// Types what comes on standard input, in a task of its own so that a shell that reads nothing is still shown, and returns what is wanted
/// besides.
fn typing(input: ShellInput, is_terminal: bool) -> mpsc::Receiver<Wish> {
    let mut pieces = pieces();
    let (wanted, wishes) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut escapes = Escapes::default();
        let mut last = b'\n';
        while let Some(piece) = pieces.recv().await {
            last = piece.last().copied().unwrap_or(last);
            if !is_terminal {
                // What is lost with a connection is said by the shell's own end.
                let _ = input.send(piece).await;
                continue;
            }
            for typed in escapes.read(&piece) {
                match typed {
                    Typed::Bytes(bytes) => drop(input.send(bytes).await),
                    Typed::Wish(wish) => drop(wanted.send(wish).await),
                }
            }
        }
        if !is_terminal {
            let _ = input.send(if last == b'\n' { &b"\x04"[..] } else { &b"\n\x04"[..] }).await;
        }
        // The end of a terminal's input is no wish.
        wanted.closed().await;
    });
    wishes
}

/// Reads standard input as it comes, on a thread of its own: nothing interrupts a read from a terminal.
fn pieces() -> mpsc::Receiver<Vec<u8>> {
    let (found, pieces) = mpsc::channel(PIECES);
    std::thread::spawn(move || {
        let (mut stdin, mut buffer) = (std::io::stdin().lock(), vec![0; PIECE_BYTES]);
        while let Ok(bytes @ 1..) = stdin.read(&mut buffer) {
            if found.blocking_send(buffer[..bytes].to_vec()).is_err() {
                break;
            }
        }
    });
    pieces
}

/// Tells the shell the terminal's size, where it has one.
async fn resize(input: &ShellInput) {
    if let Some((width, height)) = terminal::size() {
        // A shell that has ended has no size.
        let _ = input.resize(width.clamp(1, MAX_SIZE), height.clamp(1, MAX_SIZE)).await;
    }
}

/// Mirrors the exit code.
fn ended(exit: &ShellExit) -> Result<(), Failure> {
    match exit.code {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Reported(Exit::Mirrored(u8::try_from(code).unwrap_or(1)))),
        None => Err(Failure::new(Exit::Failed, format!("the platform failed to run the shell: {}", exit.message))),
    }
}

const PIECES: usize = 4;
const PIECE_BYTES: usize = 16 * 1024;
/// The most columns or rows that a shell may have.
const MAX_SIZE: u16 = 1000;

const ESCAPES: &str = "\
at the beginning of a line:
  ~.  leaves the shell, which lives on
  ~k  kills the shell
  ~?  lists these
  ~~  types a tilde";

const AFTER_HELP: &str = "\
At the beginning of a line `~.` leaves the shell, which lives on for 15 minutes, `~k` kills it, `~?` lists these. A \
pipe is typed as it comes, and Ctrl-D after it. The exit code is the shell's, 128 and more after a signal.

Examples:
  acore --mock shell
  acore shell --arn \"$ARN\" --session-name ada
  echo 'df -h; exit' | acore shell --arn \"$ARN\"";
