//! The agents a runtime id can name: the user's own first, then the built-in ones. Calls none of them itself.

pub(crate) mod answer;
pub(crate) mod echo;
pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod story;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    AgentAnswer, AgentRequest,
    faults::Fault,
    websocket::{Handshake, Peer, Talk},
};

/// An agent's name, or the pattern of several names, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentInfo {
    /// The runtime id; capital letters stand for a number, a status or an error's name.
    pub name: String,
    /// What the agent does, in one line.
    pub description: String,
}

/// A user's own agent.
pub(crate) type OwnAgent = Arc<dyn Fn(AgentRequest) -> BoxFuture<'static, AgentAnswer> + Send + Sync>;

/// Every agent of a mock.
pub(crate) struct Agents {
    pub(crate) own: BTreeMap<String, OwnAgent>,
    /// The pause between a story's words.
    pub(crate) pace: Duration,
}

impl Agents {
    /// Finds the agent of a runtime id, and the name it goes by.
    ///
    /// The service makes its ids of a name, a dash and ten characters, so `story-AbCdE12345` is found under `story`.
    pub(crate) fn find(&self, id: &str) -> Option<(String, Agent)> {
        let short = id.rsplit_once('-').filter(|(_, suffix)| is_service_suffix(suffix)).map(|(name, _)| name);
        [Some(id), short].into_iter().flatten().find_map(|name| {
            let own = self.own.get(name).cloned().map(Agent::Own);
            let agent = own.or_else(|| Some(Agent::BuiltIn(BuiltIn::named(name)?, self.pace)))?;
            Some((name.to_owned(), agent))
        })
    }

    /// Lists the built-in agents, then the user's own.
    pub(crate) fn list(&self) -> Vec<AgentInfo> {
        let built_in = BUILT_IN.iter().map(|&(name, description)| (name.to_owned(), description));
        let own = self.own.keys().map(|name| (name.clone(), "an agent of yours"));
        built_in.chain(own).map(|(name, description)| AgentInfo { name, description: description.to_owned() }).collect()
    }
}

/// An agent that was found.
#[derive(Clone)]
pub(crate) enum Agent {
    Own(OwnAgent),
    BuiltIn(BuiltIn, Duration),
}

impl Agent {
    pub(crate) async fn answer(self, request: AgentRequest) -> AgentAnswer {
        match self {
            Self::Own(agent) => agent(request).await,
            Self::BuiltIn(BuiltIn::Echo, _) => echo::echo(&request),
            Self::BuiltIn(BuiltIn::Text, _) => echo::text(&request),
            Self::BuiltIn(BuiltIn::Headers, _) => echo::headers(&request),
            Self::BuiltIn(BuiltIn::Story, pace) => story::story(&request, pace),
            Self::BuiltIn(BuiltIn::Error(error), _) => error.answer(),
            Self::BuiltIn(BuiltIn::Fault(fault), _) => fault.answer(&request).await,
            Self::BuiltIn(BuiltIn::Peer(_), _) => AgentAnswer::unserved("The agent answers over WebSockets only."),
        }
    }

    /// Opens a WebSocket, or answers in its place.
    pub(crate) async fn open(self, handshake: Handshake) -> Result<Talk, AgentAnswer> {
        let request = &handshake.request;
        match self {
            Self::BuiltIn(BuiltIn::Echo, _) => Ok(Talk::Echo),
            Self::BuiltIn(BuiltIn::Story, pace) => Ok(Talk::Story(pace)),
            Self::BuiltIn(BuiltIn::Headers, _) => Ok(Talk::Greeting(handshake.describe())),
            Self::BuiltIn(BuiltIn::Error(error), _) => Err(error.answer()),
            Self::BuiltIn(BuiltIn::Fault(fault), _) => fault.open(request).await.map(|()| Talk::Echo),
            Self::BuiltIn(BuiltIn::Peer(Peer::Drop(first)), _) if request.attempt > first.into() => Ok(Talk::Echo),
            Self::BuiltIn(BuiltIn::Peer(peer), _) => Ok(Talk::Peer(peer)),
            Self::Own(_) | Self::BuiltIn(BuiltIn::Text, _) => Err(AgentAnswer::unserved("The agent has no WebSocket.")),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Echo,
    Story,
    Text,
    Headers,
    Error(error::ErrorAgent),
    Fault(Fault),
    Peer(Peer),
}

impl BuiltIn {
    fn named(name: &str) -> Option<Self> {
        match name {
            "echo" => Some(Self::Echo),
            "story" => Some(Self::Story),
            "text" => Some(Self::Text),
            "headers" => Some(Self::Headers),
            _ => {
                let error = error::ErrorAgent::named(name).map(Self::Error);
                let fault = || Fault::named(name).map(Self::Fault);
                error.or_else(fault).or_else(|| Peer::named(name).map(Self::Peer))
            }
        }
    }
}

fn is_service_suffix(suffix: &str) -> bool {
    suffix.len() == 10 && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A number of digits alone: `parse` would take a sign too.
pub(crate) fn decimal(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

/// The built-in agents as `acore mock` and the crate's documentation list them.
const BUILT_IN: &[(&str, &str)] = &[
    ("echo", "JSON: the payload, session id, user id and qualifier it was given"),
    ("story", "SSE: a short story about the prompt, a word an event, paced"),
    ("text", "plain text: a sentence about the prompt"),
    ("headers", "JSON: the headers it was given, without the credentials"),
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
        let own: OwnAgent = Arc::new(|_| Box::pin(async { AgentAnswer::text("mine") }));
        let own = BTreeMap::from([("text".to_owned(), own.clone()), ("echo-a1b2c3d4e5".to_owned(), own)]);
        Agents { own, pace: Duration::ZERO }
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
    fn a_users_agent_comes_before_a_built_in_one() {
        let agents = agents();
        assert!(matches!(agents.find("text").unwrap().1, Agent::Own(_)));
        assert!(matches!(agents.find("echo").unwrap().1, Agent::BuiltIn(BuiltIn::Echo, _)));
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
            let is_own = agents().own.contains_key(&info.name);
            assert!(is_own || docs.contains(&format!("`{}`", info.name)), "{} is not in the crate's docs", info.name);
        }
    }
}
