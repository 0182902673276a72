//! Commands in a session's microVM: the request, and its output as events or whole. Sends nothing.
//!
//! Source: `InvokeAgentRuntimeCommand` in the service model of `aws-sdk-bedrockagentcore` 1.83.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use agentcore_core::{SessionId, Target, operation};
use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Response, RetryPolicy, Timeouts, TraceContext,
    event_stream::{Frame, FrameStream},
    request::{Contents, Draft},
};

/// A command to be run by the shell of a session's microVM.
///
/// ```
/// use std::time::Duration;
/// use agentcore_http::{Command, SessionId};
///
/// let command = Command::new("ls -l")?.session(&SessionId::random()).timeout(Duration::from_secs(30))?;
/// # let _ = command;
/// # Ok::<(), agentcore_http::Error>(())
/// ```
#[derive(Clone)]
pub struct Command {
    command: String,
    timeout: Duration,
    session: SessionId,
    trace: TraceContext,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) retry: Option<RetryPolicy>,
}

impl Command {
    /// The most characters of a command.
    pub const MAX_CHARS: usize = 65_536;
    /// The longest time that a command may take.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
    /// The time that a command may take by default.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

    /// Makes a command in a new session.
    ///
    /// # Errors
    /// If it is empty or has more than [`MAX_CHARS`](Self::MAX_CHARS) characters.
    pub fn new(command: impl Into<String>) -> Result<Self, Error> {
        let command = command.into();
        match command.chars().take(Self::MAX_CHARS + 1).count() {
            0 => Err(Error::input("the command is empty")),
            1..=Self::MAX_CHARS => Ok(Self {
                command,
                timeout: Self::DEFAULT_TIMEOUT,
                session: SessionId::random(),
                trace: TraceContext::default(),
                timeouts: None,
                retry: None,
            }),
            _ => Err(Error::input(format!("the command has more than {} characters", Self::MAX_CHARS))),
        }
    }

    /// Sets the session. Default: a new, random one, which starts a microVM.
    #[must_use]
    pub fn session(mut self, session: &SessionId) -> Self {
        self.session = session.clone();
        self
    }

    /// Sets how long the command may take until the service ends it, in whole seconds. Default: 5 minutes.
    ///
    /// # Errors
    /// If it is less than a second or more than an hour, or has a fraction of a second.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, Error> {
        if timeout.subsec_nanos() != 0 || !(1..=Self::MAX_TIMEOUT.as_secs()).contains(&timeout.as_secs()) {
            return Err(Error::input("a command's timeout is a whole number of seconds from 1 to 3600"));
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// Returns the session's id.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Returns the timeouts of the call: the command's own, else the client's, as long as the command itself may be silent.
    pub(crate) fn effective_timeouts(&self, client: &Timeouts) -> Timeouts {
        if let Some(own) = &self.timeouts {
            return own.clone();
        }
        let silent = |bound: Option<Duration>| bound.map(|bound| bound.max(self.timeout + MARGIN));
        Timeouts { first_byte: silent(client.first_byte), idle: silent(client.idle), total: client.total }
    }

    /// Returns the request, not yet authenticated.
    pub(crate) fn draft(&self, target: &Target) -> Result<Draft<'_>, Error> {
        let body = Body { command: &self.command, timeout: self.timeout.as_secs() };
        let body = serde_json::to_vec(&body)
            .map_err(|error| Error::input("the command cannot be written").with_source(error))?;
        let content_type = operation::COMMAND.content_type;
        let headers = self.trace.headers().clone();
        let contents = Contents { session: Some(&self.session), headers, content_type, body: body.into() };
        Draft::new(target, &operation::COMMAND, contents)
    }
}

/// Prints the command's length alone: it may hold a secret.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("bytes", &self.command.len())
            .field("timeout", &self.timeout)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

