//! The agents that a runtime id can name: the custom ones first, then the built-in ones. Opens no WebSocket.

pub(crate) mod ask;
mod mcp;
pub(crate) mod story;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::json;

use crate::{
    faults::{Fault, WebSocketFault},
    invocation::{AgentRequest, AgentResponse},
};

/// An agent's name, or the pattern of several names, and a description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentInfo {
    /// The runtime id; capital letters stand for a number, a status or an error's name.
    pub name: String,
    /// What the agent does, in one line.
    pub description: String,
}

/// An agent of the user's own.
pub(crate) type CustomAgent = Arc<dyn Fn(AgentRequest) -> BoxFuture<'static, AgentResponse> + Send + Sync>;

/// Every agent of a mock.
pub(crate) struct Agents {
    pub(crate) custom: BTreeMap<String, CustomAgent>,
    /// The pause between a story's words.
    pub(crate) pace: Duration,
}

impl Agents {
    /// Finds the agent of a runtime id, and its name.
    ///
    /// The service's ids are a name, a dash and ten characters, so `story-AbCdE12345` is found as `story`.
    pub(crate) fn find(&self, id: &str) -> Option<(String, Agent)> {
        let short = id.rsplit_once('-').filter(|(_, suffix)| is_service_suffix(suffix)).map(|(name, _)| name);
        [Some(id), short].into_iter().flatten().find_map(|name| {
            let custom = self.custom.get(name).cloned().map(Agent::Custom);
            Some((name.to_owned(), custom.or_else(|| self.built_in(name))?))
        })
    }

    fn built_in(&self, name: &str) -> Option<Agent> {
        match name {
            "echo" => Some(Agent::Echo),
            "story" => Some(Agent::Story(self.pace)),
            "text" => Some(Agent::Text),
            "ask" => Some(Agent::Ask),
            "headers" => Some(Agent::Headers),
            "mcp" => Some(Agent::Mcp),
            _ => {
                let fault = Fault::parse(name).map(Agent::Fault);
                fault.or_else(|| WebSocketFault::parse(name).map(Agent::WebSocketFault))
            }
        }
    }

    /// Lists the built-in agents, then the custom ones.
    pub(crate) fn list(&self) -> Vec<AgentInfo> {
        let built_in = BUILT_IN.iter().map(|&(name, description)| (name.to_owned(), description));
        let custom = self.custom.keys().map(|name| (name.clone(), "an agent of yours"));
        let all = built_in.chain(custom);
        all.map(|(name, description)| AgentInfo { name, description: description.to_owned() }).collect()
    }
}

/// An agent.
#[derive(Clone)]
pub(crate) enum Agent {
    Custom(CustomAgent),
    Echo,
    /// Pauses so long between words.
    Story(Duration),
    Text,
    Ask,
    Headers,
    Mcp,
    Fault(Fault),
    WebSocketFault(WebSocketFault),
}

impl Agent {
    /// Responds to an invocation.
    pub(crate) async fn respond(self, request: AgentRequest) -> AgentResponse {
        match self {
            Self::Custom(agent) => agent(request).await,
            Self::Echo => echo(&request),
            Self::Story(pace) => story::story(&request, pace),
            Self::Text => {
                let prompt = request.prompt().unwrap_or_else(|| "nothing".into());
                AgentResponse::text(format!("You asked: {prompt}"))
            }
            Self::Ask => AgentResponse::events(ask::events(&request.json())),
            Self::Headers => AgentResponse::json(json!({ "headers": request.header_pairs() })),
            Self::Mcp => mcp::respond(&request),
            Self::Fault(fault) => fault.respond(&request).await.unwrap_or_else(|| echo(&request)),
            Self::WebSocketFault(_) => AgentResponse::unsupported("The agent answers over WebSockets only."),
        }
    }
}

fn echo(request: &AgentRequest) -> AgentResponse {
    AgentResponse::json(json!({
        "payload": request.json(),
        "session_id": request.session_id,
        "user_id": request.user_id,
        "qualifier": request.qualifier,
    }))
}

