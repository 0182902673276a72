//! What an MCP client has to send again: the ids of its sessions and the version that was agreed on. Sends nothing.
//!
//! Source: MCP specification 2025-11-25, "Session Management" and "Protocol Version Header"; AWS developer guide, "MCP session management
//! and microVM stickiness".

use std::fmt;

use agentcore_core::SessionId;
use http::HeaderValue;
use serde_json::Value;

use crate::{Error, ErrorKind, rpc::RpcMessage};

/// The sessions of one MCP client, of which there is one at a time.
#[derive(Default)]
pub(super) struct McpSession {
    /// The runtime session that the caller named.
    named: Option<SessionId>,
    /// The runtime session of the first answer.
    found: Option<SessionId>,
    /// `Mcp-Session-Id` of the first answer. The server's, or the service's.
    id: Option<HeaderValue>,
    /// The version that the answer to `initialize` named.
    version: Option<String>,
    /// Counts the sessions, so that a late answer of an old one changes nothing.
    generation: u64,
    /// Whether an `initialize` began the session.
    initialized: bool,
    /// Whether the session has ended, and none was begun since.
    lost: bool,
}

/// What a request says of its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) generation: u64,
    pub(super) session: Option<SessionId>,
    pub(super) id: Option<HeaderValue>,
    pub(super) version: Option<String>,
}

impl McpSession {
    pub(super) fn new(named: Option<SessionId>) -> Self {
        Self { named, ..Self::default() }
    }

    /// Returns what the next request says. An `initialize` begins a session, and names none.
    ///
    /// # Errors
    /// If the session has ended and was begun by an `initialize`, which the server wants first. Nothing is sent then.
    pub(super) fn ticket(&mut self, message: &RpcMessage) -> Result<Ticket, Error> {
        if message.is("initialize") {
            self.generation += 1;
            (self.id, self.version, self.initialized, self.lost) = (None, None, true, false);
        } else if self.lost {
            return Err(lost());
        }
        Ok(Ticket {
            generation: self.generation,
            session: self.runtime_session().cloned(),
            id: self.id.clone(),
            // The message says it itself.
            version: message.version.clone().or_else(|| self.version.clone()),
        })
    }

    /// Returns what a request says whose author names the session, if he does. One that is not held is neither learnt nor lost here.
    ///
    /// # Errors
    /// As [`ticket`](Self::ticket), where he names none.
    pub(super) fn ticket_with(&mut self, id: Option<&HeaderValue>, message: &RpcMessage) -> Result<Ticket, Error> {
        match id {
            Some(id) if self.id.as_ref() != Some(id) => {
                let session = self.runtime_session().cloned();
                let version = message.version.clone();
                Ok(Ticket { generation: NOT_HELD, session, id: Some(id.clone()), version })
            }
            _ => self.ticket(message),
        }
    }

    /// Returns what the next request of a session says that has this number; of none, the same as [`ticket`](Self::ticket).
    ///
    /// # Errors
    /// As [`ticket`](Self::ticket), and if another session was begun since. Nothing is sent then.
    #[cfg(feature = "mcp")]
    pub(super) fn ticket_of(&mut self, generation: Option<&str>, message: &RpcMessage) -> Result<Ticket, Error> {
        match generation {
            Some(named) if named != self.generation.to_string() => Err(lost()),
            _ => self.ticket(message),
        }
    }

    /// Takes the ids of an answer, if it is of this session and there were none before.
    pub(super) fn answered(&mut self, ticket: &Ticket, session: Option<&SessionId>, id: Option<&HeaderValue>) {
        if ticket.generation == self.generation {
            self.found = self.found.take().or_else(|| session.cloned());
            self.id = self.id.take().or_else(|| id.cloned().map(private));
        }
    }

    /// Takes the version that the server chose.
    pub(super) fn agreed(&mut self, generation: u64, version: String) {
        if generation == self.generation {
            self.version = Some(version);
        }
    }

    /// Ends the session in which a request was refused. What is sent next goes to a new one.
    pub(super) fn lose(&mut self, ticket: &Ticket) {
        if ticket.generation == self.generation {
            self.generation += 1;
            self.lost = self.initialized;
            (self.found, self.id) = (None, None);
        }
    }

    /// Returns the runtime session: the caller's, else that of the first answer.
    pub(super) fn runtime_session(&self) -> Option<&SessionId> {
        self.named.as_ref().or(self.found.as_ref())
    }

    /// Returns the number of the session, if it has an id.
    #[cfg(feature = "mcp")]
    pub(super) fn handle(&self) -> Option<String> {
        self.id.as_ref().map(|_| self.generation.to_string())
    }

