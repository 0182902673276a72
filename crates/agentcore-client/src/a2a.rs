//! An A2A agent on AgentCore Runtime as a transport: session, versions and `Accept` of its JSON-RPC binding. Speaks no A2A of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentcore_core::{CustomHeader, SessionId, header};
use agentcore_http::{Invocation, Payload, Protocol};
use serde::Serialize;

use crate::{
    Dialect, Error, Runtime, Session,
    rpc::{self, Expects, RpcAnswer, RpcMessage},
};

/// A transport to an A2A agent on AgentCore Runtime, or in a local container at `/`. Cheap to clone; clones share the session.
///
/// It sends messages of JSON-RPC, in the runtime session of the first answer, with the `Accept` of both media types and the
/// `A2A-Version` of the message. What the messages say is the caller's. The agent's card is [`Runtime::card`].
///
/// ```no_run
/// # async fn example(agent: agentcore_client::Runtime) -> Result<(), agentcore_client::Error> {
/// use serde_json::json;
///
/// let a2a = agent.a2a();
/// let message = json!({"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "Tell me a story"}]});
/// let request = json!({"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": {"message": message}});
/// let mut updates = a2a.send(&request).await?.messages();
/// while let Some(update) = updates.try_next().await? {
///     println!("{}", update.text());
/// }
/// # Ok(()) }
/// ```
///
/// [`RpcAnswer::events`] reads the same answer as text, questions and errors.
#[derive(Clone, Debug)]
pub struct A2a {
    runtime: Runtime,
    /// A message's settings, without a payload.
    settings: Invocation,
    /// `None`: by the message's method.
    version: Option<CustomHeader>,
    session: Arc<Mutex<Option<SessionId>>>,
}

impl Runtime {
    /// Returns a transport to the A2A agent that this runtime is. The service makes the session, at the first message.
    #[must_use]
    pub fn a2a(&self) -> A2a {
        A2a::new(self, None)
    }
}

impl Session {
    /// Returns a transport to the A2A agent in this session; see [`Runtime::a2a`].
    #[must_use]
    pub fn a2a(&self) -> A2a {
        A2a::new(self.runtime(), Some(self.id().clone()))
    }
}

impl A2a {
    fn new(runtime: &Runtime, session: Option<SessionId>) -> Self {
        let settings = Invocation::new(Payload::raw(None, "")).protocol(Protocol::A2a).any_session();
        Self { runtime: runtime.clone(), settings, version: None, session: Arc::new(Mutex::new(session)) }
    }

    /// Sets `A2A-Version` of all messages, such as `1.0`. Default: `1.0` for the methods of 1.0, whose names are words
    /// (`SendMessage`), and none for those of 0.3, whose names have a slash (`message/send`): without the header an agent reads
    /// 0.3 (A2A specification 1.0, "A2A-Version header").
    ///
    /// # Errors
    /// If it is longer than 4096 bytes, or no header value.
    pub fn version(mut self, version: &str) -> Result<Self, Error> {
        self.version = Some(CustomHeader::new(header::A2A_VERSION.as_str(), version)?);
        Ok(self)
    }

    /// Sends a message.
    ///
    /// What only asks (`GetTask`, `tasks/get` and their like) is sent again where no answer came, by the client's retry policy; nothing
    /// else is once the agent may have run.
    ///
    /// # Errors
    /// If it is not one message of JSON-RPC 2.0, if the agent or the service refused it, if no answer came, or if it is a page of a proxy.
    /// An error of JSON-RPC in an answer of status 200 is the answer's: [`RpcAnswer::result`] and [`RpcAnswer::messages`] return it.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing more. An attempt on its way is cut off, and the agent may have run.
    pub async fn send(&self, message: &(impl Serialize + ?Sized)) -> Result<RpcAnswer, Error> {
        let message = RpcMessage::of(message)?;
        let mut invocation =
            self.settings.clone().payload(Payload::raw(Some("application/json"), message.body.clone()));
        let session = self.session_id();
        if let Some(session) = &session {
            invocation = invocation.session(session);
        }
        if message.is_repeatable() {
            invocation = invocation.idempotent();
        }
        let is_1 =
            message.method.as_deref().is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()));
        let version = match &self.version {
            Some(version) => Some(version.clone()),
            None if is_1 => Some(CustomHeader::new(header::A2A_VERSION.as_str(), "1.0")?),
            None => None,
        };
        invocation = version.into_iter().fold(invocation, Invocation::header);
        let arn = self.runtime.target.arn().cloned();
        let expects = Expects { dialect: Dialect::A2a, arn, id: message.awaits().cloned(), learn: None };
        let answer = rpc::post(&self.runtime, invocation, expects, |error| error).await?;
        if let Some(found) = answer.session_id() {
            self.held().get_or_insert_with(|| found.clone());
        }
        Ok(answer)
    }

    /// Returns the session to go on in, once the first answer has named it, or the one that this transport was made in.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.session_id().map(|id| self.runtime.session(id))
    }

    fn session_id(&self) -> Option<SessionId> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Option<SessionId>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

rpc::settings!(A2a);