fn is_service_suffix(suffix: &str) -> bool {
    suffix.len() == 10 && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The built-in agents, as `acore mock` and the crate's documentation list them.
const BUILT_IN: &[(&str, &str)] = &[
    ("echo", "JSON: the payload, session id, user id and qualifier it was given"),
    ("story", "SSE: a short story about the prompt, a word an event, paced"),
    ("text", "plain text: a sentence about the prompt"),
    ("ask", "SSE: a question before it answers, in the manner of Strands"),
    ("headers", "JSON: the headers it was given, without the credentials"),
    ("mcp", "MCP: a server of two tools, add and say"),
    ("error-STATUS", "the error of a status from 400 to 599; error-STATUS-after-SECONDS adds Retry-After"),
    ("error-NAME", "an error of the service by name, such as error-ThrottlingException"),
    ("throttle-N", "429 for the first N requests of a session, then echo"),
    ("unavailable-N", "503 for the first N requests of a session, then echo"),
    ("conflict-N", "409 RetryableConflictException for the first N requests of a session, then echo"),
    ("unauthorized-N", "401 for the first N requests of a session, then echo"),
    ("reset", "the connection is reset before any header"),
    ("reset-N", "the same for the first N requests of a session, then echo"),
    ("reset-midstream", "SSE: two events, then the connection breaks off"),
    ("fail-midstream", "SSE: two events, then the agent's error as an event"),
    ("stall", "SSE: one event, then silence for ever"),
    ("slow", "echo, whose first byte is 1 second late"),
    ("slow-MILLIS", "echo, whose first byte is late by so many milliseconds"),
    ("split", "SSE: every byte a chunk of its own, within characters too"),
    ("huge", "SSE: one event of 20 MiB"),
    ("huge-BYTES", "SSE: one event of so many bytes"),
    ("empty", "SSE: no event at all"),
    ("redirect", "307 to another port"),
    ("gzip", "JSON in gzip, which nobody asked for"),
    ("html", "502 with an HTML page"),
    ("close-CODE", "WebSocket: one message comes back, then a close by that code; close-CODE-now closes at once"),
    ("drop", "WebSocket: one message comes back, then the connection ends without a close"),
    ("drop-N", "the same for the first N connections of a session, then echo"),
    ("deaf", "WebSocket: nothing is read"),
    ("silent", "WebSocket: everything is read and nothing answered, neither a ping nor a close"),
    ("no-close", "WebSocket: echo that leaves a close unanswered"),
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn agents() -> Agents {
        let custom: CustomAgent = Arc::new(|_| Box::pin(async { AgentResponse::text("mine") }));
        let custom = BTreeMap::from([("text".to_owned(), custom.clone()), ("echo-a1b2c3d4e5".to_owned(), custom)]);
        Agents { custom, pace: Duration::ZERO }
    }

    #[test]
    fn ids_with_and_without_the_service_suffix() {
        for (id, name) in [
            ("story", Some("story")),
            ("story-AbCdE12345", Some("story")),
            ("throttle-2", Some("throttle-2")),
            ("throttle-2-AbCdE12345", Some("throttle-2")),
            ("error-429-after-3-0000000000", Some("error-429-after-3")),
            ("echo-a1b2c3d4e5", Some("echo-a1b2c3d4e5")),
            ("story-AbCdE1234", None),
            ("story-AbCdE123456", None),
            ("story-AbCdE_2345", None),
            ("story-", None),
            ("Story", None),
            ("", None),
            ("throttle-", None),
            ("close-4000", Some("close-4000")),
            ("close-1000-now-AbCdE12345", Some("close-1000-now")),
            ("close-999", None),
            ("close-1006", None),
            ("close-5000", None),
            ("close-1000-later", None),
            ("drop-1", Some("drop-1")),
            ("drop-1-now", None),
            ("throttle--1", None),
            ("throttle-+1", None),
            ("error-200", None),
            ("error-NoSuchException", None),
        ] {
            assert_eq!(agents().find(id).map(|(name, _)| name).as_deref(), name, "{id}");
        }
    }

    #[test]
    fn a_custom_agent_comes_before_a_built_in_one() {
        let agents = agents();
        assert!(matches!(agents.find("text").unwrap().1, Agent::Custom(_)));
        assert!(matches!(agents.find("echo").unwrap().1, Agent::Echo));
    }

    #[test]
    fn every_listed_agent_exists_and_is_documented() {
        let docs = include_str!("lib.rs");
        for info in agents().list() {
            let one = info
                .name
                .replace("STATUS", "503")
                .replace("NAME", "ConflictException")
                .replace("BYTES", "9")
                .replace("CODE", "4000")
                .replace("MILLIS", "9")
                .replace('N', "2");
            assert!(agents().find(&one).is_some(), "{one}");
            let is_custom = agents().custom.contains_key(&info.name);
            assert!(
                is_custom || docs.contains(&format!("`{}`", info.name)),
                "{} is not in the crate's docs",
                info.name
            );
        }
    }
}
