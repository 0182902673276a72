//! One command as a sentence: what to run, how long it may take, and then whole or as it comes.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use agentcore_core::{SessionId, Target};
use agentcore_http::{Command, CommandOutput, CommandStream, RetryPolicy, Timeouts, TraceContext};

use crate::{BoxFuture, Error, shared::Shared};

/// A command about to be run in a session's microVM. Nothing is sent before it is awaited or [streamed](Self::stream).
///
/// Awaiting it collects the whole output into a [`CommandOutput`].
///
/// ```
/// # async fn example(session: agentcore_client::Session) -> Result<(), agentcore_client::Error> {
/// use std::time::Duration;
///
/// let output = session.run("ls -l").timeout(Duration::from_secs(30)).await?;
/// print!("{}", output.stdout);
/// assert!(output.exit.is_success(), "{}", output.stderr);
/// # Ok(()) }
/// ```
///
/// A command is never sent again once it may have run.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before the command is awaited or streamed"]
pub struct Run {
    shared: Arc<Shared>,
    target: Target,
    command: Result<Command, Error>,
}

impl Run {
    pub(crate) fn new(shared: Arc<Shared>, target: Target, command: String) -> Self {
        Self { shared, target, command: Command::new(command) }
    }

    /// Sets the session. Default: a new one, whose microVM is started for the command.
    pub fn session(self, session: &SessionId) -> Self {
        self.map(|command| Ok(command.session(session)))
    }

    /// Sets how long the command may take until the service ends it: 1 to 3,600 whole seconds. Default: 5 minutes.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.map(|command| command.timeout(timeout))
    }

    /// Sets the timeouts of the call. Default: the client's, of which those for silence are a minute longer than the command's own
    /// timeout at the least.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.map(|command| Ok(command.timeouts(timeouts)))
    }

    /// Sets the retry policy. Default: the client's.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.map(|command| Ok(command.retry(policy)))
    }

    /// Passes a trace on. Default: none.
    pub fn trace(self, trace: TraceContext) -> Self {
        self.map(|command| Ok(command.trace(trace)))
    }

    /// Sends it and returns the output as it comes.
    ///
    /// # Errors
    /// If the command is empty, too long or may take too long, if it was refused, or if no answer came.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more; an attempt on its way is cut off, and the command may go on.
    pub async fn stream(self) -> Result<CommandStream, Error> {
        let command = self.command?;
        let mut under_way = self.shared.lifecycle.begin(command.session_id())?;
        let outcome = self.shared.http.run(&self.target, &command).await;
        under_way.ended(outcome.as_ref().err());
        outcome
    }

    async fn output(self) -> Result<CommandOutput, Error> {
        let command = self.command?;
        let mut under_way = self.shared.lifecycle.begin(command.session_id())?;
        let output = async { self.shared.http.run(&self.target, &command).await?.collect().await };
        let outcome = output.await;
        under_way.ended(outcome.as_ref().err());
        outcome
    }

    fn map(self, change: impl FnOnce(Command) -> Result<Command, Error>) -> Self {
        Self { command: self.command.and_then(change), ..self }
    }
}

impl IntoFuture for Run {
    type Output = Result<CommandOutput, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.output())
    }
}
