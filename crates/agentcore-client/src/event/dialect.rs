//! The names of the dialects. Reads none.

use std::{fmt, str::FromStr};

use crate::Error;

/// A way in which agents write their events; see the [table](crate::event).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `words`: the data of each event is text as it is.
    Words,
    /// `strings`: JSON strings.
    Strings,
    /// `objects`: small objects with the text under a usual key.
    Objects,
    /// `strands`: Strands Agents, its graphs and swarms.
    Strands,
    /// `converse`: Bedrock's ConverseStream.
    Converse,
    /// `bedrock-agents`: the chunks and traces of Bedrock Agents.
    BedrockAgents,
    /// `langgraph`: LangGraph and LangChain, the library's and the server's.
    LangGraph,
    /// `ag-ui`: the Agent-User Interaction protocol.
    AgUi,
    /// `a2a`: Agent2Agent.
    A2a,
    /// `mcp`: the Model Context Protocol.
    Mcp,
    /// `llama-index`: LlamaIndex's adapter for AgentCore Runtime.
    LlamaIndex,
    /// `openai`: chat-completion chunks and the events of the Responses API.
    OpenAi,
    /// `anthropic`: the events of Anthropic's Messages API.
    Anthropic,
    /// `google-adk`: Google's Agent Development Kit.
    GoogleAdk,
    /// `vercel`: the UI message streams of Vercel's AI SDK.
    Vercel,
    /// `pydantic-ai`: Pydantic AI.
    PydanticAi,
    /// `crewai`: CrewAI, its crews and flows.
    CrewAi,
    /// `autogen`: AutoGen, its agents and teams.
    AutoGen,
    /// `harness`: AgentCore's harnesses, whose answers are AWS event streams.
    Harness,
}

impl Dialect {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Words,
        Self::Strings,
        Self::Objects,
        Self::Strands,
        Self::Converse,
        Self::BedrockAgents,
        Self::LangGraph,
        Self::AgUi,
        Self::A2a,
        Self::Mcp,
        Self::LlamaIndex,
        Self::OpenAi,
        Self::Anthropic,
        Self::GoogleAdk,
        Self::Vercel,
        Self::PydanticAi,
        Self::CrewAi,
        Self::AutoGen,
        Self::Harness,
    ];

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Strings => "strings",
            Self::Objects => "objects",
            Self::Strands => "strands",
            Self::Converse => "converse",
            Self::BedrockAgents => "bedrock-agents",
            Self::LangGraph => "langgraph",
            Self::AgUi => "ag-ui",
            Self::A2a => "a2a",
            Self::Mcp => "mcp",
            Self::LlamaIndex => "llama-index",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::GoogleAdk => "google-adk",
            Self::Vercel => "vercel",
            Self::PydanticAi => "pydantic-ai",
            Self::CrewAi => "crewai",
            Self::AutoGen => "autogen",
            Self::Harness => "harness",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = Error;

    /// Reads a name.
    ///
    /// # Errors
    /// If no dialect has it; the message names those that there are.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|dialect| dialect.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|dialect| dialect.name()).collect();
            Error::input(format!("no dialect has this name; the dialects are {}", names.join(", ")))
        })
    }
}