agentcore_core::setters! {
    impl Command:

    /// Sets the trace headers.
    trace(trace: TraceContext) => trace = trace;

    /// Sets the timeouts of the call. Default: the client's, of which those for silence are a minute longer than the command's own
    /// timeout at the least.
    timeouts(timeouts: Timeouts) => timeouts = Some(timeouts);

    /// Sets the retry policy. Default: the client's. A command is never sent again once it may have run.
    retry(policy: RetryPolicy) => retry = Some(policy);
}

#[derive(Serialize)]
struct Body<'a> {
    command: &'a str,
    timeout: u64,
}

/// What a command does, as it does it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandEvent {
    /// It was started.
    Started,
    /// A piece of its standard output, at most 64 KB. The service gives text, so that bytes that are no UTF-8 are lost there.
    Stdout(String),
    /// A piece of its standard error, likewise.
    Stderr(String),
    /// It ended.
    Exited(Exit),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exit {
    /// The exit code; −1 where the platform failed.
    pub code: i32,
    /// The status.
    pub status: ExitStatus,
}

/// The status with which a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitStatus {
    /// It ended by itself.
    Completed,
    /// It was ended, because it took longer than its timeout.
    TimedOut,
    /// A status that this client does not know.
    Other(String),
}

impl Exit {
    /// Returns whether the command ended by itself with the code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == 0 && self.status == ExitStatus::Completed
    }

    /// Returns whether the command was ended because of its timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.status == ExitStatus::TimedOut
    }

    /// Returns whether the platform failed, and not the command (the code −1).
    #[must_use]
    pub fn is_platform_failure(&self) -> bool {
        self.code == -1 && !self.is_timeout()
    }
}

/// A command whose answer has begun: its events as a stream.
///
/// It ends after [`CommandEvent::Exited`], or after the first error. What the command said before the error has been delivered.
/// Dropping it closes the connection; the command may go on.
///
/// # Cancel safety
/// A `next()` future may be dropped at any time; no event is lost.
#[derive(Debug)]
pub struct CommandStream {
    frames: FrameStream,
    pending: VecDeque<CommandEvent>,
    max_bytes: usize,
    ended: bool,
}

/// The output of a command that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
    /// How it ended.
    pub exit: Exit,
    /// The session in which it ran.
    pub session_id: SessionId,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    /// The time from the beginning of the call.
    pub elapsed: Duration,
}

impl CommandStream {
    pub(crate) fn new(response: Response) -> Self {
        let max_bytes = response.max_bytes();
        Self { frames: response.frames(), pending: VecDeque::new(), max_bytes, ended: false }
    }

    /// Returns the session of the answer, or the session that was sent if the answer has none.
    #[must_use]
    pub fn session_id(&self) -> &SessionId {
        &self.frames.bytes.call.session
    }