    pub(super) fn id(&self) -> Option<&HeaderValue> {
        self.id.as_ref()
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

/// Prints no id: whoever knows one can join the session.
impl fmt::Debug for McpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, initialized, lost, .. } = self;
        f.debug_struct("McpSession")
            .field("generation", generation)
            .field("initialized", initialized)
            .field("lost", lost)
            .finish()
    }
}

/// Marks an id as one that is not printed: whoever knows it can join the session.
fn private(mut id: HeaderValue) -> HeaderValue {
    id.set_sensitive(true);
    id
}

/// Returns whether a call that was refused with 404 may have run, though its session has ended.
///
/// A server looks for the session before it reads the request, so that it did not run: where the service says so itself, or where the
/// body is a JSON-RPC error that does not know which request it answers. Every other 404 may come from the tool itself, from something
/// in between, or from a session that ended while the tool ran. What may be sent twice may have run and does no harm.
pub(super) fn may_have_run(message: &RpcMessage, refusal: &Error) -> bool {
    if refusal.may_have_run() || message.is_repeatable() {
        return refusal.may_have_run();
    }
    let is_services = refusal.is_of_the_service() && refusal.code() == Some("ResourceNotFoundException");
    // An id that is missing is `null` (JSON-RPC 2.0 section 5).
    let error = refusal.rpc_error().and_then(|error| serde_json::from_str(error).ok());
    let is_of_no_request = error.is_some_and(|error: Value| message.awaits() != Some(&error["id"]));
    !is_services && !is_of_no_request
}

/// The generation of a session that is not held: the counter never comes so far.
const NOT_HELD: u64 = u64::MAX;