    /// Returns the id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.frames.bytes.call.request_id.as_deref()
    }

    /// Waits for the next event; none after the end.
    ///
    /// # Errors
    /// If the service reports an error, or the answer broke off: the command may go on then.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    pub async fn try_next(&mut self) -> Result<Option<CommandEvent>, Error> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }

    /// Reads the output to its end.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next), and if the output is longer than the client's limit (100 MB by default). The output that
    /// had come is [kept](Error::partial) in the error, as a [`CommandOutput`] whose exit is the platform's −1.
    ///
    /// # Cancel safety
    /// Dropping the future drops the output.
    pub async fn collect(mut self) -> Result<CommandOutput, Error> {
        let mut output = CommandOutput {
            stdout: String::new(),
            stderr: String::new(),
            exit: Exit { code: -1, status: ExitStatus::Other(String::new()) },
            session_id: self.session_id().clone(),
            request_id: self.request_id().map(str::to_owned),
            elapsed: Duration::ZERO,
        };
        loop {
            let failed = match self.try_next().await {
                Ok(Some(CommandEvent::Started)) => continue,
                Ok(Some(CommandEvent::Exited(exit))) => {
                    output.exit = exit;
                    continue;
                }
                Ok(Some(CommandEvent::Stdout(text))) => self.add(&mut output, |output| &mut output.stdout, &text),
                Ok(Some(CommandEvent::Stderr(text))) => self.add(&mut output, |output| &mut output.stderr, &text),
                Ok(None) => {
                    output.elapsed = self.frames.bytes.call.started.elapsed();
                    return Ok(output);
                }
                Err(error) => Err(error),
            };
            if let Err(error) = failed {
                output.elapsed = self.frames.bytes.call.started.elapsed();
                return Err(error.with_partial(output));
            }
        }
    }

    fn add(
        &self,
        output: &mut CommandOutput,
        part: impl FnOnce(&mut CommandOutput) -> &mut String,
        text: &str,
    ) -> Result<(), Error> {
        if output.stdout.len() + output.stderr.len() + text.len() > self.max_bytes {
            let message = format!("the command's output is longer than {} bytes", self.max_bytes);
            return Err(self.frames.bytes.call.error(ErrorKind::TooLarge, message));
        }
        part(output).push_str(text);
        Ok(())
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<CommandEvent, Error>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }

    /// Understands a frame. What is not known is passed over: the service may say more one day.
    fn read(&mut self, frame: &Frame) -> Result<(), Error> {
        let call = &self.frames.bytes.call;
        if let Some(error) = frame.exception() {
            let error = error.with_answer(call.status.as_u16(), call.request_id.as_deref());
            let error = error.with_trace(call.trace_id.as_deref()).with_call(None, Some(call.session.as_str()));
            return Err(error.with_attempts(call.attempts, call.started.elapsed()));
        }
        if frame.name() != Some("chunk") {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_slice(frame.payload()).map_err(|error| {
            call.error(ErrorKind::Service, "an event of the command's output cannot be read").with_source(error)
        })?;
        let delta = chunk.content_delta.unwrap_or_default();
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        self.pending.extend(chunk.content_start.map(|_| CommandEvent::Started));
        self.pending.extend(text(delta.stdout).map(CommandEvent::Stdout));
        self.pending.extend(text(delta.stderr).map(CommandEvent::Stderr));
        self.pending.extend(chunk.content_stop.map(|stop| CommandEvent::Exited(stop.into())));
        Ok(())
    }
}

impl Stream for CommandStream {
    type Item = Result<CommandEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.pending.pop_front() {
                this.ended |= matches!(event, CommandEvent::Exited(_));
                return Poll::Ready(Some(Ok(event)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.frames).poll_next(cx)) {
                Some(Ok(frame)) => {
                    if let Err(error) = this.read(&frame) {
                        return this.end(error);
                    }
                }
                Some(Err(error)) => return this.end(error),
                None => {
                    let message = "the command's output ended without its exit code";
                    let error = this.frames.bytes.call.error(ErrorKind::BrokenOff, message);
                    return this.end(error);
                }
            }
        }
    }
}

/// `ResponseChunk`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    content_start: Option<serde::de::IgnoredAny>,
    content_delta: Option<Delta>,
    content_stop: Option<Stop>,
}

#[derive(Default, Deserialize)]
struct Delta {
    stdout: Option<String>,
    stderr: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    exit_code: i32,
    #[serde(default)]
    status: Option<String>,
}

impl From<Stop> for Exit {
    fn from(stop: Stop) -> Self {
        let status = match stop.status.as_deref() {
            // The status says nothing that the code does not, where it is left out.
            Some("COMPLETED") | None => ExitStatus::Completed,
            Some("TIMED_OUT") => ExitStatus::TimedOut,
            Some(other) => ExitStatus::Other(other.chars().take(MAX_STATUS_CHARS).collect()),
        };
        Self { code: stop.exit_code, status }
    }
}

const MARGIN: Duration = Duration::from_secs(60);
const MAX_STATUS_CHARS: usize = 100;

#[cfg(test)]
mod tests;