/// The failure of a request that was not sent, because its session has ended.
fn lost() -> Error {
    Error::new(ErrorKind::SessionLost, "the MCP session has ended, and nothing was sent: `initialize` begins another")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use agentcore_core::ServiceResponse;
    use serde_json::json;

    use super::*;

    fn message(method: &str) -> RpcMessage {
        RpcMessage::of(&json!({"jsonrpc": "2.0", "id": 7, "method": method})).unwrap()
    }

    fn said(ticket: &Ticket) -> (Option<&str>, Option<&str>) {
        (ticket.session.as_ref().map(SessionId::as_str), ticket.id.as_ref().map(|id| id.to_str().unwrap()))
    }

    fn answers(held: &mut McpSession, ticket: &Ticket, session: &str, id: &'static str) {
        let session = SessionId::from_answer(session);
        let id = (!id.is_empty()).then_some(HeaderValue::from_static(id));
        held.answered(ticket, session.as_ref(), id.as_ref());
    }

    #[test]
    fn the_first_answer_decides() {
        let mut held = McpSession::default();
        let first = held.ticket(&message("initialize")).unwrap();
        assert_eq!(said(&first), (None, None));
        answers(&mut held, &first, "r-1", "m-1");
        let second = held.ticket(&message("tools/list")).unwrap();
        assert_eq!(said(&second), (Some("r-1"), Some("m-1")));
        answers(&mut held, &second, "r-2", "m-2");
        assert_eq!(said(&held.ticket(&message("ping")).unwrap()), (Some("r-1"), Some("m-1")));
        // Another `initialize` names no session of MCP, and stays in the machine.
        let again = held.ticket(&message("initialize")).unwrap();
        assert_eq!(said(&again), (Some("r-1"), None));
        answers(&mut held, &again, "r-1", "m-3");
        // A late answer of the first session changes nothing.
        held.agreed(first.generation, "2024-11-05".into());
        answers(&mut held, &first, "r-9", "m-9");
        assert_eq!(said(&held.ticket(&message("ping")).unwrap()), (Some("r-1"), Some("m-3")));
        assert_eq!(held.version(), None);
    }

    #[test]
    fn the_callers_session_stays() {
        let mut held = McpSession::new(SessionId::from_answer("mine"));
        let first = held.ticket(&message("initialize")).unwrap();
        assert_eq!(said(&first), (Some("mine"), None));
        answers(&mut held, &first, "other", "m-1");
        let second = held.ticket(&message("ping")).unwrap();
        held.lose(&second);
        assert_eq!(said(&held.ticket(&message("initialize")).unwrap()), (Some("mine"), None));
    }

    #[test]
    fn versions() {
        let mut held = McpSession::default();
        let first = held.ticket(&message("initialize")).unwrap();
        assert_eq!(first.version, None);
        held.agreed(first.generation, "2025-06-18".into());
        assert_eq!(held.ticket(&message("ping")).unwrap().version.as_deref(), Some("2025-06-18"));
        let meta = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
        let own = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": meta});
        let own = held.ticket(&RpcMessage::of(&own).unwrap()).unwrap();
        assert_eq!(own.version.as_deref(), Some("2026-07-28"));
        assert_eq!(held.ticket(&message("initialize")).unwrap().version, None);
    }

    #[test]
    fn a_lost_session_is_begun_again_by_initialize_alone() {
        let mut held = McpSession::default();
        let first = held.ticket(&message("initialize")).unwrap();
        answers(&mut held, &first, "r-1", "m-1");
        let [one, other] = [(); 2].map(|()| held.ticket(&message("tools/call")).unwrap());
        held.lose(&one);
        let error = held.ticket(&message("tools/call")).unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::SessionLost, false));
        let again = held.ticket(&message("initialize")).unwrap();
        assert_eq!(said(&again), (None, None));
        answers(&mut held, &again, "r-2", "m-2");
        // The second refusal of the old session does not end the new one.
        held.lose(&other);
        assert_eq!(said(&held.ticket(&message("tools/call")).unwrap()), (Some("r-2"), Some("m-2")));
    }

    /// A bridge's client keeps its session itself.
    #[test]
    fn a_session_that_the_caller_names() {
        let mut held = McpSession::default();
        let first = held.ticket(&message("initialize")).unwrap();
        answers(&mut held, &first, "r-1", "m-1");
        let (known, other) = (HeaderValue::from_static("m-1"), HeaderValue::from_static("m-0"));
        assert_eq!(held.ticket_with(Some(&known), &message("ping")), held.ticket(&message("ping")));
        let foreign = held.ticket_with(Some(&other), &message("ping")).unwrap();
        assert_eq!(said(&foreign), (Some("r-1"), Some("m-0")));
        held.lose(&foreign);
        answers(&mut held, &foreign, "r-2", "m-2");
        let here = held.ticket_with(None, &message("ping")).unwrap();
        assert_eq!(said(&here), (Some("r-1"), Some("m-1")));
        held.lose(&here);
        assert!(held.ticket_with(None, &message("ping")).is_err());
        assert_eq!(said(&held.ticket_with(Some(&known), &message("ping")).unwrap()), (None, Some("m-1")));
    }

    /// A client of a stateless server sends no `initialize`, and can go on at once.
    #[test]
    fn a_session_of_the_service_alone() {
        let mut held = McpSession::default();
        let first = held.ticket(&message("tools/list")).unwrap();
        answers(&mut held, &first, "r-1", "m-1");
        let second = held.ticket(&message("tools/call")).unwrap();
        assert_eq!(said(&second), (Some("r-1"), Some("m-1")));
        held.lose(&second);
        assert_eq!(said(&held.ticket(&message("tools/call")).unwrap()), (None, None));
    }

    #[test]
    fn when_a_404_says_that_nothing_ran() {
        let refusal = |code: Option<&str>, id: Option<&str>, is_of_the_service| {
            let code = code.map(str::to_owned);
            let rpc_error = id.map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-1}}}}"#));
            let response =
                ServiceResponse { status: 404, code, rpc_error, is_of_the_service, ..ServiceResponse::default() };
            Error::new(ErrorKind::NotFound, "no").with_response(response)
        };
        let not_found = |code, id| refusal(code, id, false);
        let service = || refusal(Some("ResourceNotFoundException"), None, true);
        for (method, refusal, expected) in [
            // The service, and servers that know no session of this id.
            ("tools/call", service(), false),
            ("tools/call", not_found(Some("-32600"), Some("\"server-error\"")), false),
            ("tools/call", not_found(Some("-32001"), Some("null")), false),
            // The tool's own, a proxy's, or nobody knows whose.
            ("tools/call", not_found(None, None), true),
            ("tools/call", not_found(Some("-32001"), Some("7")), true),
            ("tools/call", not_found(Some("-32001"), Some("7.")), true),
            ("tools/call", refusal(Some("UnknownOperationException"), None, true), true),
            // The name is in the body, where a tool may write what AWS answered it.
            ("tools/call", not_found(Some("ResourceNotFoundException"), None), true),
            ("my/own", not_found(None, None), true),
            // An earlier attempt was lost on the way.
            ("tools/call", service().possibly_run(true), true),
            ("tools/list", not_found(None, None).possibly_run(true), true),
            // What only asks.
            ("tools/list", not_found(None, None), false),
            ("notifications/cancelled", not_found(None, Some("7")), false),
        ] {
            assert_eq!(may_have_run(&message(method), &refusal), expected, "{method} {refusal}");
        }
    }
}
